"""Whatever is changed in any column of any table of the database, without the study's key, is found by an export."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import func, select, text, update
from support.trials.export_world import copy_of, open_app, trial
from support.trials.forgeries import FORGED_TABLES, forgeries, metadata_tables

from study_app.dataset.integrity import chain
from study_app.dataset.schema import compact_json
from study_app.dataset.verification import verify
from study_app.domain.events import Event
from study_app.domain.records import Rating, TextReview
from study_app.services.researcher.exporting.export import export
from study_app.storage.aggregates.rows import ENTRIES
from study_app.storage.backup.copying import back_up, restore
from study_app.storage.event_log import EVENTS, LOGGED
from study_app.storage.sealed.columns import SEALED, UNSEALED_COLUMNS, UNSEALED_TABLES
from study_app.storage.sealed.heads import CHAINS
from study_app.storage.unit_of_work import SqlUnitOfWork

ALL = list(forgeries())
FIRST = {each.table: each for each in reversed(ALL) if each.what == "change"}
"""One change of each table."""
EMPTY = {"text_reviews", "ratings", "later_allocations"}
"""Tables that are empty in the trial."""


@pytest.fixture
def app(database_url, tmp_path):
    """The trial in each database, as a backup puts it back."""
    base = trial()
    made = tmp_path / "made"
    made.mkdir()
    copy_of(base, made, sealed=True).close()
    if database_url.startswith("postgresql"):
        at = base.clock.now()
        back_up(f"sqlite:///{made}/study.db", made / "var", tmp_path / "backup.zip", at, "0", secrets=True)
        restore(database_url, made / "var", tmp_path / "backup.zip", at)
    else:
        database_url = f"sqlite:///{made}/study.db"
    opened = open_app(made, base.clock, base.folder / "study.toml", database=database_url)
    yield opened
    opened.close()


@contextmanager
def undone(app):
    """A transaction that is rolled back."""
    database = app.context.registry.database
    with database.begin(write=True) as connection:
        savepoint = connection.begin_nested()
        try:
            yield connection, SqlUnitOfWork(connection, database.keys)
        finally:
            savepoint.rollback()


def fill(connection):
    """Fill what the trial leaves empty, as the platform does."""
    person = connection.execute(text("SELECT id FROM participants ORDER BY number LIMIT 1")).scalar_one()
    unit, at = SqlUnitOfWork(connection), trial().clock.now()
    for number in (1, 2):
        unit.add_text_review(
            TextReview(person, "answers", "response", f"r{number}", "d", True, f"reviewer{number}", at)
        )
        unit.add_rating(Rating(f"rating{number}", f"{person}:quiz:item{number}", "rater", f"{number}", "rubric", at))
        place = {"decision": 2, "ledger": "real", "allocation_index": number}
        unit.append_allocation(place | {"participant_id": f"{person}{number}", "arm": "more"})
    unit.flush()


def missed(app, all_of_them, forge):
    """The forgeries that a comparison of database and chain does not find, and those that changed nothing."""
    unseen, undone_all = [], []
    for each in all_of_them:
        with undone(app) as (connection, unit):
            if each.table in EMPTY:
                fill(connection)
            if not each.act(connection):
                undone_all.append(each.name)
            elif not forge(connection, unit) and not (forge is with_its_hashes and each.column == "digest"):
                # Such a forger gives a changed digest its right value back.
                unseen.append(each.name)
    return unseen, undone_all


def found(connection, unit):
    return unit.differences(events=True)


def with_its_hashes(connection, unit):
    """Give the forged rows the hashes that the platform would give them, in the place of the old ones."""
    heads = connection.execute(select(CHAINS)).all()
    last = connection.execute(select(func.max(ENTRIES.c.number))).scalar_one()
    ordered = connection.execute(select(ENTRIES).order_by(ENTRIES.c.number)).mappings().all()
    newest = {(entry["table"], entry["key"]): dict(entry) for entry in ordered}
    # Under another name meanwhile, so that the new ones are numbered as the newest are.
    hidden = ENTRIES.c.number.in_([entry["number"] for entry in newest.values()])
    connection.execute(update(ENTRIES).where(hidden).values(key="hidden:" + ENTRIES.c.key))
    forger = SqlUnitOfWork(connection)
    forger.chain_everything()
    forger.flush()
    made = connection.execute(select(ENTRIES).where(ENTRIES.c.number > last)).mappings().all()
    connection.execute(ENTRIES.delete().where(ENTRIES.c.number > last))
    connection.execute(ENTRIES.delete().where(hidden))
    for new in made:
        old = newest.get((new["table"], new["key"]))
        if old is not None:
            old.update(opening=new["opening"], digest=new["digest"], final=new["final"])
    connection.execute(ENTRIES.insert(), list(newest.values()))
    for head in heads:
        connection.execute(update(CHAINS).where(CHAINS.c.id == head.id).values(**head._mapping))
    events_with_their_hashes(connection)
    return found(connection, unit)


def events_with_their_hashes(connection):
    columns = [*LOGGED, EVENTS.c.opening, EVENTS.c.digest]
    for row in connection.execute(select(*columns)).mappings().all():
        values = dict(row)
        opening, digest = values.pop("opening"), values.pop("digest")
        event = Event(**values)
        body = chain.body_of(bytes(opening or b""), compact_json(event.payload).encode())
        again = chain.digest("events", chain.event_key(event), True, body)
        if again != digest:
            connection.execute(update(EVENTS).where(EVENTS.c.event_id == event.event_id).values(digest=again))


@pytest.mark.sampled(2)
def test_an_earlier_state_that_is_passed_off_as_the_newest_is_found(app):
    with undone(app) as (connection, unit):
        person = connection.execute(text("SELECT id FROM participants ORDER BY number LIMIT 1")).scalar_one()
        of_person = (ENTRIES.c.table == "participants", ENTRIES.c.key == chain.named((person,)))
        newest = select(ENTRIES).where(*of_person).order_by(ENTRIES.c.number.desc()).limit(1)
        stage = connection.execute(text("SELECT stage FROM participants WHERE id = :id"), {"id": person}).scalar_one()
        before = connection.execute(newest).one()
        unit.touch(person, stage="quiz" if stage != "quiz" else "tasks")
        after = connection.execute(newest).one()
        connection.execute(text("UPDATE participants SET stage = :s WHERE id = :id"), {"s": stage, "id": person})
        # A reader of the database has the opening that the platform took away, and may exchange the numbers.
        for number, values in (
            (before.number, {"number": -1, "opening": before.opening}),
            (after.number, {"number": before.number, "opening": b""}),
            (-1, {"number": after.number}),
        ):
            connection.execute(update(ENTRIES).where(ENTRIES.c.number == number).values(**values))
        assert [each.table for each in found(connection, unit)] == ["participants"]


def appended_and_written_over(connection, unit):
    """Append the forged state to the chain, as the platform would, and let the platform itself go on after it."""
    # Who has no key can go on with a chain only where its signature is taken away.
    connection.execute(update(CHAINS).values(mac=None))
    forger = SqlUnitOfWork(connection)
    forger.chain_everything()
    forger.flush()
    unit.set_meta("written_after", "1")
    return found(connection, unit) or [head for head in unit.chain_heads() if not head.signed]


def test_each_column_is_sealed_or_has_a_reason_why_no_dataset_rests_on_it():
    for name, table in metadata_tables().items():
        columns = {column.name for column in table.columns}
        reasons = {column for of_table, column in UNSEALED_COLUMNS if of_table == name}
        assert reasons <= columns, name
        if name in UNSEALED_TABLES:
            assert name not in FORGED_TABLES, name
        elif name != "events":
            assert columns == set(SEALED[name].columns) | reasons, name
    assert set(metadata_tables()) >= set(UNSEALED_TABLES)
    assert all([*UNSEALED_TABLES.values(), *UNSEALED_COLUMNS.values()])


@pytest.mark.sampled(2)
def test_an_honest_database_is_what_its_chain_says(app):
    with undone(app) as (connection, unit):
        assert found(connection, unit) == []
        assert all(head.signed for head in unit.chain_heads())


@pytest.mark.sampled(2)
def test_a_change_of_each_table_is_found(app):
    assert missed(app, FIRST.values(), found) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("forge", [found, with_its_hashes, appended_and_written_over])
@pytest.mark.parametrize("table", FORGED_TABLES)
def test_a_change_of_each_column_is_found(app, table, forge):
    """By table, so that one of them can be tried alone."""
    of_table = [each for each in ALL if each.table == table]
    unseen, nothing = missed(app, of_table, forge)
    assert unseen == []
    changes = {each.name for each in of_table if each.what in ("change", "delete", "insert")}
    assert not changes & set(nothing)


def test_what_an_export_finds_in_the_database_is_a_finding_of_verify_in_every_state(tmp_path):
    app = copy_of(trial(), tmp_path, "UPDATE links SET label = 'x' WHERE number = 1", sealed=True)
    export(app.context, tmp_path / "dataset")
    report = verify(tmp_path / "dataset")
    assert {finding.name for finding in report.findings} == {"row_differs_from_chain"}
    assert "links" in report.findings[0].message
    app.close()
