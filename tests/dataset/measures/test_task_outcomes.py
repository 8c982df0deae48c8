"""Outcomes of the tasks: missing until they are settled, and counted over all tasks, also those not handed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.measures.tasks import runs_and_errors, stage_minutes, task_outcomes
from study_app.domain.records import END, Participant, RunRecord, Visit
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "tasks", "title": "Tasks", "arms": [{"id": "plain", "control": True}],
        "allocation": {"method": "simple"},
        "stages": [
            {"id": "consent", "kind": "consent"},
            {"id": "work", "kind": "tasks", "minutes": 30, "packs": ["tasks/first", "tasks/second"]},
            {"id": "debrief", "kind": "debrief"},
        ],
    }
)  # fmt: skip
CHECKS = {"tasks/first": 2, "tasks/second": 3}


class Packs:
    """A library in which a task has that many checks."""

    def __init__(self, checks: dict[str, int]) -> None:
        self.checks = checks

    def pack(self, folder: str) -> Any:
        return SimpleNamespace(checks=[None] * self.checks[folder]) if folder in self.checks else next(iter(()))


def submitted(task: str, minutes: float = 10, *passed: bool, **given: Any) -> RunRecord:
    checks = [{"name": str(number), "visible": number == 0, "passed": each} for number, each in enumerate(passed)]
    usual = {"kind": "submission", "ended_by": "exit", "checks": checks}
    moment = START + timedelta(minutes=minutes)
    return RunRecord(f"{task}{minutes}", "p1", task, "work", code="", started_at=moment, **usual | given)


def record(*runs: RunRecord, ended: bool = True, status: str = "completed", **given: Any) -> ParticipantRecord:
    person = Participant("p1", "real", "hash", "completed", END, 0, START, START, arm="plain")
    visit = Visit("p1", "work", START, ended_at=START + timedelta(minutes=30) if ended else None)
    usual = {"visits": [visit], "turns": [], "answers": [], "events": [], "ratings": {}}
    return ParticipantRecord(participant=person, status=status, study=STUDY, runs=list(runs), **usual | given)


def outcomes(*runs: RunRecord, checks: dict[str, int] = CHECKS, **given: Any) -> dict[str, Any]:
    return task_outcomes(record(*runs, **given), Content(Packs(checks)))  # type: ignore[arg-type]


BOTH = submitted("first", 10, True, True), submitted("second", 20, True, True, True)


def test_who_passes_every_check_of_every_task_completes_them_in_the_time_to_the_last_submission():
    assert outcomes(*BOTH) == {
        "task_minutes": 20.0, "task_completed": True, "completion_minutes": 20.0, "completion_event": True,
        "tasks_passed": 2, "checks_passed": 5, "checks_total": 5,
    }  # fmt: skip


def test_who_fails_a_check_has_not_completed_and_counts_with_the_limit():
    found = outcomes(submitted("first", 10, True, False), BOTH[1])
    assert (found["task_minutes"], found["task_completed"]) == (20.0, False)
    assert (found["completion_minutes"], found["completion_event"]) == (30.0, False)
    assert (found["tasks_passed"], found["checks_passed"], found["checks_total"]) == (1, 4, 5)


@pytest.mark.parametrize("waiting", [0, 1])
def test_while_one_submission_waits_for_grading_no_outcome_of_checks_is_known(waiting):
    runs = list(BOTH)
    runs[waiting] = submitted(runs[waiting].task, 10 * (waiting + 1), ended_by=None)
    assert set(outcomes(*runs)) == {"task_minutes"}


def test_before_the_stage_is_over_no_outcome_is_known():
    assert set(outcomes(*BOTH, ended=False, status="in_progress")) == {"task_minutes"}


def test_checks_of_a_task_that_was_not_handed_in_count_in_the_total():
    found = outcomes(BOTH[0])
    assert (found["checks_passed"], found["checks_total"], found["tasks_passed"]) == (2, 5, 1)
    # Of an earlier version whose pack is gone it is not known how many there were; what was graded is.
    gone = {"tasks/first": 2}
    assert outcomes(BOTH[0], checks=gone)["checks_total"] is None
    assert outcomes(*BOTH, checks={})["checks_total"] == 5


def test_who_was_allocated_and_left_before_the_tasks_counts_as_not_completed_at_the_limit():
    found = outcomes(visits=[], status="abandoned")
    assert (found["task_minutes"], found["completion_minutes"], found["tasks_passed"]) == (None, 30.0, 0)
    assert found["completion_event"] is False


def test_a_second_submission_of_a_task_replaces_the_first():
    found = outcomes(submitted("first", 5, False, False), *BOTH)
    assert (found["checks_passed"], found["checks_total"]) == (5, 5)


def test_programs_that_pass_only_what_they_could_see_are_noted_where_any_was_judged():
    blind = submitted("second", 20, True, False, visible_only_pass=True)
    assert outcomes(submitted("first", 10, True, True, visible_only_pass=False), blind)["visible_only_pass"] is True
    seen = [submitted(run.task, 10, True, visible_only_pass=False) for run in BOTH]
    assert outcomes(*seen)["visible_only_pass"] is False
    assert "visible_only_pass" not in outcomes(*BOTH)
    assert "visible_only_pass" not in outcomes(blind, submitted("first", ended_by=None))


def test_minutes_of_a_stage_end_at_its_limit_and_never_lie_below_zero():
    [stage] = STUDY.main_task_stages
    assert stage_minutes(record(), stage, [submitted("first", 12), submitted("second", 7)]) == 12.0
    assert stage_minutes(record(), stage, [submitted("first", 31)]) == 30.0
    assert stage_minutes(record(), stage, [submitted("first", -1)]) == 0.0
    assert stage_minutes(record(), stage, []) is None
    assert stage_minutes(record(visits=[]), stage, [submitted("first")]) is None


def test_runs_are_presses_of_run_and_their_errors_those_of_the_program():
    pressed = [
        submitted("first", 1, kind="run"),
        submitted("first", 2, kind="run", error_type="ValueError"),
        submitted("second", 3, kind="run", error_type="KeyError"),
        submitted("second", 4, kind="agent", error_type="NameError"),
        submitted("second", 5, error_type="TypeError"),
    ]
    assert runs_and_errors(record(*pressed)) == {"runs": 3, "errors": 2, "first_error_type": "ValueError"}
    assert runs_and_errors(record()) == {"runs": 0, "errors": 0, "first_error_type": None}
    assert runs_and_errors(record(visits=[])) == {}
