"""How text comes about: from one text to another by edits of a few characters, as an editor reports them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from random import Random

from study_app.domain.events.browser import Edit
from study_app.domain.events.changes import Change, utf16_length

BURST = (2, 6)
"""Characters that one event holds: what a quick hand types between two drawings of the page."""
SLIPS = 0.02
"""Share of bursts that begin with a wrong key, taken back at once."""
_KEYS = "abcdefghijklmnopqrstuvwxyz"
_MAX_DELETED = 2000


def edit(task: str, before: str, start: int, end: int, insert: str, how: tuple[str, str]) -> tuple[Edit, str]:
    """Return one edit, and the text after it.

    Args:
        task: the task's id.
        before: the text before.
        start: where the change begins, in characters.
        end: where what it replaces ends.
        insert: what comes in.
        how: kind of edit and CodeMirror's user event.
    """
    first = _units(before[:start])
    removed = before[start:end]
    deleted = removed if removed and _units(removed) <= _MAX_DELETED else None
    change = Change(first, first + _units(removed), insert, deleted)
    after = before[:start] + insert + before[end:]
    kind, user_event = how
    length = _units(after)
    return Edit(task=task, how=kind, changes=(change,), length=length, user_event=user_event), after


def _units(text: str) -> int:
    return len(text) if text.isascii() else utf16_length(text)


def typed(task: str, before: str, after: str, rng: Random) -> Iterator[Edit]:
    """Yield the edits that lead from one text to the other, typed by hand."""
    text, shift = before, 0
    for start, end, new in _regions(before, after):
        at, until = start + shift, end + shift
        if until > at:
            how = ("typed", "delete.selection" if until - at > 1 else "delete.backward")
            made, text = edit(task, text, at, until, "", how)
            yield made
        for burst in _bursts(new, rng):
            if rng.random() < SLIPS:
                slip, slipped = edit(task, text, at, at, rng.choice(_KEYS), ("typed", "input.type"))
                back, text = edit(task, slipped, at, at + 1, "", ("typed", "delete.backward"))
                yield from (slip, back)
            made, text = edit(task, text, at, at, burst, ("typed", "input.type"))
            yield made
            at += len(burst)
        shift += len(new) - (end - start)


def typed_characters(before: str, after: str) -> int:
    """Return how many characters have to be typed to come from one text to the other."""
    return sum(len(new) for _, _, new in _regions(before, after))


def _regions(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """Places of the text before, in characters, and what comes there: whole lines, cut down to what differs."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    for tag, first, last, first_new, last_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone, come = before[starts[first] : starts[last]], "".join(new[first_new:last_new])
            head, tail = _shared(gone, come)
            yield starts[first] + head, starts[last] - tail, come[head : len(come) - tail]


def _shared(one: str, other: str) -> tuple[int, int]:
    """Lengths of the common beginning and of the common end, which do not overlap."""
    shortest = min(len(one), len(other))
    head = next((at for at in range(shortest) if one[at] != other[at]), shortest)
    rest = shortest - head
    tail = next((at for at in range(rest) if one[-1 - at] != other[-1 - at]), rest)
    return head, tail


def _bursts(text: str, rng: Random) -> Iterator[str]:
    at = 0
    while at < len(text):
        size = rng.randint(*BURST)
        yield text[at : at + size]
        at += size
