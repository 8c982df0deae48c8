"""Where a row's estimate says that the arms do not differ."""

from __future__ import annotations

CHANCES = ("mann_whitney", "brunner_munzel")
"""Methods whose estimate is the chance that a person of the treated arm has the higher value."""
_RATIOS = {("rmst", "ratio"), ("cmh", "odds ratio")}
"""Method and unit of estimates that are ratios; other ratios are kept as logarithms."""


def no_effect(method: str, unit: str) -> float:
    """Return the estimate of a row whose arms do not differ.

    By method, for the unit alone may be a word of the plan's author.

    >>> no_effect("mann_whitney", "probability"), no_effect("cmh", "odds ratio"), no_effect("cox", "log hazard ratio")
    (0.5, 1.0, 0.0)
    """
    if method in CHANCES:
        return 0.5
    return 1.0 if (method, unit) in _RATIOS else 0.0
