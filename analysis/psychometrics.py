"""Public names of `analysis.measurement.psychometrics`."""

from analysis.measurement.item_fit import dif, item_fit
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
    "dif",
    "distractors",
    "item_fit",
    "item_statistics",
    "omega",
    "one_factor",
    "q3",
    "rasch_cml",
    "rasch_mml",
]
