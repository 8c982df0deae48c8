"""What the events of a stream say of a reply: its text, its end, and what it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from study_app.assistant.claude_failures import MESSAGES, broken_off
from study_app.domain.assistants.budget import CACHE_READ, CACHE_WRITTEN
from study_app.domain.assistants.treatments import ReplyBrokenOff, ReplyEnd
from study_app.domain.errors import AssistantUnavailable

_MOST_TOKENS = 2**31 - 1
"""The largest count that every database stores."""


_NOT_TEXT = ("role", "type", "id", "tool_use_id", "cache_control")
"""Parts of a request that say what its texts are."""


def accumulated(end: ReplyEnd | None, event: Any, blank: ReplyEnd) -> ReplyEnd | None:
    """Return what is known of the reply after one more event."""
    if event.type == "message_start":
        usage = event.message.usage
        # What is read from the cache or written to it is not in `input_tokens`, and it costs.
        written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
        counts = {CACHE_WRITTEN: tokens(written), CACHE_READ: tokens(read)}
        kept = {name: count for name, count in counts.items() if count}
        parts = usage.input_tokens, written, read
        parameters = {**blank.parameters, **kept}
        return replace(blank, model=word(event.message.model), input_tokens=tokens(*parts), parameters=parameters)
    if event.type == "message_delta" and end is not None:
        reason = word(event.delta.stop_reason or end.stop_reason)
        return replace(end, stop_reason=reason, output_tokens=tokens(event.usage.output_tokens))
    return end


def delta(event: Any) -> str:
    """Return the text that an event adds to the reply."""
    is_text = event.type == "content_block_delta" and event.delta.type == "text_delta" and event.delta.text
    return checked_text(event.delta.text) if is_text else ""


def came_chars(event: Any) -> int:
    """Return how many characters an event adds to what the model wrote: words, thoughts, arguments of a call."""
    if event.type != "content_block_delta":
        return 0
    parts = (getattr(event.delta, name, None) for name in ("text", "thinking", "partial_json"))
    return sum(len(part) for part in parts if isinstance(part, str))


def sent_chars(body: Mapping[str, Any]) -> int:
    """Return how many characters of text a request to the provider holds."""
    return sum(map(_chars, (body["system"], body["messages"], body.get("tools", ()))))


def _chars(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_chars(each) for name, each in value.items() if name not in _NOT_TEXT)
    return sum(map(_chars, value)) if isinstance(value, list | tuple) else 0


def checked_text(value: Any) -> str:
    """Return the text; the SDK passes on whatever stands in its place."""
    if not isinstance(value, str):
        raise TypeError(f"no text but {type(value).__name__}")
    return value


def word(value: Any) -> str:
    """Return a name or word of the provider's without NUL and lone surrogates, which no database stores."""
    return checked_text(value).replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def tokens(*parts: Any) -> int | None:
    """Return the sum of counts; None, as where the provider never says, if one of them cannot be a count."""
    if any(type(part) is not int or part < 0 for part in parts) or sum(parts) > _MOST_TOKENS:
        return None
    total: int = sum(parts)
    return total


def completed(end: ReplyEnd | None, finished: bool) -> ReplyEnd:
    """Return what is known of a reply that is whole.

    Raises:
        AssistantUnavailable: it was cut off, or the model declined to answer.
    """
    # A stream that merely ends was cut off: only `message_stop` says that the reply is whole.
    if end is None or not finished:
        raise broken_off(AssistantUnavailable("connection", f"{MESSAGES['connection']} during the reply"), end)
    if end.stop_reason == "refusal":
        raise ReplyBrokenOff("refused", MESSAGES["refused"], end=end)
    return end
