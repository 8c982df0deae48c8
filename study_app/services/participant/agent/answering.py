"""Decisions on an agent's steps that come in a request by themselves, and not among a page's events.

The log stays the only place where anything is decided: a request becomes the events that a page would have sent, and
is decided as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from study_app.domain.editing.edits import apply
from study_app.domain.errors import Malformed, NotAllowed, Refused, Superseded
from study_app.domain.events import Batch, BrowserEvent
from study_app.domain.events.browser import AgentAnswered, Edit, Load, PageEvent
from study_app.domain.events.changes import Change, utf16_length
from study_app.domain.events.server import AgentDecided, TurnRefused
from study_app.domain.sentences import REFUSALS
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.submissions import beginning
from study_app.services.participant.agent.actions import AgentAction, actions_of, acts
from study_app.services.participant.agent.decisions import holds
from study_app.services.participant.editing.batches import Ingested
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.programs.taking import check_code
from study_app.services.participant.session import ParticipantSession
from study_app.services.position import AtStage, Ended, OnStage, Paused
from study_app.services.retrying import retried

DECISIONS: Mapping[str, frozenset[str]] = {
    "approve": frozenset({"edit", "run"}),
    "reject": frozenset({"edit", "run"}),
    "edited": frozenset({"edit"}),
    "answered": frozenset({"ask"}),
}
"""What a participant may decide -> the tools whose steps it fits."""


@dataclass(frozen=True)
class StepAnswer:
    """What a request says of a step."""

    action_id: str
    decision: str
    code: str | None = None
    """The whole program after the change, for a step that is `edited`."""
    words: str | None = None
    """Why it is rejected, or the answer to its question."""
    page: str | None = None
    """The page that sends it; without one the request counts as a new page, which takes the attempt over."""
    seq: int | None = None
    """The number of its event, where a page sends it."""


@dataclass(frozen=True)
class Decided:
    """How a step stands after a request to decide on it."""

    decision: str
    """The one that counts: it was taken before, or the step is stale, where `counts` is false."""
    code: str
    """The program."""
    counts: bool
    """Whether the request decided."""


class AgentDecisions:
    """Takes decisions on steps."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow, session: ParticipantSession) -> None:
        self.context = context
        self.flow = flow
        self.session = session

    def decide(self, participant_id: str, answer: StepAnswer) -> Decided:
        """Decide on a step.

        Raises:
            Refused: the participant's arm has no assistant that acts; the refusal is logged.
            Malformed: the decision does not fit the step, or the program is missing.
            TooLong: the program is too long.
            NotAllowed: no task is open, or the step is not one of the participant's there.
            Superseded: another page has taken over.
        """
        check_answer(answer)
        decided, stored = self._decide(participant_id, answer)
        if isinstance(decided, Refused):
            raise decided
        if stored is not None:
            self.session.tell(stored)
        return decided

    @retried
    def _decide(self, participant_id: str, answer: StepAnswer) -> tuple[Decided | Refused, Ingested | None]:
        with self.context.registry.begin() as unit:
            place = self.flow.place(unit, unit.hold(unit.known_participant(participant_id)))
            if not isinstance(place, Ended) and place.arm is not None and not _has_agent(self.context, place):
                # Returned and raised outside: raised here it would take its own record back with the transaction.
                refused = Refused(REFUSALS("no_assistant"))
                unit.record(participant_id, place.participant.stage, place.now, TurnRefused(reason=str(refused)))
                return refused, None
            if acts(place, self.context):
                return self._take(unit, place, answer)
        raise NotAllowed(REFUSALS("paused" if isinstance(place, Paused) else "assistant_closed"))

    def _take(self, unit: UnitOfWork, place: OnStage, answer: StepAnswer) -> tuple[Decided, Ingested | None]:
        """Let the request decide where the step is open; a step of another program becomes stale."""
        self.flow.check_page(unit, place, answer.page)
        action, stored = _step(unit, place, answer), None
        text = self._program(unit, place)
        if action.is_open and holds(action, text):
            stored = self._say(unit, place, _event(place, action, answer, text), answer, text)
        elif action.is_open:
            seconds = (place.now - action.at).total_seconds()
            stale = AgentDecided(action_id=action.id, decision="stale", seconds=seconds)
            unit.record(place.participant.id, place.participant.stage, place.now, stale)
        # Read anew: what decided may be the event just stored, a page's edit before it, or the server.
        after = _step(unit, place, answer)
        decision = after.decided.decision if after.decided is not None else ""
        return Decided(decision, self._program(unit, place), counts=stored is not None and stored.decided), stored

    def _program(self, unit: UnitOfWork, place: OnStage) -> str:
        document = unit.document(place.participant.id, place.task)
        return document.text if document is not None else beginning(self.context, unit, place)

    def _say(self, unit: UnitOfWork, place: OnStage, said: PageEvent, answer: StepAnswer, text: str) -> Ingested:
        """Store a decision as an event of the page that sends it."""
        participant_id = place.participant.id
        events: list[PageEvent] = [said]
        if answer.page is not None:
            page, first = answer.page, answer.seq or 1
            # The decision must meet the text that the page shows, so nothing of the page may be under way.
            if unit.acknowledged(participant_id, page) != first - 1:
                raise Malformed("seq: the page's events before this one have not arrived; send them first")
        else:
            page, first = f"decision-{self.context.fresh_id()}", 1
            self.session.take_over_in(unit, participant_id, page)
            events.insert(0, Load(task=place.task, text=text, source="saved"))
        moment = place.now.timestamp() * 1000
        sent = [
            BrowserEvent(seq=number, kind=each.kind, client_time_ms=moment, payload=each.payload())
            for number, each in enumerate(events, first)
        ]
        ingested = self.session.ingest_in(unit, unit.known_participant(participant_id), Batch(page=page, events=sent))
        if ingested.superseded:
            raise Superseded(REFUSALS("other_window"))
        return ingested


def check_answer(answer: StepAnswer) -> None:
    """Refuse what can be the answer to no step.

    Raises:
        Malformed, TooLong: see `AgentDecisions.decide`.
    """
    if answer.decision not in DECISIONS:
        raise Malformed(f"decision: '{answer.decision[:40]}' is not known; use {', '.join(DECISIONS)}")
    if answer.decision == "edited" and answer.code is None:
        raise Malformed("code: give the program as it is after your change")
    if answer.decision == "answered" and not (answer.words or "").strip():
        raise Malformed("words: give the answer to the question")
    if (answer.page is None) != (answer.seq is None):
        raise Malformed("page and seq belong together; give both or neither")
    check_code(answer.code or "")


def _has_agent(context: StudyContext, place: AtStage) -> bool:
    name = place.arm.treatment if place.arm is not None else None
    return name is not None and context.content_of(place.participant).specs[name].acts


def _step(unit: UnitOfWork, place: OnStage, answer: StepAnswer) -> AgentAction:
    mine = actions_of(unit, place.participant.id)
    found = next((each for each in mine if each.id == answer.action_id and each.proposed.task == place.task), None)
    if found is None:
        raise NotAllowed(REFUSALS("step_unknown"))
    if found.proposed.tool not in DECISIONS[answer.decision]:
        raise Malformed(f"decision: a step that wants to {found.proposed.tool} cannot be {answer.decision}")
    return found


def _event(place: OnStage, action: AgentAction, answer: StepAnswer, text: str) -> PageEvent:
    """Return the event by which a page would say the same."""
    proposed = action.proposed
    if answer.decision in ("approve", "edited") and proposed.tool == "edit":
        change = Change(proposed.start or 0, proposed.end or 0, str(proposed.input["new"]))
        if answer.code is not None and (answer.decision == "edited" or answer.code != text):
            change = _instead(change, text, answer.code)
        return Edit(
            task=place.task,
            how="agent",
            changes=(change,),
            length=utf16_length(apply(text, [change])),
            action_id=action.id,
        )
    return AgentAnswered(action_id=action.id, decision=answer.decision, words=answer.words)


def _instead(change: Change, text: str, after: str) -> Change:
    """Return the change that makes another program of the text: of the proposed place, where nothing else differs."""
    before = apply(text, [Change(change.start, utf16_length(text), "")])
    behind = apply(text, [Change(0, change.end, "")])
    if after.startswith(before) and after[len(before) :].endswith(behind):
        return Change(change.start, change.end, after[len(before) : len(after) - len(behind)])
    # Whole characters, so that no half of a surrogate pair is written.
    begin = _common(text, after)
    rest = _common(text[begin:][::-1], after[begin:][::-1])
    start, end = utf16_length(text[:begin]), utf16_length(text[: len(text) - rest])
    return Change(start, end, after[begin : len(after) - rest])


def _common(one: str, other: str) -> int:
    """Characters with which two texts begin alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
