"""An answer as a program codes it, and what the program made of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from study_app.domain.themes.marks import interview_object


@dataclass(frozen=True)
class AnswerToCode:
    """All that was said on one topic of an interview."""

    interview_id: str
    topic: str
    language: str
    questions: tuple[str, ...]
    answer: str

    @property
    def custom_id(self) -> str:
        """Return the object as a provider takes it: its ids allow neither `:` nor `#`, so it is hashed."""
        name = interview_object(self.interview_id, self.topic)
        return hashlib.sha256(name.encode()).hexdigest()[:48]


@dataclass(frozen=True)
class CodedReply:
    """What came back on one answer."""

    custom_id: str
    codes: tuple[str, ...] | None
    """None where the reply could not be read."""
    raw: dict[str, Any]
    """As received, with what belongs to it."""
