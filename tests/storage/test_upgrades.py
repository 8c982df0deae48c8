"""A database of every earlier version is brought to the newest with everything that is in it, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, settle

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.storage import open_registry
from study_app.storage.backfill import JOINED
from study_app.storage.backup import table_rows
from study_app.storage.engine import DatabaseEngine
from study_app.storage.migrate import alembic_config

LINE = [*ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]
"""Every version of the tables, from the first to the newest."""
REVISIONS = [script.revision for script in LINE][:-1]
ALWAYS = {("0001", "postgres")}
CASES = [
    pytest.param(revision, kind, marks=[] if (revision, kind) in ALWAYS else [pytest.mark.slow])
    for revision in REVISIONS
    for kind in ("sqlite", "postgres")
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict[str, list[list]]:
    """What the newest version stores of three people who went all the way: names, then rows, by table."""
    folder, clock = tmp_path_factory.mktemp("newest"), HandClock()
    app = open_app(folder, clock)
    for _ in range(3):
        Walker(app, clock).whole_way()
    settle(app)
    app.close()
    database = DatabaseEngine(f"sqlite:///{folder}/study.db", create=False)
    with database.begin(write=False) as connection:
        names = table_rows.table_names(connection)
        found = {name: [json.loads(line) for line in table_rows.lines_of(connection, name)] for name in names}
    database.close()
    return found


def as_of(url: str, revision: str, rows: dict[str, list[list]]) -> dict[str, int]:
    """Make a database as that version had it; returns how many rows each of its tables has."""
    from sqlalchemy import inspect

    database, counts = DatabaseEngine(url), {}
    with database.begin(write=True) as connection:
        table_rows.make_tables(connection, revision)
        for table in table_rows.table_names(connection):
            then = {column["name"] for column in inspect(connection).get_columns(table)}
            names, *values = rows[table]
            kept = [place for place, name in enumerate(names) if name in then]
            assert then == {names[place] for place in kept}, "a column was dropped or renamed"
            # An older version's database does not say that all its rows are in the chain.
            values = [row for row in values if table != "meta" or JOINED not in row]
            lines = [json.dumps([row[place] for place in kept]).encode() for row in (names, *values)]
            counts[table] = table_rows.fill(database, connection, table, lines)
    database.close()
    return counts


@pytest.mark.parametrize(("revision", "kind"), CASES)
def test_an_earlier_database_is_upgraded_with_all_that_is_in_it(request, tmp_path, rows, revision, kind):
    sqlite = f"sqlite:///{tmp_path}/study.db"
    url = sqlite if kind == "sqlite" else request.getfixturevalue("postgres_url")
    before = as_of(url, revision, rows)
    registry = open_registry(url)
    registry.close()
    database = DatabaseEngine(url)
    with database.begin(write=False) as connection:
        assert table_rows.revision(connection) == table_rows.newest()
        after = {name: len(list(table_rows.lines_of(connection, name))) - 1 for name in before}
        people = list(table_rows.lines_of(connection, "participants"))
    database.close()
    # What an earlier version had in no chain is in one now.
    grown = {"chain_entries", "chains", "meta"}
    assert {name: n for name, n in after.items() if name not in grown} == {
        name: n for name, n in before.items() if name not in grown
    }
    assert len(people) == 1 + 3
    _goes_on(tmp_path, url)


def _goes_on(folder: Path, url: str) -> None:
    """The study opens, another person goes all the way, and the dataset verifies."""
    clock = HandClock()
    clock.advance(days=30)
    app = open_app(folder, clock, database=url)
    app.context.fresh_id = lambda made=iter(range(10**6)): f"later{next(made)}"  # noqa: B008
    Walker(app, clock).whole_way()
    settle(app)
    export(app.context, folder / "data", include_preview=True)
    app.close()
    report = verify(folder / "data")
    assert [str(each) for each in report.findings if each.finding_class == "tampering"] == []


def test_every_revision_is_covered_and_in_one_line():
    # 0015 never was.
    assert [script.down_revision for script in LINE] == [None, *REVISIONS]
    assert sorted(REVISIONS) == REVISIONS
