"""Steps of an assistant that acts: the table as the log has it, each change decided, and made as it was decided."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

from study_app.dataset.border.folders import text_in
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.turns.acting import APPLIED, Step, action_rows, as_proposed, steps_of, turn_columns
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema.tables import AGENT_TURN_COLUMNS
from study_app.dataset.verification.agents.deciding import wrong_decisions
from study_app.dataset.verification.agents.proposing import wrong_steps
from study_app.dataset.verification.derived.arms_met import arm_met
from study_app.dataset.verification.derived.comparing import beside_cluster, by_log, compare_rows
from study_app.domain.assistants.agent_settings import AgentSettings
from study_app.domain.events import Event, saying
from study_app.domain.events.browser import AgentAnswered, Edit
from study_app.domain.events.server import TurnEnded
from study_app.domain.study.study import StudyArm

SLACK = timedelta(seconds=0.05)
"""Deadlines are kept to the millisecond."""

Breach = tuple[str, str]
"""Name of the finding, and what is wrong."""


def check_actions(
    opened: UntrustedDataset,
    record: ParticipantRecord,
    actions: Sequence[UntrustedRow],
    turns: Sequence[UntrustedRow],
) -> None:
    """Hold one participant's steps against the log, and the log's own word against itself."""
    name = record.participant.id
    steps = steps_of(record.events, lambda stage: _treatment_at(record, stage))
    if "agent_actions" not in opened.files:
        if steps:
            what = f"{name}: the log knows {len(steps)} steps"
            opened.report.add("actions_missing", "", None, what)
        return
    file = opened.relative("agent_actions")
    due = list(action_rows(record))
    # Said of the table as a whole: row by row it would be a finding in each cell that follows.
    if [row["action_id"] for row in actions] != [row["action_id"] for row in due]:
        what = f"{name}: {len(actions)} steps in the table, {len(due)} in the log, or in another order"
        opened.report.add("action_differs", file, actions[0].number if actions else None, what)
    columns, finding = beside_cluster(opened.tables["agent_actions"].columns), "action_differs"
    compare_rows(opened, "agent_actions", actions, due, columns=columns, finding=finding, sentence=by_log)
    acted = turn_columns(record.events)
    of_turns = [acted.get(str(turn["turn_id"]), {}) for turn in turns]
    compare_rows(opened, "turns", turns, of_turns, columns=AGENT_TURN_COLUMNS, finding=finding, sentence=by_log)
    numbers = {str(row["action_id"]): row.number for row in actions}
    declared = {stage: _declared(opened, record, stage) for stage in {step.event.stage for step in steps}}
    for step, breach in _breaches(record, steps, declared):
        opened.report.add(breach[0], file, numbers.get(step.proposed.action_id), breach[1])
    for event, edit in saying(record.events, Edit):
        if edit.action_id is not None and edit.action_id not in numbers:
            what = f"{event.page} {event.seq}: an edit of the step {edit.action_id}, which is none"
            opened.report.add("edit_of_no_step", opened.relative("events"), None, what)


@dataclass(frozen=True)
class _Declared:
    """What the materials say of the assistant of a participant's arm."""

    acts: bool
    settings: AgentSettings


def _arm_at(record: ParticipantRecord, stage: str) -> StudyArm | None:
    person = record.participant
    return arm_met(record.study, person.arm, person.second_treatment, stage)


def _treatment_at(record: ParticipantRecord, stage: str) -> str | None:
    arm = _arm_at(record, stage)
    return None if arm is None else arm.treatment


def _declared(opened: UntrustedDataset, record: ParticipantRecord, stage: str) -> _Declared | None:
    """Return what was declared of the arm at a stage; None where the materials do not hold it.

    The materials have the newest version of a treatment: who began with an earlier one is not held against it.
    """
    if record.participant.study_hash != opened.manifest.get("study_hash"):
        return None
    arm = _arm_at(record, stage)
    if arm is None or arm.assistant is None:
        return None
    try:
        text = text_in(opened.path, f"materials/assistants/{arm.treatment}.json")
        spec = json.loads(text)
        return _Declared(spec["manner"] == "agent", AgentSettings.model_validate(spec["agent"] or {}))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _breaches(
    record: ParticipantRecord, steps: Sequence[Step], at_stages: Mapping[str, _Declared | None]
) -> Iterator[tuple[Step, Breach]]:
    if not steps:
        return
    # A turn that goes on may have a step that waits; only its end must have decided each.
    over = {ended.turn_id for _, ended in saying(record.events, TurnEnded)}
    answered: dict[str, set[str]] = defaultdict(set)
    for _, said_by_page in saying(record.events, AgentAnswered):
        answered[said_by_page.action_id].add(said_by_page.decision)
    used = Counter(edit.action_id for _, edit in saying(record.events, Edit) if edit.action_id is not None)
    for step in steps:
        said, decision, declared = step.proposed, step.decision, at_stages[step.event.stage]
        for breach in (
            _arm(record, step, declared),
            _undecided(step, over),
            _deadline(record, step),
            _change(step, used[said.action_id]) if said.tool == "edit" else None,
            _answer(step, answered[said.action_id]),
        ):
            if breach is not None:
                yield step, breach
        if decision == "auto" and said.waits:
            yield step, ("approval_mode_differs", "it waited for the participant, and was done without asking")
        # Not both: a step that was done without asking is one finding, and not one of the regime as well.
        elif declared is not None and declared.acts:
            yield from ((step, breach) for breach in _regime(step, declared.settings))
    for step, what in wrong_decisions(record.events, steps, lambda event: _in_time(record, event)):
        yield step, ("decision_differs", what)
    yield from wrong_steps(record.events, steps, record.runs)


def _regime(step: Step, settings: AgentSettings) -> Iterator[Breach]:
    said = step.proposed
    logged = said.without_asking
    if logged is not None and logged is not step.without_asking:
        what = "off" if step.without_asking else "not off"
        yield (
            "approval_mode_differs",
            f"the step says that asking was otherwise; the participant had switched it {what}",
        )
    # Under earlier versions a switch held for the next treatment, too, and their log does not say what the server read.
    readings = {step.without_asking, step.last_switched_off} if logged is None else {step.without_asking}
    if said.waits not in {settings.waits(said.tool, without_asking=free) for free in readings}:
        what = "waited" if said.waits else "did not wait"
        yield "approval_mode_differs", f"{said.tool} {what}, under the approval '{settings.approval}'"
    if said.tool not in settings.tools:
        yield "agent_tool_differs", f"{said.tool} is not among the tools of the treatment"


def _arm(record: ParticipantRecord, step: Step, declared: _Declared | None) -> Breach | None:
    arm = _arm_at(record, step.event.stage)
    if arm is None or (arm.assistant is not None and (declared is None or declared.acts)):
        return None
    what = "which has no assistant" if arm.assistant is None else "whose assistant does not act"
    return "agent_in_wrong_arm", f"a step at {step.event.stage} in the arm {arm.id}, {what}"


def _undecided(step: Step, over: set[str]) -> Breach | None:
    if step.decision is None and step.proposed.turn_id in over:
        return "action_without_decision", "the turn is over, and nothing says what became of the step"
    return None


def _deadline(record: ParticipantRecord, step: Step) -> Breach | None:
    visit = record.visit(step.event.stage)
    if visit is not None and visit.ended_at is not None and step.event.server_time > visit.ended_at + SLACK:
        return "step_after_deadline", f"proposed at {step.event.server_time}, the stage ended at {visit.ended_at}"
    return None


def _in_time(record: ParticipantRecord, event: Event) -> bool:
    visit = record.visit(event.stage)
    ends = [end for end in (visit.ended_at, visit.deadline_at) if end is not None] if visit is not None else []
    return visit is not None and all(event.server_time <= end for end in ends)


def _change(step: Step, edits: int) -> Breach | None:
    """Return what is wrong with how a change was made: by an edit of the page, as it was decided."""
    said, decision = step.proposed, step.decision
    if decision in APPLIED and not edits:
        return "agent_edit_differs", f"the decision is {decision}, and no edit carries it out"
    if decision in ("approve", "auto") and not any(as_proposed(said, edit) for edit in step.edits):
        return "agent_edit_differs", f"the decision is {decision}, and the edit is another than was proposed"
    if decision == "edited" and all(as_proposed(said, edit) for edit in step.edits):
        return "agent_edit_differs", "the decision is edited, and the edit is the one that was proposed"
    return None


def _answer(step: Step, answered: Set[str]) -> Breach | None:
    """Return what is wrong with a decision that no edit shows: the page must have sent it."""
    said, decision = step.proposed, step.decision
    by_page = decision in ("reject", "answered") or (decision == "approve" and said.tool == "run")
    # Other decisions show in an edit, or are the server's.
    if by_page and decision not in answered:
        return "decision_differs", f"the decision is {decision}, and the page did not send it"
    return None
