"""The algebra of edits: replaying a page's deltas gives its text, exactly, for any Unicode.

Positions count UTF-16 code units, as browsers do. The changes of one edit are in ascending order, do not overlap, and
all refer to the text before the edit (the semantics of CodeMirror's ChangeSet).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from study_app.domain.events.browser import BrokenText, EventRefused, Load, TextChange
from study_app.domain.events.changes import Change, ReplayMismatch
from study_app.domain.events.details import EventDetails


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


def apply_event(text: str | None, details: EventDetails) -> str | None:
    """Return the text after one event of the log; events that change no text leave it as it is.

    Raises:
        ReplayMismatch: the event does not fit.
    """
    if isinstance(details, Load):
        return details.text
    if isinstance(details, BrokenText):
        raise ReplayMismatch(details.problem)
    if isinstance(details, EventRefused) and details.task is not None:
        raise ReplayMismatch(f"the server refused the {details.refused} that stood here")
    if not isinstance(details, TextChange):
        return text
    if text is None:
        raise ReplayMismatch("an edit before the text was loaded")
    return apply(text, details.changes, details.length)


def apply_all(text: str | None, events: Iterable[EventDetails], longest: int) -> str | None:
    """Return the text after many events, as `apply_event` one by one.

    A long text is decoded once and not for each of them.

    Args:
        text: the text before the first.
        events: what they say.
        longest: UTF-16 units that the text may have at any time.

    Raises:
        ReplayMismatch: an event does not fit, or the text grows longer than that.
    """
    units = None if text is None else bytearray(_units(text))
    for details in events:
        if isinstance(details, TextChange):
            if units is None:
                raise ReplayMismatch("an edit before the text was loaded")
            _splice(units, details.changes, details.length)
        elif isinstance(details, Load | BrokenText | EventRefused):
            text = apply_event(None, details)
            units = units if text is None else bytearray(_units(text))
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


def replay(events: Iterable[EventDetails], text: str | None = None) -> str | None:
    """Return the text after all events of one page and one task, in order of their numbers.

    Args:
        events: what they say.
        text: the text before the first, where the page loaded it earlier.

    Raises:
        ReplayMismatch: an event does not fit.
    """
    for details in events:
        text = apply_event(text, details)
    return text
