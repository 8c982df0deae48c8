"""How long simulated replies take: by a clock that the assistant itself moves, so that equal replies take as long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.treatments import AssistantRequest, ReplyEnd, TextDelta
from study_app.ports import ActingAssistant, Assistant

FIRST_WORD = 0.8
"""Seconds until a reply begins."""
EACH_WORD = 0.02
"""Seconds for a piece of it, as the embedded assistant's pace is for people."""


class ReplyLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still but for `advance`. Timers do not fire by themselves."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__()

    def time(self) -> float:
        """Seconds of replies so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


class PacedAssistant:
    """ports.Assistant that takes time by the ReplyLoop it runs in, and none of the machine's.

    Args:
        assistant: gives the words.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    @property
    def id(self) -> str:
        """See ports.Assistant."""
        return self._assistant.id

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """See ports.Assistant."""
        loop = asyncio.get_running_loop()
        pause = FIRST_WORD
        async for piece in self._assistant.reply(request):
            if isinstance(piece, TextDelta) and isinstance(loop, ReplyLoop):
                # Before the piece is handed on, for its reader takes the time of arrival from the same loop.
                loop.advance(pause)
                pause = EACH_WORD
            yield piece


class PacedActing(PacedAssistant):
    """The same for one that acts."""

    def __init__(self, assistant: ActingAssistant) -> None:
        super().__init__(assistant)  # type: ignore[arg-type]
        self._acting = assistant

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """See ports.ActingAssistant."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, ReplyLoop):
            loop.advance(FIRST_WORD)
        async for piece in self._acting.step(request):
            yield piece


def paced(assistant: Assistant) -> PacedAssistant:
    """Return an assistant that takes time by the ReplyLoop it runs in."""
    return PacedActing(assistant) if isinstance(assistant, ActingAssistant) else PacedAssistant(assistant)
