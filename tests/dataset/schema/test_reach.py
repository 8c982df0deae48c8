"""Cuts, margins, ends and groups against the values that a column can reach, at the edge and beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.dataset.schema.columns import Column
from study_app.dataset.schema.plan_fit import Measured, late_problems, limits, near, plan_problems
from study_app.dataset.schema.reach import plan_reach_problems, reach_problems, subgroup_warnings
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.study import Study

COLUMNS = {
    column.name: column
    for column in (
        Column("years", "integer", "Years", low=0, high=10),
        Column("felt", "integer", "Felt", levels=("-1", "0", "1")),
        Column("role", "text", "Role", levels=("dev", "1")),
        Column("open", "number", "Open", low=0),
    )
}
FIRST: list[dict[str, Any]] = [
    {"id": "years", "kind": "number", "prompt": "?", "low": 0, "high": 10},
    {"id": "fits", "kind": "choice", "prompt": "?", "eligible": ["dev"],
     "options": [{"value": "dev", "label": "a"}, {"value": "sci", "label": "b"}]},
    {"id": "three", "kind": "scale", "prompt": "?", "low": 0, "high": 7, "eligible": [3]},
]  # fmt: skip


def study(allocation: dict[str, Any] | None = None, more: dict[str, Any] | None = None, **plan: Any) -> Study:
    usual: dict[str, Any] = {"covariates": [], "subgroups": [], "outcomes": [{"id": "years", "kind": "continuous"}]}
    return Study.model_validate(
        {
            "schema": "study/1", "id": "reached", "title": "Reached", "analysis": usual | plan,
            "allocation": allocation or {"method": "simple"},
            "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
            "stages": [
                {"id": "consent", "kind": "consent"},
                {"id": "fitting", "kind": "eligibility", "questions": FIRST},
                {"id": "warmup", "kind": "tasks", "main": False, "minutes": 15, "packs": ["tasks/warmup"]},
                {"id": "instructions", "kind": "instructions"},
                {"id": "work", "kind": "tasks", "minutes": 35, "packs": ["tasks/one"]},
                {"id": "debrief", "kind": "debrief"},
            ],
        }
        | (more or {})
    )  # fmt: skip


def keys(made: Study) -> list[str]:
    return [
        problem.key.removeprefix("analysis.")
        for problem in reach_problems(made, COLUMNS, {"quiz_points": 20.0}, "study.toml")
    ]


def strata(name: str, *cuts: float) -> dict[str, Any]:
    return {"method": "stratified_blocks", "strata": [{"variable": name, "cuts": list(cuts)}]}


@pytest.mark.parametrize(
    ("allocation", "wrong"),
    [
        (strata("years", 1, 10), []),
        (strata("years", 0), ["allocation.strata.years.cuts"]),
        (strata("years", 10.5), ["allocation.strata.years.cuts"]),
        (strata("quiz_points", 20), []),
        (strata("quiz_points", 21), ["allocation.strata.quiz_points.cuts"]),
        (strata("felt", 0), []),
        (strata("felt", -1), ["allocation.strata.felt.cuts"]),
        # What has no known end is not judged, nor what has words among its levels.
        (strata("open", 900), []),
        (strata("role", 900), []),
        (strata("fits"), ["allocation.strata.fits"]),
        (strata("three", 3), ["allocation.strata.three"]),
        ({"method": "minimisation", "factors": ["fits"]}, ["allocation.factors.fits"]),
        (strata("language"), ["allocation.strata.language"]),
    ],
)
def test_a_cut_divides_people_only_within_what_they_can_answer(allocation, wrong):
    assert keys(study(allocation)) == wrong


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        ({"margins": [{"outcome": "years", "margin": 9.9}]}, []),
        ({"margins": [{"outcome": "years", "margin": 10}]}, ["margins.years.margin"]),
        ({"covariates": [{"column": "fits"}]}, ["covariates.fits"]),
        ({"covariates": [{"column": "years"}]}, []),
        ({"covariates": [{"column": "stratum"}]}, ["covariates.stratum"]),
        ({"subgroups": [{"column": "language"}]}, ["subgroups.language"]),
        ({"subgroups": [{"column": "years"}]}, []),
        ({"analyses": [{"outcome": "years", "method": "tost", "options": {"margin": 10}}]},
         ["analyses.years.tost.options.margin"]),
        ({"analyses": [{"outcome": "years", "method": "tost", "options": {"margin": 9}}]}, []),
        ({"analyses": [{"outcome": "years", "method": "lin", "options": {"margin": 10}}]}, []),
        ({"analyses": [{"outcome": "years", "method": "worst_case", "options": {"outcome_min": 0, "outcome_max": 10}}]},
         []),
        ({"analyses": [{"outcome": "years", "method": "worst_case", "options": {"outcome_min": 1, "outcome_max": 9}}]},
         ["analyses.years.worst_case.options.outcome_min",
          "analyses.years.worst_case.options.outcome_max"]),
        ({"analyses": [{"outcome": "years", "method": "interaction", "options": {"moderator": "fits"}}]},
         ["analyses.years.interaction.options.moderator"]),
    ],
)  # fmt: skip
def test_a_plan_compares_and_divides_by_what_can_differ(plan, wrong):
    made = study(**plan)
    assert [
        problem.key.removeprefix("analysis.") for problem in plan_reach_problems(made, COLUMNS, {}, "study.toml")
    ] == wrong


def test_a_row_of_shares_begins_at_0():
    def row(name: str) -> dict[str, Any]:
        outcome = {"id": name, "kind": "continuous", "upper": 1}
        return {"outcomes": [outcome], "analyses": [{"outcome": name, "method": "fractional_logit"}]}

    assert keys(study(**row("felt"))) == ["analyses.felt.fractional_logit.method"]
    assert keys(study(**row("years"))) == []


def test_with_a_choice_of_languages_or_with_strata_these_differ():
    several = study(more={"languages": ["en", "de"]}, subgroups=[{"column": "language"}])
    assert plan_reach_problems(several, COLUMNS, {}, "study.toml") == []
    divided = study(strata("years", 5), covariates=[{"column": "stratum"}])
    (problem,) = plan_reach_problems(divided, COLUMNS, {}, "study.toml")
    assert problem.what == "strata are adjusted for already"
    unadjusted = study(strata("years", 5), covariates=[{"column": "stratum"}], strata=False)
    assert plan_reach_problems(unadjusted, COLUMNS, {}, "study.toml") == []


def test_groups_of_one_person_each_are_warned_of():
    named = ("years", "fits", "three", "warmup_minutes")
    warned = list(subgroup_warnings(study(subgroups=[{"column": name} for name in named])))
    assert [line.partition(":")[0].removeprefix("analysis.") for line in warned] == [
        "subgroups.years", "subgroups.warmup_minutes",
    ]  # fmt: skip


QUIZZES = [
    {"id": "consent", "kind": "consent"},
    {"id": "pretest", "kind": "quiz", "minutes": 20, "bank": "quizzes/one"},
    {"id": "instructions", "kind": "instructions"},
    {"id": "posttest", "kind": "quiz", "minutes": 20, "bank": "quizzes/one"},
    {"id": "debrief", "kind": "debrief"},
]


def test_points_and_score_of_one_quiz_say_the_same_and_make_as_many_groups_as_people():
    twice = [{"column": name} for name in ("pretest_points", "years", "pretest_score")]
    made = study(more={"stages": QUIZZES}, covariates=twice, subgroups=[{"column": "pretest_points"}])
    (problem,) = plan_reach_problems(made, COLUMNS, {}, "study.toml")
    assert problem.key.endswith("covariates.pretest_score")
    assert problem.what == "'pretest_points' and 'pretest_score' say the same of everyone"
    (line,) = subgroup_warnings(made)
    assert "subgroups.pretest_points" in line
    # The most there can be is the same for everyone, and no measure of the quiz.
    most = study(more={"stages": QUIZZES}, covariates=[{"column": "pretest_max"}, {"column": "pretest_points"}])
    assert plan_reach_problems(most, COLUMNS, {}, "study.toml") == []
    found = reach_problems(most, COLUMNS, {}, "study.toml")
    assert [problem.what for problem in found] == ["'pretest_max' is the most that can be had, the same for everyone"]


# -- the plan against what a study measures ----------------------------------------------------------------------------


MEASURED = Measured(frozenset({"years", "score", "task_minutes"}), frozenset({"years"}), {"task_minutes": 35.0})


def of_plan(**plan: Any) -> list[str]:
    usual: dict[str, Any] = {"covariates": [], "subgroups": [], "outcomes": [{"id": "score"}]}
    return [
        problem.key.removeprefix("analysis.")
        for problem in plan_problems(Plan.model_validate(usual | plan), MEASURED, "study.toml")
    ]


TIME = {"id": "task_minutes", "kind": "time"}


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        ({}, []),
        ({"outcomes": [{"id": "scores"}]}, ["outcomes.scores.column"]),
        ({"outcomes": [{"id": "score", "upper_column": "most"}]}, ["outcomes.score.upper_column"]),
        ({"covariates": [{"column": "age"}]}, ["covariates.age"]),
        ({"outcomes": [{"id": "years"}]}, ["primary"]),
        ({"outcomes": [{"id": "score"}, {"id": "years"}], "primary": ["score"]}, []),
        ({"outcomes": [TIME | {"cap": 35}]}, []),
        ({"outcomes": [TIME | {"cap": 34}]}, ["outcomes.task_minutes.cap"]),
        ({"outcomes": [TIME], "horizon": 35}, []),
        ({"outcomes": [TIME], "horizon": 36}, ["horizon"]),
        ({"outcomes": [{"id": "score", "kind": "time", "cap": 20}], "horizon": 21}, ["horizon"]),
        ({"outcomes": [TIME | {"event": "years"}]}, ["outcomes.task_minutes.event"]),
    ],
)
def test_a_plan_names_what_the_study_measures_after_allocation_within_its_limits(plan, wrong):
    assert of_plan(**plan) == wrong


def test_what_is_measured_after_allocation_is_no_covariate():
    rows = [{"outcome": "score", "method": "lin", "options": {"moderator": "score", "pair_id": "years", "trim": 0.1}}]
    plan = Plan.model_validate(
        {"covariates": [{"column": "years"}, {"column": "score"}, {"column": "age"}], "analyses": rows,
         "subgroups": [{"column": "task_minutes"}], "outcomes": [{"id": "score"}]}
    )  # fmt: skip
    assert [problem.key.removeprefix("analysis.") for problem in late_problems(plan, MEASURED, "study.toml")] == [
        "covariates.score", "subgroups.task_minutes", "analyses.score.lin.options.moderator",
    ]  # fmt: skip


def test_limits_are_those_of_the_warm_up_and_of_the_main_tasks():
    assert limits(study()) == {"warmup_minutes": 15, "task_minutes": 35, "completion_minutes": 35}


def test_a_column_that_is_not_there_is_answered_with_those_near_it():
    known = {"quiz_points", "quiz_max", "years", "task_minutes"}
    assert near("quiz_point", known) == " (near it: quiz_points, quiz_max)"
    assert near("anything", known) == ""
