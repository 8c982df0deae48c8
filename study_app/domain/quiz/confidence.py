"""Confidence beside quiz items: the field on the page, what it holds, and how well it fits the points.

Confidence is the stated chance that the answer is right, in steps of ten percent on the page and as a share (0 to 1) in
the data. It is compared with the share of the item's points, so that an answer that is half right counts a half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from study_app.domain.study.quiz_confidence import RATED
from study_app.domain.study.sections import Stage

STEPS = tuple(range(0, 101, 10))
"""Percent that can be chosen."""
_ENDING = ".confidence"

Rated = tuple[float, float]
"""Confidence and share of the points, both 0 to 1."""


def confidence_field(item: str) -> str:
    """Return the field beside an item's answer; ids of items have no dot."""
    return f"{item}{_ENDING}"


def item_of(field: str) -> str:
    """Return the item that a field is about: its answer's, or its confidence's."""
    return field.removesuffix(_ENDING)


def confidence_in(shown: Any) -> float | None:
    """Return the confidence that a field holds, as a share; None where it holds none of the steps."""
    if not isinstance(shown, int) or isinstance(shown, bool) or shown not in STEPS:
        return None
    return shown / 100


def confidence_at(stage: Stage, item: str, shown: Mapping[str, Any]) -> float | None:
    """Return the confidence in the answer to an item, from what stands in the fields of the page; None where none."""
    return confidence_in(shown.get(confidence_field(item))) if stage.confidence else None


@dataclass(frozen=True)
class Calibration:
    """How well stated confidence fits the points of the same answers."""

    n: int
    """Answers with both."""
    confidence: float
    """Mean stated confidence."""
    share: float
    """Mean share of the points."""
    brier: float
    """Mean squared distance of the two: 0 is best."""
    gamma: float | None
    """Goodman and Kruskal's gamma over pairs of answers: whether the better ones were held more surely; None where no
    pair differs in both."""

    @property
    def overconfidence(self) -> float:
        """Calibration in the large: mean confidence minus mean share of the points."""
        return self.confidence - self.share

    def columns(self) -> dict[str, float | None]:
        """Return the columns of the participants table, without their prefix."""
        return {name: getattr(self, name) for name in RATED}


def calibration(rated: Iterable[Rated]) -> Calibration | None:
    """Return the calibration of a set of answers; None of an empty one."""
    pairs = list(rated)
    if not pairs:
        return None
    stated, earned = zip(*pairs, strict=True)
    brier = fmean((said - right) ** 2 for said, right in pairs)
    return Calibration(len(pairs), fmean(stated), fmean(earned), brier, gamma(pairs))


def gamma(pairs: Iterable[Rated]) -> float | None:
    """Goodman and Kruskal's gamma; None where no two answers differ in both confidence and points."""
    concordant = discordant = 0
    for (said, right), (other_said, other_right) in combinations(list(pairs), 2):
        direction = (said - other_said) * (right - other_right)
        concordant += direction > 0
        discordant += direction < 0
    # Pairs that are tied on either side count for neither (Goodman & Kruskal 1954); Kendall's tau b would divide by
    # them.
    counted = concordant + discordant
    return (concordant - discordant) / counted if counted else None
