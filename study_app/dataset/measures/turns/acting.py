"""What an agent did, from the log: a row for each step, and what follows from them for turns and participants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from study_app.dataset.measures.provenance import Programs
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events import Event, saying
from study_app.domain.events.browser import AgentSwitched, Edit
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed, TurnEnded

APPLIED = frozenset({"approve", "edited", "auto"})
"""Decisions after which a change stands in the program."""
_OF_STEPS = frozenset(each.kind for each in (AgentSwitched, AgentProposed, AgentDecided, AgentActed, Edit))
_OF_TURNS = frozenset({AgentProposed.kind, TurnEnded.kind})


@dataclass
class Step:
    """One step as the log has it."""

    event: Event
    proposed: AgentProposed
    decided: AgentDecided | None = None
    decided_at: Any = None
    acted: AgentActed | None = None
    acted_at: Any = None
    edits: list[Edit] = field(default_factory=list)
    """Edits of pages that say they carry it out."""
    without_asking: bool = False
    """Whether the participant had switched asking off when it was proposed, with the treatment that they had."""
    last_switched_off: bool = False
    """Whether their last switch before it was to go without asking, with whichever treatment."""

    @property
    def decision(self) -> str | None:
        """See `Decision`; None while it waits."""
        return self.decided.decision if self.decided is not None else None


def steps_of(events: Iterable[Event], treatment_at: Callable[[str], str | None] = lambda _: None) -> list[Step]:
    """Return the steps of a participant's agent in the order of proposing; of several decisions the last counts.

    Args:
        events: the participant's.
        treatment_at: their treatment at a stage: what they switched with one does not hold for another.
    """
    found: dict[str, Step] = {}
    free: dict[str | None, bool] = {}
    last = False
    for event in events:
        if event.kind not in _OF_STEPS:
            continue
        match event.details:
            case AgentSwitched(without_asking=switched):
                free[treatment_at(event.stage)] = last = switched
            case AgentProposed(action_id=action) as proposed:
                switched = free.get(treatment_at(event.stage), False)
                found.setdefault(action, Step(event, proposed, without_asking=switched, last_switched_off=last))
            case AgentDecided(action_id=action) as decided if action in found:
                found[action].decided, found[action].decided_at = decided, event.server_time
            case AgentActed(action_id=action) as acted if action in found:
                found[action].acted, found[action].acted_at = acted, event.server_time
            case Edit(action_id=str(action)) as edit if action in found:
                found[action].edits.append(edit)
    return list(found.values())


def action_rows(record: ParticipantRecord) -> Iterator[dict[str, Any]]:
    """Yield the rows of `agent_actions`."""
    for step in steps_of(record.events):
        said, decided, acted = step.proposed, step.decided, step.acted
        yield {
            "action_id": said.action_id,
            "turn_id": said.turn_id,
            "participant_id": record.participant.id,
            "stage": step.event.stage,
            "step": said.step,
            "tool": said.tool,
            "input": dict(said.input),
            "base_hash": said.base_sha256,
            "proposed_at": step.event.server_time,
            "waited": said.waits,
            "decision": step.decision,
            "decided_at": step.decided_at,
            "seconds_to_decide": decided.seconds if decided is not None and said.waits else None,
            "reason": decided.words if decided is not None else None,
            "diff_chars": len(str(said.input.get("new", ""))) if said.tool == "edit" else None,
            "applied_chars": decided.applied_chars if decided is not None else None,
            "run_id": acted.run_id if acted is not None else None,
            "result": acted.result if acted is not None else None,
            "failed": acted.failed if acted is not None else None,
            "model": said.model,
            "input_tokens": said.input_tokens,
            "output_tokens": said.output_tokens,
        }


def turn_columns(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Turn -> its columns on an agent's work; turns without any are absent."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind not in _OF_TURNS:
            continue
        match event.details:
            case AgentProposed(turn_id=turn, step=step):
                row = found.setdefault(turn, {})
                row["agent_steps"] = max(step, row.get("agent_steps", 0))
            case TurnEnded(turn_id=turn, autonomous_seconds=float(seconds)) as ended:
                row = found.setdefault(turn, {"agent_steps": 0})
                row["autonomous_seconds"] = seconds
                row["interrupted_at"] = event.server_time if ended.stopped else None
    return found


def acting(record: ParticipantRecord, programs: Programs) -> dict[str, Any]:
    """Return the columns of a participant on their agent, over the main tasks; empty before allocation."""
    if not record.allocated:
        return {}
    steps = [step for step in steps_of(record.events) if step.event.stage in record.main_ids]
    decisions = Counter(step.decision for step in steps if step.proposed.waits)
    edits = [step for step in steps if step.proposed.tool == "edit" and step.decision in APPLIED]
    free = [step for step in steps if step.proposed.tool in ("edit", "run") and step.decision in APPLIED]
    stopped = [
        event
        for event, ended in saying(record.events, TurnEnded)
        if event.stage in record.main_ids and ended.stopped and ended.autonomous_seconds is not None
    ]
    row: dict[str, Any] = {
        "agent_edits": len(edits),
        "agent_runs": sum(step.acted is not None and step.acted.run_id is not None for step in steps),
        "approvals": decisions["approve"] + decisions["edited"],
        "rejections": decisions["reject"],
        "interruptions": len(stopped),
        "agent_questions": sum(step.proposed.tool == "ask" for step in steps),
    }
    if free:
        row["auto_approve_share"] = sum(step.decision == "auto" for step in free) / len(free)
    return row | _written(programs)


def _written(programs: Programs) -> dict[str, Any]:
    submitted = [program.submitted for program in programs.of_tasks if program.submitted is not None]
    if not submitted or not programs.complete:
        return {}
    written = sum(attribution.counts()["agent"] for attribution in submitted)
    whole = sum(len(attribution.text) for attribution in submitted)
    return {"agent_chars": written, "agent_share_of_submission": written / whole if whole else None}


def as_proposed(said: AgentProposed, edit: Edit) -> bool:
    """Return whether an edit makes the very change that was proposed."""
    given = [(change.start, change.end, change.insert) for change in edit.changes]
    return given == [(said.start, said.end, said.input.get("new"))]
