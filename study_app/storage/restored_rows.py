"""Putting the records of a dataset into a fresh database, each where the app would have stored it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Connection, String, Table, func, select, text

from study_app.ports import Restorable, UnitOfWork
from study_app.storage.aggregates.rows import ALLOCATIONS, ANSWERS, LATER_ALLOCATIONS, RATINGS, RUNS, TURNS
from study_app.storage.backfill import join_everything
from study_app.storage.columns import AnyText, Json
from study_app.storage.event_log import EVENTS, PAGES, insert_new
from study_app.storage.positions import PARTICIPANTS, VISITS
from study_app.storage.unit_of_work import SqlUnitOfWork

_AT_ONCE = 2000
_TABLES: Mapping[Restorable, Table] = {
    "participants": PARTICIPANTS,
    "visits": VISITS,
    "events": EVENTS,
    "runs": RUNS,
    "turns": TURNS,
    "answers": ANSWERS,
    "ratings": RATINGS,
    "allocations": ALLOCATIONS,
    "later_allocations": LATER_ALLOCATIONS,
}


def put_back(unit: UnitOfWork, rows: Iterable[tuple[Restorable, Mapping[str, Any]]]) -> dict[Restorable, int]:
    """Insert records and join them to the chain of this database; returns how many of each table.

    Args:
        unit: a transaction on a database that holds none yet.
        rows: table and values by column; what a row does not name has its default, a text that must be there is empty.
    """
    stored = cast(SqlUnitOfWork, unit)
    connection = stored.connection
    counts: dict[Restorable, int] = {}
    held: list[dict[str, Any]] = []
    last: Restorable | None = None
    for name, row in rows:
        if held and (name != last or len(held) == _AT_ONCE):
            connection.execute(_TABLES[cast(Restorable, last)].insert(), held)
            held = []
        held.append(_whole(_TABLES[name], row))
        last, counts[name] = name, counts.get(name, 0) + 1
    if held:
        connection.execute(_TABLES[cast(Restorable, last)].insert(), held)
    _count_pages(connection)
    _count_on(connection)
    # Not as at an upgrade, which joins once: a database that was just made has joined nothing already.
    join_everything(connection, stored)
    return counts


def _whole(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every column but the serial one: rows of one statement name the same columns."""
    return {
        column.name: _stored_cell(column, row)
        for column in table.columns
        if not column.primary_key or column.name in row
    }


def _stored_cell(column: Any, row: Mapping[str, Any]) -> Any:
    value = row.get(column.name)
    # In a column of JSON None is a value: an optional question that was left open.
    if value is not None or column.nullable or (isinstance(column.type, Json) and column.name in row):
        return value
    if column.default is not None:
        return column.default.arg
    return "" if isinstance(column.type, AnyText | String) else 0


def _count_pages(connection: Connection) -> None:
    """Note how far the log of each page is without a gap."""
    where = (EVENTS.c.participant_id, EVENTS.c.page)
    logged = connection.execute(select(*where, EVENTS.c.seq).order_by(*where, EVENTS.c.seq))
    pages: dict[tuple[str, str], int] = {}
    for person, page, seq in logged:
        before = pages.setdefault((person, page), 0)
        # In the order of `seq`: the count stops at the first number that is missing, whatever comes after it.
        pages[person, page] = before + (seq == before + 1)
    rows = [{"participant_id": person, "page": page, "ack": ack} for (person, page), ack in pages.items()]
    if rows:
        connection.execute(insert_new(connection, PAGES), rows)


def _count_on(connection: Connection) -> None:
    """Let the numbers of further events follow those that were put back: Postgres counts by itself."""
    if connection.dialect.name == "postgresql":
        highest = connection.execute(select(func.max(EVENTS.c.event_id))).scalar()
        if highest is not None:
            query = text("SELECT setval(pg_get_serial_sequence('events', 'event_id'), :highest)")
            connection.execute(query, {"highest": highest})
