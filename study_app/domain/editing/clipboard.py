"""What pages saw being copied and pasted, so that a paste's origin does not hang on one page's memory.

A page forgets at a reload what was copied on it, and then takes a participant's own text for a stranger's. And text
from outside may make a stop in the message box on its way to the editor.
"""

from __future__ import annotations

import re

from study_app.domain.events.browser import Clip, PasteAttempt, TextCopied, TextCut
from study_app.domain.events.details import EventDetails

_SPACE = re.compile(r"\s+")
_TELLING = 12
"""Shorter text says nothing by its content alone."""


def squeeze(text: str) -> str:
    """White space carries no authorship: editors and browsers change it on the way."""
    return _SPACE.sub(" ", text).strip()


def pasted_text(clip: Clip) -> str:
    """Return the text of a copy or paste, squeezed; of a long one the beginning."""
    return squeeze(clip.text or "")


SEEN_KINDS = frozenset(each.kind for each in (TextCopied, TextCut, PasteAttempt))
"""Kinds of events that a pasteboard learns from."""


class Pasteboard:
    """Follows copies and pastes; feed it the participant's events in the order of storing."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._foreign: list[str] = []

    def feed(self, details: EventDetails) -> None:
        """Take the next event; those that are neither copy nor paste say nothing."""
        if isinstance(details, TextCopied | TextCut) and not self.is_foreign(details):
            self._own.add(pasted_text(details))
        elif isinstance(details, PasteAttempt) and details.target == "message" and self.is_foreign(details):
            self._foreign.append(pasted_text(details))

    def is_foreign(self, clip: Clip) -> bool:
        """Whether what a copy, cut or paste takes comes from outside the study."""
        text = pasted_text(clip)
        if clip.origin == "message":
            return len(text) >= _TELLING and any(text in pasted for pasted in self._foreign)
        return clip.origin == "outside" and text not in self._own
