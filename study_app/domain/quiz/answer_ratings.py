"""Ratings of answers by people: what their values mean, and the points that follow from several of them.

`object` is `answer:PARTICIPANT:STAGE:ITEM`, `rubric` is `points`, `value` JSON: points by criterion. A rater may rate
an answer again; the newest rating of each counts, and all are kept. A settled disagreement is a rating by
`adjudicated`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from study_app.domain.interaction.codes import ADJUDICATED, people

POINTS = "points"
"""Rubric of ratings of answers."""
REASON = "points_reason"
"""Rubric of the reason for which a disagreement was settled as it was."""
WHOLE = "points"
"""The one criterion of an item without its own rubric."""

LARGEST = 1e9
"""Points beyond this are none; it keeps infinities and numbers that are not any out of sums."""

Awarded = Mapping[str, float]
"""Criterion -> points."""


@dataclass(frozen=True)
class AnswerName:
    """Which answer a rating is about."""

    participant_id: str
    stage: str
    item: str

    def __str__(self) -> str:
        return f"answer:{self.participant_id}:{self.stage}:{self.item}"

    @classmethod
    def parse(cls, text: str) -> AnswerName | None:
        """From `Rating.object`; None where it is about something else."""
        kind, _, rest = text.partition(":")
        parts = rest.split(":")
        return cls(*parts) if kind == "answer" and len(parts) == 3 and all(parts) else None


def awarded_in(value: str) -> dict[str, float] | None:
    """Points by criterion in a rating's value; a bare number is worth the answer as a whole; None for anything else."""
    try:
        read: Any = json.loads(value)
    except ValueError:
        return None
    if _number(read):
        return {WHOLE: float(read)}
    if not isinstance(read, dict) or not read or not all(_number(points) for points in read.values()):
        return None
    return {str(name): float(points) for name, points in read.items()}


def value_of(awarded: Awarded) -> str:
    """Return the value of a rating that gives these points; `awarded_in` reads it."""
    # In a fixed order, so that equal ratings are equal texts: `differ` compares them.
    return json.dumps(dict(awarded), sort_keys=True)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def differ(given: Mapping[str, Awarded]) -> bool:
    """Return whether people rated the answer differently, on any criterion."""
    return len({value_of(given[who]) for who in people(given)}) > 1


def points_of(given: Mapping[str, Awarded], worth: Callable[[Awarded], float]) -> float:
    """Return the points of an answer: as settled, else the mean over its raters.

    Args:
        given: rater -> their newest rating; at least one.
        worth: the points that one rating gives in all.
    """
    if ADJUDICATED in given:
        return worth(given[ADJUDICATED])
    return fmean(worth(given[who]) for who in people(given))


def newest(ratings: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, dict[str, float]]]:
    """Object -> rater -> points by criterion, from (object, rater, value) in order of rating."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, rater, value in ratings:
        awarded = awarded_in(value)
        if awarded is not None:
            found.setdefault(name, {})[rater] = awarded
    return found
