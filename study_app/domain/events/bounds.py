"""How large and deep what a page sends may be, and whether it has the shape of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study_app.domain.events.details import EventDetails, MalformedDetails, Unknown
from study_app.domain.events.kinds import KINDS

LONGEST_TEXT = 400_000
"""Characters of one text in a payload; a request has at most a million bytes."""
MOST_CHANGES = 5_000
MOST_KEYS = 60
DEEPEST = 6
LARGEST_NUMBER = 1e15


def checked(kind: str, payload: Mapping[str, Any]) -> EventDetails:
    """Return what an event says that a page sends now; `Unknown` for a kind that is none.

    Raises:
        MalformedDetails: it is too large, too deep, or not of the shape of its kind.
    """
    problem = _size_problem(payload)
    if problem is not None:
        raise MalformedDetails(problem)
    known = KINDS.get(kind)
    return Unknown() if known is None else known.read(payload)


def problem_of(kind: str, payload: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the payload of an event; None where it is well formed."""
    try:
        checked(kind, payload)
    except MalformedDetails as error:
        return str(error)
    return None


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
