"""Direct identifiers that a pattern can find in text. Names and stories need a reader: no pattern knows them."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

_STREET = r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|square|sq|boulevard|blvd|way|terrace|place|pl)"
_STRASSE = r"(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ring|damm|ufer)"
_RUE = r"(?:rue|avenue|boulevard|place|calle|avenida|plaza|via|viale|piazza|rua|chemin|impasse)"

IDENTIFIERS: dict[str, re.Pattern[str]] = {
    "e-mail address": re.compile(r"(?<=[\w.+'-])\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,63}\.[\w-]", re.IGNORECASE),
    "phone number": re.compile(r"(?<![\w.])(?:\+|00)?\(?\d{1,4}\)?(?:[ ./()-]{0,2}\d){6,13}(?!\w)"),
    "network address": re.compile(
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])"
        r"|(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])",
        re.IGNORECASE,
    ),
    "web address": re.compile(
        r"(?:https?://|www\.)[^\s\"'<>]+|(?<=[\w-])\.(?:com|org|net|edu|io|me|app)/\S", re.IGNORECASE
    ),
    "file path": re.compile(
        r"(?<!\w)[A-Za-z]:[\\/]+[^\s\"'<>|]+|\\\\[\w.-]{1,255}\\[^\s\"'<>|]"
        r"|(?<![\w/.])(?:~|/(?:home|Users|root|mnt|media|Volumes|private|var|tmp|opt|srv|data|export))/[^\s\"'<>]+",
    ),
    "postal address": re.compile(
        rf"\b\d{{1,5}}[a-z]?,? (?:[A-Z][\w'.-]{{1,30}} ){{1,3}}{_STREET}\b|(?<=[\w.-])[ -]?{_STRASSE} ?\d{{1,4}}\b"
        rf"|\b\d{{1,4}},? (?:bis |ter )?{_RUE} [\w'-]|\b{_RUE} [\w' -]{{3,40}},? \d{{1,4}}\b",
        re.IGNORECASE,
    ),
    "panel id": re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])", re.IGNORECASE),
    "universal id": re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE),
    "account name": re.compile(r"(?<![\w@/.])@[A-Za-z]\w{2,38}\b(?!\()"),
    "long number": re.compile(r"(?<![\w.])[A-Za-z]{0,3}[- ]?\d{6,}(?![\w.])|\b\d{3}-\d{2}-\d{4}\b"),
    "bank account": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
}
"""By what they find.

What comes before the telling sign is a lookbehind, and every repetition has a limit: a text of any length is read once.
"""
LONGEST = 200_000
"""Characters of one text that are looked at, so that one cell cannot hold up an export."""


_SHORT = 40
"""Characters of words of the platform and of what a key types: the log repeats them by the million."""


def identifiers_in(text: str) -> tuple[str, ...]:
    """Return the kinds of identifiers that a text holds, in the order of `IDENTIFIERS`."""
    return _in_short(text) if len(text) <= _SHORT else _found(text[:LONGEST])


def _found(text: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in IDENTIFIERS.items() if pattern.search(text))


_in_short = lru_cache(maxsize=10_000)(_found)


def redacted(text: str, mark: str = "", kinds: Collection[str] = IDENTIFIERS.keys()) -> str:
    """Return a text with each identifier that a pattern finds replaced by a mark, or without one by its kind.

    A suggestion for a reader. A pattern finds the telling sign of an identifier, such as the end of an address, so all
    that touches it goes, too. `kinds` are those of `IDENTIFIERS` that are looked for.
    """
    spans = [
        (*_whole(text, match.start(), match.end()), name)
        for name, pattern in IDENTIFIERS.items()
        if name in kinds
        for match in pattern.finditer(text[:LONGEST])
    ]
    parts, at = [], 0
    for start, end, name in sorted(spans):
        if end <= at:
            continue
        # Two that overlap leave one mark: the later one only makes the gap longer.
        parts.append(text[at:start] + (mark or f"[{name}]") if start >= at else "")
        at = end
    return "".join(parts) + text[at:]


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span with what touches it on both sides, up to a space."""
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return start, end


def holds_identifiers(value: Any) -> bool:
    """Whether any text within a JSON value holds one, keys of objects included: the same texts as `texts_in` gives."""
    # Plain loops: this runs for every event of a log.
    if isinstance(value, dict):
        for key, inner in value.items():
            if _in_short(key) if len(key) <= _SHORT else _found(key[:LONGEST]):
                return True
            if inner.__class__ in _OF_PARTS and holds_identifiers(inner):
                return True
    elif isinstance(value, list):
        for inner in value:
            if inner.__class__ in _OF_PARTS and holds_identifiers(inner):
                return True
    elif isinstance(value, str):
        return bool(_in_short(value) if len(value) <= _SHORT else _found(value[:LONGEST]))
    return False


_OF_PARTS = frozenset({str, dict, list})
"""What JSON may have texts in."""


def texts_in(value: Any, where: str = "") -> list[tuple[str, str]]:
    """Return every text within a JSON value, keys of objects included, each with its place such as `changes.insert`."""
    found: list[tuple[str, str]] = []
    _collect(value, where, found)
    return found


def _collect(value: Any, where: str, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        found.append((where, value))
    elif isinstance(value, dict):
        named = f"{where}.(name)" if where else "(name)"
        for key, inner in value.items():
            found.append((named, str(key)))
            _collect(inner, f"{where}.{key}" if where else str(key).lstrip("."), found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, where, found)
