"""Reading CSV files that others may have changed: the one rule for rows that do not have the header's cells."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

csv.field_size_limit(2**31 - 1)


def csv_rows(path: Path, mark: str = ",", encoding: str = "utf-8") -> Iterator[tuple[int, list[str]]]:
    """Yield the header (as row 1) and the rows, each with its number; a cell that spans lines counts once.

    Args:
        path: the file.
        mark: what separates the cells.
        encoding: `utf-8-sig` drops a byte order mark.

    Raises:
        ValueError: the file is not a table; the message names the row.
    """
    try:
        with path.open(encoding=encoding, newline="") as handle:
            yield from rows_in(handle, mark)
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
