"""Use of assistants: queries and their codes, time spent on them, other AI, compliance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from study_app.domain.compliance import Evidence, broken
from study_app.domain.dataset import LABELS
from study_app.domain.events import Event
from study_app.domain.participant import Answer, Turn
from study_app.domain.protocol import Question
from study_app.services.measures import Dossier

CODES_RUBRIC = "codes"
PATTERN_RUBRIC = "interaction_pattern"
ADJUDICATED = "adjudicated"
"""The rater under whose name coders' disagreements are settled."""
_PROGRAMS = frozenset({"rules", "claude"})
_NO = frozenset({"no", "none", "never", "0", "false"})


def codes_of(dossier: Dossier, turn: Turn) -> str | None:
    """The codes of the turn's message, separated by `;`; None where nobody coded it.

    Of several people: the adjudicated coding where there is one, else the labels that more than half gave. Where no
    person coded it: those of the program that the plan names as coder.
    """
    given = {rater: _labels(value) for rater, value in dossier.rated(turn.id, CODES_RUBRIC).items()}
    people = [labels for rater, labels in given.items() if rater not in _PROGRAMS]
    if ADJUDICATED in given:
        return ";".join(given[ADJUDICATED])
    if not people:
        named = given.get(dossier.study.analysis.coder)
        return None if named is None else ";".join(named)
    return ";".join(label for label in LABELS if 2 * sum(label in labels for labels in people) > len(people))


def _labels(value: str) -> list[str]:
    return [part.strip() for part in value.split(";") if part.strip()]


def queries(dossier: Dossier) -> dict[str, Any]:
    """Messages, how many of each code, and the time from the first key to the reply's end."""
    if not dossier.allocated:
        return {}
    turns = list(dossier.turns)
    codes = [codes_of(dossier, turn) for turn in turns]
    known = all(code is not None for code in codes)
    row: dict[str, Any] = {"queries": len(turns)}
    for label in LABELS:
        row[f"queries_{label}"] = sum(label in (code or "").split(";") for code in codes) if known else None
    seconds = sum((turn.composing_seconds or 0.0) + (turn.total_seconds or 0.0) for turn in turns)
    patterns = list(dossier.rated(dossier.participant.id, PATTERN_RUBRIC).values())
    row["interaction_pattern"] = patterns[-1] if patterns else None
    return row | {"interaction_minutes": seconds / 60, "outage_minutes": _outage_minutes(dossier)}


def _outage_minutes(dossier: Dossier) -> float | None:
    if not any(dossier.visit(stage.id) for stage in dossier.main_stages):
        return None
    lost = [_seconds(event) for event in dossier.events if event.kind == "outage" and event.stage in dossier.main_ids]
    return sum(lost) / 60


def _seconds(event: Event) -> float:
    seconds = event.payload.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def reports_of_other_ai(dossier: Dossier) -> list[tuple[Answer, bool]]:
    """Each answer to a question marked `other_ai`, and whether it says yes."""
    asked = {q.id: q for stage in dossier.study.stages for q in stage.questions if q.other_ai}
    given = [answer for answer in dossier.answers if not answer.bank and answer.item in asked]
    return [(answer, _says_yes(asked[answer.item], json.loads(answer.response))) for answer in given]


def used_other_ai(dossier: Dossier) -> bool | None:
    """What the participant says on the question marked `other_ai`; None where not asked or not answered."""
    said = [yes for _, yes in reports_of_other_ai(dossier)]
    return any(said) if said else None


def _says_yes(question: Question, value: Any) -> bool:
    """The option that reads no, none or never is a no; where none does, the first option or the scale's low end."""
    if question.kind in ("scale", "number"):
        return bool(value != (question.low or 0))
    values = [str(option.value).lower() for option in question.options]
    no = _NO & set(values) or set(values[:1]) or _NO
    given = value if isinstance(value, list) else [value]
    return any(str(each).lower() not in no for each in given)


def compliance(dossier: Dossier, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """`used_other_ai`, `received` and `compliant` by the plan's rule, which looks at no arm."""
    reported = used_other_ai(dossier)
    row: dict[str, Any] = {"used_other_ai": reported}
    opened = any(dossier.visit(stage.id) for stage in dossier.main_stages)
    if not dossier.allocated or not opened or not all(map(dossier.done_with, dossier.main_stages)):
        return row
    over = broken(evidence, dossier.study.analysis.compliance)
    answered = any(turn.reply for turn in dossier.turns)
    return row | {"received": answered or bool(reported) or "outside_paste" in over, "compliant": not over}
