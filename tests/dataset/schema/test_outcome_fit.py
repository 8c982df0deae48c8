"""A plan's outcomes, bounds, scores and groups against what its columns can hold: each misfit by its key."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.dataset.schema.columns import Column
from study_app.dataset.schema.outcome_fit import (
    asked_by_course,
    column_problems,
    course_problems,
    course_warnings,
    kind_problems_of_outcomes,
    levels_of,
    two_valued,
)
from study_app.domain.study.study import Study

OPTIONS = [{"value": "dev", "label": "a"}, {"value": "sci", "label": "b"}]
QUESTIONS = (
    {"id": "felt", "kind": "scale", "low": 0, "high": 7},
    {"id": "slid", "kind": "slider", "low": 0, "high": 1},
    {"id": "spent", "kind": "number", "low": 0, "high": 240},
    {"id": "bugs", "kind": "number", "low": 0, "high": 9, "whole": True},
    {"id": "role", "kind": "choice", "options": OPTIONS},
    {"id": "why", "kind": "text"},
)
PERSONAL: dict[str, Any] = {"about_person": True}
COLUMNS = {
    column.name: column
    for column in (
        Column("felt", "integer", "Felt", low=0, high=7, **PERSONAL),
        Column("slid", "number", "Slid", low=0, high=1, **PERSONAL),
        Column("spent", "number", "Spent", low=0, high=240, **PERSONAL),
        Column("bugs", "integer", "Bugs", low=0, high=9, **PERSONAL),
        Column("role", "text", "Role", levels=("dev", "sci"), **PERSONAL),
        Column("why", "text", "Why", **PERSONAL),
        Column("met_at", "time", "Met"),
        Column("done", "boolean", "Done"),
        Column("coded", "integer", "Coded", levels=("0", "1"), **PERSONAL),
        Column("one", "integer", "One", low=0, high=1),
        Column("share", "number", "Share", "proportion", low=0, high=1),
        Column("task_minutes", "number", "Minutes", "min", low=0),
        Column("heat", "number", "Heat", low=-5, high=40),
        Column("checks_passed", "integer", "Passed", low=0),
        Column("checks_total", "integer", "Total", low=0),
        Column("language", "text", "Language"),
        Column("is_simulated", "boolean", "Simulated"),
    )
}


def study(**plan: Any) -> Study:
    asked = [{"prompt": "?"} | question for question in QUESTIONS]
    usual: dict[str, Any] = {"covariates": [], "subgroups": [], "outcomes": [{"id": "felt", "kind": "ordinal"}]}
    return Study.model_validate(
        {
            "schema": "study/1", "id": "fitted", "title": "Fitted", "allocation": {"method": "simple"},
            "language": "en", "languages": ["en", "de"], "analysis": usual | plan,
            "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
            "stages": [
                {"id": "consent", "kind": "consent"},
                {"id": "first", "kind": "survey",
                 "questions": [{"id": "known", "kind": "scale", "prompt": "?", "low": 0, "high": 1}]},
                {"id": "instructions", "kind": "instructions"},
                {"id": "after", "kind": "survey", "questions": asked},
                {"id": "then", "kind": "survey", "when": "felt >= 3", "questions": [
                    {"id": "later", "kind": "scale", "prompt": "?", "low": 0, "high": 7},
                    {"id": "both", "kind": "scale", "prompt": "?", "low": 0, "high": 7, "when": "known == 1"}]},
                {"id": "more", "kind": "survey", "when": "known == 1", "questions": [
                    {"id": "apart", "kind": "scale", "prompt": "?", "low": 0, "high": 7}]},
                {"id": "debrief", "kind": "debrief"},
            ],
        }
    )  # fmt: skip


def keys(**plan: Any) -> list[str]:
    made = study(**plan)
    found = column_problems(made.analysis, made, COLUMNS, {}, "study.toml")
    return [problem.key.removeprefix("analysis.") for problem in found]


def of(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"outcomes": [{"id": name, "kind": kind} | more]}


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [
        (of("felt", "ordinal"), []),
        (of("role", "ordinal"), ["outcomes.role.column"]),
        (of("met_at", "time", cap=9), ["outcomes.met_at.column"]),
        (of("done", "binary"), []),
        (of("coded", "binary"), []),
        (of("one", "binary"), []),
        (of("slid", "binary"), ["outcomes.slid.kind"]),
        (of("share", "binary"), ["outcomes.share.kind"]),
        (of("felt", "binary"), ["outcomes.felt.kind"]),
        (of("task_minutes", "time"), []),
        (of("spent", "time", cap=240), []),
        (of("bugs", "time", cap=9), ["outcomes.bugs.kind"]),
        (of("heat", "time", cap=40), ["outcomes.heat.kind"]),
        (of("bugs", "count"), []),
        (of("heat", "count"), ["outcomes.heat.kind"]),
        (of("share", "count"), ["outcomes.share.kind"]),
        (of("task_minutes", "count"), ["outcomes.task_minutes.kind"]),
        (of("checks_total", "count"), ["outcomes.checks_total.column"]),
        (of("checks_passed", "count"), []),
        (of("mine", "count", column="bugs"), []),
        # An outcome under the name of another column would hide that one.
        (of("felt", "count", column="bugs"), ["outcomes.felt.id"]),
        (of("task_minutes", "time", event="done"), []),
        (of("task_minutes", "time", event="felt"), ["outcomes.task_minutes.event"]),
        (of("task_minutes", "time", event="why"), ["outcomes.task_minutes.event"]),
    ],
)
def test_a_kind_fits_the_column(outcome, wrong):
    assert keys(**outcome) == wrong


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [
        (of("spent", "time", cap=240), []),
        (of("spent", "time", cap=241), []),
        (of("spent", "time", cap=239), ["outcomes.spent.cap"]),
        (of("bugs", "bounded", upper=9), []),
        (of("bugs", "bounded", upper=10), ["outcomes.bugs.upper"]),
        (of("checks_passed", "bounded", upper_column="checks_total"), []),
        (of("checks_passed", "bounded", upper_column="bugs"), ["outcomes.checks_passed.upper_column"]),
        (of("checks_passed", "bounded", upper_column="why"),
         ["outcomes.checks_passed.upper_column", "outcomes.checks_passed.upper_column"]),
        (of("bugs", "bounded", upper_column="checks_total"), ["outcomes.bugs.upper_column"]),
    ],
)  # fmt: skip
def test_a_bound_is_the_true_one(outcome, wrong):
    assert keys(**outcome) == wrong


def test_the_remedy_names_the_column_with_the_most():
    made = study(**of("checks_passed", "bounded", upper_column="bugs"))
    (problem,) = column_problems(made.analysis, made, COLUMNS, {}, "study.toml")
    assert problem.remedy == 'write upper_column = "checks_total", or leave it out'
    made = study(**of("heat", "bounded", upper_column="bugs"))
    (problem,) = column_problems(made.analysis, made, COLUMNS, {}, "study.toml")
    assert problem.remedy == "give the number as upper, or leave it out"


def test_what_a_quizs_items_give_is_the_highest_value():
    made = study(**of("bugs", "bounded", upper=9))
    found = column_problems(made.analysis, made, COLUMNS, {"bugs": 5.0}, "study.toml")
    assert [problem.what for problem in found] == ["the highest possible value of 'bugs' is 5, found 9"]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (["dev", "sci"], []),
        (["sci", "dev"], []),
        (["dev", "ops", "sci"], ["'ops' is not an answer to 'role'"]),
        (["dev"], ["'sci' is missing, and is an answer to 'role'"]),
        (["dev", "dev", "sci"], ["'dev' is twice of 'role'"]),
        (["dev", "ops"], ["'ops' is not an answer to 'role'", "'sci' is missing, and is an answer to 'role'"]),
    ],
)
def test_scores_name_each_level_once(scores, said):
    made = study(covariates=[{"column": "role", "scores": scores}])
    found = column_problems(made.analysis, made, COLUMNS, {}, "study.toml")
    assert [problem.what for problem in found] == said


def test_levels_are_those_of_the_column_of_the_languages_or_of_a_scale():
    made = study()
    assert levels_of(made, COLUMNS["role"]) == ("dev", "sci")
    assert levels_of(made, COLUMNS["language"]) == ("en", "de")
    assert levels_of(made, COLUMNS["felt"]) == ("0", "1", "2", "3", "4", "5", "6", "7")
    assert levels_of(made, COLUMNS["bugs"]) == ()
    assert levels_of(made, COLUMNS["heat"]) == ()
    assert keys(covariates=[{"column": "bugs", "scores": ["1"]}]) == ["covariates.bugs.scores"]


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        ({"covariates": [{"column": "role"}, {"column": "bugs"}]}, []),
        ({"covariates": [{"column": "why"}]}, ["covariates.why"]),
        ({"subgroups": [{"column": "why"}]}, ["subgroups.why"]),
        ({"subgroups": [{"column": "role"}]}, []),
    ],
)
def test_text_of_peoples_own_is_no_group(plan, wrong):
    assert keys(**plan) == wrong


def test_columns_of_0_and_1_are_known():
    assert two_valued(study(), COLUMNS) == {"done", "coded", "one", "is_simulated"}


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [
        (of("is_simulated", "binary"), ["outcomes.is_simulated.column"]),
        (of("spent", "count"), ["outcomes.spent.kind"]),
        (of("bugs", "count"), []),
        (of("heat", "bounded"), ["outcomes.heat.kind"]),
        (of("heat", "time", cap=40), ["outcomes.heat.kind"]),
        (of("heat", "continuous"), []),
        (of("spent", "time", cap=240), []),
    ],
)
def test_what_says_how_a_row_came_about_fractions_and_negative_values_are_refused_of_new_studies(outcome, wrong):
    found = kind_problems_of_outcomes(study(**outcome), COLUMNS, "study.toml")
    assert [problem.key.removeprefix("analysis.") for problem in found] == wrong


def test_what_is_asked_by_answers_from_after_allocation_is_not_compared():
    assert asked_by_course(study()) == {"later": "felt >= 3", "both": "felt >= 3"}
    outcomes = [{"id": name, "kind": "ordinal"} for name in ("later", "apart", "felt")]
    late = study(outcomes=outcomes, primary=["later", "apart"])
    (problem,) = course_problems(late.analysis, late, "study.toml")
    assert problem.what.startswith("'later' is asked only where felt >= 3")
    assert list(course_warnings(late)) == []
    warned = study(outcomes=outcomes, primary=["felt"])
    assert course_problems(warned.analysis, warned, "study.toml") == []
    (line,) = course_warnings(warned)
    assert line.startswith("analysis.outcomes.later: asked only where felt >= 3")
