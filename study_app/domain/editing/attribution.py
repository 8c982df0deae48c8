"""Texts whose every stretch has an origin: pieces, and how edits cut and join them.

Positions count UTF-16 code units, as in `domain.edits`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Literal, NamedTuple, get_args

from study_app.domain.editing.edits import apply
from study_app.domain.editing.retyped import TypedLine
from study_app.domain.events.changes import Change, ReplayMismatch, utf16_length

Source = Literal["typed", "assistant", "agent", "retyped", "brief", "notes", "outside", "starter", "unknown"]
"""`assistant`: pasted from a reply; `agent`: written into the program by an assistant that acts."""
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True)
class Origin:
    """Where a stretch of text came from."""

    source: Source
    turn_id: str | None = None
    known: int = 0
    """How many turns had been asked when it was inserted: what is retyped cannot be older than its reply."""


class Piece(NamedTuple):
    """A stretch of text: its length in units and its origin."""

    length: int
    origin: Origin


Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class Span:
    """A stretch of text of one origin; positions in UTF-16 units."""

    start: int
    end: int
    source: Source
    turn_id: str | None = None


@dataclass(frozen=True)
class Attribution:
    """A text and its spans, which cover it without gap or overlap."""

    text: str
    spans: tuple[Span, ...]

    def counts(self) -> dict[Source, int]:
        """Characters by source."""
        found = dict.fromkeys(SOURCES, 0)
        for span, count in self._sizes():
            found[span.source] += count
        return found

    def of_turns(self, source: Source) -> Counter[str]:
        """Characters of one source by the turn whose reply they come from."""
        found: Counter[str] = Counter()
        for span, count in self._sizes():
            if span.source == source and span.turn_id is not None:
                found[span.turn_id] += count
        return found

    def _sizes(self) -> Iterator[tuple[Span, int]]:
        """Spans with their lengths in characters."""
        units = None if is_bmp(self.text) else self.text.encode("utf-16-le", "surrogatepass")
        for span in self.spans:
            count = span.end - span.start
            if units is not None:
                count = len(units[2 * span.start : 2 * span.end].decode("utf-16-le", "surrogatepass"))
                # Half a character of one origin may have met its other half: it counts where it begins.
                count -= _splits_a_character(units, span.start)
            yield span, count


def _splits_a_character(units: bytes, at: int) -> bool:
    """Return whether a surrogate pair (UTF-16-LE) has its first half before and its second after this position."""
    inside = 0 < at < len(units) // 2
    return inside and 0xD8 <= units[2 * at - 1] < 0xDC <= units[2 * at + 1] < 0xE0


@dataclass
class TrackedText:
    """The text of one page's editor."""

    text: str
    pieces: Pieces
    bmp: bool

    def between(self, start: int, end: int) -> str:
        """Return the text of [start, end), in units."""
        if self.bmp or start == end:
            return self.text[start:end] if self.bmp else ""
        units = self.text.encode("utf-16-le", "surrogatepass")
        return units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


def is_bmp(text: str) -> bool:
    """Return whether every character is one UTF-16 unit."""
    return text.isascii() or not text or max(text) <= "\uffff"


def whole(text: str, origin: Origin) -> Pieces:
    """Return a text of one origin."""
    length = len(text) if is_bmp(text) else utf16_length(text)
    return (Piece(length, origin),) if text else ()


def size(pieces: Pieces) -> int:
    """Length of the text in units."""
    return sum(piece.length for piece in pieces)


def most_of(pieces: Pieces) -> Origin:
    """Return the origin that most of a text has."""
    sizes: Counter[Origin] = Counter()
    for piece in pieces:
        sizes[piece.origin] += piece.length
    return max(sizes, key=sizes.__getitem__, default=Origin("unknown"))


def merged(pieces: Iterable[Piece]) -> Pieces:
    """Return the same with neighbours of equal origin joined."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].origin == piece.origin:
            found[-1] = Piece(found[-1].length + piece.length, piece.origin)
        elif piece.length:
            found.append(piece)
    return tuple(found)


def cut(pieces: Pieces, start: int, end: int) -> Pieces:
    """Return the pieces of [start, end)."""
    found = []
    at = 0
    for piece in pieces:
        low, high = max(start, at), min(end, at + piece.length)
        if low < high:
            found.append(Piece(high - low, piece.origin))
        at += piece.length
        if at >= end:
            break
    return tuple(found)


def spliced(document: TrackedText, changes: Sequence[Change], length: Any) -> tuple[str, bool]:
    """Return the text after an edit, as `edits.apply` gives it; by slices where UTF-16 units are characters."""
    bmp = document.bmp and all(is_bmp(change.insert) for change in changes)
    # Half of a surrogate pair, as some input methods send it, can be joined to its other half only as UTF-16.
    if not bmp or any("\ud800" <= char <= "\udfff" for change in changes for char in change.insert):
        text = apply(document.text, changes, length if isinstance(length, int) else None)
        return text, bmp and is_bmp(text)
    parts: list[str] = []
    done = 0
    for change in changes:
        if not done <= change.start <= change.end <= len(document.text):
            raise ReplayMismatch(
                f"change {change.start}-{change.end} does not fit a text of {len(document.text)} units"
            )
        parts += [document.text[done : change.start], change.insert]
        done = change.end
    text = "".join([*parts, document.text[done:]])
    if isinstance(length, int) and len(text) != length:
        raise ReplayMismatch(f"the text has {len(text)} units after the edit, the browser counted {length}")
    return text, True


def spliced_pieces(pieces: Pieces, changes: Sequence[Change], inserted: Sequence[Pieces]) -> Pieces:
    """Return the pieces after an edit, with what each change inserted."""
    if len(changes) == 1:
        change = changes[0]
        if change.start == change.end and len(inserted[0]) == 1:
            grown = _grown(pieces, change.start, inserted[0][0])
            if grown is not None:
                return grown
        return merged((*cut(pieces, 0, change.start), *inserted[0], *cut(pieces, change.end, size(pieces))))
    found: list[Piece] = []
    done = 0
    for change, new in zip(changes, inserted, strict=True):
        found += [*cut(pieces, done, change.start), *new]
        done = change.end
    return merged([*found, *cut(pieces, done, size(pieces))])


def _grown(pieces: Pieces, at: int, new: Piece) -> Pieces | None:
    """Return the pieces with one more where it continues a piece of its origin, as nearly every key does; else None."""
    end = 0
    for index, (length, origin) in enumerate(pieces):
        end += length
        if at <= end:
            if origin != new.origin:
                # At its very end the next piece may be of the origin.
                if at == end:
                    continue
                return None
            return (*pieces[:index], Piece(length + new.length, origin), *pieces[index + 1 :])
    return None


def rewritten(text: str, before: TrackedText, origin: Origin) -> Pieces:
    """Origins of a text that takes another's place: lines that both have keep theirs, new ones have the given one."""
    old, new = before.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = list(accumulate(map(utf16_length, old), initial=0))
    found: list[Piece] = []
    # Without `autojunk`, which from 200 lines on ignores the frequent ones: they would lose their origin.
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += cut(before.pieces, starts[i1], starts[i2])
        else:
            found += whole("".join(new[j1:j2]), origin)
    return merged(found)


def aligned(text: str, before: TrackedText) -> Pieces:
    """Origins carried over from an earlier text by what both begin and end with; what is between is unknown."""
    old = before.text
    limit = min(len(old), len(text))
    # A common beginning and end, and no diff of what lies between: the log says nothing about that part, and lines that
    # merely look alike would be given an author.
    head = next((i for i in range(limit) if old[i] != text[i]), limit)
    rest = limit - head
    tail = next((i for i in range(rest) if old[-1 - i] != text[-1 - i]), rest)
    start, end = utf16_length(old[:head]), utf16_length(old) - utf16_length(old[len(old) - tail :])
    middle = whole(text[head : len(text) - tail], Origin("unknown"))
    return merged((*cut(before.pieces, 0, start), *middle, *cut(before.pieces, end, utf16_length(old))))


def relabelled(pieces: Pieces, start: int, end: int, turn_id: str) -> Pieces:
    """Return what was typed in [start, end) as retyped from a turn."""
    whole_size = size(pieces)
    inside = (
        Piece(piece.length, Origin("retyped", turn_id)) if piece.origin.source == "typed" else piece
        for piece in cut(pieces, start, end)
    )
    return merged((*cut(pieces, 0, start), *inside, *cut(pieces, end, whole_size)))


def typed_lines(code: str, pieces: Pieces) -> list[TypedLine]:
    """Return the lines of a text: where they are, how much of each was typed, and after how many turns."""
    ends: list[int] = []
    at = 0
    for piece in pieces:
        at += piece.length
        ends.append(at)
    lines: list[TypedLine] = []
    start = 0
    for text in code.split("\n"):
        end = start + utf16_length(text)
        typed = known = 0
        index = bisect_right(ends, start)
        while index < len(pieces) and ends[index] - pieces[index].length < end:
            begin = ends[index] - pieces[index].length
            part = min(end, ends[index]) - max(start, begin)
            if pieces[index].origin.source == "typed":
                typed += part
                known = max(known, pieces[index].origin.known)
            index += 1
        lines.append(TypedLine(start, end, text, typed, known))
        start = end + 1
    return lines


def spanned(code: str, pieces: Pieces) -> Attribution:
    """Return a text with its pieces as spans."""
    spans: list[Span] = []
    at = 0
    for length, origin in pieces:
        last = spans[-1] if spans else None
        if last is not None and (last.source, last.turn_id) == (origin.source, origin.turn_id):
            spans[-1] = Span(last.start, at + length, last.source, last.turn_id)
        else:
            spans.append(Span(at, at + length, origin.source, origin.turn_id))
        at += length
    return Attribution(code, tuple(spans))
