"""Changes of every column of every table of a database, made from the tables themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlmodel import SQLModel

from study_app.storage.columns import Json, Moment
from study_app.storage.sealed.columns import SEALED, UNSEALED_COLUMNS, is_sealed_fact

FORGED_TABLES = (*SEALED, "events")


@dataclass(frozen=True)
class Forgery:
    """One change of one table."""

    what: str
    table: str
    column: str
    act: Callable[[Connection], bool]
    """Returns whether there was something to change."""

    @property
    def name(self) -> str:
        """For a list of tests."""
        return " ".join(part for part in (self.what, self.table, self.column) if part)


def metadata_tables() -> dict[str, Table]:
    """Every table of the database."""
    return dict(SQLModel.metadata.tables)


def forgeries() -> Iterator[Forgery]:
    """Yield a change of each column, and of the rows of each table."""
    for name in FORGED_TABLES:
        table = metadata_tables()[name]
        for column in table.columns:
            if (name, column.name) not in UNSEALED_COLUMNS:
                yield Forgery("change", name, column.name, _change(table, column))
                yield Forgery("exchange", name, column.name, _exchange(table, column))
        yield Forgery("delete", name, "", _delete(table))
        yield Forgery("insert", name, "", _insert(table))


def _rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    key = list(table.primary_key.columns)
    rows = [dict(row) for row in connection.execute(select(table).order_by(*key)).mappings()]
    return [row for row in rows if table.name != "meta" or is_sealed_fact(row["key"])]


def _where(table: Table, row: dict[str, Any]) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key.columns]


def other(column: Column[Any], value: Any) -> Any:
    """Return a value that the column takes and that is not the one it has."""
    kind = column.type
    if isinstance(kind, Json):
        return _other_json(value)
    if isinstance(kind, Moment):
        return (value or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(seconds=7)
    if isinstance(kind, Boolean):
        return not value
    if isinstance(kind, Float):
        return (value or 0.0) + 1.5
    if isinstance(kind, Integer):
        return (value or 0) + 1_000_003
    if isinstance(kind, LargeBinary):
        return bytes([(value or b"\0")[0] ^ 1]) + (value or b"\0" * 32)[1:]
    return f"{value or ''}x"


def _other_json(value: Any) -> Any:
    """Return a value of the same shape."""
    if isinstance(value, dict):
        return value | {"forged": "forged"}
    if isinstance(value, list):
        return value[1:] if value else [{"name": "forged", "visible": True, "passed": True}]
    return f"{value}x" if isinstance(value, str) else "forged"


def _change(table: Table, column: Column[Any]) -> Callable[[Connection], bool]:
    def act(connection: Connection) -> bool:
        rows = _rows(connection, table)
        if not rows:
            return False
        row = rows[len(rows) // 2]
        changed = update(table).where(*_where(table, row)).values({column.name: other(column, row[column.name])})
        return connection.execute(changed).rowcount == 1

    return act


def _exchange(table: Table, column: Column[Any]) -> Callable[[Connection], bool]:
    """Exchange the values of two rows that differ."""

    def act(connection: Connection) -> bool:
        rows = _rows(connection, table)
        pair = next(((a, b) for a in rows[:40] for b in rows if a[column.name] != b[column.name]), None)
        if pair is None or column.primary_key or column.unique or _in_unique(table, column):
            return False
        for mine, its in (pair, pair[::-1]):
            connection.execute(update(table).where(*_where(table, mine)).values({column.name: its[column.name]}))
        return True

    return act


def _in_unique(table: Table, column: Column[Any]) -> bool:
    return any(column.name in each.columns for each in table.constraints if isinstance(each, UniqueConstraint))


def _delete(table: Table) -> Callable[[Connection], bool]:
    def act(connection: Connection) -> bool:
        rows = _rows(connection, table)
        return bool(rows) and connection.execute(delete(table).where(*_where(table, rows[-1]))).rowcount == 1

    return act


def _insert(table: Table) -> Callable[[Connection], bool]:
    """Insert a row like the last one, under other names."""

    def act(connection: Connection) -> bool:
        rows = _rows(connection, table)
        if not rows:
            return False
        row = dict(rows[-1])
        for column in table.columns:
            if column.primary_key or column.unique or _in_unique(table, column):
                row[column.name] = other(column, row[column.name])
        # Not by rowcount: on Postgres the driver does not know it for an INSERT.
        connection.execute(insert(table).values(row))
        return True

    return act
