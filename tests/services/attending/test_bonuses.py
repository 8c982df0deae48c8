"""What a bonus counts: each kind of rule by the rows of those who earned it, and nothing while one of them waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.trials.console_trial import Trial

from study_app.services.attending.paying import NOT_SCORED, payments

RULES = {
    "quiz_points": ("quiz_points", 0.5),
    "tasks_passed": ("tasks_passed", 2),
    "sessions_completed": ("sessions_completed", 1.25),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a function that gives a trial with a rule and a participant who has finished it."""
    made: list[Trial] = []

    def make(*rules: str) -> tuple[Trial, str]:
        tables = "".join(
            f'\n[[recruitment.bonus]]\nper = "{per}"\namount = {amount}\n' for per, amount in map(RULES.get, rules)
        )
        made.append(Trial(tmp_path_factory.mktemp("bonus"), launched=True, extra=tables))
        who = made[-1].enter()
        made[-1].to_tasks(who)
        made[-1].finish(who)
        return made[-1], who

    yield make
    for each in made:
        each.close()


def settle(trial: Trial, who: str, points: list[float | None], passed: list[bool | None]) -> None:
    """Score the first answers of the quiz and grade the tasks so; every other answer has no points."""
    with trial.app.context.registry.begin() as unit:
        items = [answer for answer in unit.answers(who) if answer.bank]
        for answer, given in zip(items, [*points, *[0.0] * len(items)], strict=False):
            unit.set_points(replace(answer, points=given))
        runs = [run for run in unit.runs(who) if run.kind == "submission" and run.stage == "tasks"]
        assert len(runs) == len(passed)
        for run, ok in zip(runs, passed, strict=True):
            checks = () if ok is None else ({"name": "a", "visible": True, "passed": ok},)
            unit.update_run(replace(run, checks=checks, ended_by=None if ok is None else "exit"))


def bonus(trial: Trial) -> tuple[float | None, str]:
    with trial.app.context.registry.begin(write=False) as unit:
        [paid] = payments(trial.app.context, unit)
    return paid.bonus, paid.note


@pytest.mark.parametrize(
    ("rules", "points", "passed", "expected"),
    [
        (["quiz_points"], [1.0, 2.0], [True, True], 1.5),
        (["quiz_points"], [1.0, None], [True, True], None),
        # Of another rule nothing is waited for.
        (["quiz_points"], [1.0], [None, None], 0.5),
        (["tasks_passed"], [None], [True, False], 2.0),
        (["tasks_passed"], [], [True, True], 4.0),
        (["tasks_passed"], [], [True, None], None),
        (["sessions_completed"], [None], [None, None], 1.25),
        (["quiz_points", "tasks_passed", "sessions_completed"], [3.0], [False, True], 1.5 + 2.0 + 1.25),
    ],
)
def test_a_bonus_counts_what_its_rule_says_and_waits_for_what_is_not_scored(finished, rules, points, passed, expected):
    trial, who = finished(*rules)
    settle(trial, who, points, passed)
    assert bonus(trial) == (expected, NOT_SCORED if expected is None else "")
