"""Asking the assistant: allowed by arm, stage, budget and hour; streamed; kept whatever the browser does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from study_app.dataset.schema.cells import writable
from study_app.domain.assistants.gate import VERSION, Judged
from study_app.domain.assistants.reply_bounds import ReplyBounds, ReplyMeter
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import (
    AssistantUnavailable,
    InfrastructureError,
    Malformed,
    TooLong,
)
from study_app.domain.records import InProgress, Participant, Rating, Turn
from study_app.domain.sentences import REFUSALS
from study_app.ports import Assistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.agent.actions import actions_of, close_actions, goes_without_asking, last_step_at
from study_app.services.participant.agent.working import AgentWork, Frame
from study_app.services.participant.chatting.conversations import with_treatment
from study_app.services.participant.chatting.opening import opens_at
from study_app.services.participant.chatting.questions import Answering, ParticipantQuestion, Questions, ReplyInProgress
from study_app.services.participant.chatting.replies import LiveReply, StreamingTurn
from study_app.services.participant.chatting.turns import (
    close_interrupted,
    ended,
    record_end,
    record_outage,
    until,
)
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.gate import GatedReply, judged, verdict_event
from study_app.services.position import AtStage, Position
from study_app.services.retrying import Ends

log = logging.getLogger(__name__)

MAX_MESSAGE = 20_000
_GRACE = 1.1
"""A provider's implementation has the same bound and comes first: it knows model and tokens."""
_LONGEST_TURN = 12 * 3600.0
"""Of an agent, which may wait for a person as long as their task lasts; seconds."""
SAVE_EVERY = 2.0
"""Seconds between two savings of a reply in progress."""


class AssistantChat:
    """The assistant, as a participant may use it."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow, agent: AgentWork) -> None:
        self.context = context
        self.agent = agent
        self._began = context.now()
        self._replies: dict[str, LiveReply] = {}
        self._asking: set[str] = set()
        self.ends = Ends()
        self._tasks: set[asyncio.Task[None]] = set()
        self.branching = flow.branching
        self.questions = Questions(context, flow, self.close_interrupted_in)

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
                self.questions.begin, participant_id, ParticipantQuestion(message, page, code, seq)
            )
            reply = self._replies[participant_id] = LiveReply(
                turn, so_far=request.so_far, agent=by.acting(turn, request), loop=asyncio.get_running_loop()
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
        """Return whether this server is about to write that reply, writes it, or has its end; from any thread."""
        # In this order: a question that is stored at this moment is among the replies before it is no longer asked.
        if work.participant_id in self._asking:
            return True
        reply = self._replies.get(work.participant_id)
        return (reply is not None and reply.turn.id == work.work) or work.work in self.ends

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

    def conversation(self, participant: Participant) -> list[Turn]:
        """Return the turns with the treatment that the participant has at their stage; none where they have none."""
        with self.context.registry.begin(write=False) as unit:
            place = self.branching.at_stage(unit, participant)
        spec = None if place is None else self.spec(place)
        return [] if spec is None else with_treatment(self.turns(participant.id), spec)

    def actions(self, participant_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the steps of the participant's agent by turn, as the page draws them."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.context.registry.begin(write=False) as unit:
            for action in actions_of(unit, participant_id):
                found.setdefault(action.proposed.turn_id, []).append(action.shown())
        return found

    def goes_without_asking(self, place: AtStage) -> bool:
        """Return whether the participant has switched asking off for the treatment that they have here."""
        with self.context.registry.begin(write=False) as unit:
            return goes_without_asking(unit, place)

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

    def opens_at(self, place: AtStage) -> datetime | None:
        """Return when the treatment opens that the participant has here; None where it is open from the beginning."""
        spec = self.spec(place)
        if spec is None:
            return None
        with self.context.registry.begin(write=False) as unit:
            return opens_at(unit, place, spec)

    # -- the reply -----------------------------------------------------------------------------------------------------

    async def _consume(self, reply: LiveReply) -> AsyncIterator[str | Frame]:
        while (piece := await reply.pieces.get()) is not None:
            yield piece

    async def _produce(self, reply: LiveReply, request: AssistantRequest, by: Answering) -> None:
        """Read the assistant to its end, with or without a listener; the turn is saved as it grows."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # The first piece is saved at once: what the provider has read by then is billed, also if this server is killed.
        saved = began - SAVE_EVERY
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
                    await asyncio.to_thread(self._save, reply.as_used())
        except AssistantUnavailable as error:
            if isinstance(error, ReplyBrokenOff):
                reply.broke_off(error.end)
            reply.turn = replace(reply.turn, error=error.kind)
        except Exception:
            # Nothing that a provider does may reach a participant as a traceback, or leave a turn open for ever.
            log.exception("the assistant failed")
            reply.turn = replace(reply.turn, error="other")
        finally:
            stop.cancel()
            reply.close(loop.time() - began)
            try:
                await asyncio.to_thread(self.ends.store, reply.turn.id, partial(self._finish, reply))
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
                if self._is_mine(unit, turn):
                    unit.update_turn(turn)
        except InfrastructureError as error:
            # The reply goes on, and its next saving or its end holds this part as well.
            log.warning("a reply in progress could not be saved", exc_info=error, extra={"turn": turn.id})

    def _is_mine(self, unit: UnitOfWork, turn: Turn) -> bool:
        """Return whether the reply is still this server's, which no other ends before this transaction does.

        Another server has ended the turn where it took this one for gone: it is not opened again.
        """
        unit.hold(unit.known_participant(turn.participant_id))
        return unit.work_of(turn.participant_id, "reply") == self._work(turn)

    def _work(self, turn: Turn) -> InProgress:
        return self.context.replicas.mine(turn.participant_id, "reply", turn.id)

    async def _through_gate(
        self, reply: LiveReply, request: AssistantRequest, assistant: Assistant
    ) -> AssistantRequest:
        """Judge the message, write the verdict down, and say what the reply may hold."""
        verdict = await judged(assistant, request)
        await asyncio.to_thread(self._write_verdict, reply.turn, verdict)
        closing = self.context.text(request.language, "assistant.explain_first")
        reply.gated = GatedReply(verdict.withholds, closing)
        return replace(request, withhold_code=verdict.withholds)

    def _write_verdict(self, turn: Turn, verdict: Judged) -> None:
        now = self.context.now()
        with self.context.registry.begin() as unit:
            if not self._is_mine(unit, turn):
                return
            # Their data may have been erased while the judge was thinking: its reason can quote what they wrote.
            if not unit.update_turn(turn):
                return
            stage = unit.known_participant(turn.participant_id).stage
            unit.record(turn.participant_id, stage, now, verdict_event(turn, verdict))
            # Among the ratings, so that its agreement with people is computed as that of any rater.
            value = "0" if verdict.withholds else "1"
            unit.add_rating(Rating(self.context.fresh_id(), f"turn:{turn.id}", verdict.by, value, VERSION, now))

    def _finish(self, reply: LiveReply) -> None:
        turn, withheld, autonomous = reply.turn, reply.gated.withheld, None
        with self.context.registry.begin() as unit:
            unit.hold(unit.known_participant(turn.participant_id))
            # Another server has ended the turn where this one was taken for gone.
            if not unit.end_work(self._work(turn)) or not unit.update_turn(turn):
                return
            now, since, lost = self.context.now(), turn.asked_at, turn.total_seconds or 0.0
            if reply.agent is not None:
                since = last_step_at(unit, turn)
                lost = max((now - since).total_seconds(), 0.0)
                autonomous = max(0.0, (turn.total_seconds or 0.0) - reply.agent.waited)
                given_up = turn.stopped_by_participant or turn.error is not None
                stage = unit.known_participant(turn.participant_id).stage
                close_actions(unit, turn, stage, "interrupted" if given_up else "expired", now)
            record_end(unit, turn, now, withheld, autonomous)
            if turn.error is not None and turn.error != "refused":
                # A model that declines is not an outage: no time is to be credited for it.
                record_outage(unit, turn, lost, now, since)

    async def close(self) -> None:
        """Wait a moment for replies in progress; used when the server stops."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
