"""A probe stops the clock for the time of its card at most, once, whatever people and servers do."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from random import Random

import pytest
from support.clock import HandClock
from support.trials.export_world import open_app, table
from support.trials.probe_study import asked, at_task, probe_study, stood, visit_of

from study_app.dataset.verification import verify
from study_app.domain.errors import Malformed, NotAllowed, Superseded
from study_app.domain.events.server import ProbeShown
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.probing.asking import ProbeAnswer
from study_app.services.researcher.exporting.export import export
from study_app.storage.event_log import SqlEventLog

FELT = ProbeAnswer(valence=3, arousal=7, calm_desperate=80)


@pytest.fixture(scope="module")
def clock():
    return HandClock()


@pytest.fixture(scope="module")
def app(tmp_path_factory, clock):
    """One study for all: each test has another participant."""
    folder = tmp_path_factory.mktemp("probes")
    app = open_app(folder, clock, probe_study(folder))
    yield app
    app.close()


def test_a_probe_comes_at_its_minute_and_the_clock_stands_until_it_is_answered(app, clock):
    walker = at_task(app, clock)
    clock.advance(seconds=119)
    assert app.probes.show(walker.id, walker.page).shown is None
    clock.advance(seconds=1)
    shown = app.probes.show(walker.id, walker.page)
    assert shown.shown is not None
    assert shown.shown.shown.minute == 2
    assert shown.shown_for == 60
    assert shown.left == (300,), "the probe of minute 5 is due with half of the ten minutes left"
    assert stood(app, walker.id) == 60
    clock.advance(seconds=12)
    done = app.probes.end(walker.id, walker.page, 2, FELT)
    assert done.accepted
    assert done.shown is None
    assert stood(app, walker.id) == 12
    (probe,) = asked(app, walker.id)
    assert probe.answered is not None
    assert (probe.answered.outcome, probe.answered.valence, probe.answered.arousal) == ("answered", 3, 7)
    assert (probe.answered.calm_desperate, probe.seconds) == (80, 12)


def test_the_next_probe_counts_by_the_clock_that_stood_still(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=30)
    app.probes.end(walker.id, walker.page, 2, None)
    clock.advance(minutes=3, seconds=-1)
    assert app.probes.show(walker.id, walker.page).shown is None
    clock.advance(seconds=1)
    second = app.probes.show(walker.id, walker.page).shown
    assert second is not None
    assert second.shown.minute == 5
    first, _ = asked(app, walker.id)
    assert first.answered is not None
    assert first.answered.outcome == "skipped"


def test_a_second_window_a_reload_and_a_second_press_move_the_deadline_once(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    with ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda _: app.probes.show(walker.id, walker.page), range(4)))
    assert any(state.shown for state in shown)
    clock.advance(seconds=20)
    before = walker.page
    walker.open("warmup")
    again = app.probes.show(walker.id, walker.page)
    assert again.shown is not None
    assert again.shown_for == 40
    assert stood(app, walker.id) == 60
    with pytest.raises(Superseded):
        app.probes.end(walker.id, before, 2, FELT)
    assert app.probes.end(walker.id, walker.page, 2, FELT).accepted
    assert not app.probes.end(walker.id, walker.page, 2, FELT).accepted
    assert app.probes.show(walker.id, walker.page).shown is None
    assert stood(app, walker.id) == 20
    assert len(asked(app, walker.id)) == 1


def test_who_does_not_answer_has_the_card_for_a_minute_and_no_more(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=60)
    late = app.probes.end(walker.id, walker.page, 2, FELT)
    assert not late.accepted
    assert stood(app, walker.id) == 60
    assert app.probes.show(walker.id, walker.page).shown is None
    assert asked(app, walker.id)[0].answered is None


def test_who_was_away_is_asked_the_latest_probe_only(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=6)
    shown = app.probes.show(walker.id, walker.page)
    assert shown.shown is not None
    assert shown.shown.shown.minute == 5
    assert shown.left == ()


def test_working_on_ends_the_probe(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=5)
    walker.edit(0, 0, "#")
    assert asked(app, walker.id)[0].answered is None, "what was typed before the card may come so late"
    clock.advance(seconds=1)
    walker.send(("blur", {}), ("hidden", {}), ("visible", {}), ("focus", {}))
    assert asked(app, walker.id)[0].answered is None, "who looks elsewhere does not work on"
    walker.edit(0, 0, "#")
    answered = asked(app, walker.id)[0].answered
    assert answered is not None
    assert answered.outcome == "interrupted"
    assert stood(app, walker.id) == 6


@pytest.mark.parametrize("act", ["run", "submit", "leave", "pause"])
def test_whatever_goes_on_ends_the_probe(app, clock, act):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=10)
    if act == "run":
        walker.run()
    elif act == "submit":
        app.submitting.submit(walker.id, walker.text, walker.page, confirm=True)
    elif act == "leave":
        app.session.withdraw(walker.id, False)
    else:
        app.acts.pause(walker.id, "A call.", "rater")
        with pytest.raises(NotAllowed):
            app.probes.show(walker.id, walker.page)
        clock.advance(minutes=5)
        app.acts.resume(walker.id, "Done.", "rater")
    (probe,) = asked(app, walker.id)
    assert probe.answered is not None
    assert (probe.answered.outcome, probe.seconds) == ("interrupted", 10)
    assert stood(app, walker.id) == (310 if act == "pause" else 10)


def test_a_probe_never_meets_the_deadline(app, clock):
    walker = at_task(app, clock)
    clock.advance(minutes=10, seconds=-2)
    assert app.probes.show(walker.id, walker.page).shown is not None
    clock.advance(seconds=30)
    assert app.session.where(walker.id).participant.stage == "tasks"
    assert app.probes.end(walker.id, walker.page, 5, FELT).accepted
    clock.advance(seconds=1)
    assert app.session.where(walker.id).participant.stage == "tasks"
    clock.advance(seconds=1)
    assert app.session.where(walker.id).participant.stage != "tasks"
    assert visit_of(app, walker.id).ended_by == "deadline"


def test_the_deadline_and_the_record_of_a_probe_are_one_transaction(app, clock, monkeypatch):
    walker = at_task(app, clock)
    clock.advance(minutes=2)

    class Killed(Exception):
        pass

    def extend_then_die(self, who, stage, at, said):
        if isinstance(said, ProbeShown):
            raise Killed
        return record(self, who, stage, at, said)

    record = SqlEventLog.record
    monkeypatch.setattr(SqlEventLog, "record", extend_then_die)
    with pytest.raises(Killed):
        app.probes.show(walker.id, walker.page)
    monkeypatch.undo()
    assert stood(app, walker.id) == 0
    assert asked(app, walker.id) == []


def test_a_server_that_was_killed_shows_the_rest_of_the_card(tmp_path, clock):
    study = probe_study(tmp_path)
    app = open_app(tmp_path, clock, study)
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    app.close()
    clock.advance(seconds=45)
    again = open_app(tmp_path, clock, study)
    assert again.probes.state(walker.id).shown_for == 15
    clock.advance(seconds=15)
    assert again.probes.state(walker.id).shown is None
    assert stood(again, walker.id) == 60
    again.close()


@pytest.mark.parametrize(
    "answer",
    [
        ProbeAnswer(),
        ProbeAnswer(valence=3),
        ProbeAnswer(valence=0, arousal=4),
        ProbeAnswer(valence=4, arousal=10),
        ProbeAnswer(calm_desperate=101),
    ],
)
def test_an_answer_that_the_card_cannot_give_is_refused(app, clock, answer):
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    with pytest.raises(Malformed):
        app.probes.end(walker.id, walker.page, 2, answer)
    assert asked(app, walker.id)[0].answered is None


@pytest.mark.slow
def test_a_probe_of_a_task_waits_for_it(tmp_path, clock):
    second = tmp_path / "tasks" / "again"
    only = '[[probes]]\nat_minutes = [2]\nstages = ["tasks"]\ntasks = ["again"]\n'
    packs = {'packs = ["tasks/warmup"]': 'packs = ["tasks/warmup", "tasks/again"]'}
    study = probe_study(tmp_path, only, **packs)
    shutil.copytree(tmp_path / "tasks" / "warmup", second)
    settings = (second / "task.toml").read_text().replace('id = "warmup"', 'id = "again"')
    (second / "task.toml").write_text(settings)
    app = open_app(tmp_path, clock, study)
    walker = at_task(app, clock)
    clock.advance(minutes=3)
    assert app.probes.state(walker.id).left == ()
    assert app.probes.show(walker.id, walker.page).shown is None
    app.submitting.submit(walker.id, walker.text, walker.page, confirm=True)
    shown = app.probes.show(walker.id, walker.page).shown
    assert shown is not None
    assert shown.shown.task == "again"
    app.close()


def wander(app, clock, rng: Random) -> tuple[str, float]:
    """One person who does anything; returns who, and the seconds for which their clock ran."""
    walker = at_task(app, clock)
    pages = [walker.page]
    while app.session.where(walker.id).participant.stage == "tasks":
        deed = rng.choice(["wait", "wait", "show", "show", "answer", "skip", "edit", "reload", "old page", "run"])
        try:
            if deed == "wait":
                clock.advance(seconds=rng.choice([1, 7, 30, 61, 100]))
            elif deed == "show":
                app.probes.show(walker.id, walker.page)
            elif deed == "old page":
                app.probes.show(walker.id, pages[0])
            elif deed in ("answer", "skip"):
                app.probes.end(walker.id, walker.page, rng.choice([2, 5]), FELT if deed == "answer" else None)
            elif deed == "edit":
                walker.edit(0, 0, "#")
            elif deed == "reload":
                walker.open("warmup")
                pages.append(walker.page)
            else:
                walker.run()
        except Superseded:
            pass
    visit = visit_of(app, walker.id)
    assert visit.ended_at is not None
    total = (visit.ended_at - visit.started_at).total_seconds()
    return walker.id, total - sum(probe.seconds for probe in asked(app, walker.id))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))])
def test_no_one_gains_or_loses_time_by_probes_whatever_they_do(tmp_path, clock, seed):
    app = open_app(tmp_path, clock, probe_study(tmp_path))
    who, ran = wander(app, clock, Random(seed))
    assert ran == pytest.approx(600, abs=0.01)
    assert len({probe.shown.minute for probe in asked(app, who)}) == len(asked(app, who)) <= 2
    assert stood(app, who) <= 120
    export(app.context, tmp_path / "out", include_preview=True)
    app.close()
    (visit,) = [row for row in table(tmp_path / "out", "visits") if row["stage"] == "tasks"]
    rows = table(tmp_path / "out", "probes")
    assert float(visit["paused_seconds"]) == pytest.approx(sum(float(row["seconds"]) for row in rows), abs=0.01)
    (person,) = table(tmp_path / "out", "participants")
    assert float(person["task_minutes"]) <= 10
    assert {finding.name for finding in verify(tmp_path / "out").findings} <= {"probe_not_shown", "edits_unapplied"}


def test_a_page_that_is_drawn_as_its_time_is_up_does_not_fail_for_what_others_write(app, clock, monkeypatch):
    walker = at_task(app, clock)
    real = ParticipantFlow.end_overdue
    with app.context.registry.begin(write=False) as unit:
        before = unit.known_participant(walker.id).stage
    clock.advance(minutes=60)

    def write() -> None:
        with app.context.registry.begin() as unit:
            unit.set_meta("beside", "written")

    with ThreadPoolExecutor(1) as pool:

        def meanwhile(*given):
            wait([pool.submit(write)], timeout=1)
            return real(*given)

        monkeypatch.setattr(ParticipantFlow, "end_overdue", meanwhile)
        assert app.probes.state(walker.id).place.participant.stage != before
