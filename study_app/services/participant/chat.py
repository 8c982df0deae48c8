"""Asking the assistant: allowed by arm, stage, budget and hour; streamed; kept whatever the browser does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from study_app.dataset.measures.baseline import clock_stood
from study_app.dataset.schema.cells import writable
from study_app.domain.assistants.agent_settings import AgentSettings
from study_app.domain.assistants.budget import Allowance, Usage, allowance, total, within_study_cost
from study_app.domain.assistants.gate import VERSION, Judged
from study_app.domain.assistants.reply_bounds import ReplyBounds, ReplyMeter
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    StudyLimits,
    TextDelta,
)
from study_app.domain.errors import (
    AssistantUnavailable,
    InfrastructureError,
    Malformed,
    NotAllowed,
    Refused,
    StudyError,
    TooLong,
)
from study_app.domain.events.server import DeadlineExtended, TurnRefused, TurnStarted
from study_app.domain.localisation.content_texts import localised_pack
from study_app.domain.localisation.study_texts import sayer
from study_app.domain.records import InProgress, Participant, Rating, Turn
from study_app.domain.sentences import REFUSALS
from study_app.domain.timing import paused_seconds
from study_app.ports import ActingAssistant, Assistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.replacing import answering
from study_app.services.participant.agent.actions import actions_of, close_actions
from study_app.services.participant.agent.working import AgentTurn, AgentWork, Frame
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.gate import STILL_OPEN, GatedReply, gate_open, judged, verdict_event
from study_app.services.participant.probing.closing import interrupt
from study_app.services.participant.turns import (
    close_interrupted,
    composing_seconds,
    ended,
    record_end,
    record_outage,
    until,
)
from study_app.services.position import AtStage, OnStage, Paused, Position
from study_app.services.program_facts import program_facts
from study_app.services.retrying import insisting
from study_app.services.spending import spent_usd, usage, used_by_all

log = logging.getLogger(__name__)

MAX_MESSAGE = 20_000
_GRACE = 1.1
"""A provider's implementation has the same bound and comes first: it knows model and tokens."""
_LONGEST_TURN = 12 * 3600.0
"""Of an agent, which may wait for a person as long as their task lasts; seconds."""
SAVE_EVERY = 2.0
"""Seconds between two savings of a reply in progress."""


class BudgetSpent(NotAllowed):
    """A limit of the treatment is reached, or it is not open yet; the message key says which."""

    def __init__(self, message_key: str, wait_minutes: float = 0.0) -> None:
        self.message_key = message_key
        self.wait_minutes = wait_minutes
        super().__init__(message_key)


class ReplyInProgress(NotAllowed):
    """One reply at a time."""


@dataclass
class _Reply:
    """A reply in progress, which outlives the request that asked for it."""

    turn: Turn
    pieces: asyncio.Queue[str | Frame | None] = field(default_factory=asyncio.Queue)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    gated: GatedReply = field(default_factory=lambda: GatedReply(closed=False, closing=""))
    agent: AgentTurn | None = None
    """Of a treatment that acts."""
    loop: asyncio.AbstractEventLoop | None = None
    """In which it is produced."""

    def stop(self) -> None:
        """Stop it; from any thread."""
        # An asyncio event that is set in another thread does not wake its loop, which may wait for the provider.
        if self.loop is not None:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.stopped.set)

    def add(self, text: str) -> None:
        """Take another piece of the reply, as the participant sees it."""
        if text:
            self.turn = replace(self.turn, reply=self.turn.reply + text)
            self.pieces.put_nowait(text)

    def close(self, seconds: float) -> None:
        """Take the end of the reply, after so many seconds."""
        stopped = self.stopped.is_set()
        if self.agent is not None and self.agent.end is not None:
            # Also of a turn that was stopped, what its steps used is known.
            self.turn = replace(ended(self.turn, self.agent.end), stop_reason=self.turn.stop_reason)
        self.add(self.gated.rest(whole=not stopped and self.turn.error is None))
        self.turn = replace(
            self.turn,
            total_seconds=seconds,
            complete=True,
            stopped_by_participant=stopped,
            stop_reason=self.turn.stop_reason or ("stopped" if stopped else None),
        )

    def show(self, frame: Frame) -> None:
        """Take a step of an agent; what it says next begins a paragraph."""
        self.pieces.put_nowait(frame)
        if frame.content["type"] == "action" and self.turn.reply and not self.turn.reply.endswith("\n\n"):
            self.add("\n\n")


@dataclass(frozen=True)
class _Answering:
    """Who answers a turn: the assistant of the participant's version of the study."""

    assistant: Assistant
    max_tokens: int
    agent: AgentSettings | None = None

    def acting(self, turn: Turn, request: AssistantRequest) -> AgentTurn | None:
        """Return the turn as an agent's, where the treatment is one.

        Raises:
            InfrastructureError: the assistant that was opened for it cannot act.
        """
        if self.agent is None:
            return None
        if not isinstance(self.assistant, ActingAssistant):
            raise InfrastructureError(f"the assistant '{self.assistant.id}' cannot act")
        return AgentTurn(turn, request, self.assistant, self.agent)


@dataclass(frozen=True)
class _Question:
    """What a participant asks, and what their page says of the program."""

    message: str
    page: str | None
    code: str | None
    seq: int | None


@dataclass(frozen=True)
class _SharedUse:
    """What all participants have used, for limits over all; nothing where there is no such limit."""

    by_treatment: Mapping[str, Usage] = field(default_factory=dict)
    spent_usd: float = 0.0


@dataclass(frozen=True)
class _Open:
    """Where a question may be asked, and how many tokens the reply may have."""

    place: OnStage
    room: int


@dataclass(frozen=True)
class StreamingTurn:
    """A turn that has begun; iterate its text to stream it."""

    turn_id: str
    text: AsyncIterator[str | Frame]
    """Words, and between them the steps of an agent."""
    failure: Callable[[], str | None]
    """After the text has ended: why the provider failed, or None."""


class AssistantChat:
    """The assistant, as a participant may use it."""

    def __init__(self, context: StudyContext, way: ParticipantFlow, agent: AgentWork) -> None:
        self.context = context
        self.way = way
        self.agent = agent
        self._began = context.now()
        self._replies: dict[str, _Reply] = {}
        self._asking: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        participant_id: str,
        message: str,
        page: str | None = None,
        code: str | None = None,
        seq: int | None = None,
    ) -> StreamingTurn:
        """Begin a turn.

        Args:
            participant_id: who asks.
            message: what.
            page: the browser page.
            code: the editor's text now; the saved text where the page does not say.
            seq: the last event of that page that the text contains.

        Raises:
            Refused: the participant's arm has no assistant; the refusal is logged.
            Malformed, TooLong: the message is empty, or longer than MAX_MESSAGE.
            NotAllowed: no task with an assistant is open, or another page has taken over.
            ReplyInProgress: the reply before is still coming.
            BudgetSpent: a limit is reached.
        """
        # Half of a surrogate pair, which a browser can send, is nothing that a provider takes.
        message = writable(message).strip()
        if not message:
            raise Malformed(REFUSALS("message_empty"))
        if len(message) > MAX_MESSAGE:
            raise TooLong(REFUSALS("message_long", limit=f"{MAX_MESSAGE:,}"))
        # Claimed before anything is awaited: of two requests at once only one asks.
        if participant_id in self._asking or participant_id in self._replies:
            raise ReplyInProgress("the previous reply is still being written; wait for it or stop it")
        self._asking.add(participant_id)
        try:
            turn, request, by = await asyncio.to_thread(
                self._begin, participant_id, _Question(message, page, code, seq)
            )
            reply = self._replies[participant_id] = _Reply(
                turn, agent=by.acting(turn, request), loop=asyncio.get_running_loop()
            )
            if reply.agent is not None:
                reply.agent.stopped = reply.stopped.is_set
        finally:
            self._asking.discard(participant_id)
        task = asyncio.create_task(self._produce(reply, request, by))
        # The event loop keeps weak references only: a task that is held nowhere may be collected in the middle of a
        # reply.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return StreamingTurn(turn.id, self._consume(reply), lambda: reply.turn.error)

    def stop(self, participant_id: str, turn_id: str) -> bool:
        """Stop a reply on the participant's wish; what came so far is kept. From any thread, for it may write."""
        reply = self._replies.get(participant_id)
        if reply is None:
            return self._stop_elsewhere(participant_id, turn_id)
        if reply.turn.id != turn_id:
            return False
        reply.stop()
        return True

    def _stop_elsewhere(self, participant_id: str, turn_id: str) -> bool:
        """Ask the server that writes the reply to stop it."""
        with self.context.registry.begin() as unit:
            work = unit.work_of(participant_id, "reply")
            return work is not None and work.work == turn_id and unit.stop_work(participant_id, "reply")

    def is_at(self, work: InProgress) -> bool:
        """Whether this server is about to write that reply, or writes it; from any thread."""
        # In this order: a question that is stored at this moment is among the replies before it is no longer asked.
        if work.participant_id in self._asking:
            return True
        reply = self._replies.get(work.participant_id)
        return reply is not None and reply.turn.id == work.work

    def turns(self, participant_id: str) -> list[Turn]:
        """Return the participant's turns so far, oldest first."""
        with self.context.registry.begin(write=False) as unit:
            kept = unit.turns(participant_id)
        if any(not turn.complete for turn in kept) and participant_id not in self._replies:
            self.close_interrupted(participant_id)
            with self.context.registry.begin(write=False) as unit:
                kept = unit.turns(participant_id)
        live = self._replies.get(participant_id)
        return [live.turn if live and turn.id == live.turn.id else turn for turn in kept]

    def actions(self, participant_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the steps of the participant's agent by turn, as the page draws them."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.context.registry.begin(write=False) as unit:
            for action in actions_of(unit, participant_id):
                found.setdefault(action.proposed.turn_id, []).append(action.shown())
        return found

    def actions_in(self, participant: Participant, turns: Iterable[Turn]) -> dict[str, list[dict[str, Any]]]:
        """As `actions`; without reading the log, which is long, where no turn is that of an assistant that acts."""
        acting = {spec.id for spec in self.context.content_of(participant).specs.values() if spec.acts}
        return self.actions(participant.id) if any(turn.treatment in acting for turn in turns) else {}

    def close_interrupted(self, participant_id: str) -> None:
        """End the participant's turns whose reply a server that is gone was writing."""
        with self.context.registry.begin() as unit:
            self.close_interrupted_in(unit, participant_id)

    def close_interrupted_in(self, unit: UnitOfWork, participant_id: str) -> None:
        """As `close_interrupted`, within a transaction."""
        close_interrupted(unit, participant_id, self._began, self.context.now(), self.context.replicas)

    def stop_wanted(self, turn_ids: Collection[str]) -> None:
        """Stop those of these replies that are written here."""
        for reply in list(self._replies.values()):
            if reply.turn.id in turn_ids:
                reply.stop()

    def spec(self, place: Position | AtStage) -> AssistantSpec | None:
        """Return the treatment that the participant has on this stage, or None."""
        return self.context.content_of(place.participant).specs[place.assistant] if place.assistant else None

    # -- before the reply ----------------------------------------------------------------------------------------------

    def _begin(self, participant_id: str, question: _Question) -> tuple[Turn, AssistantRequest, _Answering]:
        shared = self._shared_use(participant_id)
        with self.context.registry.begin() as unit:
            # Read once: a transaction that writes keeps every other one of a SQLite database waiting.
            turns = unit.turns(participant_id)
            if any(not turn.complete for turn in turns):
                self.close_interrupted_in(unit, participant_id)
                turns = unit.turns(participant_id)
            place = self._place(unit, participant_id)
            found = self._answerable(unit, place, turns, shared)
            if not isinstance(found, Refused):
                self.way.check_page(unit, place, question.page)
            if isinstance(found, _Open):
                interrupt(unit, found.place)
                return self._write_down(unit, found, turns, question)
            stage = place.participant.stage
            unit.record(participant_id, stage, place.now, TurnRefused(reason=str(found)))
        raise found

    def _shared_use(self, participant_id: str) -> _SharedUse:
        """Read what all have used, where a limit asks for it, before the transaction that writes.

        Such a limit is passed by replies in progress anyway; those that begin at the same moment are among them.
        """
        limit = self._cost_limit()
        if limit is None and all(spec.study_limits == StudyLimits() for spec in self.context.content.specs.values()):
            return _SharedUse()
        with self.context.registry.begin(write=False) as unit:
            participant = unit.known_participant(participant_id)
            used = used_by_all(unit, self.context.content_of(participant), participant.kind)
            return _SharedUse(
                used, spent_usd(unit, self.context.content, participant.kind) if limit is not None else 0.0
            )

    def _cost_limit(self) -> float | None:
        return self.context.study.assistant_policy.study_cost_limit

    def _place(self, unit: UnitOfWork, participant_id: str) -> Position:
        return self.way.place(unit, unit.known_participant(participant_id))

    def _answerable(
        self, unit: UnitOfWork, place: Position, turns: Sequence[Turn], shared: _SharedUse
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
        return _Open(place, allowed.max_output_tokens)

    def _allowance(self, unit: UnitOfWork, place: AtStage, turns: Sequence[Turn], shared: _SharedUse) -> Allowance:
        spec = self.context.content_of(place.participant).specs[place.assistant or ""]
        mine = total(usage(spec, turn) for turn in turns)
        visit = unit.visit(place.participant.id, place.participant.stage)
        worked = (place.now - visit.started_at).total_seconds() / 60 if visit else 0.0
        if visit is not None and paused_seconds(visit.started_at, visit.deadline_at, place.stage.minutes):
            # Time given on top is worked in; a stop of the clock counts whole, also in the stage's first moments.
            given = unit.events_of(place.participant.id, {DeadlineExtended.kind}, place.stage.id)
            worked -= (clock_stood(visit, place.stage.minutes, given) or 0.0) / 60
        study = shared.by_treatment.get(spec.id)
        allowed = allowance(spec, mine, study, worked_minutes=max(worked, 0.0))
        return within_study_cost(allowed, spec.price, shared.spent_usd, self._cost_limit())

    def _write_down(
        self, unit: UnitOfWork, found: _Open, turns: Sequence[Turn], question: _Question
    ) -> tuple[Turn, AssistantRequest, _Answering]:
        place, page, code, seq = found.place, question.page, question.code, question.seq
        name = place.assistant or ""
        edition = self.context.edition(place.participant.study_hash)
        spec = edition.content.specs[name]
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
        opened = gate_open(unit, spec, place.participant.id, place.task)
        if opened:
            unit.record(place.participant.id, place.participant.stage, place.now, verdict_event(turn, STILL_OPEN))
        request = AssistantRequest(
            turn.message,
            pack.brief,
            writable(turn.code),
            tuple((old.message, old.reply) for old in turns if old.reply),
            place.task,
            place.pack,
            found.room or None,
            pack.starter,
            place.study.language,
            withhold_code=opened is False,
        )
        return turn, request, _Answering(assistant, spec.parameters.max_tokens, spec.agent)

    # -- the reply -----------------------------------------------------------------------------------------------------

    async def _consume(self, reply: _Reply) -> AsyncIterator[str | Frame]:
        while (piece := await reply.pieces.get()) is not None:
            yield piece

    async def _produce(self, reply: _Reply, request: AssistantRequest, by: _Answering) -> None:
        """Read the assistant to its end, with or without a listener; the turn is saved as it grows."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        saved = began
        # A task to wait on beside the next piece: a provider that is silent for a minute must not keep a stop waiting.
        stop = asyncio.create_task(reply.stopped.wait())
        try:
            if request.withhold_code:
                request = await self._through_gate(reply, request, by.assistant)
            longest = min(by.max_tokens, request.max_tokens or by.max_tokens)
            meter = ReplyMeter(ReplyBounds.of(longest * (by.agent.steps_per_turn if by.agent else 1)))
            stream: AsyncIterator[TextDelta | Frame | ReplyEnd] = by.assistant.reply(request)
            seconds = _GRACE * meter.bounds.seconds
            if reply.agent is not None:
                # Its own settings bound it, and the end of the task.
                stream, seconds = self.agent.steps(reply.agent), _LONGEST_TURN
            async for piece in until(stream, stop, seconds):
                elapsed = loop.time() - began
                if isinstance(piece, Frame):
                    reply.show(piece)
                    continue
                if isinstance(piece, ReplyEnd):
                    reply.turn = ended(reply.turn, piece)
                    continue
                first = reply.turn.first_token_seconds
                text = meter.room_for(piece.text)
                reply.turn = replace(reply.turn, first_token_seconds=elapsed if first is None else first)
                reply.add(reply.gated.feed(text))
                if loop.time() - saved > SAVE_EVERY:
                    saved = loop.time()
                    # Every two seconds and not for each piece: a killed server loses a moment of a reply, and the
                    # database is not written a hundred times for one.
                    await asyncio.to_thread(self._save, reply.turn)
        except AssistantUnavailable as error:
            if isinstance(error, ReplyBrokenOff):
                reply.turn = ended(reply.turn, error.end)
            reply.turn = replace(reply.turn, error=error.kind)
        except Exception:
            # Nothing that a provider does may reach a participant as a traceback, or leave a turn open for ever.
            log.exception("the assistant failed")
            reply.turn = replace(reply.turn, error="other")
        finally:
            stop.cancel()
            reply.close(loop.time() - began)
            try:
                await asyncio.to_thread(self._finish, reply)
            except Exception:
                log.exception("the end of a reply could not be saved")
            # After the end is stored, and before the stream ends: a page that asks again at once finds no reply in its
            # way.
            self._replies.pop(reply.turn.participant_id, None)
            reply.pieces.put_nowait(None)
            self._measure(reply.turn)

    def _measure(self, turn: Turn) -> None:
        if turn.first_token_seconds is not None:
            self.context.measure("study_chat_first_token_seconds", turn.first_token_seconds)
        self.context.measure("study_chat_seconds", turn.total_seconds or 0.0)

    def _save(self, turn: Turn) -> None:
        try:
            with self.context.registry.begin() as unit:
                if unit.work_of(turn.participant_id, "reply") == self._work(turn):
                    unit.update_turn(turn)
        except InfrastructureError as error:
            # The reply goes on, and its next saving or its end holds this part as well.
            log.warning("a reply in progress could not be saved", exc_info=error, extra={"turn": turn.id})

    def _work(self, turn: Turn) -> InProgress:
        return self.context.replicas.mine(turn.participant_id, "reply", turn.id)

    async def _through_gate(self, reply: _Reply, request: AssistantRequest, assistant: Assistant) -> AssistantRequest:
        """Judge the message, write the verdict down, and say what the reply may hold."""
        verdict = await judged(assistant, request)
        await asyncio.to_thread(self._write_verdict, reply.turn, verdict)
        closing = self.context.text(request.language, "assistant.explain_first")
        reply.gated = GatedReply(verdict.withholds, closing)
        return replace(request, withhold_code=verdict.withholds)

    def _write_verdict(self, turn: Turn, verdict: Judged) -> None:
        now = self.context.now()
        with self.context.registry.begin() as unit:
            # Their data may have been erased while the judge was thinking: its reason can quote what they wrote.
            if not unit.update_turn(turn):
                return
            stage = unit.known_participant(turn.participant_id).stage
            unit.record(turn.participant_id, stage, now, verdict_event(turn, verdict))
            # Among the ratings, so that its agreement with people is computed as that of any rater.
            value = "0" if verdict.withholds else "1"
            unit.add_rating(Rating(self.context.fresh_id(), f"turn:{turn.id}", verdict.by, value, VERSION, now))

    @insisting
    def _finish(self, reply: _Reply) -> None:
        turn, withheld, autonomous = reply.turn, reply.gated.withheld, None
        with self.context.registry.begin() as unit:
            # Another server has ended the turn where this one was taken for gone.
            if not unit.end_work(self._work(turn)) or not unit.update_turn(turn):
                return
            now = self.context.now()
            if reply.agent is not None:
                autonomous = max(0.0, (turn.total_seconds or 0.0) - reply.agent.waited)
                given_up = turn.stopped_by_participant or turn.error is not None
                stage = unit.known_participant(turn.participant_id).stage
                close_actions(unit, turn, stage, "interrupted" if given_up else "expired", now)
            record_end(unit, turn, now, withheld, autonomous)
            if turn.error is not None and turn.error != "refused":
                # A model that declines is not an outage: no time is to be credited for it.
                record_outage(unit, turn, turn.total_seconds or 0.0, now)

    async def close(self) -> None:
        """Wait a moment for replies in progress; used when the server stops."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)


def _saved_text(unit: UnitOfWork, place: OnStage, starter: str) -> str:
    """Return the program as it was last saved, or the task's own beginning."""
    saved = unit.document(place.participant.id, place.task)
    return saved.text if saved else starter
