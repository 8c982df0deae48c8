"""Coding by the codebook's keywords: no key, no network, the same codes each time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from study_app.domain.themes.codebook import Codebook

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class KeywordHit:
    """A code, and the words of the answer by which it was found."""

    code: str
    words: str


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case; accents stay, for they tell words apart."""
    return tuple(_WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def code_by_keywords(book: Codebook, topic: str, answer: str) -> tuple[KeywordHit, ...]:
    """Return the codes whose keywords occur in an answer, in the codebook's order."""
    said = words_of(answer)
    found = []
    for code in book.of_topic(topic):
        for keyword in code.keywords:
            if words := _match(_parts(keyword), said):
                found.append(KeywordHit(code.id, words))
                break
    return tuple(found)


def _parts(keyword: str) -> tuple[tuple[str, bool], ...]:
    """Return the words of a keyword, and of each whether it is a beginning only."""
    words = words_of(keyword)
    return tuple((word, keyword.endswith("*") and index == len(words) - 1) for index, word in enumerate(words))


def _match(wanted: Sequence[tuple[str, bool]], said: Sequence[str]) -> str:
    for start in range(len(said) - len(wanted) + 1):
        window = said[start : start + len(wanted)]
        pairs = zip(wanted, window, strict=True)
        if wanted and all(word.startswith(part) if open_ended else word == part for (part, open_ended), word in pairs):
            return " ".join(window)
    return ""
