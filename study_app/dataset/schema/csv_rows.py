"""Reading CSV files that others may have changed: rows that do not have the header's cells, and rows without end."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond

csv.field_size_limit(2**31 - 1)  # ours is per row, and says which file


class _Lines:
    """The lines of a file, of which a row may have no more characters than is read of one."""

    def __init__(self, handle: TextIO, file: object) -> None:
        self.handle, self.file = handle, file
        self.row, self.characters = 1, 0

    def __iter__(self) -> Iterator[str]:
        most = limits.LIMITS.row
        while line := self.handle.readline(most + 1):
            self.characters += len(line)
            if self.characters > most:
                key = f"row {self.row}"
                raise beyond(self.file, f"more than {most:,}", "characters in a row", most, key)
            yield line

    def taken(self, cells: Sequence[str]) -> None:
        """Note that a row is complete."""
        if self.characters > limits.LIMITS.cell and (longest := max(map(len, cells), default=0)) > limits.LIMITS.cell:
            raise beyond(self.file, longest, "characters in a cell", limits.LIMITS.cell, f"row {self.row}")
        if len(cells) > limits.LIMITS.columns:
            raise beyond(self.file, len(cells), "cells in a row", limits.LIMITS.columns, f"row {self.row}")
        if self.row > limits.LIMITS.rows:
            raise beyond(self.file, f"more than {limits.LIMITS.rows:,}", "rows", limits.LIMITS.rows)
        self.row, self.characters = self.row + 1, 0


def csv_rows(path: Path, mark: str = ",", encoding: str = "utf-8") -> Iterator[tuple[int, list[str]]]:
    """Yield the header (as row 1) and the rows, each with its number; a cell that spans lines counts once.

    Args:
        path: the file.
        mark: what separates the cells.
        encoding: `utf-8-sig` drops a byte order mark.

    Raises:
        BeyondLimits: the file, a row or a cell is larger than is read of one.
        ValueError: the file is not a table; the message names the row.
    """
    try:
        if (size := path.stat().st_size) > limits.LIMITS.table_bytes:
            raise beyond(path, size, "bytes", limits.LIMITS.table_bytes)
        with path.open(encoding=encoding, newline="") as handle:
            lines = _Lines(handle, path)
            for number, cells in rows_in(lines, mark):
                lines.taken(cells)
                yield number, cells
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(str(error)) from None


def rows_in(lines: Iterable[str], mark: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the same of lines that were read already.

    Raises:
        ValueError: they are not a table; the message names the row.
    """
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, strict=True, delimiter=mark), start=1):
            yield number, cells
    except csv.Error as error:
        raise ValueError(f"row {number + 1}: {error}") from None


def uneven(header: Sequence[str], cells: Sequence[str]) -> str | None:
    """Return what is wrong with a row that has more or fewer cells than the header; None where it has as many."""
    return None if len(cells) == len(header) else f"has {len(cells)} cells, the header {len(header)}"


def repeated(header: Sequence[str]) -> list[str]:
    """Names that the header gives to more than one column; columns without a name are not among them."""
    return [name for name, times in Counter(header).items() if name and times > 1]
