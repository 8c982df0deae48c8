"""Erasure takes the ids along; a second entry is refused by a keyed hash, and what ends later leaves nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.trials.commands import study
from support.trials.export_world import ROOT, Walker, open_app, real_study, table

from study_app.dataset.integrity import chain
from study_app.domain.errors import NotAllowed
from study_app.domain.events import ERASED
from study_app.services.attending.purging import Purge, months_after
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export

PID, SESSION = "5f3c9a1b7e2d4c6a8b0f1e2d", "6a3c9a1b7e2d4c6a8b0f1e2d"


@pytest.fixture
def panel(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path, **{'entry = "links"': 'entry = "prolific"'}))
    app.lifecycle.launch()
    entry = EntryRequest(prolific_pid=PID, prolific_study="1" * 24, prolific_session=SESSION)
    yield app, clock, entry, Walker(app, clock, entry)
    app.close()


def test_panel_ids_are_gone_from_the_database_and_a_second_entry_is_refused_all_the_same(panel, tmp_path):
    app, _clock, entry, person = panel
    person.consent()
    app.session.withdraw(person.id, True)
    app.session.sweep()
    files = [path for path in tmp_path.iterdir() if path.name.startswith("study.db")]
    assert not [
        path.name for path in files if PID.encode() in path.read_bytes() or SESSION.encode() in path.read_bytes()
    ]
    with pytest.raises(NotAllowed):
        app.enrol.enter(replace(entry, prolific_session="7" * 24))
    with pytest.raises(NotAllowed):
        app.enrol.enter(replace(entry, prolific_pid="8" * 24))
    again = app.enrol.enter(entry)
    assert (again.participant.id, again.new) == (person.id, False)
    assert app.enrol.enter(replace(entry, prolific_pid="9" * 24, prolific_session="a" * 24)).new


def test_an_export_with_names_has_none_of_a_person_who_was_erased_and_tells_holders_of_copies(panel, tmp_path):
    app, _clock, _entry, person = panel
    person.consent()
    app.session.withdraw(person.id, True)
    export(app.context, tmp_path / "out", identified=True)
    (row,) = table(tmp_path / "out", "participants")
    assert not any(row[name] for name in ("label", "prolific_pid", "prolific_study", "prolific_session"))
    assert "replaces it by this one" in (tmp_path / "out" / "CHANGES.md").read_text(encoding="utf-8")


def test_a_label_is_erased_with_its_link_and_names_no_person_afterwards(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path))
    app.lifecycle.launch()
    (link,) = app.links.create(labels=["zebra.crossing@example.org"])
    person = Walker(app, clock, EntryRequest(link=link.secret)).consent()
    app.session.withdraw(person.id, True)
    app.session.sweep()
    files = [path for path in tmp_path.iterdir() if path.name.startswith("study.db")]
    assert not [path.name for path in files if b"zebra.crossing" in path.read_bytes()]
    assert app.enrol.enter(EntryRequest(link=link.secret)).participant.id == person.id
    app.close()


def test_a_run_that_ends_after_the_erasure_leaves_nothing(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    person = Walker(app, clock).to_tasks().begin_tasks()
    person.type("raise ValueError('zebra crossing')\n")
    person.run()
    with app.context.registry.begin() as unit:
        run = unit.runs(person.id)[-1]
    app.session.withdraw(person.id, True)
    with app.context.registry.begin() as unit:
        assert unit.update_run(replace(run, stderr="zebra crossing")) is False
        assert unit.runs(person.id) == []
    app.session.sweep()
    with sqlite3.connect(tmp_path / "study.db") as database:
        query = "SELECT key, opening, digest FROM chain_entries WHERE participant_id = ? AND \"table\" = 'runs'"
        held = [row for row in database.execute(query, (person.id,)) if row[1]]
    # Salts are left of entries alone that say nothing but that a record is gone.
    gone = [chain.digest("runs", json.loads(key), True, chain.body(salt, chain.GONE)) for key, salt, _ in held]
    assert held
    assert gone == [digest for _, _, digest in held]
    app.close()


def test_a_reply_that_comes_in_after_the_erasure_leaves_nothing(tmp_path):
    walker = at_work_alone(tmp_path)
    app = walker.app

    async def ask():
        message = "How does a nursery start two tasks?"
        asked = await app.help.ask(walker.id, message, walker.page, walker.text, walker.seq)
        pieces = asked.text
        first = await anext(pieces)
        # Erased between two pieces of the reply.
        await asyncio.to_thread(app.session.withdraw, walker.id, True)
        return first + "".join([piece async for piece in pieces])

    reply = asyncio.run(ask())
    assert reply
    with app.context.registry.begin(write=False) as unit:
        assert unit.turns(walker.id) == []
        assert all(event.payload == ERASED for event in unit.events(walker.id) if event.kind == "turn_ended")
    app.session.sweep()
    files = [path for path in tmp_path.iterdir() if path.name.startswith("study.db")]
    words = max(reply.split("\n"), key=len)[:40].encode()
    assert len(words) > 20
    assert not [path.name for path in files if words in path.read_bytes()]
    app.close()


def at_work_alone(folder):
    """A participant at a task in the arm with an assistant, in a database of this test."""
    clock = HandClock()
    app = open_app(folder, clock)
    for _ in range(20):
        walker = Walker(app, clock).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker
    raise AssertionError("no one of twenty was allocated to the arm with an assistant")


def test_purge_from_the_command_line_says_whose_time_is_up_and_erases_only_with_yes(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    person = Walker(app, clock).consent().background()
    with app.context.registry.begin(write=False) as unit:
        assert unit.answers(person.id)
    app.close()
    given = {"STUDY_VAR": str(tmp_path / "var"), "STUDY_DATABASE_URL": f"sqlite:///{tmp_path}/study.db"}
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE participants SET enrolled_at = 946684800000, last_seen_at = 946684800000")
    looked = study("purge", ROOT / "study.toml", "--dry-run", "--json", cwd=tmp_path, **given)
    assert json.loads(looked.stdout) == {"participants": [person.id], "done": False}
    done = study("purge", ROOT / "study.toml", "--yes", "--json", cwd=tmp_path, **given)
    assert json.loads(done.stdout) == {"participants": [person.id], "done": True}
    with sqlite3.connect(tmp_path / "study.db") as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    again = study("purge", ROOT / "study.toml", "--yes", cwd=tmp_path, **given)
    assert person.id not in again.stdout


def test_purge_erases_only_whose_time_is_up(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    months = app.study.data.keep_months
    early = Walker(app, clock).consent().background()
    clock.advance(minutes=60 * 24 * 31)
    late = Walker(app, clock).consent().background()
    clock.advance(minutes=60 * 24 * 30.4 * (months - 0.5))
    purge = Purge(app.context, app.session.flow)
    assert purge.due().people == (early.id,)
    assert purge.run("test").people == (early.id,)
    with app.context.registry.begin(write=False) as unit:
        assert unit.answers(early.id) == []
        assert unit.answers(late.id)
        assert [entry.what for entry in unit.audit()][-1] == "purge"
    assert json.dumps(purge.due().to_json()) == '{"participants": [], "done": false}'
    app.close()


def test_months_are_those_of_the_calendar():
    from datetime import UTC, datetime

    assert months_after(datetime(2026, 1, 31, tzinfo=UTC), 1) == datetime(2026, 2, 28, tzinfo=UTC)
    assert months_after(datetime(2026, 11, 27, tzinfo=UTC), 60) == datetime(2031, 11, 27, tzinfo=UTC)
