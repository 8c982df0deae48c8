"""Evidence on how a participant kept to the arm, and the plan's rule over it. The rule looks at no arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from study_app.domain.study.analysis_plan import Compliance

EvidenceKind = Literal[
    "other_ai_reported", "outside_paste", "typing_burst", "away", "answer_paste", "quiz_away", "attention_failed"
]

UNITS: Mapping[EvidenceKind, str] = {
    "other_ai_reported": "answers",
    "outside_paste": "characters",
    "typing_burst": "characters",
    "away": "minutes",
    "answer_paste": "characters",
    "quiz_away": "minutes",
    "attention_failed": "items",
}
"""Every kind of evidence, and what its amounts count."""


@dataclass(frozen=True)
class Evidence:
    """One piece of it."""

    kind: EvidenceKind
    stage: str
    at: datetime | None
    """When it happened or began."""
    amount: float
    """In the unit of its kind."""
    detail: str = ""
    """The question or item it concerns."""


KEYS: Mapping[EvidenceKind, str] = {
    "other_ai_reported": "other_ai",
    "outside_paste": "outside_chars",
    "typing_burst": "burst_chars",
    "away": "away_minutes",
    "answer_paste": "answer_chars",
    "quiz_away": "quiz_away_minutes",
    "attention_failed": "attention_failed",
}
"""Kind of evidence -> key of the rule with its limit, or that says whether it breaks compliance at all."""
NO_OTHER_AI = frozenset({"no", "none", "never", "0", "false"})
"""Values of options of the question marked `other_ai` by which people say that they used none."""
OF_QUIZZES: frozenset[EvidenceKind] = frozenset({"answer_paste", "quiz_away", "attention_failed"})
"""Kinds that come of quizzes; the others come of main tasks and of questions."""


def threshold(kind: EvidenceKind, rule: Compliance) -> float | None:
    """Return what the amounts of a kind may add up to; None where the rule only lists them."""
    limit = getattr(rule, KEYS[kind])
    if isinstance(limit, bool):
        return 0 if limit else None
    return None if limit is None else float(limit)


def broken(evidence: Iterable[Evidence], rule: Compliance) -> frozenset[EvidenceKind]:
    """Return the kinds whose amounts add up to more than the rule allows.

    A participant with any of them is not compliant.
    """
    totals: dict[EvidenceKind, float] = defaultdict(float)
    for piece in evidence:
        totals[piece.kind] += piece.amount
    limits = {kind: threshold(kind, rule) for kind in totals}
    return frozenset(kind for kind, limit in limits.items() if limit is not None and totals[kind] > limit)
