"""What is stored while the sealing key is missing is as well proven, once it is back, as the rest."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from support.clock import HandClock
from support.trials.export_world import EntryRequest, Walker, ids, open_app, real_study, settle

from study_app.dataset.integrity import chain
from study_app.dataset.verification import verify
from study_app.services.operation.head_signing import ADOPTED_ACT
from study_app.services.researcher.exporting.export import export
from study_app.storage.aggregates.rows import ENTRIES
from study_app.storage.anchor_file import AnchorFile
from study_app.storage.backfill import JOINED, join_what_is_stored
from study_app.storage.event_log import EVENTS
from study_app.storage.sealed.differing import EVENT_ENTRIES
from study_app.storage.sealed.heads import CHAINS
from study_app.storage.unit_of_work import SqlUnitOfWork


class Outage:
    """A launched study whose sealing key is taken away, and given back."""

    def __init__(self, folder, url):
        self.folder, self.url, self.clock = folder, url, HandClock()
        self.ids = ids()
        self.study = real_study(folder)
        self.key = folder / "var" / "seal.key"
        self.app = self._open()
        self.app.lifecycle.launch()
        links = [link.secret for link in self.app.links.create(labels=[f"p{n}@example.org" for n in range(4)])]
        self.people = [Walker(self.app, self.clock, EntryRequest(link=link)).to_tasks() for link in links[:3]]
        for person in self.people[:2]:
            person.begin_tasks()
        self.links = links

    def _open(self):
        return open_app(self.folder, self.clock, self.study, database=self.url, fresh_ids=self.ids)

    def again(self):
        """End the server and start another one."""
        self.app.close()
        self.app = self._open()
        for person in self.people:
            person.app = self.app

    def lose(self):
        self.hidden = self.key.read_bytes()
        self.key.unlink()
        self.again()

    def give_back(self):
        self.key.write_bytes(self.hidden)

    def work(self):
        """Two people go to the end: texts, programs, answers; a third arrives."""
        self.people[0].solve_tasks().quiz().exit()
        self.people[1].type("# a comment\n")
        self.clock.advance(minutes=2)
        self.app.anchoring.tick()
        settle(self.app)

    def report(self, **how):
        out = self.folder / f"dataset{len(list(self.folder.glob('dataset*')))}"
        export(self.app.context, out)
        return verify(out, **how)

    def names(self):
        return {finding.name for finding in self.report().findings}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def outage(request, tmp_path):
    sqlite = f"sqlite:///{tmp_path}/study.db"
    found = Outage(tmp_path, sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield found
    found.app.close()


def acts(app):
    with app.context.registry.begin(write=False) as unit:
        return [entry.what for entry in unit.audit()]


def test_what_was_stored_without_the_key_is_signed_once_it_is_back_and_the_study_goes_on(outage):
    outage.lose()
    outage.work()
    assert outage.names() == set()
    outage.give_back()
    outage.again()
    assert acts(outage.app).count(ADOPTED_ACT) == 1
    outage.people[2].begin_tasks().solve_tasks(minutes=2).quiz().exit()
    settle(outage.app)
    outage.again()
    report = outage.report()
    assert report.ok, report.lines()
    with outage.app.context.registry.begin(write=False) as unit:
        assert all(head.signed for head in unit.chain_heads())
    assert acts(outage.app).count(ADOPTED_ACT) == 1
    kept = AnchorFile(outage.folder / "var" / "ledger.anchors").read()
    assert verify(outage.folder / "dataset1", heads=[head for anchor in kept for head in anchor.heads]).ok


@pytest.mark.slow
def test_a_server_that_runs_finds_the_key_by_itself(outage):
    outage.lose()
    outage.app.head_signing.tick()
    outage.work()
    outage.give_back()
    outage.clock.advance(minutes=1)
    outage.app.head_signing.tick()
    assert ADOPTED_ACT in acts(outage.app)
    outage.people[2].begin_tasks()
    report = outage.report()
    assert report.ok, report.lines()


@pytest.mark.slow
def test_a_server_that_ran_before_the_launch_signs_from_the_launch_on(tmp_path, database_url):
    clock, study = HandClock(), real_study(tmp_path)
    server = open_app(tmp_path, clock, study, database=database_url)
    command = open_app(tmp_path, clock, study, database=database_url)
    command.lifecycle.launch()
    (link,) = command.links.create(labels=["p@example.org"])
    command.close()
    Walker(server, clock, EntryRequest(link=link.secret)).to_tasks()
    export(server.context, tmp_path / "dataset")
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()
    server.close()


def forge_in_the_gap(outage):
    """Change an answer that came in the gap and give it the digests that the platform would have given it."""
    database = outage.app.context.registry.database
    with database.begin(write=True) as connection:
        row = connection.execute(select(ENTRIES).where(ENTRIES.c.table == "answers").order_by(ENTRIES.c.number.desc()))
        last = row.first()
        connection.execute(text("UPDATE answers SET response = '\"forged\"' WHERE item = :item"), {"item": "feedback"})
        digest = chain.digest("answers", ("x",), bool(last.final), chain.body(bytes(last.opening), b"forged"))
        connection.execute(update(ENTRIES).where(ENTRIES.c.number == last.number).values(digest=digest))
        unit = SqlUnitOfWork(connection)
        heads = {}
        for entry in unit.chained(unit.driver.stream(EVENT_ENTRIES)):
            position, head = heads.get(entry.chain, (0, chain.GENESIS))
            heads[entry.chain] = (position + 1, chain.link(head, entry.digest))
        for number, (_, head) in heads.items():
            connection.execute(update(CHAINS).where(CHAINS.c.id == number).values(head=head))


@pytest.mark.parametrize("server_goes_on", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_forgery_in_the_gap_is_found_when_the_key_is_back(outage, server_goes_on):
    outage.lose()
    outage.work()
    forge_in_the_gap(outage)
    if server_goes_on:
        outage.people[1].type("# more\n")
    outage.give_back()
    outage.again()
    assert "chain_unsigned" in outage.names()
    assert ADOPTED_ACT not in acts(outage.app)


@pytest.mark.slow
def test_a_chain_signed_by_another_key_than_the_servers_is_not_taken_over(outage):
    outage.lose()
    outage.work()
    (outage.folder / "var" / "interim.key").write_text("another key\n")
    outage.give_back()
    outage.again()
    assert "chain_unsigned" in outage.names()


@pytest.mark.slow
def test_an_upgrade_gives_no_forged_row_a_place_in_the_chain(outage):
    outage.work()
    database = outage.app.context.registry.database
    for forged_marker in (False, True):
        with database.begin(write=True) as connection:
            connection.execute(text("UPDATE answers SET response = '\"forged\"' WHERE item = 'feedback'"))
            if forged_marker:
                connection.execute(text("DELETE FROM meta WHERE key = :key"), {"key": JOINED})
            # As where the version in the database is set back, and the next start brings it up to date.
            database.joined = join_what_is_stored(connection)
        outage.app.context.registry.sign_upgrade()
        assert outage.names() & {"row_differs_from_chain"}


@pytest.mark.slow
def test_events_that_an_upgrade_would_join_are_found(outage):
    outage.work()
    database = outage.app.context.registry.database
    with database.begin(write=True) as connection:
        connection.execute(
            update(EVENTS).where(EVENTS.c.kind == "load").values(chain=None, position=None, opening=None, digest=None)
        )
        database.joined = join_what_is_stored(connection)
    outage.app.context.registry.sign_upgrade()
    assert outage.names()
