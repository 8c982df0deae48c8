"""Use of assistants: queries and their codes, time spent on them, other AI, compliance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study_app.dataset.measures.interaction import Codes, Coding
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.turns.acting import APPLIED, steps_of
from study_app.domain.events import saying
from study_app.domain.events.server import CLOCK_OUTAGES, Outage
from study_app.domain.records import Answer
from study_app.domain.study.compliance import NO_OTHER_AI, Evidence, broken
from study_app.domain.study.sections import WITH_RANGE
from study_app.domain.study.study import Question


def queries(record: ParticipantRecord, coding: Coding, codes: Codes) -> dict[str, Any]:
    """Messages, how many of each code, and the time from the first key to the reply's end."""
    if not record.allocated:
        return {}
    turns = record.turns
    seconds = sum((turn.composing_seconds or 0.0) + (turn.total_seconds or 0.0) for turn in turns)
    row: dict[str, Any] = {"queries": len(turns), **coding.counts(record, codes)}
    return row | {"interaction_minutes": seconds / 60, "outage_minutes": _outage_minutes(record)}


def _outage_minutes(record: ParticipantRecord) -> float | None:
    if not any(record.visit(stage.id) for stage in record.main_stages):
        return None
    # Something that participants use failed; deadlines that were moved are not an outage.
    failed = [
        outage
        for event, outage in saying(record.events, Outage)
        if outage.cause not in CLOCK_OUTAGES and event.stage in record.main_ids
    ]
    return sum(float(outage.seconds or 0.0) for outage in failed) / 60


def reports_of_other_ai(record: ParticipantRecord) -> list[tuple[Answer, bool]]:
    """Return each answer to a question marked `other_ai`, and whether it says yes."""
    asked = {q.id: q for stage in record.study.stages for q in stage.asked if q.other_ai}
    given = [answer for answer in record.answers if not answer.bank and answer.item in asked]
    return [(answer, _says_yes(asked[answer.item], answer.response)) for answer in given]


def used_other_ai(record: ParticipantRecord) -> bool | None:
    """Return what the participant says on the question marked `other_ai`; None where not asked or not answered."""
    said = [yes for _, yes in reports_of_other_ai(record)]
    return any(said) if said else None


def _says_yes(question: Question, value: Any) -> bool:
    """Return whether an answer says yes; an option that reads no, none or never is a no.

    Where no option does (`check` refuses it), the first one is; of a scale, slider or number the low end.
    """
    if question.kind in WITH_RANGE:
        return bool(value != (question.low or 0))
    values = [str(option.value).lower() for option in question.options]
    no = NO_OTHER_AI & set(values) or set(values[:1]) or NO_OTHER_AI
    given = value if isinstance(value, list) else [value]
    return any(str(each).lower() not in no for each in given)


def compliance(record: ParticipantRecord, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """`used_other_ai`, `received` and `compliant` by the plan's rule, which looks at no arm."""
    reported = used_other_ai(record)
    row: dict[str, Any] = {"used_other_ai": reported}
    opened = any(record.visit(stage.id) for stage in record.main_stages)
    if not record.allocated or not opened or not all(map(record.done_with, record.main_stages)):
        return row
    # Only here, when the main tasks are over, can nothing more break the rule.
    over = broken(evidence, record.study.analysis.compliance)
    answered = any(turn.reply for turn in record.turns) or acted_for(record)
    return row | {"received": answered or bool(reported) or "outside_paste" in over, "compliant": not over}


def acted_for(record: ParticipantRecord) -> bool:
    """Whether an agent did something for the participant, be it without a word: looking at the program is nothing."""
    if not record.turns:
        return False
    done = (step.decision for step in steps_of(record.events) if step.proposed.tool != "view")
    return any(decision in APPLIED or decision == "answered" for decision in done)
