"""What a page's events decide about an agent's steps.

A change is approved by the very edit that makes it, so that nothing can come between decision and application: both
are one row of the log, stored once. Whatever the page says is held against the proposal and the text that it was made
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from study_app.dataset.measures.turns.acting import as_proposed
from study_app.domain.assistants.acting import base_hash
from study_app.domain.editing.edits import apply_event
from study_app.domain.events import BrowserEvent
from study_app.domain.events.browser import AgentAnswered, Edit
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import AgentDecided
from study_app.domain.events.words import Decision
from study_app.ports import UnitOfWork
from study_app.services.participant.agent.actions import AgentAction, actions_of
from study_app.services.position import AtStage

_BOUND = frozenset({"edit", "run"})
"""Tools whose calls hold for one text only."""


def decide(unit: UnitOfWork, place: AtStage, page: str, events: Sequence[BrowserEvent]) -> bool:
    """Record what events of the page that owns the attempt decide; whether they decide anything.

    Must be called before the events change the saved text.
    """
    if place.participant.page not in (None, page):
        return False
    # The cheap questions first, for this is asked with every batch of keystrokes, and the steps are in the log. Without
    # a reply under way no step is open that typing could make stale.
    if not any(_decides(event) for event in events) and unit.work_of(place.participant.id, "reply") is None:
        return False
    mine = [each for each in actions_of(unit, place.participant.id) if each.proposed.task == place.task]
    left = {action.id: action for action in mine if action.is_open}
    if not left:
        return False
    saved = unit.document(place.participant.id, place.task, of_page=page)
    return _Deciding(unit, place, left, None if saved is None else saved.text).follow(events)


def _decides(event: BrowserEvent) -> bool:
    details = event.details
    return isinstance(details, AgentAnswered) or (isinstance(details, Edit) and details.action_id is not None)


def holds(action: AgentAction, program: str | None) -> bool:
    """Return whether a program is the one that a step was proposed for; None is a program that is not known."""
    said = action.proposed
    if said.tool not in _BOUND:
        return True
    texts = {name: str(value) for name, value in said.input.items()}
    return program is not None and base_hash(program, said.tool, texts) == said.base_sha256


class _Deciding:
    """Follows the text through a batch, to know for each event which program it met."""

    def __init__(self, unit: UnitOfWork, place: AtStage, left: dict[str, AgentAction], text: str | None) -> None:
        self._unit = unit
        self._place = place
        self._left = left
        self._text = text
        self._decided = False

    def follow(self, events: Sequence[BrowserEvent]) -> bool:
        try:
            for event in events:
                details = event.details
                if isinstance(details, AgentAnswered):
                    self._answered(details)
                elif isinstance(details, Edit) and details.action_id is not None:
                    self._applied(details)
                before, self._text = self._text, apply_event(self._text, details)
                if self._text != before:
                    # After each change and not at the end alone: the page takes the card away at the first key, so what
                    # a key and its correction leave as it was would wait for a decision that cannot come.
                    self._let_go()
        except ReplayMismatch:
            # The text is not known from here on; what the log says of the edits is for the replay to find.
            return self._decided
        self._let_go()
        return self._decided

    def _let_go(self) -> None:
        """Say of open steps that the program is not the one that they were proposed for."""
        for action in [each for each in self._left.values() if each.decided is None]:
            if not holds(action, self._text):
                self._record(action, "stale")

    def _applied(self, edit: Edit) -> None:
        action = self._left.get(edit.action_id or "")
        if action is None or action.proposed.tool != "edit" or not holds(action, self._text):
            return
        said = action.proposed
        decision: Decision = "edited" if not as_proposed(said, edit) else "approve" if said.waits else "auto"
        self._record(action, decision, chars=sum(len(change.insert) for change in edit.changes))

    def _answered(self, said: AgentAnswered) -> None:
        action = self._left.get(said.action_id)
        if action is None or not holds(action, self._text):
            return
        answers: dict[str, Literal["approve", "reject", "answered"]] = (
            {"answered": "answered"} if action.proposed.tool == "ask" else {"reject": "reject"}
        )
        if action.proposed.tool == "run":
            answers["approve"] = "approve"
        if said.decision in answers:
            self._record(action, answers[said.decision], words=said.words or "")

    def _record(
        self, action: AgentAction, decision: Decision, *, words: str | None = None, chars: int | None = None
    ) -> None:
        del self._left[action.id]
        self._decided = True
        seconds = (self._place.now - action.at).total_seconds()
        decided = AgentDecided(
            action_id=action.id, decision=decision, seconds=seconds, words=words, applied_chars=chars
        )
        self._unit.record(self._place.participant.id, self._place.participant.stage, self._place.now, decided)
