"""One change of a text, as edits carry it: positions count UTF-16 code units, as browsers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from study_app.domain.errors import StudyError


class ReplayMismatch(StudyError):
    """An edit does not fit the text it is said to change: an event is missing or was altered."""


@dataclass(frozen=True)
class Change:
    """Replace [start, end) of the text before by `insert`; positions in UTF-16 units."""

    start: int
    end: int
    insert: str
    deleted: str | None = None
    """What was replaced, where the page sent it; nothing is computed from it."""

    @classmethod
    def parse(cls, raw: Any) -> Change:
        """From an event's payload.

        Raises:
            ReplayMismatch: it has not the form of a change.
        """
        if type(raw) is not dict and not isinstance(raw, Mapping):
            raise ReplayMismatch(f"a change is an object with from, to and insert, not {type(raw).__name__}")
        start, end, insert = raw.get("from"), raw.get("to"), raw.get("insert", "")
        if not isinstance(start, int) or not isinstance(end, int) or not isinstance(insert, str):
            raise ReplayMismatch(f"{dict(raw)!r} is not a change; from and to are whole numbers, insert is text")
        # Past the initialiser, which takes most of the time of a frozen dataclass: an export makes millions.
        made = object.__new__(cls)
        made.__dict__.update(start=start, end=end, insert=insert, deleted=raw.get("deleted"))
        return made

    def as_json(self) -> dict[str, Any]:
        """Return the change as a page sends it."""
        sent: dict[str, Any] = {"from": self.start, "to": self.end, "insert": self.insert}
        return sent if self.deleted is None else sent | {"deleted": self.deleted}


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(1 for char in text if ord(char) > 0xFFFF)
