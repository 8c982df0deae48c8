"""A launched study whose isolation falls below what its file accepts pauses, and goes on when it is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.clock import HandClock
from support.trials.export_world import EntryRequest, Walker, open_app, real_study

from study_app.domain.tasks.programs import Isolation
from study_app.services.operation.isolation_watch import FELL, LOOK_AGAIN, LOOK_SOON, RECOVERED, STEP


class Falling:
    """The real sandbox, with a level that a test sets."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self.level = "strong"

    def isolation(self):
        return replace(self._sandbox.isolation(), level=self.level, message=f"{self.level} here")

    def run(self, *given, **named):
        return self._sandbox.run(*given, **named)

    def close(self):
        self._sandbox.close()


@pytest.fixture
def trial(tmp_path):
    clock = HandClock()
    study = real_study(tmp_path)
    study.write_text(study.read_text().replace("allow_weak_isolation = true", "allow_weak_isolation = false"))
    app = open_app(tmp_path, clock, study)
    sandbox = app.context.sandbox = Falling(app.context.sandbox)
    app.lifecycle.launch()
    (link,) = app.links.create(labels=["p@example.org"])
    person = Walker(app, clock, EntryRequest(link=link.secret)).to_tasks(solve=False).begin_tasks()
    yield app, clock, sandbox, person
    app.close()


def deadline(app, person):
    return app.session.peek(person.id).deadline_at


@pytest.mark.sampled(2)
@pytest.mark.parametrize("level", ["weak", "off"])
def test_the_clock_stands_still_and_goes_on(trial, level):
    app, clock, sandbox, person = trial
    app.isolation_watch.check()
    before, began = deadline(app, person), clock.now()
    sandbox.level = level
    for _ in range(60):
        clock.advance(seconds=1)
        app.isolation_watch.check()
        app.session.sweep()
    sandbox.level = "strong"
    app.isolation_watch.check()
    moved = deadline(app, person) - before
    assert clock.now() - began <= moved <= clock.now() - began + STEP
    after = deadline(app, person)
    clock.advance(seconds=30)
    app.isolation_watch.check()
    assert deadline(app, person) == after
    with app.context.registry.begin(write=False) as unit:
        acts = [entry.what for entry in unit.audit() if entry.what in (FELL, RECOVERED)]
        lost = sum(e.payload["seconds"] for e in unit.events(person.id) if e.kind == "outage")
    assert acts == [FELL, RECOVERED]
    assert lost == moved.total_seconds()


def test_a_paused_study_looks_again_soon_for_what_was_met_may_be_over(trial):
    """A fork server that is killed while the canaries run looks like a machine that isolates nothing."""
    app, clock, sandbox, _ = trial
    looks = []

    def look_again():
        looks.append(clock.now())
        sandbox.level = "off" if len(looks) == 1 else "strong"

    sandbox.look_again = look_again
    began = clock.now()
    while len(looks) < 2 and clock.now() - began < LOOK_AGAIN + timedelta(minutes=5):
        clock.advance(seconds=1)
        app.isolation_watch.check()
    assert looks[1] - looks[0] <= LOOK_SOON + STEP
    with app.context.registry.begin(write=False) as unit:
        acts = [entry.what for entry in unit.audit() if entry.what in (FELL, RECOVERED)]
    assert acts == [FELL, RECOVERED]


def test_health_says_so_programs_wait_and_a_submission_is_kept(trial):
    app, clock, sandbox, person = trial
    sandbox.level = "weak"
    app.isolation_watch.check()
    report = app.health.check()
    assert report.paused
    assert "less isolated (weak)" in report.alerts[-1]
    person.run()
    with app.context.registry.begin(write=False) as unit:
        assert unit.runs(person.id)[-1].ended_by == "infrastructure"
    person.submit("print('kept')")
    app.grading.grade_pending()
    with app.context.registry.begin(write=False) as unit:
        (waiting,) = [run for run in unit.runs(person.id) if run.kind == "submission" and run.code == "print('kept')"]
    assert waiting.ended_by is None
    sandbox.level = "strong"
    app.isolation_watch.check()
    app.grading.grade_pending()
    with app.context.registry.begin(write=False) as unit:
        assert [run for run in unit.runs(person.id) if run.id == waiting.id][0].ended_by is not None


def test_a_draft_is_never_paused(tmp_path):
    app = open_app(tmp_path, HandClock())
    app.context.sandbox = Falling(app.context.sandbox)
    app.context.sandbox.level = "weak"
    app.isolation_watch.check()
    assert not app.health.check().paused
    app.close()


def test_canaries_are_run_again_while_programs_go_on():
    from study_app.domain.tasks.programs import Program
    from study_app.sandbox.local import LocalSandbox

    sandbox = LocalSandbox()
    first: Isolation = sandbox.isolation()
    assert sandbox.look_again().level == first.level
    assert sandbox.run(Program("print(1)")).stdout == "1\n"
    sandbox.close()


def test_only_stages_with_tasks_of_real_people_and_previews_stand_still(trial):
    """A quiz can be answered throughout, and simulated people have their own clock."""
    app, clock, sandbox, person = trial
    (link,) = app.links.create(labels=["q@example.org"])
    quizzed = Walker(app, clock, EntryRequest(link=link.secret)).to_tasks(solve=False).begin_tasks()
    for number, _ in enumerate(app.study.stage("tasks").packs):
        clock.advance(seconds=5)
        app.submitting.submit(quizzed.id, f"x = {number}\n", confirm=True)
    app.session.begin_stage(quizzed.id, "quiz")
    simulated = Walker(app, clock, kind="simulated").to_tasks(solve=False).begin_tasks()
    before = {each.id: deadline(app, each) for each in (person, quizzed, simulated)}
    assert app.session.peek(quizzed.id).participant.stage == "quiz"
    assert None not in before.values()
    sandbox.level = "weak"
    app.isolation_watch.check()
    moved = {each.id: deadline(app, each) - before[each.id] for each in (person, quizzed, simulated)}
    assert moved == {person.id: STEP, quizzed.id: STEP * 0, simulated.id: STEP * 0}
    with app.context.registry.begin(write=False) as unit:
        assert not [e for one in (quizzed, simulated) for e in unit.events(one.id) if e.kind == "outage"]
