"""What every study of a test needs alike, made once a process: migrated tables, a sealing key, results of programs.

A test of a service opens a fresh study. Running each migration on it and deriving its key took more than half of its
time. What is made here is what the product makes: the tables come from its migrations, the key from its generator.
Simulated participants of one trial write many of the programs that those of another wrote; as within a trial, equal
programs are run once. Tests of the storage and of the secrets, and every other process, make their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from study_app.ports import Sandbox
from study_app.secrets import sealing_key
from study_app.simulation.cached_sandbox import Memory, RepeatingSandbox
from study_app.storage import database as databases
from study_app.storage.engine import DatabaseEngine

migrate = databases.bring_up_to_date
new_key_text = sealing_key.new_key_text
begin = RepeatingSandbox.__init__
RESULTS: defaultdict[str, Memory] = defaultdict(Memory)
"""What programs of simulated participants did, by the level of their isolation."""


@contextmanager
def shared_setup(*, results: bool) -> Iterator[None]:
    """Give every fresh SQLite database the same tables, and every fresh key file the same key.

    Args:
        results: whether simulations share what programs did.
    """
    databases.bring_up_to_date = copied_or_migrated
    sealing_key.new_key_text = cache(new_key_text)
    if results:
        RepeatingSandbox.__init__ = begin_with_results  # type: ignore[method-assign]
    try:
        yield
    finally:
        databases.bring_up_to_date, sealing_key.new_key_text = migrate, new_key_text
        RepeatingSandbox.__init__ = begin  # type: ignore[method-assign]


def begin_with_results(self: RepeatingSandbox, sandbox: Sandbox, memory: Memory | None = None) -> None:
    """Begin with what other simulations of this process know, where no memory is given."""
    begin(self, sandbox, RESULTS[sandbox.isolation().level] if memory is None else memory)


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
