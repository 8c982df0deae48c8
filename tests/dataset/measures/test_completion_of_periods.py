"""Each period of a sequence has its own completion: with the limit where its tasks were not completed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.measures.visits.periods import periods
from study_app.domain.records import END, Participant, RunRecord, Visit
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "orders", "title": "Orders",
        "arms": [{"id": "plain", "control": True}, {"id": "helped", "assistant": "full"}],
        "assistants": {"full": {"file": "assistants/full.toml"}},
        "allocation": {"method": "sequence", "orders": "all"},
        "stages": [
            {"id": "consent", "kind": "consent"},
            {"id": "first", "kind": "tasks", "minutes": 30, "assistant": True, "packs": ["tasks/a", "tasks/b"]},
            {"id": "second", "kind": "tasks", "minutes": 20, "assistant": True, "packs": ["tasks/c"]},
            {"id": "debrief", "kind": "debrief"},
        ],
    }
)  # fmt: skip


def submitted(stage: str, task: str, minutes: float, passes: bool, **given: Any) -> RunRecord:
    checks = [{"name": "one", "visible": True, "passed": True}, {"name": "two", "visible": False, "passed": passes}]
    usual = {"kind": "submission", "ended_by": "exit", "checks": checks}
    moment = START + timedelta(minutes=minutes)
    return RunRecord(f"{task}{minutes}", "p1", task, stage, code="", started_at=moment, **usual | given)


def rows(*runs: RunRecord, reached: int = 2, status: str = "completed") -> list[dict[str, Any]]:
    person = Participant("p1", "real", "hash", "completed", END, 0, START, START, arm="plain>helped")
    ends = START + timedelta(minutes=30)
    visits = [Visit("p1", stage, START, ended_at=ends) for stage in ("first", "second")[:reached]]
    rest: Any = {"turns": [], "answers": [], "events": [], "ratings": {}, "visits": visits}
    record = ParticipantRecord(participant=person, status=status, study=STUDY, runs=list(runs), **rest)
    return list(periods(record, Content(None)))  # type: ignore[arg-type]


def test_a_program_that_fails_early_counts_with_the_limit_of_its_period():
    done = rows(submitted("first", "a", 4, True), submitted("first", "b", 9, True), submitted("second", "c", 3, False))
    found = [(row["minutes"], row["completed"], row["completion_minutes"]) for row in done]
    assert found == [(9, True, 9), (3, False, 20)]


@pytest.mark.parametrize("runs", [(), (submitted("first", "a", 4, True),)], ids=["nothing", "one of two"])
def test_a_task_that_was_not_handed_in_is_not_completed(runs):
    (row,) = rows(*runs, reached=1)
    assert (row["completed"], row["completion_minutes"]) == (False, 30)


def test_a_period_that_was_never_reached_has_no_row():
    assert [row["period"] for row in rows(reached=1)] == [1]


def test_completion_is_missing_while_a_submission_waits_for_grading():
    (row,) = rows(submitted("first", "a", 4, True, ended_by=None), reached=1)
    assert (row["minutes"], row["completed"], row["completion_minutes"]) == (4, None, None)
