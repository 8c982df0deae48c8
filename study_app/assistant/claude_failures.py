"""Failures of Claude's provider in the study's own words, with nothing of the key in any of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import anthropic
import httpx2

from study_app.domain.assistants.treatments import ReplyBrokenOff, ReplyEnd
from study_app.domain.errors import AssistantUnavailable, ModelNotServed

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
UNREADABLE = (ValueError, AttributeError, TypeError, LookupError, ArithmeticError, RecursionError)
"""How the SDK's lenient parsing shows an event that is not JSON, lacks its fields or nests too deeply."""
MESSAGES = {
    "authentication": "Claude's provider does not accept the API key",
    "rate_limit": "Claude's provider is limiting requests",
    "overloaded": "Claude's provider is overloaded",
    "timeout": "Claude did not answer in time",
    "connection": "the connection to Claude's provider failed",
    "refused": "Claude declined to answer this message",
    "too_long": "Claude's provider sent more than a reply can have",
    "other": "Claude's provider reported an error",
}


def broken_off(error: AssistantUnavailable, end: ReplyEnd | None) -> AssistantUnavailable:
    """Return the failure with what is known of the reply that it broke off."""
    if end is None:
        return error
    broken = replace(end, stop_reason="broken_off")
    return ReplyBrokenOff(error.kind, str(error), end=broken, retry_after=error.retry_after)


def unavailable(error: Exception) -> AssistantUnavailable:
    """Return the failure in the study's own words; the provider's are added only where they cannot hold a secret."""
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException | TimeoutError):
        return AssistantUnavailable("timeout", MESSAGES["timeout"])
    if isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError):
        return AssistantUnavailable("connection", MESSAGES["connection"])
    if isinstance(error, UNREADABLE):
        return AssistantUnavailable("other", "Claude's provider sent something that cannot be read")
    return AssistantUnavailable("other", f"{MESSAGES['other']} ({type(error).__name__})")


def _of_status(error: anthropic.APIStatusError) -> AssistantUnavailable:
    kind = _KIND_BY_TYPE.get(str(error.type)) or _KIND_BY_STATUS.get(error.status_code, "other")
    words = f"{MESSAGES[kind]} (HTTP {error.status_code}, {error.type or 'no type'})"
    # Texts about the request itself; those about authentication may repeat a part of the key.
    if error.status_code in (400, 404, 413, 422) and error.api_message:
        words = f"{words}: {error.api_message}"
    if error.status_code == 404 and str(error.type) == "not_found_error":
        return ModelNotServed(words)
    return AssistantUnavailable(kind, words, retry_after(error.response.headers))


def retry_after(headers: Any) -> float | None:
    """Seconds asked for by `retry-after-ms` or `retry-after`; None where absent or not a finite number."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
