"""Questions to the assistant: whether one may be asked now, and the turn that it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from study_app.dataset.schema.cells import writable
from study_app.domain.assistants.agent_settings import AgentSettings
from study_app.domain.assistants.budget import Allowance, LeftByLimits, allowance, total, within_study_cost
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, StudyLimits
from study_app.domain.errors import InfrastructureError, NotAllowed, Refused, StudyError
from study_app.domain.events.server import GateJudged, TurnRefused, TurnStarted
from study_app.domain.localisation.content_texts import localised_pack
from study_app.domain.localisation.study_texts import sayer
from study_app.domain.records import Turn
from study_app.domain.sentences import REFUSALS
from study_app.ports import ActingAssistant, Assistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.replacing import answering
from study_app.services.participant.agent.history import history_of
from study_app.services.participant.agent.turn import AgentTurn
from study_app.services.participant.chatting.conversations import with_treatment
from study_app.services.participant.chatting.opening import worked_minutes
from study_app.services.participant.chatting.turns import composing_seconds
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.gate import STILL_OPEN, gate_open, verdict_event
from study_app.services.participant.probing.closing import interrupt
from study_app.services.position import AtStage, OnStage, Paused, Position
from study_app.services.program_facts import program_facts
from study_app.services.retrying import retried
from study_app.services.spending import SharedUse, judge_usage, shared_use, usage


class BudgetSpent(NotAllowed):
    """A limit of the treatment is reached, or it is not open yet; the message key says which."""

    def __init__(self, message_key: str, wait_minutes: float = 0.0) -> None:
        self.message_key = message_key
        self.wait_minutes = wait_minutes
        super().__init__(message_key)


class ReplyInProgress(NotAllowed):
    """One reply at a time."""


@dataclass(frozen=True)
class Answering:
    """Who answers a turn: the assistant of the participant's version of the study."""

    assistant: Assistant
    spec: AssistantSpec
    left: LeftByLimits = field(default_factory=LeftByLimits)
    """By the limits."""

    @property
    def max_tokens(self) -> int:
        """The treatment's longest reply."""
        return self.spec.parameters.max_tokens

    @property
    def agent(self) -> AgentSettings | None:
        """What an assistant that acts may do."""
        return self.spec.agent

    def acting(self, turn: Turn, request: AssistantRequest) -> AgentTurn | None:
        """Return the turn as an agent's, where the treatment is one.

        Raises:
            InfrastructureError: the assistant that was opened for it cannot act.
        """
        if self.agent is None:
            return None
        if not isinstance(self.assistant, ActingAssistant):
            raise InfrastructureError(f"the assistant '{self.assistant.id}' cannot act")
        return AgentTurn(turn, request, self.assistant, self.agent, self.spec, self.left)


@dataclass(frozen=True)
class ParticipantQuestion:
    """What a participant asks, and what their page says of the program."""

    message: str
    page: str | None
    code: str | None
    seq: int | None


@dataclass(frozen=True)
class _Open:
    """Where a question may be asked, and what the reply may have."""

    place: OnStage
    allowed: Allowance


class Questions:
    """Take questions of participants, up to the request that an assistant is sent."""

    def __init__(
        self,
        context: StudyContext,
        flow: ParticipantFlow,
        close_interrupted: Callable[[UnitOfWork, str], None],
    ) -> None:
        self.context = context
        self.flow = flow
        self.close_interrupted = close_interrupted

    @retried
    def begin(self, participant_id: str, question: ParticipantQuestion) -> tuple[Turn, AssistantRequest, Answering]:
        """Store the turn that a question begins, where it may be asked now.

        Raises:
            Refused: the participant's arm has no assistant; the refusal is logged.
            NotAllowed: no task with an assistant is open, or another page has taken over.
            BudgetSpent: a limit is reached.
            ReplyInProgress: another server still writes the reply before.
        """
        shared = self._shared_use(participant_id)
        with self.context.registry.begin() as unit:
            # Held before the first look: an erasure, or another server's end of the reply before, is seen or waits.
            unit.hold(unit.known_participant(participant_id))
            # Read once: a transaction that writes keeps every other one of a SQLite database waiting.
            turns = unit.turns(participant_id)
            if any(not turn.complete for turn in turns):
                self.close_interrupted(unit, participant_id)
                turns = unit.turns(participant_id)
            place = self._place(unit, participant_id)
            found = self._answerable(unit, place, turns, shared)
            if not isinstance(found, Refused):
                self.flow.check_page(unit, place, question.page)
            if isinstance(found, _Open):
                interrupt(unit, found.place)
                return self._write_down(unit, found, turns, question)
            stage = place.participant.stage
            unit.record(participant_id, stage, place.now, TurnRefused(reason=str(found)))
        raise found

    def _shared_use(self, participant_id: str) -> SharedUse:
        """Read what all have used, where a limit asks for it, before the transaction that writes.

        Such a limit is passed by replies in progress anyway; those that begin at the same moment are among them.
        """
        limit = self._cost_limit()
        with self.context.registry.begin(write=False) as unit:
            participant = unit.known_participant(participant_id)
            # Of their version: an amendment that takes a limit away leaves it to those who came before.
            content = self.context.content_of(participant)
            if limit is None and all(spec.study_limits == StudyLimits() for spec in content.specs.values()):
                return SharedUse()
            return shared_use(unit, participant.kind, content, None if limit is None else self.context.content)

    def _cost_limit(self) -> float | None:
        return self.context.study.assistant_policy.study_cost_limit

    def _place(self, unit: UnitOfWork, participant_id: str) -> Position:
        return self.flow.place(unit, unit.known_participant(participant_id))

    def _answerable(
        self, unit: UnitOfWork, place: Position, turns: Sequence[Turn], shared: SharedUse
    ) -> _Open | StudyError:
        """Return where a question may be asked now, or why it may not."""
        if place.arm is not None and place.arm.assistant is None:
            return Refused(REFUSALS("no_assistant"))
        if isinstance(place, Paused):
            return NotAllowed(REFUSALS("paused"))
        begun = place.deadline_at is not None or self.context.clock_stopped(place.participant.id)
        if not isinstance(place, OnStage) or not begun or place.assistant is None:
            return NotAllowed(REFUSALS("assistant_closed"))
        allowed = self._allowance(unit, place, turns, shared)
        if not allowed.ok:
            return BudgetSpent(allowed.message_key, allowed.wait_minutes)
        return _Open(place, allowed)

    def _allowance(self, unit: UnitOfWork, place: AtStage, turns: Sequence[Turn], shared: SharedUse) -> Allowance:
        spec = self.context.content_of(place.participant).specs[place.assistant or ""]
        asked = with_treatment(turns, spec)
        mine = total(usage(spec, turn) for turn in asked)
        if spec.gate != "none":
            verdicts = unit.events_of(place.participant.id, {GateJudged.kind})
            mine += judge_usage(spec, verdicts, {turn.id for turn in asked})
        study = shared.by_treatment.get(spec.id)
        allowed = allowance(spec, mine, study, worked_minutes=worked_minutes(unit, place))
        return within_study_cost(allowed, spec.price, shared.spent_usd, self._cost_limit())

    def _write_down(
        self, unit: UnitOfWork, found: _Open, turns: Sequence[Turn], question: ParticipantQuestion
    ) -> tuple[Turn, AssistantRequest, Answering]:
        place, page, code, seq = found.place, question.page, question.code, question.seq
        name = place.assistant or ""
        edition = self.context.edition(place.participant.study_hash)
        spec = edition.content.specs[name]
        mine = with_treatment(turns, spec)
        say = sayer(edition.content.said(place.study.language))
        pack = localised_pack(place.pack, edition.content.pack(place.pack), say)
        assistant = answering(unit, name, spec, edition.assistants[name])
        turn = Turn(
            id=self.context.fresh_id(),
            participant_id=place.participant.id,
            task=place.task,
            assistant=assistant.id,
            treatment=spec.id,
            model=spec.model,
            prompt_version=spec.prompt_version,
            message=question.message,
            reply="",
            code=code if code is not None else _saved_text(unit, place, pack.starter),
            asked_at=place.now,
            composing_seconds=composing_seconds(unit, place, page),
            parameters={} if spec.persona is None else {"persona": spec.persona.id},
        )
        # Claimed in the same transaction as the turn: of two servers that are asked at once, one writes the reply.
        if not self.context.replicas.take(unit, self.context.replicas.mine(turn.participant_id, "reply", turn.id)):
            raise ReplyInProgress("the previous reply is still being written by another server")
        unit.add_turn(turn)
        started = TurnStarted(turn_id=turn.id, task=place.task, model=spec.model)
        if page is not None and code is not None and seq is not None:
            facts = program_facts(unit, turn.participant_id, turn.task, code, page, seq)
            started = replace(started, page=page, seq=seq, code_sha256=facts.code_sha256, as_edited=facts.as_edited)
        unit.record(place.participant.id, place.participant.stage, place.now, started)
        opened = gate_open(unit, spec, turn, mine)
        if opened:
            unit.record(place.participant.id, place.participant.stage, place.now, verdict_event(turn, STILL_OPEN))
        request = AssistantRequest(
            turn.message,
            pack.brief,
            writable(turn.code),
            history_of(unit, spec, mine),
            place.task,
            place.pack,
            found.allowed.max_output_tokens or None,
            pack.starter,
            place.study.language,
            withhold_code=opened is False,
        )
        return turn, request, Answering(assistant, spec, found.allowed.left)


def _saved_text(unit: UnitOfWork, place: OnStage, starter: str) -> str:
    """Return the program as it was last saved, or the task's own beginning."""
    saved = unit.document(place.participant.id, place.task)
    return saved.text if saved else starter
