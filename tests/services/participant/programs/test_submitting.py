"""Submit tries the visible examples as Run does: one program of a person at a time, and where programs may run."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from support.trials.console_trial import Trial

from study_app.bootstrap import start
from study_app.domain.errors import InfrastructureError
from study_app.domain.tasks.programs import Isolation
from study_app.services.participant.programs.submitting import SubmissionInProgress, Submitted

LONG = 30.0
"""Seconds after which a test that waits has failed."""


class Holding:
    """A sandbox whose programs last until a test lets them end; what they do is of no matter here."""

    def __init__(self, level: str = "strong") -> None:
        self.level = level
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.programs = 0

    def isolation(self) -> Isolation:
        return Isolation(self.level, f"{self.level} here")

    def run(self, *args, **kwargs):
        self.programs += 1
        self.begun.release()
        assert self.free.wait(LONG), "the test has let no program end"
        raise RuntimeError("no verdict: the test is over")

    def close(self) -> None:
        self.free.set()


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    made.app.context.sandbox = Holding()
    yield made
    made.app.context.sandbox.free.set()
    made.close()


def until(true) -> bool:
    end = time.monotonic() + LONG
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def on_tasks(trial: Trial) -> str:
    who = trial.enter()
    trial.to_tasks(who)
    trial.app.session.begin_stage(who, "tasks")
    return who


def test_examples_are_tried_on_one_program_of_a_person_at_a_time(trial):
    who, other = on_tasks(trial), on_tasks(trial)
    sandbox, submit = trial.app.context.sandbox, trial.app.submitting.submit
    with ThreadPoolExecutor(2) as pool:
        try:
            first = pool.submit(submit, who, "print(1)\n")
            assert sandbox.begun.acquire(timeout=LONG)
            for code in ("print(1)\n", "print(2)\n"):
                with pytest.raises(SubmissionInProgress, match="being checked already"):
                    submit(who, code)
            assert trial.app.work.waiting == 1
            # No other person waits for them, and what needs no example is taken.
            second = pool.submit(submit, other, "print(1)\n")
            assert until(lambda: trial.app.work.waiting == 2)
            assert submit(who, "print(3)\n", confirm=True) == Submitted(True)
        finally:
            sandbox.free.set()
        assert first.result(LONG) == second.result(LONG) == Submitted(True)
    assert trial.app.work.waiting == 0
    with trial.app.context.registry.begin(write=False) as unit:
        codes = [run.code for run in unit.runs(who) if run.kind == "submission" and run.task == "trio_timer"]
    assert codes == ["print(3)\n"]


def test_after_the_examples_were_tried_the_next_program_may_be_submitted(trial):
    who = on_tasks(trial)
    trial.app.context.sandbox.free.set()
    for task in trial.app.study.stage("tasks").packs:
        assert trial.app.submitting.submit(who, f"print('{task}')\n") == Submitted(True)
    assert trial.at(who) == "quiz"


@pytest.mark.parametrize("level", ["weak", "off"])
def test_a_submission_is_kept_and_runs_nothing_while_programs_are_isolated_too_little(trial, level):
    who = on_tasks(trial)
    assert not trial.app.study.sandbox.allow_weak_isolation
    sandbox = trial.app.context.sandbox
    sandbox.level = level
    sandbox.free.set()
    assert trial.app.submitting.submit(who, "print(1)\n") == Submitted(True)
    assert sandbox.programs == 0
    with trial.app.context.registry.begin(write=False) as unit:
        [kept] = [run for run in unit.runs(who) if run.task == "trio_timer"]
    assert (kept.kind, kept.code, kept.ended_by) == ("submission", "print(1)\n", None)
    assert kept.id in [run.id for run in trial.app.grading.pending()]
    sandbox.level = "strong"
    trial.clock.advance(seconds=5)
    trial.app.submitting.submit(who, "print(2)\n")
    assert sandbox.programs > 0


@pytest.fixture
def pair(tmp_path, postgres_url_with_tables):
    """A trial, and a second server of it."""
    made = Trial(tmp_path, database=postgres_url_with_tables)
    other = start(made.settings, clock=made.clock, sandbox=Holding())
    made.app.context.sandbox = Holding()
    yield made, other
    for each in (made.app, other):
        each.context.sandbox.free.set()
    other.close()
    made.close()


def test_examples_are_tried_on_one_program_of_a_person_at_a_time_also_at_two_servers(pair):
    trial, other = pair
    who, sandbox = on_tasks(trial), trial.app.context.sandbox
    with ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(trial.app.submitting.submit, who, "print(1)\n")
            assert sandbox.begun.acquire(timeout=LONG)
            with pytest.raises(SubmissionInProgress, match="being checked already"):
                other.submitting.submit(who, "print(2)\n")
        finally:
            sandbox.free.set()
        assert first.result() == Submitted(True)
    assert other.context.sandbox.programs == 0
    other.context.sandbox.free.set()
    assert other.submitting.submit(who, "print(2)\n") == Submitted(True), "what is over holds no one up"
    assert other.context.sandbox.programs > 0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def kept(request, tmp_path):
    """A trial on either database."""
    postgres = request.param == "postgres"
    made = (
        Trial(tmp_path, database=request.getfixturevalue("postgres_url_with_tables")) if postgres else Trial(tmp_path)
    )
    made.app.context.sandbox = Holding()
    yield made
    made.app.context.sandbox.free.set()
    made.close()


def works(trial: Trial) -> list[str]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [work.kind for work in unit.works()]


def test_a_claim_whose_connection_is_cut_after_its_commit_does_not_keep_the_next_press_waiting(kept, monkeypatch):
    who, submitting, registry = on_tasks(kept), kept.app.submitting, kept.app.context.registry
    begin, take = registry.begin, kept.app.context.replicas.take
    claimed = []

    @contextmanager
    def cut(*, write: bool = True):
        with begin(write=write) as unit:
            yield unit
        if claimed and not claimed.pop():
            raise InfrastructureError("the connection was cut")

    def taking(unit, work) -> bool:
        claimed.append(False)
        return take(unit, work)

    kept.app.context.sandbox.free.set()
    with monkeypatch.context() as patch:
        patch.setattr(registry, "begin", cut)
        patch.setattr(kept.app.context.replicas, "take", taking)
        with pytest.raises(InfrastructureError, match="cut"):
            submitting.submit(who, "print(1)\n")
    assert works(kept) == ["submission"]
    assert submitting.submit(who, "print(1)\n") == Submitted(True)
    assert works(kept) == []


def test_a_look_ends_the_claims_of_this_server_that_are_not_at_work_and_no_others(kept):
    who, other = on_tasks(kept), on_tasks(kept)
    replicas, sandbox = kept.app.context.replicas, kept.app.context.sandbox
    with kept.app.context.registry.begin() as unit:
        assert replicas.take(unit, replicas.mine(other, "submission", "w"))
    with ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(kept.app.submitting.submit, who, "print(1)\n")
            assert sandbox.begun.acquire(timeout=LONG)
            assert works(kept) == ["submission", "submission"]
            kept.app.taking_over.tick()
            assert works(kept) == ["submission"]
            with pytest.raises(SubmissionInProgress):
                kept.app.submitting.submit(who, "print(2)\n")
        finally:
            sandbox.free.set()
        assert first.result(LONG) == Submitted(True)
    assert works(kept) == []


@pytest.mark.slow
def test_a_submit_of_a_server_that_is_gone_holds_no_one_up(pair):
    trial, other = pair
    who = on_tasks(trial)
    with other.context.registry.begin() as unit:
        assert other.context.replicas.take(unit, other.context.replicas.mine(who, "submission", "w"))
    submit = trial.app.submitting.submit
    with pytest.raises(SubmissionInProgress):
        submit(who, "print(1)\n")
    for _ in range(12):
        trial.clock.advance(seconds=1)
        trial.app.taking_over.tick()
    trial.app.context.sandbox.free.set()
    assert submit(who, "print(1)\n") == Submitted(True)
