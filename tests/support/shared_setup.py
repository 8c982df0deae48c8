"""What every study of a test needs alike, made once a process: migrated tables, and a sealing key.

A test of a service opens a fresh study. Running each migration on it and deriving its key took more than half of its
time. What is made here is what the product makes: the tables come from its migrations, the key from its generator.
Tests of the storage and of the secrets, and every other process, make their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from study_app.secrets import sealing_key
from study_app.storage import database as databases
from study_app.storage.engine import DatabaseEngine

migrate = databases.bring_up_to_date
new_key_text = sealing_key.new_key_text


@contextmanager
def shared_setup() -> Iterator[None]:
    """Give every fresh SQLite database the same tables, and every fresh key file the same key."""
    databases.bring_up_to_date = copied_or_migrated
    sealing_key.new_key_text = cache(new_key_text)
    try:
        yield
    finally:
        databases.bring_up_to_date, sealing_key.new_key_text = migrate, new_key_text


def copied_or_migrated(database: DatabaseEngine) -> None:
    """Put the tables into a database without any; others are migrated."""
    if not database.is_sqlite:
        migrate(database)
        return
    with database.begin(write=True) as connection:
        empty = not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        for statement in statements_of_a_fresh_database() if empty else ():
            connection.exec_driver_sql(statement)
    if not empty:
        migrate(database)


@cache
def statements_of_a_fresh_database() -> tuple[str, ...]:
    """The statements that make what the migrations make of an empty file."""
    with TemporaryDirectory() as folder:
        database = DatabaseEngine(f"sqlite:///{Path(folder)}/fresh.db", create=True)
        migrate(database)
        with database.begin(write=False) as connection:
            dump = list(connection.connection.dbapi_connection.iterdump())
        database.close()
    return tuple(statement for statement in dump if statement not in ("BEGIN TRANSACTION;", "COMMIT;"))
