"""What is known before allocation: scores of surveys, the warm-up, and for how long a stage's clock stood still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from study_app.dataset.measures.baseline import all_passed, clock_stood, derived_scores, survey_values, warmup
from study_app.domain.events import Event
from study_app.domain.records import Answer, RunRecord, Visit
from study_app.domain.study.sections import Stage

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
KNOWN = {"kind": "scale", "prompt": "?", "low": 0, "high": 3}
SURVEY = Stage.model_validate(
    {
        "id": "checks", "kind": "survey", "scores": [{"id": "right", "of": ["a", "b"]}],
        "questions": [KNOWN | {"id": "a", "correct": 1}, KNOWN | {"id": "b", "correct": 2}, KNOWN | {"id": "c"}],
    }
)  # fmt: skip
WARMUP = Stage.model_validate(
    {"id": "warmup", "kind": "tasks", "main": False, "minutes": 10, "packs": ["tasks/first", "tasks/second"]}
)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("given", "right"),
    [({}, None), ({"c": 1}, None), ({"a": 1}, 1), ({"a": 0}, 0), ({"a": 1, "b": 2}, 2), ({"a": 1, "b": 1}, 1),
     ({"a": None, "b": 2}, 1)],
)  # fmt: skip
def test_a_score_counts_right_answers_and_is_missing_without_any_answer(given, right):
    assert derived_scores(SURVEY, given) == {"right": right}


def test_items_of_a_quiz_are_not_answers_to_a_survey():
    class OneSurvey:
        stages = (SURVEY,)

    answers = [Answer("p1", "checks", "a", 1), Answer("p1", "quiz", "b", 2, bank="keyed")]
    assert survey_values(OneSurvey(), answers) == {"a": 1, "b": None, "c": None, "right": 1}  # type: ignore[arg-type]


TASKS = {1: "first", 2: "second"}


def submitted(number: int, minutes: float, *, passed: tuple[bool, ...] = (True, True), **given: Any) -> RunRecord:
    checks = [{"name": str(name), "visible": True, "passed": each} for name, each in enumerate(passed)]
    usual: dict[str, Any] = {"stage": "warmup", "kind": "submission", "checks": checks}
    return RunRecord(str(number), "p1", TASKS[number], code="", started_at=after(minutes), **usual | given)


VISIT = Visit("p1", "warmup", START)


def test_the_warm_up_lasts_from_its_opening_to_the_last_submission_without_the_time_of_a_stopped_clock():
    runs = [submitted(1, 2), submitted(2, 6)]
    assert warmup(WARMUP, VISIT, runs) == {"warmup_minutes": 6.0, "warmup_passed": 1}
    assert warmup(WARMUP, VISIT, runs, stood=60.0)["warmup_minutes"] == 5.0
    assert warmup(WARMUP, VISIT, runs, stood=600.0)["warmup_minutes"] == 0.0
    # At most the stage's limit.
    assert warmup(WARMUP, VISIT, [submitted(1, 11)])["warmup_minutes"] == 10.0
    missing = {"warmup_minutes": None, "warmup_passed": None}
    assert warmup(WARMUP, None, runs) == missing
    assert warmup(WARMUP, VISIT, []) == missing
    # Neither runs nor submissions elsewhere belong to it.
    assert warmup(WARMUP, VISIT, [submitted(1, 2, kind="run"), submitted(2, 2, stage="work")]) == missing


@pytest.mark.parametrize(
    ("runs", "passed"),
    [
        ([submitted(1, 2), submitted(2, 3)], 1),
        ([submitted(1, 2)], 0),
        ([submitted(1, 2), submitted(2, 3, passed=(True, False))], 0),
        ([submitted(1, 2), submitted(2, 3, passed=())], 0),
        # Without a verdict it is unknown.
        ([submitted(1, 2), submitted(2, 3, grading="failed")], None),
    ],
)
def test_the_warm_up_is_passed_with_every_check_of_every_task(runs, passed):
    assert warmup(WARMUP, VISIT, runs)["warmup_passed"] == passed
    assert all_passed(runs[0])


def test_of_a_warm_up_that_was_reopened_the_last_submission_of_each_task_counts():
    cut_off = [submitted(1, 2), submitted(2, 10, passed=(True, False))]
    assert warmup(WARMUP, VISIT, [*cut_off, submitted(2, 14)], stood=300.0) == {
        "warmup_minutes": 9.0, "warmup_passed": 1,
    }  # fmt: skip
    assert warmup(WARMUP, VISIT, [*cut_off, submitted(2, 14, passed=(False, True))])["warmup_passed"] == 0
    # One task handed in twice is not two tasks, and a verdict on the first that is missing matters no more.
    assert warmup(WARMUP, VISIT, [submitted(1, 2), submitted(1, 14)])["warmup_passed"] == 0
    ungraded = submitted(2, 10, grading="failed")
    assert warmup(WARMUP, VISIT, [submitted(1, 2), ungraded, submitted(2, 14)])["warmup_passed"] == 1


def extended(minutes: float, stage: str = "work") -> Event:
    return Event("p1", "server", 1, "deadline_extended", stage, after(3), payload={"minutes": minutes})


def test_a_clock_stood_still_for_what_the_deadline_moved_but_for_what_researchers_gave():
    moved = Visit("p1", "work", START, deadline_at=after(14))
    assert clock_stood(moved, 10, []) == 240.0
    assert clock_stood(moved, 10, [extended(3)]) == 60.0
    assert clock_stood(moved, 10, [extended(3), extended(1, "other")]) == 60.0
    assert clock_stood(moved, 10, [extended(3), extended(2)]) == 0.0
    assert clock_stood(moved, None, []) is None
    assert clock_stood(Visit("p1", "work", START), 10, []) is None
