"""Regular expressions that other people write, over texts that other people write: refused where they can take long."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

MOST_SECONDS = 0.02
"""Longest that a pattern may take over any of the trial texts."""
_GROWTH = 1.15
"""Each trial text is so much longer than the last: a pattern whose time doubles with each character is found before it
takes seconds."""


def takes_long(pattern: re.Pattern[str], longest: int = 2000, *, whole: bool = False) -> bool:
    """Return whether a text of at most `longest` characters is known that the pattern takes long over.

    Args:
        pattern: Compiled.
        longest: Characters of the longest text that it will ever be tried on.
        whole: It is only ever matched against whole texts, never searched for.
    """
    tried = pattern.fullmatch if whole else pattern.search
    return any(_slow(tried, unit, longest) for unit in _units(pattern.pattern))


def _slow(tried: Callable[[str], object], unit: str, longest: int) -> bool:
    length = 8.0
    while length <= longest:
        text = (unit * int(length))[: int(length)]
        for one in (f"{text}\0", f"x{text}\0"):
            began = time.thread_time()
            tried(one)
            if time.thread_time() - began > MOST_SECONDS:
                return True
        length *= _GROWTH
    return False


def _units(source: str) -> Iterator[str]:
    """Yield what the trial texts repeat: usual characters, and those that the pattern itself speaks of."""
    plain = list(dict.fromkeys(char for char in source if char.isalnum() or char in " _.,;:-'\"/"))[:10]
    usual = ["a", "1", " ", "\n", "\t", "(", "a ", "a,", "\n a"]
    yield from dict.fromkeys([*usual, *plain, *(f"{one} " for one in plain)])
