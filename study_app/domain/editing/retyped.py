"""Typed lines that reproduce a reply of the assistant.

A line counts where most of it was typed after a reply that holds a line like it: the same but for a tenth of its
characters, white space aside. Lines that the task's own materials hold say nothing and never count. Matching lines
that follow each other in text and reply form a block; a block counts from a stated size, so that a short line which
everyone writes is not a copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_SPACE = re.compile(r"\s+")
_LONGEST = 400
"""Longer lines are not code that anybody retypes."""


@dataclass(frozen=True)
class Reply:
    """One reply of the assistant."""

    turn_id: str
    text: str


@dataclass(frozen=True)
class TypedLine:
    """One line of the program; positions in UTF-16 units."""

    start: int
    end: int
    text: str
    typed: int
    """Units of it that were typed."""
    known: int
    """How many turns had been asked when the last of them was typed."""


@dataclass(frozen=True)
class RetypeRule:
    """What counts as retyped."""

    similarity: float = 0.9
    """Of two lines, as `difflib` measures it, white space aside."""
    block_chars: int = 40
    """Characters without white space that a block of matching lines must have."""
    typed_share: float = 0.6
    """Of a line's characters, so that it counts as typed."""


DEFAULT_RULE = RetypeRule()


def retyped_lines(
    lines: Sequence[TypedLine], replies: Sequence[Reply], own: str, rule: RetypeRule = DEFAULT_RULE
) -> dict[int, str]:
    """Index of each retyped line -> the turn whose reply it reproduces (of several, the one with the longest block).

    Args:
        lines: the program's lines in order.
        replies: in the order of asking.
        own: starter, brief and notes of the task.
        rule: what counts.
    """
    given = {squeezed for line in own.split("\n") if (squeezed := _squeeze(line))}
    candidates = [
        (index, squeezed, line.known)
        for index, line in enumerate(lines)
        if (squeezed := _squeeze(line.text))
        and squeezed not in given
        and len(squeezed) <= _LONGEST
        and line.known
        and line.typed >= rule.typed_share * (line.end - line.start - _indent(line.text))
    ]
    best: dict[int, tuple[int, str]] = {}
    for number, reply in enumerate(replies, start=1):
        # Replies are numbered from 1: a line that was finished when fewer had been asked cannot be copied from this
        # one.
        typed_after = [(index, text) for index, text, known in candidates if known >= number]
        for block in _blocks(typed_after, _lines(reply.text), lines, rule.similarity):
            size = sum(len(text) for _, text in block)
            for index, _ in block if size >= rule.block_chars else ():
                if size > best.get(index, (0, ""))[0]:
                    best[index] = (size, reply.turn_id)
    return {index: turn_id for index, (_, turn_id) in sorted(best.items())}


def _squeeze(text: str) -> str:
    return _SPACE.sub("", text)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _lines(text: str) -> list[str]:
    return [squeezed for line in text.split("\n") if (squeezed := _squeeze(line)) and len(squeezed) <= _LONGEST]


def _blocks(
    typed: Sequence[tuple[int, str]], reply: Sequence[str], lines: Sequence[TypedLine], similarity: float
) -> Iterable[list[tuple[int, str]]]:
    """Return runs of typed lines that match successive lines of a reply.

    Blank lines of the program do not interrupt.
    """
    block: list[tuple[int, str]] = []
    where: set[int] = set()
    for index, text in typed:
        there = {place for place, other in enumerate(reply) if alike(text, other, similarity)}
        onward = {place for place in there if place - 1 in where}
        if block and onward and _only_blank_between(lines, block[-1][0], index):
            block.append((index, text))
            where = onward
        else:
            yield block
            block, where = ([(index, text)], there) if there else ([], set())
    yield block


def _only_blank_between(lines: Sequence[TypedLine], before: int, after: int) -> bool:
    return not any(line.text.strip() for line in lines[before + 1 : after])


def alike(one: str, other: str, similarity: float) -> bool:
    """Return whether two lines without white space differ in no more than the tolerance allows."""
    if one == other:
        return True
    shorter, longer = sorted((len(one), len(other)))
    # The ratio is 2 M / T, with M matching characters of T in both lines, and M is at most the shorter length: most
    # pairs are decided here.
    if 2 * shorter < similarity * (shorter + longer):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    # `quick_ratio` is an upper bound of `ratio` at a fraction of its cost.
    return matcher.quick_ratio() >= similarity and matcher.ratio() >= similarity
