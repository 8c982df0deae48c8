"""What pages saw being copied and pasted, so that a paste's origin does not hang on one page's memory.

A page forgets at a reload what was copied on it, and then takes a participant's own text for a stranger's. And text
from outside may make a stop in the message box on its way to the editor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SPACE = re.compile(r"\s+")
_TELLING = 12
"""Shorter text says nothing by its content alone."""


def squeeze(text: str) -> str:
    """White space carries no authorship: editors and browsers change it on the way."""
    return _SPACE.sub(" ", text).strip()


def pasted_text(payload: Mapping[str, Any]) -> str:
    """Return the text of a copy or paste, squeezed; of a long one the beginning."""
    text = payload.get("text")
    return squeeze(text) if isinstance(text, str) else ""


class Pasteboard:
    """Follows copies and pastes; feed it the participant's events in the order of storing."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._foreign: list[str] = []

    def feed(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Take the next event; those that are neither copy nor paste say nothing."""
        if kind in ("copy", "cut") and not self.is_foreign(payload):
            self._own.add(pasted_text(payload))
        elif kind == "paste_attempt" and payload.get("target") == "message" and self.is_foreign(payload):
            self._foreign.append(pasted_text(payload))

    def is_foreign(self, payload: Mapping[str, Any]) -> bool:
        """Whether what a copy, cut or paste takes comes from outside the study."""
        text, claimed = pasted_text(payload), payload.get("from")
        if claimed == "message":
            return len(text) >= _TELLING and any(text in pasted for pasted in self._foreign)
        return claimed == "outside" and text not in self._own
