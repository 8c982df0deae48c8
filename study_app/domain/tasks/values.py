"""Values that graded calls return, as they cross the border from a child process: bounded, and compared exactly.

What a child encodes (`sandbox.inside.harness.encode`) comes back as builtin types. A participant chooses these values, so
nothing here recurses without limit, and no collection of chosen numbers is hashed: Python's sets and dictionaries take
quadratic time over integers whose hashes collide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 60
"""Levels of nesting that are read; what lies deeper is Opaque."""
_LARGEST_HASHED = 1 << 31
"""Integers below it cannot be chosen so that many share one hash."""
_LONGEST_FLOAT = 40


@dataclass(frozen=True)
class Opaque:
    """A value that is not of a builtin type; equal to nothing."""

    kind: str

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self.kind}>"


@dataclass(frozen=True, eq=False)
class Unhashed:
    """A set or dictionary whose members could make hashing slow; compared by sorting.

    `kind` is `set`, `frozenset` or `dict`; the members of a dictionary are its (key, value) pairs.
    """

    kind: str
    members: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<{self.kind} of {len(self.members)}>"


def decode(value: Any, depth: int = 0) -> Any:
    """Turn back what a child encoded; what was of no builtin type, malformed or too deep becomes Opaque. Never raises.

    Args:
        value: parsed JSON.
        depth: levels above it.
    """
    if depth > DEEPEST:
        return Opaque("too deep")
    if isinstance(value, list):
        return [decode(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    tag, content = next(iter(value.items())) if len(value) == 1 else ("", None)
    decoder = _DECODERS.get(tag)
    try:
        return decoder(content, depth + 1) if decoder else Opaque("malformed")
    except (TypeError, ValueError, OverflowError):
        return Opaque("malformed")


def _items(content: Any, depth: int) -> list[Any]:
    if not isinstance(content, list):
        raise TypeError("not a list")
    return [decode(item, depth) for item in content]


def _float(content: Any, _depth: int) -> float:
    if not isinstance(content, str) or len(content) > _LONGEST_FLOAT:
        raise TypeError("not the text of a float")
    return float(content)


def _integer(content: Any, _depth: int) -> int:
    if not isinstance(content, str):
        raise TypeError("not the text of an integer")
    # Powers of two as base: linear in the digits, and not bound by Python's limit for decimal ones.
    return int(content, 16)


def _set(kind: type[set[Any]] | type[frozenset[Any]]) -> Callable[[Any, int], Any]:
    def read(content: Any, depth: int) -> Any:
        members = _items(content, depth)
        return kind(members) if all(map(_tame, members)) else Unhashed(kind.__name__, tuple(members))

    return read


def _dict(content: Any, depth: int) -> Any:
    pairs = [_pair(pair, depth) for pair in _list(content)]
    if all(_tame(key) for key, _ in pairs):
        return dict(pairs)
    return Unhashed("dict", tuple(pairs))


def _pair(content: Any, depth: int) -> tuple[Any, Any]:
    key, item = _list(content)
    return decode(key, depth), decode(item, depth)


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise TypeError("not a list")
    return content


def _exception(content: Any, _depth: int) -> tuple[str, str, str]:
    kind, message = _list(content)
    if not isinstance(kind, str) or not isinstance(message, str):
        raise TypeError("not a name and a message")
    return ("exception", kind, message)


_DECODERS: dict[str, Callable[[Any, int], Any]] = {
    "$float": _float,
    "$int": _integer,
    "$tuple": lambda items, depth: tuple(_items(items, depth)),
    "$set": _set(set),
    "$frozenset": _set(frozenset),
    "$dict": _dict,
    "$exception": _exception,
    "$other": lambda kind, _depth: Opaque(kind[:100] if isinstance(kind, str) else "object"),
}


def _tame(value: Any, depth: int = 0) -> bool:
    """Return whether hashing many such values takes linear time."""
    if value is None or isinstance(value, str | float | bool):
        return True
    if isinstance(value, int):
        return abs(value) < _LARGEST_HASHED
    return isinstance(value, tuple) and depth < 3 and len(value) <= 8 and all(_tame(item, depth + 1) for item in value)


def same_value(one: Any, other: Any) -> bool:
    """Equality without surprises: True is not 1, a list is not a tuple, floats to a relative 1e-9, nan equals nan.

    Sets and dictionaries are compared by sorting where their members cannot safely be hashed.
    """
    numbers = (int, float)
    if type(one) in numbers and type(other) in numbers:
        return _same_number(one, other)
    kind = _kind(one)
    if kind != _kind(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(item, other[key]) for key, item in one.items())
    if kind in ("set", "frozenset", "dict"):
        mine, theirs = _sorted_members(one), _sorted_members(other)
        return len(mine) == len(theirs) and all(map(same_value, mine, theirs))
    return bool(one == other)


def _same_number(one: float, other: float) -> bool:
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    try:
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (one != one and other != other)
    except OverflowError:
        return False  # An integer beyond every float is near none of them.


def _kind(value: Any) -> str | type:
    if isinstance(value, Unhashed):
        return value.kind
    return type(value).__name__ if type(value) in (set, frozenset, dict) else type(value)


def _sorted_members(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return sorted(value.items(), key=lambda pair: _order(pair[0]))
    members = value.members if isinstance(value, Unhashed) else tuple(value)
    if isinstance(value, Unhashed) and value.kind == "dict":
        return sorted(members, key=lambda pair: _order(pair[0]))
    return sorted(members, key=_order)


def _order(member: Any) -> tuple[str, float, str]:
    """Return a sort key for members of any types, the same for equal ones; numbers are compared and never written out."""
    number = isinstance(member, int | float) and not isinstance(member, bool) and member == member
    return ("number", member, "") if number else (type(member).__name__, 0, shown(member))


def shown(value: Any, longest: int = 10_000) -> str:
    """Return the value as Python writes it, shortened; never raises."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"<a very large {type(value).__name__}>"
    return text if len(text) <= longest else f"{text[:longest]}..."
