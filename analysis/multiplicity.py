"""Public names of `analysis.design.multiplicity`."""

from analysis.design.multiplicity import (
    Graphical,
    adjust,
    graphical,
)

__all__ = [
    "Graphical",
    "adjust",
    "graphical",
]
