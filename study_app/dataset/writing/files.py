"""A directory that appears whole or not at all, and tables that are written row by row."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from study_app.dataset.schema import Column, TableSchema, guard
from study_app.dataset.schema.cells import CELL_OF, moment, unguard
from study_app.dataset.schema.file_names import table_path
from study_app.domain.errors import InfrastructureError, UserError

TableFormat = Literal["csv", "parquet"]
CopyFormat = Literal["xlsx", "sav", "dta"]
Format = Literal[TableFormat, CopyFormat]
"""Of a dataset; those for spreadsheets, SPSS and Stata come in addition to CSV tables."""
ROW_GROUP = 5000
"""Rows that a Parquet writer holds before it writes them."""


@contextmanager
def whole_directory(out: Path, *, option: str = "--out") -> Iterator[Path]:
    """Provide a fresh directory beside `out` that takes its place at the end; after an error nothing is left of it.

    An export that stands there already is replaced if it holds nothing but what it was written with.

    Raises:
        UserError: something else is at `out`, or it cannot be written.
        InfrastructureError: the disk is full.
    """
    _check_target(out, option)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target and not in the folder for temporary files: a rename from another file system would be a
        # copy, which can break off half-way.
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.partial-", dir=out.parent))
    except OSError as error:
        raise _io_error(out, option, error) from error
    try:
        yield fresh
        _take_place(fresh, out)
    except OSError as error:
        raise _io_error(out, option, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check_target(out: Path, option: str) -> None:
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise UserError(f"{out}: {option}: there is a file of this name; name a folder")
    foreign = _foreign(out)
    if foreign is not None:
        raise UserError(
            f"{out}: {option}: the folder holds {foreign}, which no export has written; name a new or an empty folder"
        )


def _foreign(out: Path) -> str | None:
    """Return a file that no earlier export has written; None where there is none."""
    present = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        listed = {entry["path"] for key in ("files", "other_files") for entry in manifest.get(key, [])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        listed = set()
    return min(present - listed - ({"manifest.json"} if listed else set()), default=None)


def _take_place(fresh: Path, out: Path) -> None:
    if not out.exists():
        os.replace(fresh, out)
        return
    # A folder with files in it cannot be replaced by one rename. Between the two a reader finds no dataset, but never
    # half of one.
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    os.replace(out, old)
    try:
        os.replace(fresh, out)
    except OSError:
        os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _io_error(out: Path, option: str, error: OSError) -> UserError | InfrastructureError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InfrastructureError(f"{out}: {option}: the disk is full; free some space and export again")
    reason = error.strerror or type(error).__name__
    return UserError(f"{out}: {option}: cannot be written ({reason}); choose another place")


def keep_private(folder: Path) -> None:
    """Let only their owner read a folder and its files, whatever the umask is."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


class TableWriter(Protocol):
    """Takes the rows of one table."""

    rows: int

    def write(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Append rows and return their cells as CSV has them; what one lacks is missing, unknown names are left out."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def _cells_of(table: TableSchema) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return what gives the cells of a row, decided once for a table and not once for each of its cells."""
    columns = [
        (column.name, _once(CELL_OF["time"]) if column.type == "time" else CELL_OF[column.type])
        for column in table.columns
    ]

    def cells(row: Mapping[str, Any]) -> list[str]:
        known = row.get
        return ["" if (value := known(name)) is None else of(value) for name, of in columns]

    return cells


def _once(cell_of: Callable[[Any], str]) -> Callable[[Any], str]:
    """Make the cell of a value once where the next row has the very same: the events of a batch bear one moment."""
    last: tuple[Any, str] = None, ""

    def remembered(value: Any) -> str:
        nonlocal last
        before, cell = last
        if value is before:
            return cell
        cell = cell_of(value)
        last = value, cell
        return cell

    return remembered


class CsvWriter:
    """RFC 4180 in UTF-8: CRLF between records, line breaks in cells kept."""

    def __init__(self, path: Path, table: TableSchema) -> None:
        self.rows = 0
        self._cells = _cells_of(table)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow([guard(name) for name in table.names])

    def write(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """See TableWriter."""
        found = list(map(self._cells, rows))
        self._writer.writerows(found)
        self.rows += len(found)
        return found

    def close(self) -> None:
        """See TableWriter."""
        self._file.close()


class ParquetWriter:
    """The same columns as Parquet: numbers, booleans and UTC timestamps as such; meanings are in the metadata."""

    def __init__(self, path: Path, table: TableSchema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {
            "integer": pa.int64(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
            "time": pa.timestamp("ms", tz="UTC"),
        }
        self.rows = 0
        self._cells = _cells_of(table)
        self._values = [(column.name, _arrow_value(column)) for column in table.columns]
        fields = [pa.field(c.name, kinds.get(c.type, pa.string()), metadata=_meaning(c)) for c in table.columns]
        self._schema = pa.schema(fields, metadata={"name": table.name, "description": table.caption})
        self._arrow = pa
        self._writer = pq.ParquetWriter(path, self._schema)
        self._held: list[list[Any]] = [[] for _ in table.columns]
        """The values of each column that wait for a whole group of rows."""

    def write(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """See TableWriter."""
        found = list(map(self._cells, rows))
        if not found:
            return found
        for held, (name, value_of), cells in zip(self._held, self._values, zip(*found, strict=True), strict=True):
            pairs = ((row.get(name), text) for row, text in zip(rows, cells, strict=True))
            held += [None if value is None else value_of(value, text) for value, text in pairs]
        while len(self._held[0]) >= ROW_GROUP:
            self._flush()
        self.rows += len(found)
        return found

    def _flush(self) -> None:
        """Write a group of rows, or what is left of the last."""
        if self._held[0]:
            group = [held[:ROW_GROUP] for held in self._held]
            arrays = [
                self._arrow.array(values, type=field.type) for values, field in zip(group, self._schema, strict=True)
            ]
            self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
            self._held = [held[ROW_GROUP:] for held in self._held]

    def close(self) -> None:
        """See TableWriter."""
        self._flush()
        self._writer.close()


def _meaning(column: Column) -> dict[str, str]:
    """Return what a column holds, for Parquet's metadata of a field."""
    described = {"description": column.caption, "type": column.type, "unit": column.unit}
    if column.meanings:
        described["labels"] = json.dumps(dict(column.meanings), ensure_ascii=False)
    return {name: text for name, text in described.items() if text}


def _arrow_value(column: Column) -> Callable[[Any, str], Any]:
    """Return what gives the value for Parquet from a value that is not missing and from its cell of CSV."""
    if column.type == "integer":
        return lambda value, _text: int(value)
    if column.type == "boolean":
        return lambda value, _text: bool(int(value))
    if column.type == "number":
        return lambda value, _text: float(value)
    if column.type == "time":
        return lambda value, text: _whole_milliseconds(value) if isinstance(value, datetime) else moment(text)
    return lambda _value, text: unguard(text) or None


def _whole_milliseconds(value: datetime) -> datetime:
    # Cut off and not rounded, as the cell of CSV is.
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def open_writer(folder: Path, study_id: str, table: TableSchema, fmt: TableFormat) -> tuple[str, TableWriter]:
    """Return the writer of a table, and its file's path relative to the dataset."""
    path = table_path(study_id, table.name, fmt)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return path, (CsvWriter(target, table) if fmt == "csv" else ParquetWriter(target, table))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def json_line(content: Any) -> str:
    """Return content as one line of JSON with the keys in the order in which they were given."""
    return json.dumps(content, ensure_ascii=False) + "\n"


def write_json(path: Path, content: Any) -> None:
    """JSON for people: indented, UTF-8, a line break at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
