"""Does a short answer say what the key says? Deterministic rules that forgive spelling out, not being wrong."""

from __future__ import annotations

import re
import unicodedata

MAX_ANSWER_CHARS = 2_000
"""Longer answers match nothing: no key needs them, and a regular expression could take for ever over them."""

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2192": ">"})
_MARKS = "`'\""
_SEPARATOR = re.compile(r"(?:[\s,;|/]|[-=]{0,10}>|\\n)+")
_MOST_MARKS = 8
_BRACKETS = re.compile(r"[\[\](){}`'\"]")
_WORDS = dict(
    zip("zero one two three four five six seven eight nine ten eleven twelve".split(), map(str, range(13)), strict=True)
)
_ABOUT = r"(?:about|approximately|approx\.?|around|roughly|circa|ca\.?|~|\u2248|=)?"
_NUMBER = r"[-+]?(?:\d+(?:[.,]\d+)?|\.\d+)"


def normalise(text: str, *, case_sensitive: bool = False) -> str:
    """Return the answer with differences removed that carry no meaning.

    Unicode NFKC; typographic quotes made plain; white space collapsed; the quotes or backticks around it and a
    final full stop taken off; letter case folded unless `case_sensitive`.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).split())
    if re.search(r"[^.]\.$", plain):
        plain = plain[:-1].rstrip()
    plain = _unwrapped(plain)
    return plain if case_sensitive else plain.casefold()


def _unwrapped(plain: str) -> str:
    """Return the text without the marks around it.

    As many at the end as at the beginning, the same in the same order.
    """
    begin = plain[: len(plain) - len(plain.lstrip(_MARKS))]
    for length in range(min(len(begin), len(plain) // 2, _MOST_MARKS), 0, -1):
        if plain.endswith(begin[:length]):
            return plain[length:-length].strip()
    return plain


def tokens(text: str, *, case_sensitive: bool = False) -> tuple[str, ...]:
    """Return the answer as a series: split at white space, commas, semicolons, bars, slashes and arrows.

    Brackets ignored.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    plain = _BRACKETS.sub(" ", plain if case_sensitive else plain.casefold())
    return tuple(token for token in (part.rstrip(".") for part in _SEPARATOR.split(plain)) if token)


def number(text: str, units: tuple[str, ...] = ()) -> float | None:
    """Return the one number that the answer consists of, with or without `about` and one of the units; else None.

    A decimal comma and the words zero to twelve are understood. Two numbers are not one number: a key must not reward
    an answer that names every possibility.
    """
    plain = normalise(text)
    for word, digits in _WORDS.items():
        plain = re.sub(rf"\b{word}\b", digits, plain)
    unit = "|".join(re.escape(name.casefold()) for name in sorted(units, key=len, reverse=True))
    found = re.fullmatch(rf"{_ABOUT}\s*({_NUMBER})\s*(?:{unit})?" if unit else rf"{_ABOUT}\s*({_NUMBER})", plain)
    return float(found[1].replace(",", ".")) if found else None


def same_output(expected: str, found: str, *, unordered: bool = False) -> bool:
    """Return whether two outputs agree line by line, trailing white space and blank ends aside.

    With `unordered` the lines may come in any order, each as often as expected.
    """
    left, right = ([line.rstrip() for line in text.strip().splitlines()] for text in (expected, found))
    return sorted(left) == sorted(right) if unordered else left == right
