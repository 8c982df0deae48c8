"""One workbook with a sheet for each table: every text is a text, so that nothing in it is run as a formula."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from study_app.dataset.schema import Column, TableSchema
from study_app.dataset.schema.cells import FORMULA_STARTS, timestamp
from study_app.dataset.writing.copied_rows import LongCells, in_parts, read_rows

MOST_CHARACTERS = 32_767
"""UTF-16 units of one cell."""
MOST_ROWS = 1_048_575
"""Rows of a sheet below its header; what follows stands on a further sheet."""
_ESCAPED = re.compile(r"[\x01-\x08\x0b-\x1f\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold or would change, and texts that look like its escape."""
_WRITTEN = re.compile(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<")
CODEBOOK = ("table", "column", "type", "unit", "values", "meaning")


def write_workbook(folder: Path, study_id: str, tables: Sequence[tuple[TableSchema, Path]]) -> None:
    """Write data/study-<id>_tables.xlsx; arguments as `write_copies`."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    long_cells = LongCells(folder, MOST_CHARACTERS, wide=True)
    _fill(book.create_sheet("codebook"), CODEBOOK, _meanings(table for table, _path in tables))
    for table, path in tables:
        names = table.names
        for part, rows in in_parts(read_rows(path, table, long_cells), MOST_ROWS):
            title = table.name if part == 1 else f"{table.name} {part}"
            _fill(book.create_sheet(title), names, ([row[name] for name in names] for row in rows))
    target = folder / f"data/study-{study_id}_tables.xlsx"
    fresh = target.with_suffix(".fresh")
    book.save(fresh)
    _without_time(fresh, target)
    fresh.unlink()


def _without_time(source: Path, target: Path) -> None:
    """Write a workbook with a fixed date in the place of the moment of writing: equal tables are equal files."""
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with read.open(name) as inner, written.open(entry, "w", force_zip64=True) as outer:
                if name == "docProps/core.xml":
                    outer.write(_WRITTEN.sub(b">1980-01-01T00:00:00Z<", inner.read()))
                else:
                    shutil.copyfileobj(inner, outer)


def _meanings(tables: Iterable[TableSchema]) -> Iterator[list[Any]]:
    for table in tables:
        for column in table.columns:
            yield [table.name, column.name, column.type, column.unit, _values(column), column.caption]


def _values(column: Column) -> str:
    return "; ".join(f"{value} = {label}" for value, label in column.meanings) or column.range


def _fill(sheet: Any, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, name) for name in header])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    """Return a cell: numbers as such, moments as ISO 8601 in UTC, texts as nothing but texts."""
    if isinstance(value, datetime):
        return timestamp(value)
    # openpyxl writes 16 digits; the numbers that need 17 are handed over as text of a numeric cell.
    if isinstance(value, float) and float(f"{value:.16g}") != value:
        return _typed(sheet, repr(value), "n")
    if not isinstance(value, str) or value == "":
        return value
    text = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    if not text.startswith(FORMULA_STARTS):
        return text
    cell = _typed(sheet, text, "s")
    # So that it stays a text after a click into it.
    cell.quotePrefix = True
    return cell


def _typed(sheet: Any, text: str, data_type: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    cell.value = text
    cell.data_type = data_type
    return cell
