"""The steps of a participant's agent as the log has them: proposed, decided, carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from study_app.domain.events import saying
from study_app.domain.events.browser import AgentSwitched
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed
from study_app.domain.events.words import Decision
from study_app.domain.records import Turn
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.position import AtStage, OnStage, Position

_REOPENABLE: frozenset[Decision] = frozenset({"interrupted", "expired"})
"""What the server says of an undecided step; the participant's word, if it comes later, counts instead: it was given on
a page that could not know."""


@dataclass(frozen=True)
class AgentAction:
    """One step: what was proposed, and what came of it so far."""

    proposed: AgentProposed
    at: datetime
    decided: AgentDecided | None = None
    acted: AgentActed | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.proposed.action_id

    @property
    def is_open(self) -> bool:
        """Whether a decision of the participant would still count."""
        return self.decided is None or self.decided.decision in _REOPENABLE

    def shown(self) -> dict[str, Any]:
        """Return it as the page draws it."""
        said = self.proposed
        return {
            "action_id": self.id,
            "turn_id": said.turn_id,
            "step": said.step,
            "tool": said.tool,
            "input": dict(said.input),
            "waits": said.waits,
            "start": said.start,
            "end": said.end,
            "length": said.length,
            "line": said.line,
            "decision": self.decided and self.decided.decision,
            "result": self.acted and self.acted.result,
            "failed": self.acted is not None and self.acted.failed,
        }


_KINDS = (AgentProposed.kind, AgentDecided.kind, AgentActed.kind)


def actions_of(unit: UnitOfWork, participant_id: str, turn_id: str | None = None) -> list[AgentAction]:
    """Return the participant's steps in the order of proposing, of one turn or of all."""
    events = unit.events_of(participant_id, _KINDS)
    # The last one counts: a decision of the participant may come after the server's own `interrupted` or `expired`.
    decided = {details.action_id: details for _, details in saying(events, AgentDecided)}
    acted = {details.action_id: details for _, details in saying(events, AgentActed)}
    return [
        AgentAction(details, event.server_time, decided.get(details.action_id), acted.get(details.action_id))
        for event, details in saying(events, AgentProposed)
        if turn_id in (None, details.turn_id)
    ]


def last_step_at(unit: UnitOfWork, turn: Turn) -> datetime:
    """Return when something of a turn was last proposed, decided or done; when it was asked where nothing was.

    What came of a turn until then is there, and the time for which a step waited for the participant was theirs.
    """
    steps = {action.id for action in actions_of(unit, turn.participant_id, turn.id)}
    if not steps:
        return turn.asked_at
    events = unit.events_of(turn.participant_id, _KINDS)
    said = (event for event in events if getattr(event.details, "action_id", None) in steps)
    return max([turn.asked_at, *(event.server_time for event in said)])


def acts(place: Position, context: StudyContext) -> TypeGuard[OnStage]:
    """Return whether the assistant that the participant has here is one that acts."""
    if not isinstance(place, OnStage) or place.assistant is None:
        return False
    return bool(context.content_of(place.participant).specs[place.assistant].acts)


def goes_without_asking(unit: UnitOfWork, place: AtStage) -> bool:
    """Return whether the participant has switched asking off, at a stage with the treatment that they have here."""
    study, allocated = place.study, place.participant.allocated
    if allocated is None:
        return False
    same = {stage.id for stage in study.stages if study.arm(allocated, stage).treatment == place.assistant}
    said = saying(unit.events_of(place.participant.id, (AgentSwitched.kind,)), AgentSwitched)
    switched = [details for event, details in said if event.stage in same]
    return bool(switched) and switched[-1].without_asking


def close_actions(unit: UnitOfWork, turn: Turn, stage: str, decision: Decision, now: datetime) -> None:
    """Say what became of each undecided step of a turn, as the turn ends."""
    for action in actions_of(unit, turn.participant_id, turn.id):
        if action.decided is None:
            seconds = (now - action.at).total_seconds()
            over = AgentDecided(action_id=action.id, decision=decision, seconds=seconds)
            unit.record(turn.participant_id, stage, now, over)
