"""Codes in a model's reply: read when it comes, and again by anyone who checks a dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from study_app.domain.themes.codebook import Codebook

UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What reading an answer raises that is not what it should be."""
CUT_OFF = frozenset({"refusal", "max_tokens"})
"""Reasons to stop after which what stands in a reply does not count."""


def text_in(message: Any) -> str:
    """Return the text of a message; empty where it has none."""
    blocks = message.get("content") if isinstance(message, dict) else None
    texts = [block.get("text") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    return "".join(text for text in texts if isinstance(text, str))


def object_in(raw: Mapping[str, Any]) -> Any:
    """Return the JSON of a reply that is kept; None where it failed, was refused or cut off, or is not JSON."""
    message = raw.get("message")
    if not isinstance(message, dict) or message.get("stop_reason") in CUT_OFF:
        return None
    try:
        return json.loads(text_in(message))
    except UNREADABLE:
        return None


def codes_in(raw: Mapping[str, Any], book: Codebook) -> tuple[str, ...] | None:
    """Return the codes in a reply; None where it failed, was refused, or holds anything but codes of the codebook."""
    found = object_in(raw)
    codes = found.get("codes") if isinstance(found, dict) else None
    if not isinstance(codes, list) or any(code not in book.labels for code in codes):
        return None
    return tuple(label for label in book.labels if label in codes)
