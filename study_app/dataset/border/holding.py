"""Tables that are held whole: bounded by the memory that there is, which differs from machine to machine."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits
from study_app.domain.errors import Problem

PER_CELL = 60
"""Bytes of a cell in memory, beside its characters."""
_PER_CHARACTER_OF_JSON = 5
"""A list or an object is larger in memory than as text."""
_CGROUP = Path("/sys/fs/cgroup/memory.max")
REMEDY = "read it on a machine with more memory, or have it exported again"


def held_limit() -> int:
    """Return the bytes that a table may have in memory."""
    if limits.LIMITS.held_bytes is not None:
        return limits.LIMITS.held_bytes
    return _room() // 2


def _room() -> int:
    """Return the memory that this process may have: the machine's, or less where it is limited."""
    rooms = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    soft, _hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        rooms.append(soft)
    with suppress(OSError, ValueError):
        rooms.append(int(_CGROUP.read_text(encoding="ascii")))
    return min(rooms)


class HeldSize:
    """Adds up what a table takes in memory while it is read."""

    def __init__(self, file: object) -> None:
        self._file, self._bytes, self._limit = file, 0, held_limit()

    def add(self, size: int) -> None:
        """Count some more bytes.

        Raises:
            BeyondLimits: the table is larger than may be held.
        """
        self._bytes += size
        if self._bytes > self._limit:
            what = f"takes more than {self._limit:,} bytes of memory, and the limit is half of what there is"
            raise BeyondLimits([Problem(str(self._file), "", what, REMEDY)])


def held_rows(rows: Iterable[tuple[int, list[str]]], file: object) -> Iterator[tuple[int, list[str]]]:
    """Yield rows that will be kept.

    Raises:
        BeyondLimits: all of them take more memory than a table may.
    """
    held = HeldSize(file)
    for number, cells in rows:
        held.add(_size(cells))
        yield number, cells


def _size(cells: Sequence[str]) -> int:
    plain = sum(map(len, cells)) + PER_CELL * len(cells)
    return plain + _PER_CHARACTER_OF_JSON * sum(len(cell) for cell in cells if cell[:1] in ("[", "{"))
