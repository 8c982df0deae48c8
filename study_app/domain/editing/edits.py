"""The algebra of edits: replaying a page's deltas gives its text, exactly, for any Unicode.

Positions count UTF-16 code units, as browsers do. The changes of one edit are in ascending order, do not overlap, and
all refer to the text before the edit (the semantics of CodeMirror's ChangeSet).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
        return cls(start, end, insert)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def _units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def apply(text: str, changes: Sequence[Change], length: int | None = None) -> str:
    """Return the text after one edit.

    Args:
        text: the text before.
        changes: ascending, not overlapping, all relative to the text before.
        length: what the browser counted afterwards, in UTF-16 units; checked where given.

    Raises:
        ReplayMismatch: positions out of range, out of order, or another length than the browser counted.
    """
    if text.isascii() and all(change.insert.isascii() for change in changes):
        # A unit is a character here: slices of the text itself, which in a long one is much cheaper.
        spliced = "".join(_pieces(text, 1, changes, str))
        _check_length(len(spliced), length)
        return spliced
    units = b"".join(_pieces(_units(text), 2, changes, _units))
    _check_length(len(units) // 2, length)
    # A surrogate pair may arrive in two edits: joined as units it is one character again.
    return units.decode("utf-16-le", "surrogatepass")


def _pieces(text: Any, width: int, changes: Sequence[Change], coded: Callable[[str], Any]) -> list[Any]:
    size = len(text) // width
    pieces = []
    done = 0
    for change in changes:
        if not done <= change.start <= change.end <= size:
            raise ReplayMismatch(f"change {change.start}-{change.end} does not fit a text of {size} units")
        pieces += [text[width * done : width * change.start], coded(change.insert)]
        done = change.end
    return [*pieces, text[width * done :]]


def _check_length(found: int, counted: int | None) -> None:
    if counted is not None and found != counted:
        raise ReplayMismatch(f"the text has {found} units after the edit, the browser counted {counted}")


def apply_event(text: str | None, kind: str, payload: Mapping[str, Any]) -> str | None:
    """Return the text after one event of the log; events other than `load` and `edit` leave it as it is.

    Raises:
        ReplayMismatch: the event does not fit.
    """
    if kind == "load":
        loaded = payload.get("text")
        if not isinstance(loaded, str):
            raise ReplayMismatch("a load event without text")
        return loaded
    if kind != "edit":
        return text
    if text is None:
        raise ReplayMismatch("an edit before the text was loaded")
    length = payload.get("length")
    return apply(text, parsed_changes(payload), length if isinstance(length, int) else None)


def apply_all(text: str | None, events: Iterable[tuple[str, Mapping[str, Any]]], longest: int) -> str | None:
    """Return the text after many events, as `apply_event` one by one.

    A long text is decoded once and not for each of them.

    Args:
        text: the text before the first.
        events: (kind, payload) pairs.
        longest: UTF-16 units that the text may have at any time.

    Raises:
        ReplayMismatch: an event does not fit, or the text grows longer than that.
    """
    units = None if text is None else bytearray(_units(text))
    for kind, payload in events:
        if kind == "load":
            units = bytearray(_units(apply_event(None, kind, payload) or ""))
        elif kind == "edit":
            if units is None:
                raise ReplayMismatch("an edit before the text was loaded")
            length = payload.get("length")
            _splice(units, parsed_changes(payload), length if isinstance(length, int) else None)
        if units is not None and len(units) // 2 > longest:
            raise ReplayMismatch(f"the text is longer than {longest} units")
    return None if units is None else units.decode("utf-16-le", "surrogatepass")


def _splice(units: bytearray, changes: Sequence[Change], length: int | None) -> None:
    """One edit in place, from its last change to its first, so that the positions before stay right."""
    limit = len(units) // 2
    for change in reversed(changes):
        if not 0 <= change.start <= change.end <= limit:
            raise ReplayMismatch(f"change {change.start}-{change.end} does not fit a text of {limit} units")
        units[2 * change.start : 2 * change.end] = _units(change.insert)
        limit = change.start
    _check_length(len(units) // 2, length)


def parsed_changes(payload: Mapping[str, Any]) -> list[Change]:
    """Return the changes of an edit.

    Raises:
        ReplayMismatch: it has none, or one has not the form of a change.
    """
    changes = payload.get("changes")
    if not isinstance(changes, list):
        raise ReplayMismatch("an edit without changes")
    return [Change.parse(change) for change in changes]


def well_formed(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the changes of an edit as they were sent; none where a browser sent what cannot be an edit."""
    try:
        parsed_changes(payload)
    except ReplayMismatch:
        return []
    return list(payload["changes"])


def replay(events: Iterable[tuple[str, Mapping[str, Any]]], text: str | None = None) -> str | None:
    """Return the text after all events of one page and one task, in order of their numbers.

    Args:
        events: (kind, payload) pairs.
        text: the text before the first, where the page loaded it earlier.

    Raises:
        ReplayMismatch: an event does not fit.
    """
    for kind, payload in events:
        text = apply_event(text, kind, payload)
    return text
