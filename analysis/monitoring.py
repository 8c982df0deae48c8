"""Public names of `analysis.design.monitoring`."""

from analysis.design.monitoring import (
    Boundaries,
    boundaries,
    crossing_probabilities,
)

__all__ = [
    "Boundaries",
    "boundaries",
    "crossing_probabilities",
]
