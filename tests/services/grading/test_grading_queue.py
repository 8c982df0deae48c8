"""Grading goes on for everybody: one submission that fails is put aside, named with its reason, and can be retried."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, real_study, table

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, SandboxUnavailable
from study_app.domain.records import Replica
from study_app.domain.tasks.programs import CheckResult, Grade
from study_app.services.grading import submissions as submissions_module
from study_app.services.grading.giving_up import MOST_TRIES
from study_app.services.grading.queue import Pauses, quarantine, retry, with_review, with_verdict, without_verdict
from study_app.services.grading.submissions import submit_late
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export

HOSTILE = 'raise SyntaxError("boo", ("main.py", 10**30, 1, "x"))\n'


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    clock = HandClock()
    app = open_app(tmp_path_factory.mktemp("queue"), clock)
    yield app, clock
    app.close()


@pytest.fixture
def at_tasks(trial):
    app, clock = trial
    return lambda: Walker(app, clock).to_tasks(solve=False).begin_tasks()


def submissions(app, who: str):
    with app.context.registry.begin(write=False) as unit:
        return {run.task: run for run in unit.runs(who) if run.kind == "submission"}


class Sandboxed:
    """A sandbox that fails in its own way for programs with a mark in them, with the isolation that the test sets."""

    def __init__(self, inner, error: Exception | None = None, level: str | None = None, mark: str = "MARK") -> None:
        self.inner, self.error, self.level, self.mark = inner, error, level, mark

    def isolation(self):
        found = self.inner.isolation()
        return replace(found, level=self.level) if self.level else found

    def run(self, program, on_line=None, cancelled=None):
        if self.error is not None and self.mark in program.code:
            raise self.error
        return self.inner.run(program, on_line, cancelled)

    def close(self):
        """The inner one stays."""


@pytest.fixture
def sandboxed(trial):
    app, _ = trial
    inner = app.context.sandbox

    def put(**how):
        app.context.sandbox = Sandboxed(inner, **how)

    yield put
    app.context.sandbox = inner


def test_a_program_with_an_impossible_line_number_is_graded_and_so_are_the_others(trial, at_tasks):
    app, _ = trial
    hostile, honest = at_tasks(), at_tasks()
    hostile.replace_all(HOSTILE)
    hostile.run()
    hostile.submit()
    honest.submit(honest.solution("trio_timer"))
    assert app.grading.grade_pending({honest.id}) > 0
    assert {run.participant_id for run in app.grading.pending()} == {hostile.id}
    app.grading.grade_pending()
    assert app.grading.pending() == []
    bad, good = submissions(app, hostile.id)["trio_timer"], submissions(app, honest.id)["trio_timer"]
    assert (bad.error_type, bad.error_line, bad.ended_by) == ("SyntaxError", None, "exit")
    assert not any(check["passed"] for check in bad.checks)
    assert all(check["passed"] for check in good.checks)
    with app.context.registry.begin(write=False) as unit:
        run = next(run for run in unit.runs(hostile.id) if run.kind == "run")
    assert run.ended_by == "exit"


def test_a_grading_that_fails_is_put_aside_and_the_others_are_graded(trial, at_tasks, sandboxed):
    app, _ = trial
    cursed, honest = at_tasks(), at_tasks()
    cursed.submit("# MARK\n" + cursed.solution("trio_timer"))
    honest.submit(honest.solution("trio_timer"))
    sandboxed(error=ZeroDivisionError("the checks divide by zero"))
    app.grading.grade_pending()
    assert all(check["passed"] for check in submissions(app, honest.id)["trio_timer"].checks)
    put_aside = submissions(app, cursed.id)["trio_timer"]
    assert (put_aside.grading, put_aside.ended_by, list(put_aside.checks)) == ("failed", None, [])
    assert put_aside.grading_reason == "ZeroDivisionError: the checks divide by zero"
    assert put_aside.id in [run.id for run in without_verdict(app.context)]
    assert app.grading.pending() == []  # not tried again every second
    sandboxed()
    retry(app.context, put_aside.id, "anna")
    app.grading.grade_pending()
    graded = submissions(app, cursed.id)["trio_timer"]
    assert (graded.grading, graded.grading_reason, graded.ended_by) == (None, None, "exit")
    assert all(check["passed"] for check in graded.checks)
    with app.context.registry.begin(write=False) as unit:
        assert unit.audit()[-1].what == "retry grading"
    with pytest.raises(NotAllowed):
        retry(app.context, put_aside.id, "anna")


def test_a_run_whose_handling_fails_is_finished_all_the_same(trial, at_tasks, sandboxed):
    app, _ = trial
    person = at_tasks()
    person.replace_all("# MARK\n")
    sandboxed(error=ZeroDivisionError("boo"))
    person.run()
    with app.context.registry.begin(write=False) as unit:
        run = next(run for run in unit.runs(person.id) if run.kind == "run")
    assert (run.ended_by, run.error_message) == ("infrastructure", "ZeroDivisionError: boo")


def test_what_lacks_a_sandbox_stays_pending_and_is_tried_later_each_time(trial, at_tasks, sandboxed):
    app, clock = trial
    person = at_tasks()
    person.submit("# MARK\n" + person.solution("trio_timer"))
    sandboxed(error=SandboxUnavailable("no fork server"))
    waiting = submissions(app, person.id)["trio_timer"].id
    app.grading.grade_pending()
    assert [run.id for run in app.grading.pending()] == [waiting]
    sandboxed()
    app.grading.grade_pending()
    assert [run.id for run in app.grading.pending()] == [waiting]  # its pause is not over
    clock.advance(seconds=3)
    app.grading.grade_pending()
    assert app.grading.pending() == []


def tried_often(app, clock) -> None:
    for _ in range(MOST_TRIES):
        clock.advance(minutes=3)
        app.grading.grade_pending()


def test_what_cannot_be_run_while_other_programs_can_is_put_aside_for_a_person(trial, at_tasks, sandboxed, tmp_path):
    app, clock = trial
    person, honest = at_tasks(), at_tasks()
    person.submit("# MARK\n" + person.solution("trio_timer"))
    honest.submit(honest.solution("trio_timer"))
    sandboxed(error=SandboxUnavailable("the runner ended without a word"))
    tried_often(app, clock)
    assert app.grading.pending() == []
    aside = submissions(app, person.id)["trio_timer"]
    assert all(check["passed"] for check in submissions(app, honest.id)["trio_timer"].checks)
    assert aside.id in [run.id for run in without_verdict(app.context)]
    for part in ("tried 8 times, and each time other programs ran", "the runner ended without a word", "in its replay"):
        assert part in aside.grading_reason
    manifest = export(app.context, tmp_path / "dataset", include_preview=True)
    assert any("put aside without a verdict" in warning for warning in manifest.warnings)
    run = next(row for row in table(tmp_path / "dataset", "runs") if row["run_id"] == aside.id)
    assert (run["grading"], run["grading_reason"], run["ended_by"]) == ("failed", aside.grading_reason, "")
    sandboxed()
    retry(app.context, aside.id, "anna")
    app.grading.grade_pending()
    assert all(check["passed"] for check in submissions(app, person.id)["trio_timer"].checks)


@pytest.mark.slow
def test_while_no_program_can_be_run_nothing_is_put_aside(trial, at_tasks, sandboxed):
    app, clock = trial
    person = at_tasks()
    person.submit(person.solution("trio_timer"))
    sandboxed(error=SandboxUnavailable("no fork server"), mark="")
    for _ in range(2):
        tried_often(app, clock)
    # The warm-up was handed in, too.
    waiting = [(run.participant_id, run.task) for run in app.grading.pending()]
    assert sorted(waiting) == [(person.id, "trio_timer"), (person.id, "warmup")]
    sandboxed()
    clock.advance(minutes=3)
    app.grading.grade_pending()
    assert app.grading.pending() == []


def test_pauses_grow_to_two_minutes_and_end_with_the_grading():
    clock = HandClock()
    pauses = Pauses(clock.now)
    for seconds in (2, 4, 8, 16, 32, 64, 120, 120):
        pauses.failed("a")
        clock.advance(seconds=seconds - 0.5)
        assert not pauses.due("a")
        assert pauses.due("b")
        clock.advance(seconds=0.5)
        assert pauses.due("a")
    pauses.done("a")
    pauses.failed("a")
    clock.advance(seconds=2)
    assert pauses.due("a")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("level", "allowed"), [("weak", "false"), ("weak", "true"), ("off", "false")])
def test_below_the_isolation_that_a_launched_study_accepts_submissions_are_kept_and_wait(tmp_path, level, allowed):
    clock = HandClock()
    said = {"allow_weak_isolation = false": f"allow_weak_isolation = {allowed}"}
    app = open_app(tmp_path, clock, real_study(tmp_path, **said))
    app.lifecycle.launch()
    [link] = app.links.create(count=1)
    person = Walker(app, clock, EntryRequest(link=link.secret)).consent().background()
    person.app.session.begin_stage(person.id, "warmup")
    person.open("warmup")
    inner = app.context.sandbox
    app.context.sandbox = Sandboxed(inner, level=level)
    person.submit(person.solution("warmup"))
    graded = int(allowed == "true")
    assert app.grading.grade_pending() == graded
    assert [run.task for run in app.grading.pending()] == ["warmup"] * (1 - graded)
    assert submissions(app, person.id)["warmup"].ended_by == ("exit" if graded else None)
    app.context.sandbox = inner
    assert app.grading.grade_pending() == 1 - graded
    assert submissions(app, person.id)["warmup"].ended_by == "exit"
    app.close()


def inconclusive() -> Grade:
    checks = (CheckResult("a", True, None), CheckResult("b", False, True))
    return Grade(checks, "real", 1, (1,), "strong", review=("os",), inconclusive="too busy", repeats=5)


def test_without_a_verdict_outcomes_are_missing_and_the_dataset_says_why(trial, at_tasks, tmp_path):
    app, _ = trial
    person = at_tasks().solve_tasks()
    app.grading.grade_pending()
    before = submissions(app, person.id)["trio_users"]
    with app.context.registry.begin() as unit:
        unit.update_run(with_verdict(replace(before, ended_by=None, checks=()), inconclusive()))
    kept = submissions(app, person.id)["trio_users"]
    assert (kept.grading, kept.grading_reason, kept.repeats, kept.ended_by) == ("inconclusive", "too busy", 5, None)
    assert kept.id in [run.id for run in with_review(app.context)]
    out = tmp_path / "dataset"
    export(app.context, out, include_preview=True)
    row = next(row for row in table(out, "participants") if row["participant_id"] == person.id)
    assert {row[name] for name in ("task_completed", "completion_minutes", "checks_passed", "tasks_passed")} == {""}
    run = next(row for row in table(out, "runs") if row["run_id"] == kept.id)
    columns = ("grading", "grading_reason", "repeats", "review")
    assert [run[name] for name in columns] == ["inconclusive", "too busy", "5", "os"]


def test_a_warm_up_that_was_put_aside_is_unknown_in_the_export_and_for_verify(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path))
    app.context.sandbox = Sandboxed(app.context.sandbox, error=ZeroDivisionError("the checks divide by zero"))
    person = Walker(app, clock).consent().background()
    app.session.begin_stage(person.id, "warmup")
    person.open("warmup")
    clock.advance(minutes=4)
    person.submit("# MARK\n" + person.solution("warmup"))
    app.grading.grade_pending()
    export(app.context, tmp_path / "dataset", include_preview=True)
    app.close()
    (row,) = table(tmp_path / "dataset", "participants")
    assert row["warmup_minutes"] != ""
    assert row["warmup_passed"] == ""
    report = verify(tmp_path / "dataset")
    assert "derived_differs" not in report.counts, report.lines()


@pytest.fixture
def handed_in(trial, at_tasks):
    """Return a submission that waits for its grading."""
    person = at_tasks()
    person.submit("print(1)\n")
    return next(iter(submissions(trial[0], person.id).values()))


def test_a_grading_that_fails_does_not_write_over_late_edits(trial, handed_in):
    app, _ = trial
    with app.context.registry.begin() as unit:
        unit.update_run(replace(handed_in, code="print(2)\n"))
    quarantine(app.context, handed_in, ValueError("of the old program"))
    kept = submissions(app, handed_in.participant_id)[handed_in.task]
    assert (kept.code, kept.grading) == ("print(2)\n", None)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("state", ["inconclusive", "failed"])
def test_late_edits_of_a_submission_without_a_verdict_are_graded(trial, handed_in, state):
    app, clock = trial
    place = SimpleNamespace(
        participant=SimpleNamespace(id=handed_in.participant_id),
        stage=SimpleNamespace(id=handed_in.stage),
        now=handed_in.started_at,
    )
    with app.context.registry.begin() as unit:
        unit.update_run(replace(handed_in, grading=state, grading_reason="why", repeats=5, review="os"))
        submit_late(unit, place, handed_in.task, "print(2)\n", clock.now())
        [waiting] = [run for run in unit.ungraded() if run.id == handed_in.id]
    assert (waiting.code, waiting.grading_reason, waiting.repeats, waiting.review) == ("print(2)\n", None, None, "")


@pytest.mark.parametrize("over", [True, False], ids=["it gets done", "it takes longer"])
def test_a_dataset_waits_for_what_another_server_grades(trial, handed_in, monkeypatch, over):
    app, clock = trial
    work = replace(app.context.replicas.mine(handed_in.participant_id, "grading", handed_in.id), replica="other")
    with app.context.registry.begin() as unit:
        unit.beat(Replica("other", "elsewhere", 1, clock.now(), clock.now()))
        unit.begin_work(work)

    def done(seconds: float) -> None:
        with app.context.registry.begin() as unit:
            unit.end_work(work)

    monkeypatch.setattr(submissions_module.time, "sleep", done)
    monkeypatch.setattr(submissions_module, "LONGEST_WAIT", 60.0 if over else 0.0)
    left = app.grading.finish_pending()
    kept = submissions(app, handed_in.participant_id)[handed_in.task]
    assert (left == 0, kept.ended_by) == ((True, "exit") if over else (False, None))
    done(0)
    app.grading.grade_pending()


def test_a_claim_that_this_server_could_not_let_go_keeps_no_submission_waiting(trial, handed_in):
    app, _ = trial
    with app.context.registry.begin() as unit:
        unit.begin_work(app.context.replicas.mine(handed_in.participant_id, "grading", handed_in.id))
    app.grading.grade_pending({handed_in.participant_id})
    assert submissions(app, handed_in.participant_id)[handed_in.task].ended_by == "exit"
