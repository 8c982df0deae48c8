"""Public names of `analysis.measurement.psychometrics`."""

from analysis.measurement.psychometrics import (
    RaschFit,
    alpha,
    distractors,
    item_statistics,
    omega,
    one_factor,
    q3,
    rasch_cml,
    rasch_mml,
)

__all__ = [
    "RaschFit",
    "alpha",
    "distractors",
    "item_statistics",
    "omega",
    "one_factor",
    "q3",
    "rasch_cml",
    "rasch_mml",
]
