"""Forgeries of the database that change no single column: its schema, whole people, chains of a forger's own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from support.trials.export_world import Trial, copy_of, open_app, trial

from study_app.dataset.integrity import chain
from study_app.dataset.verification import verify
from study_app.domain.errors import StudyError
from study_app.services.researcher.exporting.export import export

COMPLETED = "kind = 'real' AND status = 'completed'"
FIRST = f"(SELECT id FROM participants WHERE {COMPLETED} ORDER BY number LIMIT 1)"
AI = "(SELECT id FROM participants WHERE arm = 'ai' AND kind = 'real')"


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]


def tables_with(database: sqlite3.Connection, column: str) -> list[str]:
    names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in names if column in columns(database, name)]


def a_view_in_the_place_of_a_table(database: sqlite3.Connection) -> None:
    """Answers stay as they are, and who reads them reads other points."""
    shown = ", ".join(
        f"CASE WHEN bank != '' AND participant_id IN {AI} THEN max_points ELSE points END AS points"
        if name == "points"
        else f'"{name}"'
        for name in columns(database, "answers")
    )
    database.execute("ALTER TABLE answers RENAME TO kept")
    database.execute(f"CREATE VIEW answers AS SELECT {shown} FROM kept")


def a_computed_column(database: sqlite3.Connection) -> None:
    """Points are no longer stored but computed."""
    database.execute("ALTER TABLE answers RENAME COLUMN points TO kept")
    database.execute("ALTER TABLE answers ADD COLUMN points FLOAT GENERATED ALWAYS AS (max_points) VIRTUAL")


def a_trigger_that_waits_for_an_export(database: sqlite3.Connection) -> None:
    """What the platform writes next changes the points."""
    for table in ("audit", "chain_entries", "meta"):
        for act in ("INSERT", "UPDATE"):
            database.execute(
                f"CREATE TRIGGER forger_{table}_{act} AFTER {act} ON {table} BEGIN "
                f"UPDATE answers SET points = max_points WHERE bank != '' AND participant_id IN {AI}; END"
            )
    database.execute("INSERT INTO meta (key, value) VALUES ('harmless', '1')")


def a_chain_of_the_forgers_own(database: sqlite3.Connection) -> None:
    """The forged states join a second chain, as those of another server would."""
    number = database.execute("SELECT max(id) FROM chains").fetchone()[0] + 1
    database.execute(f"UPDATE answers SET points = max_points WHERE bank != '' AND participant_id IN {AI}")
    entries = database.execute(
        'SELECT "table", key, participant_id FROM chain_entries WHERE "table" = \'answers\' '
        f"AND participant_id IN {AI} GROUP BY key"
    ).fetchall()
    head = b"\0" * 32
    for position, (table, key, person) in enumerate(entries, 1):
        body = chain.body_of(b"s" * 16, b"forged")
        digest = chain.digest(table, json.loads(key), False, body)
        head = chain.link(head, digest)
        database.execute(
            'INSERT INTO chain_entries (chain, position, "table", key, participant_id, final, opening, digest) '
            "VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
            (number, position, table, key, person, b"s" * 16, digest),
        )
    values = (number, len(entries), head)
    database.execute("INSERT INTO chains (id, position, head, mac, signer) VALUES (?, ?, ?, NULL, '')", values)


def a_person_who_never_was(database: sqlite3.Connection) -> None:
    """Every row of one person, in every table, and every entry of the chain."""
    person = database.execute(f"SELECT {FIRST}").fetchone()[0]
    for table in tables_with(database, "participant_id"):
        database.execute(f'DELETE FROM "{table}" WHERE participant_id = ?', (person,))
    database.execute("DELETE FROM allocations WHERE row LIKE ?", (f"%{person}%",))
    database.execute("DELETE FROM participants WHERE id = ?", (person,))


def a_person_an_hour_later(database: sqlite3.Connection) -> None:
    """Every moment of one person, in every table, so that all of them agree."""
    person = database.execute(f"SELECT {FIRST}").fetchone()[0]
    for table, key in [(name, "participant_id") for name in tables_with(database, "participant_id")] + [
        ("participants", "id")
    ]:
        for column in columns(database, table):
            if column.endswith("_at") or column == "server_time":
                database.execute(f'UPDATE "{table}" SET {column} = {column} + 3600000 WHERE {key} = ?', (person,))


def a_person_of_another_name(database: sqlite3.Connection) -> None:
    """One person's id, wherever it stands, in the chain too."""
    person = database.execute(f"SELECT {FIRST}").fetchone()[0]
    for table in tables_with(database, "participant_id"):
        database.execute(f'UPDATE "{table}" SET participant_id = ? WHERE participant_id = ?', ("id9", person))
    database.execute("UPDATE participants SET id = ? WHERE id = ?", ("id9", person))
    for table, column in (("chain_entries", "key"), ("allocations", "row")):
        database.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (person, "id9"))


def a_billionth_of_a_point(database: sqlite3.Connection) -> None:
    """So little that no table shows it, and enough to change an order of ranks."""
    database.execute(f"UPDATE answers SET points = points + 1e-9 WHERE bank != '' AND participant_id IN {AI}")


def a_person_twice(database: sqlite3.Connection) -> None:
    """A copy of a person, under an id that differs by the case of a letter."""
    person = database.execute(f"SELECT {FIRST}").fetchone()[0]
    for table, key in (("participants", "id"), ("visits", "participant_id"), ("answers", "participant_id")):
        names = [name for name in columns(database, table) if name not in ("prolific_pid", "link", "number")]
        shown = ", ".join(f"'{person.upper()}'" if name == key else f'"{name}"' for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        database.execute(f'INSERT INTO "{table}" ({listed}) SELECT {shown} FROM "{table}" WHERE {key} = ?', (person,))


def entries_exchanged(database: sqlite3.Connection) -> None:
    """The answers of two people to one question, each with its entries, so that each entry has its row."""
    (one, first), (two, second) = database.execute(
        f"SELECT participant_id, response FROM answers WHERE item = 'start_call' AND participant_id IN "
        f"(SELECT id FROM participants WHERE {COMPLETED}) ORDER BY participant_id LIMIT 2"
    ).fetchall()
    database.execute("UPDATE answers SET response = ? WHERE item = 'start_call' AND participant_id = ?", (second, one))
    database.execute("UPDATE answers SET response = ? WHERE item = 'start_call' AND participant_id = ?", (first, two))
    keys = [
        row[0]
        for row in database.execute(
            "SELECT DISTINCT key FROM chain_entries WHERE \"table\" = 'answers' AND key LIKE '%start_call%' "
            "AND participant_id IN (?, ?) ORDER BY participant_id",
            (one, two),
        )
    ]
    middle = [(f"hidden:{keys[0]}", keys[0]), (keys[0], keys[1]), (keys[1], f"hidden:{keys[0]}")]
    database.executemany("UPDATE chain_entries SET key = ? WHERE key = ?", middle)


def positions_exchanged(database: sqlite3.Connection) -> None:
    """Two neighbours of the chain change places."""
    (one, first), (two, second) = database.execute(
        "SELECT number, position FROM chain_entries WHERE chain = (SELECT min(chain) FROM chain_entries) "
        "ORDER BY position DESC LIMIT 2"
    ).fetchall()
    database.executemany(
        "UPDATE chain_entries SET position = ? WHERE number = ?", [(-1, one), (first, two), (second, one)]
    )


def a_study_in_another_state(database: sqlite3.Connection) -> None:
    """The state of the study, which decides what a dataset shows of the arms."""
    changed = "UPDATE meta SET value = CASE value WHEN 'unsealed' THEN 'closed' ELSE 'unsealed' END WHERE key = 'state'"
    assert database.execute(changed).rowcount


FORGERIES: dict[str, Callable[[sqlite3.Connection], None]] = {
    (each.__name__).replace("_", " "): each
    for each in (
        a_view_in_the_place_of_a_table,
        a_computed_column,
        a_trigger_that_waits_for_an_export,
        a_chain_of_the_forgers_own,
        a_person_who_never_was,
        a_person_an_hour_later,
        a_person_of_another_name,
        a_billionth_of_a_point,
        a_person_twice,
        entries_exchanged,
        positions_exchanged,
        a_study_in_another_state,
    )
}
REPRESENTATIVES = {"a view in the place of a table", "a chain of the forgers own"}


def refusal(base: Trial, folder: Path) -> str | None:
    """Export the forged database; return the sentence where it is refused as it is."""
    try:
        app = open_app(folder, base.clock, base.folder / "study.toml")
        export(app.context, folder / "dataset")
        app.close()
    except StudyError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize(
    "what", [pytest.param(w, marks=[] if w in REPRESENTATIVES else pytest.mark.slow) for w in FORGERIES]
)
def test_a_forgery_of_schema_person_or_chain_is_found(what, tmp_path):
    base = trial()
    app = copy_of(base, tmp_path, sealed=True)
    app.close()
    with sqlite3.connect(tmp_path / "study.db") as database:
        FORGERIES[what](database)
    said = refusal(base, tmp_path)
    if said is None:
        report = verify(tmp_path / "dataset")
        assert report.classes["tampering"], report.counts
    else:
        assert said
