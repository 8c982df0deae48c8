"""Rows of tables as values for the programs that a dataset is copied for, with texts too long for a cell apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study_app.dataset.schema import Column, TableSchema, value
from study_app.dataset.schema.csv_rows import csv_rows

LONG_CELLS = "data/long_cells"
"""The folder of texts that are too long for a cell."""


@dataclass
class LongCells:
    """Keeps texts that are too long for a cell as files; equal texts share one.

    Args:
        folder: of the dataset.
        most: what a cell holds, in the units that `wide` names.
        wide: whether sizes are UTF-16 units, as spreadsheets count; else bytes of UTF-8.
        strips: whether the program takes blanks off the end of a text, so that such a text needs a file, too.
    """

    folder: Path
    most: int
    wide: bool
    strips: bool = False
    files: set[str] = field(default_factory=set)

    def cell(self, text: str) -> str:
        """Return the text, or the path within the dataset of the file that holds it."""
        if self._fits(text) and not (self.strips and text.endswith(" ")):
            return text
        path = f"{LONG_CELLS}/{hashlib.sha256(text.encode()).hexdigest()[:20]}.txt"
        if path not in self.files:
            self.files.add(path)
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        return f"[{path}]"

    def _fits(self, text: str) -> bool:
        # No character has more than four bytes.
        if 4 * len(text) <= self.most:
            return True
        raw = text.encode("utf-16-le" if self.wide else "utf-8")
        return len(raw) // (2 if self.wide else 1) <= self.most


Values = dict[str, Any]
"""Column -> value: None, text, number, bool or moment; JSON is text."""


def read_rows(path: Path, table: TableSchema, long_cells: LongCells) -> Iterator[Values]:
    """Yield the rows of a CSV file that was just written as values."""
    rows = csv_rows(path)
    next(rows)
    columns = table.columns
    for _number, cells in rows:
        yield {c.name: _copied_cell(c, cell, long_cells) for c, cell in zip(columns, cells, strict=True)}


def _copied_cell(column: Column, cell: str, long_cells: LongCells) -> Any:
    if column.type == "json":
        return long_cells.cell(cell) if cell else None
    found = value(column, cell)
    return long_cells.cell(found) if isinstance(found, str) else found


def in_parts(rows: Iterable[Values], most: int) -> Iterator[tuple[int, list[Values]]]:
    """Yield rows in lists of at most so many, with their number from 1; one empty list where there are none."""
    held: list[Values] = []
    number = 1
    for row in rows:
        if len(held) == most:
            yield number, held
            held, number = [], number + 1
        held.append(row)
    yield number, held
