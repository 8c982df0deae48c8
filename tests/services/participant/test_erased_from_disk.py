"""What is erased is gone from the files of SQLite, not only from its tables; of Postgres see test_erased_rich_study."""

from __future__ import annotations

import sqlite3

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


def test_texts_of_those_who_stay_are_kept(writer, tmp_path):
    writer.app.session.sweep()
    assert found(tmp_path)
    assert SECRET in writer.app.session.document(writer.id, "trio_timer").text
