"""Statements of the hot paths at the driver's own level, past SQLAlchemy's work for each execution.

A batch of events takes nine small statements; by SQLAlchemy's expressions each cost ten times what the database itself
took. Only what runs for every batch is written here, in SQL that SQLite and Postgres share. Rows and columns stay those
of `tables.py`: the converters below are the columns' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import count
from typing import Any, Generic, TypeVar

from sqlalchemy import Boolean, Connection, Table

from study_app.domain.errors import present
from study_app.storage.columns import AnyText, Json, Moment

Row = TypeVar("Row")
Values = Sequence[Any]
_CONVERTED = (AnyText, Json, Moment)
_AT_A_TIME = 5000
"""Rows that Postgres hands over at once."""
_names = count(1)
"""Of cursors: two of one transaction may be open at once."""


class Driver:
    """The connection of one transaction as its driver knows it."""

    def __init__(self, connection: Connection) -> None:
        self._raw: Any = connection.connection.driver_connection
        self._sqlite = connection.dialect.name == "sqlite"
        self.one_writer = self._sqlite
        """Whether a transaction that writes keeps every other from writing anyway."""

    def run(self, sql: str, values: Values = ()) -> None:
        """Run a statement with `?` for its values."""
        self._raw.execute(self._spelled(sql), values)

    def one(self, sql: str, values: Values = ()) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self._raw.execute(self._spelled(sql), values).fetchone()
        return row

    def returned(self, sql: str, values: Values = ()) -> tuple[Any, ...]:
        """Return the row of a statement that always has one, as an `INSERT ... RETURNING` has."""
        return present(self.one(sql, values), "the row that a statement returns")

    def column(self, sql: str, values: Values = ()) -> list[Any]:
        """Return the first value of every row."""
        return [row[0] for row in self._raw.execute(self._spelled(sql), values).fetchall()]

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows."""
        found: list[tuple[Any, ...]] = self._raw.execute(self._spelled(sql), values).fetchall()
        return found

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield all rows, of which only some are in memory at a time."""
        if self._sqlite:
            yield from self._raw.execute(sql)
            return
        # A named cursor stays on the server; psycopg's plain one fetches every row before it gives the first.
        with self._raw.cursor(name=f"stream_{next(_names)}") as cursor:
            cursor.itersize = _AT_A_TIME
            yield from cursor.execute(sql)

    def many(self, sql: str, rows: Sequence[Values]) -> None:
        """Run the statement once for each of the rows."""
        self._raw.cursor().executemany(self._spelled(sql), rows)

    def _spelled(self, sql: str) -> str:
        return sql if self._sqlite else _for_psycopg(sql)


@lru_cache(maxsize=256)
def _for_psycopg(sql: str) -> str:
    # Cached, for the same few statements come with every batch; none of them has a literal question or percent sign.
    return sql.replace("?", "%s")


def bound(table: Table, column: str, value: Any) -> Any:
    """Return a value as the column keeps it."""
    kind = table.c[column].type
    return kind.process_bind_param(value, None) if isinstance(kind, _CONVERTED) else value  # type: ignore[arg-type]


def read_back(table: Table, column: str, value: Any) -> Any:
    """Return what the column gives back of what it keeps."""
    reader = _reader(table.c[column].type)
    return value if reader is None else reader(value)


class RowOf(Generic[Row]):
    """A domain type as rows of a table: the columns to select, and rows back."""

    def __init__(self, kind: Callable[..., Row], table: Table) -> None:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        self.columns = ", ".join(f"{table.name}.{name}" for name in names)
        """For a SELECT."""
        self._kind = kind
        found = ((index, _reader(table.c[name].type)) for index, name in enumerate(names))
        self._readers = [(index, reader) for index, reader in found if reader is not None]

    def read(self, row: Values | None) -> Row | None:
        """Return a selected row as the domain's type; None stays None."""
        if row is None:
            return None
        values = list(row)
        for index, reader in self._readers:
            if values[index] is not None:
                values[index] = reader(values[index])
        return self._kind(*values)


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(kind, _CONVERTED):
        return lambda value: kind.process_result_value(value, None)  # type: ignore[arg-type]
    return bool if isinstance(kind, Boolean) else None
