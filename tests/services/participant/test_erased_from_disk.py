"""What is erased is gone from the files of the database, not only from its tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app

SECRET = "zebra0crossing0seventeen"


def found(folder):
    """Files of the database that hold the text, by name."""
    files = [path for path in folder.iterdir() if path.name.startswith("study.db")]
    return sorted(path.name for path in files if SECRET.encode() in path.read_bytes())


@pytest.fixture
def writer(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    person = Walker(app, clock).to_tasks().begin_tasks()
    person.type(f"name = '{SECRET}'\n")
    person.run()
    assert found(tmp_path)
    yield person
    app.close()


def test_nothing_of_a_person_who_withdrew_stays_in_file_or_log_while_the_server_runs(writer, tmp_path):
    writer.app.session.withdraw(writer.id, True)
    writer.app.session.sweep()
    assert found(tmp_path) == []


def test_a_reader_in_the_way_only_puts_it_off(writer, tmp_path):
    reader = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    writer.app.session.withdraw(writer.id, True)
    writer.app.session.sweep()
    assert found(tmp_path)
    reader.execute("COMMIT")
    reader.close()
    writer.app.session.sweep()
    assert found(tmp_path) == []


def test_a_server_that_was_killed_after_an_erasure_empties_the_log_at_its_next_start(writer, tmp_path):
    writer.app.session.withdraw(writer.id, True)
    again = open_app(tmp_path, writer.clock)
    again.session.sweep()
    again.close()
    assert found(tmp_path) == []


@pytest.mark.slow
def test_on_postgres_nothing_stays_in_its_files_after_vacuum_and_without_old_logs(postgres_url, tmp_path):
    """What docs/how-to/privacy asks of an administrator: VACUUM FULL, a checkpoint, logs removed and not recycled."""
    with psycopg.connect(postgres_url, autocommit=True) as database:
        data = Path(database.execute("SHOW data_directory").fetchone()[0])
        app = open_app(tmp_path, clock := HandClock(), database=postgres_url)
        person = Walker(app, clock).to_tasks().begin_tasks()
        person.type(f"name = '{SECRET}'\n")
        person.run()
        database.execute("CHECKPOINT")
        assert in_files(data)
        app.session.withdraw(person.id, True)
        app.session.sweep()
        app.close()
        for setting in ("wal_recycle = off", "min_wal_size = '32MB'"):
            database.execute(f"ALTER SYSTEM SET {setting}")
        database.execute("SELECT pg_reload_conf()")
        database.execute("VACUUM FULL")
        for _ in range(3):
            database.execute("SELECT pg_switch_wal()")
            database.execute("CHECKPOINT")
        try:
            assert in_files(data) == []
        finally:
            for setting in ("wal_recycle", "min_wal_size"):
                database.execute(f"ALTER SYSTEM RESET {setting}")


def in_files(folder):
    """Files of a Postgres server that hold the text."""
    held = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in held if SECRET.encode() in path.read_bytes())


def test_texts_of_those_who_stay_are_kept(writer, tmp_path):
    writer.app.session.sweep()
    assert found(tmp_path)
    assert SECRET in writer.app.session.document(writer.id, "trio_timer").text
