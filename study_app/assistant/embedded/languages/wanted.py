"""What a message asks for, in a language other than English: by the words that the texts' table `embedded` lists.

Lists are separated by spaces. In an entry, words joined by `+` count where all of them stand in a message, words joined
by `_` where they follow each other, and a word that ends in `*` counts with any ending. Case and accents do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Literal

from study_app.assistant.embedded.message import RequestText
from study_app.assistant.intents import pasted

Wanted = Literal["run", "wrong", "start", "task", "write", "explain", ""]

WORD = re.compile(r"[^\W\d_]\w*")


def plain(text: str) -> str:
    """Return the text in lower case and without accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


def says(message: str, listed: str) -> bool:
    """Return whether one of the entries of a list stands in the message."""
    words = " ".join(WORD.findall(plain(message)))
    return any(all(one.search(words) for one in entry) for entry in _entries(listed))


@cache
def _entries(listed: str) -> tuple[tuple[re.Pattern[str], ...], ...]:
    return tuple(tuple(_pattern(part) for part in entry.split("+")) for entry in plain(listed).split())


def _pattern(part: str) -> re.Pattern[str]:
    words = [re.escape(word).replace(r"\*", r"\w*") for word in part.split("_") if word]
    return re.compile(rf"(?<!\w){' '.join(words)}(?!\w)")


def wanted(read: RequestText, brief: str, texts: Mapping[str, str]) -> Wanted:
    """Return what the message asks for; empty where no list has a word of it."""
    said = read.words
    if says(said, texts["words_run"]) and read.error is None:
        return "run"
    if read.error is not None or says(said, texts["words_wrong"]):
        return "wrong"
    if pasted(read.text, brief):
        return "write"
    if says(said, texts["words_start"]):
        return "start"
    if says(said, texts["words_task"]):
        return "task"
    if says(said, texts["words_explain"]):
        return "explain"
    if says(said, texts["words_write"]):
        return "write"
    if says(said, texts["words_help"]):
        return "start"
    # A program alone is sent to be looked at.
    return "wrong" if read.code and not said else ""
