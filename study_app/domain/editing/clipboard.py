"""What pages saw being copied and pasted, so that a paste's origin does not hang on one page's memory.

A page forgets at a reload what was copied on it, and then takes a participant's own text for a stranger's. And text
from outside may make a stop in the message box on its way to the editor.
"""

from __future__ import annotations

import re

from study_app.domain.events.browser import Clip, PasteAttempt, TextCopied, TextCut
from study_app.domain.events.details import EventDetails
from study_app.domain.events.server import AgentProposed

_SPACE = re.compile(r"\s+")
_TELLING = 12
"""Shorter text says nothing by its content alone."""


def squeeze(text: str) -> str:
    """White space carries no authorship: editors and browsers change it on the way."""
    return _SPACE.sub(" ", text).strip()


def pasted_text(clip: Clip) -> str:
    """Return the text of a copy or paste, squeezed; of a long one the beginning."""
    return squeeze(clip.text or "")


def shown_texts(said: AgentProposed) -> list[str]:
    """Return what the card of an agent's step shows of the assistant's making: new text, question or report."""
    return [str(said.input[name]) for name in ("new", "question", "summary") if said.input.get(name)]


_BOXES = frozenset({"message", "editor"})
"""Targets of pastes whose text can be taken on from there; of a proposal that is edited first the target is the editor.
"""
SEEN_KINDS = frozenset(each.kind for each in (TextCopied, TextCut, PasteAttempt, AgentProposed))
"""Kinds of events that a pasteboard learns from."""


class Pasteboard:
    """Follows copies and pastes; feed it the participant's events in the order of storing."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._foreign: list[str] = []
        self._shown: list[str] = []

    def feed(self, details: EventDetails) -> None:
        """Take the next event; those that are neither copy nor paste nor a step of an agent say nothing."""
        if isinstance(details, AgentProposed):
            self._shown += map(squeeze, shown_texts(details))
        elif isinstance(details, TextCopied | TextCut) and not self.is_foreign(details):
            self._own.add(pasted_text(details))
        elif isinstance(details, PasteAttempt) and details.target in _BOXES and self.is_foreign(details):
            self._foreign.append(pasted_text(details))

    def is_foreign(self, clip: Clip) -> bool:
        """Return whether what a copy, cut or paste takes comes from outside the study."""
        text = pasted_text(clip)
        # Text from the message box is the participant's own, unless it was pasted there from outside before: passing a
        # text through the box does not change its author.
        if clip.origin == "message":
            return len(text) >= _TELLING and any(text in pasted for pasted in self._foreign)
        return clip.origin == "outside" and text not in self._own and not self._is_shown(text)

    def _is_shown(self, text: str) -> bool:
        """Return whether a card of an agent shows it: the page is the participant's, and so is what stands on it."""
        return len(text) >= _TELLING and any(text in shown for shown in self._shown)
