"""Every row of every table, as it is stored, at one moment; the same for SQLite and Postgres.

What is copied is what the columns hold, not what the types make of it: a copy that is put back has the same bytes, and
a study can move from one kind of database to the other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Boolean, Connection, inspect, text
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel

from study_app.domain.errors import InfrastructureError, UserError
from study_app.storage import tables  # noqa: F401  (fills the metadata)
from study_app.storage.engine import DatabaseEngine
from study_app.storage.migrate import alembic_config

REVISION = "alembic_version"
PASSING = ("locks", "replicas", "in_progress")
"""Names that transactions wait for, and what servers are doing just now: nothing of the study."""
AT_ONCE = 500


def table_names(connection: Connection) -> list[str]:
    """Return the study's tables that are there, in an order that their references allow."""
    there = set(inspect(connection).get_table_names())
    known = [table.name for table in SQLModel.metadata.sorted_tables if table.name in there]
    return known + sorted(there - set(known) - {REVISION})


def revision(connection: Connection) -> str | None:
    """Return the version of the tables, or None where there are none."""
    if REVISION not in inspect(connection).get_table_names():
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {REVISION}")).scalar_one_or_none()
    return found


def is_empty(connection: Connection) -> bool:
    """Return whether the database holds nothing that could be lost."""
    there = set(table_names(connection)) - {*PASSING}
    return not any(connection.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first() for name in sorted(there))


def lines_of(connection: Connection, table: str) -> Iterator[bytes]:
    """Yield a line of column names, then one of each row, in the order of the primary key."""
    # Columns as the database has them and not as this version declares them: an older database is copied as it is.
    found = inspect(connection).get_columns(table)
    truths = [isinstance(column["type"], Boolean) for column in found]
    names = [column["name"] for column in found]
    key = inspect(connection).get_pk_constraint(table)["constrained_columns"] or names
    yield _line(names)
    columns, order = (", ".join(f'"{name}"' for name in each) for each in (names, key))
    # A cursor of the server's: a log of a long study does not fit into memory.
    streamed = connection.execution_options(stream_results=True, yield_per=AT_ONCE)
    for row in streamed.execute(text(f'SELECT {columns} FROM "{table}" ORDER BY {order}')):
        yield _line([_kept(value, truth=truth) for value, truth in zip(row, truths, strict=True)])


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _kept(value: Any, *, truth: bool) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    # SQLite has 0 and 1 where Postgres has booleans and refuses numbers.
    return bool(value) if truth and value is not None else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["bytes"], validate=True)
    if isinstance(value, list):
        # Postgres would take it as an array and store its text.
        raise TypeError("no column holds lists")
    return value


def _cells(table: str, line: bytes) -> list[Any]:
    """Return the cells of a line; what a backup holds may have been written by anybody."""
    try:
        found = json.loads(line)
        if isinstance(found, list):
            return [_read(value) for value in found]
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UserError(f"the backup's table {table} has a line that is not a list of cells; nothing was put back")


def empty(connection: Connection) -> None:
    """Drop every table of a study."""
    for name in reversed(table_names(connection)):
        connection.execute(text(f'DROP TABLE "{name}"'))
    connection.execute(text(f"DROP TABLE IF EXISTS {REVISION}"))


def make_tables(connection: Connection, to: str) -> None:
    """Make the tables, or bring them up to date, as of a version.

    Raises:
        UserError: this version of study-app does not know it.
    """
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError:
        raise UserError(
            f"the backup's tables are of version {to}, which this version of study-app does not know; update study-app"
        ) from None


def fill(database: DatabaseEngine, connection: Connection, table: str, lines: Iterable[bytes]) -> int:
    """Put rows into an empty table; returns how many.

    Raises:
        UserError: the table does not take them.
    """
    rows = iter(lines)
    names = _cells(table, next(rows, b""))
    known = [column["name"] for column in inspect(connection).get_columns(table)]
    if not names or any(name not in known for name in names):
        raise UserError(f"the backup's table {table} has no columns, or others than its version of the tables")
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join(f":{n}" for n in range(len(names)))
    statement, count = text(f'INSERT INTO "{table}" ({columns}) VALUES ({values})'), 0
    batch: list[dict[str, Any]] = []
    try:
        for line in rows:
            batch.append({str(n): value for n, value in enumerate(_cells(table, line))})
            if len(batch) == AT_ONCE:
                connection.execute(statement, batch)
                count, batch = count + len(batch), []
        if batch:
            connection.execute(statement, batch)
    except StatementError as error:
        raise UserError(f"the backup's table {table} cannot be put back ({type(error).__name__})") from None
    if not database.is_sqlite:
        _go_on_counting(connection, table)
    return count + len(batch)


def _go_on_counting(connection: Connection, table: str) -> None:
    """Let Postgres number new rows after those that were put in."""
    for column in inspect(connection).get_columns(table):
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": f'"{table}"', "column": column["name"]}
        ).scalar_one_or_none()
        if sequence is not None:
            last = connection.execute(text(f'SELECT max("{column["name"]}") FROM "{table}"')).scalar_one_or_none()
            if last is not None:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def beats(connection: Connection) -> list[datetime]:
    """Return the last sign of life of each server of the study."""
    if "replicas" not in inspect(connection).get_table_names():
        return []
    found = connection.execute(text("SELECT beat_at FROM replicas")).scalars()
    return [datetime.fromtimestamp(beat / 1000, UTC) for beat in found]


def meta_of(connection: Connection, key: str) -> str | None:
    """Return a fact about the study, or None; also where there are no tables yet."""
    if "meta" not in inspect(connection).get_table_names():
        return None
    found = connection.execute(text("SELECT value FROM meta WHERE key = :key"), {"key": key}).scalar_one_or_none()
    return None if found is None else str(found)


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Set a fact about the study."""
    connection.execute(text("DELETE FROM meta WHERE key = :key"), {"key": key})
    connection.execute(text("INSERT INTO meta (key, value) VALUES (:key, :value)"), {"key": key, "value": value})


def check_is_no_other_program_s(database: DatabaseEngine, connection: Connection) -> None:
    """Refuse a database with tables that study-app did not make, also where they are empty.

    Raises:
        InfrastructureError: it is another program's.
    """
    names = table_names(connection)
    if names and ("meta" not in names or revision(connection) is None):
        raise InfrastructureError(
            f"{database.describe()}: this database belongs to another program; use a separate one for the study"
        )


def check_is_study(database: DatabaseEngine, connection: Connection) -> None:
    """Refuse a database that holds another program's tables, or none of a study's.

    Raises:
        InfrastructureError: it is not a study database.
    """
    if revision(connection) is None or meta_of(connection, "study_id") is None:
        raise InfrastructureError(f"{database.describe()}: this is not the database of a study; name another")


def newest() -> str | None:
    """Return the version of the tables that this study-app makes."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()
