"""Claude through the anthropic SDK: streaming Messages, errors distinguished, nothing of the key in any message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from weakref import WeakKeyDictionary

import anthropic
import httpx2

from study_app.assistant.claude_failures import MESSAGES, UNREADABLE, broken_off, retry_after, unavailable
from study_app.assistant.claude_stream import accumulated, came_chars, completed, delta, sent_chars
from study_app.assistant.claude_tools import StreamedBlocks, acting_body
from study_app.assistant.explaining_judge import judge_body, read_verdict
from study_app.assistant.prompts import conversation
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.gate import Judged
from study_app.domain.assistants.reply_bounds import ReplyBounds, ReplyMeter
from study_app.domain.assistants.served_models import ModelFacts, ModelLifecycle
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    Effort,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import AssistantUnavailable

SAMPLING_API_VERSION = "2023-06-01"
"""The last version of the Messages API that accepts a temperature."""
_MODEL_SECONDS = 20.0
"""Longest wait for the description of a model."""
_EFFORTS: tuple[str, ...] = get_args(Effort)
_FAILURES = (anthropic.AnthropicError, httpx2.HTTPError, TimeoutError, *UNREADABLE)
_MOST_BYTES = 32 * 1024 * 1024
"""Of one answer; the longest reply, 64,000 tokens in as many events, has about a third."""


@dataclass(frozen=True)
class Patience:
    """How long a participant is kept waiting before a failure is reported. Seconds."""

    first_token: float = 45.0
    """From the request to the first event of the reply, retries included."""
    stall: float = 30.0
    """Between two events of a reply; the provider's keep-alive pings do not count."""
    retry_after: float = 5.0
    """Longest pause asked by the provider that is waited for; a longer one is reported at once."""
    retries: int = 2
    """Further attempts by the SDK before the first token; never once a reply has begun."""


class ClaudeAssistant:
    """Answers with a Claude model."""

    id = "claude"

    def __init__(
        self, spec: AssistantSpec, *, api_key: str, base_url: str | None = None, patience: Patience | None = None
    ) -> None:
        self._spec = spec
        self._api_key = api_key
        self._base_url = base_url
        self._patience = patience or Patience()
        # Weak, for simulations and `doctor` open event loops of which nothing may be left when they are closed.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, anthropic.AsyncAnthropic] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"ClaudeAssistant({self._spec.id!r}, model={self._spec.model!r}, api_key='********')"

    async def facts(self) -> ModelFacts:
        """Return what the provider says about the model, asked without using a token.

        For `doctor`, `launch`, `create-links`.

        Raises:
            AssistantUnavailable: no such model (kind `unknown_model`), key not accepted, or provider not reached.
        """
        try:
            async with asyncio.timeout(_MODEL_SECONDS):
                found = await self._client().models.retrieve(self._spec.model)
            return _facts(found)
        except anthropic.NotFoundError:
            what = f"the provider knows no model {self._spec.model!r}"
            raise AssistantUnavailable("unknown_model", what) from None
        except _FAILURES as error:
            raise unavailable(error) from None

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one reply; see `ports.Assistant`.

        Raises:
            AssistantUnavailable: nothing was sent; `retry_after` where the provider said so.
            ReplyBrokenOff: the reply had begun; its `end` holds model and tokens as far as known.
        """
        end: ReplyEnd | None = None
        finished = False
        meter = ReplyMeter(ReplyBounds.of(self._room(request)))
        try:
            # Closed at once when the participant stops: left to the garbage collector, the provider would go on writing
            # and charging.
            async with aclosing(self._counted(request, self._body(request), meter.bounds.seconds)) as events:
                async for event in events:
                    end = request.so_far.end
                    finished = finished or event.type == "message_stop"
                    if text := meter.room_for(delta(event)):
                        yield TextDelta(text)
        except AssistantUnavailable as error:
            raise broken_off(error, end) from None
        except _FAILURES as error:
            raise broken_off(unavailable(error), end) from None
        yield completed(end, finished)

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """Stream one step of an agent; see `ports.ActingAssistant`.

        Raises:
            AssistantUnavailable: nothing was sent; `retry_after` where the provider said so.
            ReplyBrokenOff: the step had begun; a call in it is not made.
        """
        end: ReplyEnd | None = None
        finished = False
        blocks = StreamedBlocks()
        meter = ReplyMeter(ReplyBounds.of(self._room(request.asked)))
        body = acting_body(self._body(request.asked), request)
        try:
            async with aclosing(self._counted(request.asked, body, meter.bounds.seconds)) as events:
                async for event in events:
                    end = request.asked.so_far.end
                    finished = finished or event.type == "message_stop"
                    blocks.take(event)
                    if text := meter.room_for(delta(event)):
                        yield TextDelta(text)
            call = blocks.call()
        except AssistantUnavailable as error:
            raise broken_off(error, end) from None
        except _FAILURES as error:
            raise broken_off(unavailable(error), end) from None
        whole = completed(end, finished)
        # A call that the length of the reply cut off is not whole.
        if call is not None and whole.stop_reason != "max_tokens":
            yield call
        yield whole

    async def judge(self, request: AssistantRequest) -> Judged:
        """Return whether a message explains the participant's idea; see `ports.ExplanationJudge`.

        Raises:
            AssistantUnavailable: the provider failed, or answered without a verdict.
        """
        try:
            async with asyncio.timeout(self._patience.first_token):
                message = await self._client().messages.create(**judge_body(self._spec.model, request))
        except AssistantUnavailable:
            raise
        except _FAILURES as error:
            raise unavailable(error) from None
        return read_verdict(message)

    def _client(self) -> anthropic.AsyncAnthropic:
        """Return the client of the running event loop, for its connections belong to that loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            wait = self._patience
            self._clients[loop] = anthropic.AsyncAnthropic(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=wait.retries,
                # The SDK's timeout is between two reads of bytes; pings reset it, so events are waited for with a limit
                # as well.
                timeout=anthropic.Timeout(wait.stall, connect=min(5.0, wait.stall)),
                middleware=[_RetrySoonOrNever(wait.retry_after)],
                open_telemetry=False,
            )
        return self._clients[loop]

    async def _counted(
        self, request: AssistantRequest, body: dict[str, Any], seconds: float
    ) -> AsyncGenerator[Any, None]:
        """Yield the events, each after what it says is noted, by which a reply that is cut is counted."""
        so_far, blank = request.so_far, self._blank_end()
        so_far.asked, so_far.sent_chars, so_far.end, so_far.came_chars = blank, sent_chars(body), None, 0
        async with aclosing(self._events(body, seconds)) as events:
            async for event in events:
                so_far.end = accumulated(so_far.end, event, blank)
                so_far.came_chars += came_chars(event)
                yield event

    async def _events(self, body: dict[str, Any], seconds: float) -> AsyncGenerator[Any, None]:
        clock = asyncio.get_running_loop().time
        last = clock() + seconds
        async with asyncio.timeout(self._patience.first_token):
            stream = await self._client().messages.create(**body)
        async with stream:
            while True:
                try:
                    # A limit for each event and one for the whole: a provider that sends a word every half minute would
                    # stall for ever.
                    async with asyncio.timeout_at(min(last, clock() + self._patience.stall)):
                        event = await anext(stream)
                except StopAsyncIteration:
                    return
                yield event

    def _body(self, request: AssistantRequest) -> dict[str, Any]:
        sent = conversation(self._spec, request)
        given = self._spec.parameters
        body: dict[str, Any] = {
            "model": self._spec.model,
            "max_tokens": self._room(request),
            "system": sent.system,
            "messages": list(sent.messages),
            "stream": True,
        }
        if given.thinking:
            body["thinking"] = {"type": _thinking(given.thinking, self._spec.model)}
        if given.effort:
            body["output_config"] = {"effort": given.effort}
        if given.temperature is not None:
            body["extra_body"] = {"temperature": given.temperature}
            body["extra_headers"] = {"anthropic-version": SAMPLING_API_VERSION}
        return body

    def _room(self, request: AssistantRequest) -> int:
        given = self._spec.parameters.max_tokens
        return min(given, request.max_tokens or given)

    def _blank_end(self) -> ReplyEnd:
        spec = self._spec
        return ReplyEnd(spec.model, spec.prompt_version, stop_reason="broken_off", parameters=spec.parameters.given())


def _facts(found: Any) -> ModelFacts:
    """Return the provider's description in the study's words; what it leaves out is taken for accepted."""
    refused = set()
    if found.capabilities is not None:
        thinking = found.capabilities.thinking.types
        off = getattr(thinking, _thinking("off", found.id))
        refused |= {name for name, one in (("thinking:off", off), ("thinking:adaptive", thinking.adaptive)) if _no(one)}
        effort = found.capabilities.effort
        refused |= {f"effort:{level}" for level in _EFFORTS if _no(getattr(effort, level, None))}
    # The SDK keeps what it cannot convert as it came.
    if not isinstance(found.retires_at, datetime | None) or not isinstance(found.max_tokens, int | None):
        raise TypeError("the provider's description of the model cannot be read")
    lifecycle: ModelLifecycle = found.lifecycle if found.lifecycle in ("deprecated", "retired") else "active"
    name = found.display_name or found.id
    return ModelFacts(found.id, name, lifecycle, found.retires_at, found.max_tokens, frozenset(refused))


def _no(support: Any) -> bool:
    return support is not None and support.supported is False


def _thinking(wanted: str, model: str) -> str:
    """Return the API's word for it: one model alone is sent `between_tools` where all others are sent `disabled`."""
    if wanted == "off":
        return "between_tools" if model.startswith("claude-sonnet-5-5") else "disabled"
    return wanted


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of an answer up to a limit: a line without an end would be collected as long as it comes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        room = _MOST_BYTES
        async for piece in self._stream:
            room -= len(piece)
            if room < 0:
                raise AssistantUnavailable("too_long", MESSAGES["too_long"])
            yield piece

    async def aclose(self) -> None:
        """Close the connection's stream."""
        await self._stream.aclose()


class _RetrySoonOrNever(anthropic.Middleware):
    """Bounds every answer, and stops the SDK from retrying after a longer pause than people should sit through."""

    def __init__(self, longest: float) -> None:
        self._longest = longest

    async def handle_async(self, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.http_response.stream = _Bounded(response.http_response.stream)
        if (retry_after(response.headers) or 0) > self._longest:
            # The SDK's own switch; otherwise it would sleep for as long as the provider asks, while the participant
            # sees nothing.
            response.http_response.headers["x-should-retry"] = "false"
        return response
