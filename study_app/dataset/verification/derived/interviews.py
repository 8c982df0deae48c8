"""Interviews: the tables as the log has them, after the last outcome, and no rule broken without a word of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from study_app.dataset.measures.interviews.history import Held, interviews_of
from study_app.dataset.measures.interviews.rows import interview_rows, turn_rows
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import Column, TableName
from study_app.dataset.verification.derived.comparing import (
    TOLERANCE_OF_TIME,
    beside_cluster,
    by_log,
    compare_rows,
    same_cell,
)
from study_app.domain.interviews.machine import MOST_REDIRECTS
from study_app.domain.interviews.plan import InterviewPlan, Topic
from study_app.domain.interviews.rules import broken_by_wording
from study_app.domain.study.interviewing.placement import stages_with_outcomes, topics_of

SLACK = timedelta(seconds=0.05)
"""Deadlines are kept to the millisecond."""
Breach = tuple[str, str | None, str]
"""Name of the finding, the turn that it is about, and what is wrong."""


def check_interviews(
    opened: UntrustedDataset,
    record: ParticipantRecord,
    interviews: Sequence[UntrustedRow],
    turns: Sequence[UntrustedRow],
) -> None:
    """Hold one participant's interviews against the log, and the log's own word against the plan."""
    held = interviews_of(record.events)
    if "interviews" not in opened.files or "interview_turns" not in opened.files:
        if held:
            what = f"{record.participant.id}: the log knows {len(held)} interviews"
            opened.report.add("interviews_missing", "", None, what)
        return
    _compare(opened, record, "interviews", interviews, list(interview_rows(record, topics_of(opened.plans))))
    _compare(opened, record, "interview_turns", turns, list(turn_rows(record)))
    numbers = {str(row["turn_id"]): row.number for row in turns}
    plans = {plan.id: plan for plan in opened.plans}
    for each in held:
        for name, turn, what in breaches(record, each, plans.get(each.first.plan)):
            opened.report.add(name, opened.relative("interview_turns"), numbers.get(turn or ""), what)


def _compare(
    opened: UntrustedDataset,
    record: ParticipantRecord,
    table: TableName,
    rows: Sequence[UntrustedRow],
    due: Sequence[Mapping[str, Any]],
) -> None:
    compare_rows(
        opened,
        table,
        rows,
        due,
        columns=beside_cluster(opened.tables[table].columns),
        finding="interview_differs",
        sentence=by_log,
        number=f"{record.participant.id}: {len(rows)} rows, the log gives {len(due)}",
        agree=_agree,
    )


def _agree(column: Column, found: Any, due: Any) -> bool:
    if found is None or due is None:
        return found is None and due is None
    if column.derived_by == "clocks":
        return bool(abs(found - due) <= TOLERANCE_OF_TIME)
    return same_cell(column, found, due)


def breaches(record: ParticipantRecord, held: Held, plan: InterviewPlan | None) -> Iterator[Breach]:
    """Yield what one interview did other than study and plan declare."""
    yield from _order(record, held)
    ended = _ended(record, held)
    for question in held.questions:
        said = question.asked
        if ended is not None and question.asked_at > ended + SLACK:
            what = f"asked at {question.asked_at}, the stage ended at {ended}"
            yield "interview_turn_after_deadline", said.turn_id, what
    # The materials hold the newest plan: an interview by an earlier one is not measured by it.
    if plan is not None and plan.version == held.first.plan_version:
        yield from _wording(held, plan)
        yield from _budgets(held, plan)


def _ended(record: ParticipantRecord, held: Held) -> datetime | None:
    visit = record.visit(held.stage)
    return None if visit is None else visit.ended_at


def _order(record: ParticipantRecord, held: Held) -> Iterator[Breach]:
    if held.stage not in [stage.id for stage in record.study.stages]:
        return
    outcomes = stages_with_outcomes(record.study)
    for visit in record.visits:
        # By the beginning: a later stage with outcomes would be measured on people who have just talked about them.
        if visit.stage in outcomes and visit.started_at > held.started_at:
            what = f"the interview began at {held.started_at}, '{visit.stage}' at {visit.started_at}"
            yield "interview_before_outcome", held.first.turn_id, what


def _wording(held: Held, plan: InterviewPlan) -> Iterator[Breach]:
    """Yield each question whose wording breaks a rule: the plan's own stand word for word, others keep the rules."""
    earlier: list[str] = []
    for question in held.questions:
        said = question.asked
        if said.topic not in plan.known:
            yield "interview_wording_differs", said.turn_id, f"the plan has no topic '{said.topic}'"
        elif said.action in ("core", "closing", "fallback"):
            if said.question != plan.topic(said.topic).core.get(said.language):
                yield "interview_wording_differs", said.turn_id, f"the question on '{said.topic}' is not the plan's"
        elif said.by == "model":
            broken = broken_by_wording(said.question, said.language, earlier=earlier)
            unlogged = [rule for rule in broken if rule not in ("arm", *(said.rule_broken or ()))]
            if unlogged:
                yield "rule_broken_unlogged", said.turn_id, f"the question breaks {', '.join(unlogged)}"
        earlier.append(said.question)


def _budgets(held: Held, plan: InterviewPlan) -> Iterator[Breach]:
    probes: dict[str, int] = {}
    # Redirects are counted over the whole interview and probes by topic, as the plan's machine counts them.
    redirects = 0
    for question in held.questions:
        said = question.asked
        if said.topic not in plan.known:
            continue
        topic = plan.topic(said.topic)
        probes[said.topic] = probes.get(said.topic, 0) + (said.action == "probe")
        redirects += said.action == "redirect"
        budget = topic.probes if isinstance(topic, Topic) else 0
        if said.action == "probe" and (probes[said.topic] > budget or plan.mode == "fixed"):
            yield "rule_broken_unlogged", said.turn_id, f"more probes on '{said.topic}' than the plan's {budget}"
        if said.action == "redirect" and redirects > MOST_REDIRECTS:
            yield "rule_broken_unlogged", said.turn_id, f"redirect number {redirects}"
    if len(held.questions) > plan.max_turns:
        what = f"{len(held.questions)} questions, the plan allows {plan.max_turns}"
        yield "rule_broken_unlogged", held.questions[-1].asked.turn_id, what
