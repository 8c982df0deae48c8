"""Claude through the anthropic SDK: streaming Messages, errors distinguished, nothing of the key in any message."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args
from weakref import WeakKeyDictionary

import anthropic
import httpx2

from study_app.assistant.claude_tools import StreamedBlocks, acting_body
from study_app.assistant.explaining_judge import judge_body, read_verdict
from study_app.assistant.prompts import conversation
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.budget import CACHE_READ, CACHE_WRITTEN
from study_app.domain.assistants.gate import Judged
from study_app.domain.assistants.reply_bounds import ReplyBounds, ReplyMeter
from study_app.domain.assistants.served_models import ModelFacts, ModelLifecycle
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    Effort,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import AssistantUnavailable, ModelNotServed

SAMPLING_API_VERSION = "2023-06-01"
"""The last version of the Messages API that accepts a temperature."""
_MODEL_SECONDS = 20.0
"""Longest wait for the description of a model."""
_EFFORTS: tuple[str, ...] = get_args(Effort)
_KIND_BY_STATUS = {401: "authentication", 403: "authentication", 408: "timeout", 429: "rate_limit"} | {
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_KIND_BY_TYPE = {
    "authentication_error": "authentication",
    "permission_error": "authentication",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
}
_UNREADABLE = (ValueError, AttributeError, TypeError, LookupError, ArithmeticError, RecursionError)
"""How the SDK's lenient parsing shows an event that is not JSON, lacks its fields or nests too deeply."""
_FAILURES = (anthropic.AnthropicError, httpx2.HTTPError, TimeoutError, *_UNREADABLE)
_MOST_BYTES = 32 * 1024 * 1024
"""Of one answer; the longest reply, 64,000 tokens in as many events, has about a third."""
_MOST_TOKENS = 2**31 - 1
"""The largest count that every database stores."""
_MESSAGES = {
    "authentication": "Claude's provider does not accept the API key",
    "rate_limit": "Claude's provider is limiting requests",
    "overloaded": "Claude's provider is overloaded",
    "timeout": "Claude did not answer in time",
    "connection": "the connection to Claude's provider failed",
    "refused": "Claude declined to answer this message",
    "too_long": "Claude's provider sent more than a reply can have",
    "other": "Claude's provider reported an error",
}


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
            raise _unavailable(error) from None

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
            async with aclosing(self._events(self._body(request), meter.bounds.seconds)) as events:
                async for event in events:
                    end = _accumulate(end, event, self._blank_end())
                    finished = finished or event.type == "message_stop"
                    if text := meter.room_for(_delta(event)):
                        yield TextDelta(text)
        except AssistantUnavailable as error:
            raise _broken_off(error, end) from None
        except _FAILURES as error:
            raise _broken_off(_unavailable(error), end) from None
        yield _completed(end, finished)

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
            async with aclosing(self._events(body, meter.bounds.seconds)) as events:
                async for event in events:
                    end = _accumulate(end, event, self._blank_end())
                    finished = finished or event.type == "message_stop"
                    blocks.take(event)
                    if text := meter.room_for(_delta(event)):
                        yield TextDelta(text)
            call = blocks.call()
        except AssistantUnavailable as error:
            raise _broken_off(error, end) from None
        except _FAILURES as error:
            raise _broken_off(_unavailable(error), end) from None
        completed = _completed(end, finished)
        # A call that the length of the reply cut off is not whole.
        if call is not None and completed.stop_reason != "max_tokens":
            yield call
        yield completed

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
            raise _unavailable(error) from None
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
                raise AssistantUnavailable("too_long", _MESSAGES["too_long"])
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
        if (_retry_after(response.headers) or 0) > self._longest:
            # The SDK's own switch; otherwise it would sleep for as long as the provider asks, while the participant
            # sees nothing.
            response.http_response.headers["x-should-retry"] = "false"
        return response


def _accumulate(end: ReplyEnd | None, event: Any, blank: ReplyEnd) -> ReplyEnd | None:
    """Return what is known of the reply after one more event."""
    if event.type == "message_start":
        usage = event.message.usage
        # What is read from the cache or written to it is not in `input_tokens`, and it costs.
        written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
        counts = {CACHE_WRITTEN: _tokens(written), CACHE_READ: _tokens(read)}
        kept = {name: count for name, count in counts.items() if count}
        parts = usage.input_tokens, written, read
        parameters = {**blank.parameters, **kept}
        return replace(blank, model=_word(event.message.model), input_tokens=_tokens(*parts), parameters=parameters)
    if event.type == "message_delta" and end is not None:
        reason = _word(event.delta.stop_reason or end.stop_reason)
        return replace(end, stop_reason=reason, output_tokens=_tokens(event.usage.output_tokens))
    return end


def _delta(event: Any) -> str:
    """Return the text that an event adds to the reply."""
    is_text = event.type == "content_block_delta" and event.delta.type == "text_delta" and event.delta.text
    return _checked_text(event.delta.text) if is_text else ""


def _checked_text(value: Any) -> str:
    """Return the text; the SDK passes on whatever stands in its place."""
    if not isinstance(value, str):
        raise TypeError(f"no text but {type(value).__name__}")
    return value


def _word(value: Any) -> str:
    """Return a name or word of the provider's without NUL and lone surrogates, which no database stores."""
    return _checked_text(value).replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def _tokens(*parts: Any) -> int | None:
    """Return the sum of counts; None, as where the provider never says, if one of them cannot be a count."""
    if any(type(part) is not int or part < 0 for part in parts) or sum(parts) > _MOST_TOKENS:
        return None
    total: int = sum(parts)
    return total


def _completed(end: ReplyEnd | None, finished: bool) -> ReplyEnd:
    # A stream that merely ends was cut off: only `message_stop` says that the reply is whole.
    if end is None or not finished:
        raise _broken_off(AssistantUnavailable("connection", f"{_MESSAGES['connection']} during the reply"), end)
    if end.stop_reason == "refusal":
        raise ReplyBrokenOff("refused", _MESSAGES["refused"], end=end)
    return end


def _broken_off(error: AssistantUnavailable, end: ReplyEnd | None) -> AssistantUnavailable:
    if end is None:
        return error
    broken = replace(end, stop_reason="broken_off")
    return ReplyBrokenOff(error.kind, str(error), end=broken, retry_after=error.retry_after)


def _unavailable(error: Exception) -> AssistantUnavailable:
    """Return the failure in the study's own words; the provider's are added only where they cannot hold a secret."""
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException | TimeoutError):
        return AssistantUnavailable("timeout", _MESSAGES["timeout"])
    if isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError):
        return AssistantUnavailable("connection", _MESSAGES["connection"])
    if isinstance(error, _UNREADABLE):
        return AssistantUnavailable("other", "Claude's provider sent something that cannot be read")
    return AssistantUnavailable("other", f"{_MESSAGES['other']} ({type(error).__name__})")


def _of_status(error: anthropic.APIStatusError) -> AssistantUnavailable:
    kind = _KIND_BY_TYPE.get(str(error.type)) or _KIND_BY_STATUS.get(error.status_code, "other")
    words = f"{_MESSAGES[kind]} (HTTP {error.status_code}, {error.type or 'no type'})"
    # Texts about the request itself; those about authentication may repeat a part of the key.
    if error.status_code in (400, 404, 413, 422) and error.api_message:
        words = f"{words}: {error.api_message}"
    if error.status_code == 404 and str(error.type) == "not_found_error":
        return ModelNotServed(words)
    return AssistantUnavailable(kind, words, _retry_after(error.response.headers))


def _retry_after(headers: Any) -> float | None:
    """Seconds asked for by `retry-after-ms` or `retry-after`; None where absent or not a finite number."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
