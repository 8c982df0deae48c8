"""A model that a recording stands in for, once the provider serves it no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from study_app.assistant.claude import ClaudeAssistant
from study_app.assistant.replaying.recorded import RecordedAssistant
from study_app.assistant.replaying.steps import is_recorded
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.gate import Judged
from study_app.domain.assistants.treatments import AssistantRequest, ReplyEnd, TextDelta
from study_app.domain.errors import ModelNotServed


class ReplaceableModel:
    """Answers with the model; a question that finds it gone is answered by the recording, so that no one waits.

    Args:
        model: who answers.
        stand_in: who answers in its place.
        gone: asks the provider whether it serves the model no more, and puts on record that the recording answers;
            blocking, False where the model is still served or nothing is known.
    """

    id = "claude"

    def __init__(self, model: ClaudeAssistant, stand_in: RecordedAssistant, gone: Callable[[], bool]) -> None:
        self._model = model
        self.stand_in = stand_in
        self._gone = gone
        self._replaced = False

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one reply; see `ports.Assistant`.

        Raises:
            AssistantUnavailable: as the model raises it, or the recording.
        """
        if not self._replaced:
            try:
                async with aclosing(self._model.reply(request)) as pieces:  # type: ignore[type-var]
                    async for piece in pieces:
                        yield piece
                return
            except ModelNotServed:
                if not await self._replaced_now():
                    raise
        async for piece in self.stand_in.reply(request):
            yield piece

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """Stream one step; see `ports.ActingAssistant`.

        Raises:
            AssistantUnavailable: as the model raises it, or the recording; also where the model is gone in the middle
                of a turn, for no recording can go on from its steps.
        """
        # No recording can go on with a turn that the model began, also where another question found the model gone.
        begun_by_model = any(not is_recorded(step.call) for step in request.steps)
        if not self._replaced or begun_by_model:
            try:
                async with aclosing(self._model.step(request)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelNotServed:
                if not await self._replaced_now() or request.steps:
                    raise
        async with aclosing(self.stand_in.step(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def judge(self, request: AssistantRequest) -> Judged:
        """Return the model's verdict; see `ports.ExplanationJudge`.

        Raises:
            AssistantUnavailable: there is none: rules judge.
        """
        return await self._model.judge(request)

    async def _replaced_now(self) -> bool:
        """Whether the recording answers from now on; False where the provider serves the model, or says nothing."""
        # Another server, or the daily look, may have found it out before.
        self._replaced = await asyncio.to_thread(self._gone)
        return self._replaced
