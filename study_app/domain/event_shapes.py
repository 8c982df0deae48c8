"""What the payload of each kind of a page's event must look like: anything else is refused when it arrives.

Only the log's own readers are protected by this: what a payload says is the browser's word, and is never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from study_app.domain.editing.edits import ReplayMismatch, parsed_changes

LONGEST_TEXT = 400_000
"""Characters of one text in a payload; a request has at most a million bytes."""
MOST_CHANGES = 5_000
MOST_KEYS = 60
DEEPEST = 6
LARGEST_NUMBER = 1e15

Shape = Callable[[Mapping[str, Any]], str | None]
"""What is wrong with a payload, or None."""


def problem_of(kind: str, payload: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the payload of an event; None where it is well formed."""
    return _size_problem(payload) or SHAPES.get(kind, _anything)(payload)


def _size_problem(payload: Any) -> str | None:
    """Return what is too large or too deep in a payload, level by level; None where nothing is.

    Every event of every page passes here on the server's event loop, so types are compared by identity: a payload is
    what JSON gives.
    """
    level = [payload]
    for depth in range(DEEPEST + 1):
        inner: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                if len(value) > LONGEST_TEXT:
                    return f"a text has more than {LONGEST_TEXT} characters"
            elif kind is int or kind is float:
                # Infinite where a text such as 1e999 was read, which is not JSON any more; also what is not a number.
                if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
                    return "a number is too large"
            elif kind is dict or kind is list:
                problem = f"it is nested more than {DEEPEST} deep" if depth == DEEPEST else _too_many(value)
                if problem is not None:
                    return problem
                inner += value.values() if kind is dict else value
        if not inner:
            return None
        level = inner
    return None


def _too_many(value: dict[str, Any] | list[Any]) -> str | None:
    if isinstance(value, list):
        return f"a list has more than {MOST_CHANGES} entries" if len(value) > MOST_CHANGES else None
    if len(value) > MOST_KEYS or max(map(len, value), default=0) > MOST_KEYS:
        return f"an object has more than {MOST_KEYS} keys, or a key more than {MOST_KEYS} characters"
    return None


def _anything(_payload: Mapping[str, Any]) -> None:
    return None


def _text(*names: str) -> Shape:
    """Return the shape in which these are texts."""

    def shape(payload: Mapping[str, Any]) -> str | None:
        return next((f"'{name}' is not a text" for name in names if not isinstance(payload.get(name), str)), None)

    return shape


def _optional(**kinds: type | tuple[type, ...]) -> Shape:
    """Return the shape in which these are of a type where they are there."""

    def shape(payload: Mapping[str, Any]) -> str | None:
        for name, kind in kinds.items():
            found = payload.get(name)
            if found is not None and (not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool)):
                return f"'{name}' is of the wrong type"
        return None

    return shape


def _changed(payload: Mapping[str, Any]) -> str | None:
    """Return an edit: where it changes a text, and how long that is afterwards."""
    try:
        changes = parsed_changes(payload)
    except ReplayMismatch as error:
        return str(error)
    if any(not 0 <= change.start <= change.end for change in changes):
        return "a change begins before the text or ends before it begins"
    return _OF_AN_EDIT(payload)


def _all(*shapes: Shape) -> Shape:
    """Each of these."""
    return lambda payload: next((found for shape in shapes if (found := shape(payload)) is not None), None)


_NUMBER = (int, float)
_OF_AN_EDIT = _optional(length=int, task=str, field=str)
_OF_A_FORM = _all(_text("stage"), _optional(step=int))
_OF_A_FIELD = _all(_OF_A_FORM, _text("field"))
SHAPES: dict[str, Shape] = {
    "answers_shown": _OF_A_FORM,
    "answer_load": _OF_A_FIELD,
    "answer_set": _OF_A_FIELD,
    "answer_edit": _all(_OF_A_FIELD, _changed),
    "answer_focus": _optional(field=str, stage=str, step=int),
    "load": _text("text"),
    "edit": _changed,
    "copy_reply": _optional(text=str, turn_id=str, how=str),
    "copy": _optional(text=str, length=int),
    "cut": _optional(text=str, length=int),
    "paste_attempt": _optional(text=str, length=int, how=str, target=str),
    "resize": _optional(width=_NUMBER, height=_NUMBER),
    "heartbeat": _optional(focused=bool),
    "notes_opened": _optional(title=str),
    "brief_scrolled": _optional(top=_NUMBER, of=_NUMBER),
    "submit_pressed": _optional(confirm=bool),
}
"""By kind; kinds that are not named carry nothing that is read."""
