"""A reply as it grows: what its reader gets, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from study_app.domain.assistants.budget import cut_reply
from study_app.domain.assistants.treatments import ReplyEnd, ReplySoFar
from study_app.domain.records import Turn
from study_app.services.participant.agent.turn import AgentTurn
from study_app.services.participant.agent.working import Frame
from study_app.services.participant.chatting.turns import ended
from study_app.services.participant.gate import GatedReply


@dataclass
class LiveReply:
    """A reply in progress, which outlives the request that asked for it."""

    turn: Turn
    pieces: asyncio.Queue[str | Frame | None] = field(default_factory=asyncio.Queue)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    gated: GatedReply = field(default_factory=lambda: GatedReply(closed=False, closing=""))
    so_far: ReplySoFar = field(default_factory=ReplySoFar)
    """What its provider has said of it."""
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

    def broke_off(self, end: ReplyEnd) -> None:
        """Take what is known of a reply that broke off; of an agent beside what its steps before have used."""
        self._take(self._used(end, by_us=False) or end)

    def as_used(self) -> Turn:
        """Return the turn as it is, with what the provider is known to have counted."""
        known = self._used(by_us=False)
        return self.turn if known is None else replace(ended(self.turn, known), stop_reason=self.turn.stop_reason)

    def _used(self, said: ReplyEnd | None = None, *, by_us: bool) -> ReplyEnd | None:
        if self.agent is not None:
            return self.agent.used(said, by_us=by_us)
        return cut_reply(self.so_far, said, by_us=by_us)

    def _take(self, end: ReplyEnd) -> None:
        if self.agent is not None:
            self.agent.end, self.agent.thinking = end, None
        self.turn = ended(self.turn, end)

    def close(self, seconds: float) -> None:
        """Take the end of the reply, after so many seconds."""
        stopped = self.stopped.is_set()
        by_us = stopped or self.turn.error == "timeout"
        if self.turn.stop_reason is None and (cut := self._used(by_us=by_us)) is not None:
            # Nothing said its end: it was stopped, or took too long. What it used until then is billed all the same.
            self.turn = replace(ended(self.turn, cut), stop_reason=None)
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
class StreamingTurn:
    """A turn that has begun; iterate its text to stream it."""

    turn_id: str
    text: AsyncIterator[str | Frame]
    """Words, and between them the steps of an agent."""
    failure: Callable[[], str | None]
    """After the text has ended: why the provider failed, or None."""
