"""Keys of a plan that nothing uses, and outcomes that their columns cannot hold: refused by name, or warned of."""

from __future__ import annotations

import pytest
from support.analysis.shipped_plan import SHIPPED, own, problems, study

from analysis.pipeline.planning.key_check import unadjusted_warnings
from study_app.dataset.schema.outcome_fit import course_warnings
from study_app.domain.study.comparing.assistants_met import assistant_problems, assistant_warnings

SCORE = {"id": "quiz_points", "kind": "bounded", "upper_column": "quiz_max"}
TIME = {"id": "completion_minutes", "kind": "time", "event": "completion_event"}
WITHOUT_TASKS = {"stages": [stage for stage in SHIPPED["stages"] if stage["kind"] != "tasks"]}
ONLY_SCORE = {"outcomes": [SCORE], "primary": ["quiz_points"], "covariates": [], "subgroups": []}


def asking(*questions: dict, before: bool = False, **more) -> dict:
    """The shipped stages with a survey, before allocation or after everything else."""
    stages = list(SHIPPED["stages"])
    survey = {"id": "asked_more", "kind": "survey", "questions": list(questions)} | more
    stages.insert(1 if before else len(stages) - 1, survey)
    return {"stages": stages}


def scale(name: str, low: int = 0, high: int = 7, **more) -> dict:
    return {"id": name, "kind": "scale", "prompt": "?", "low": low, "high": high} | more


def choice(name: str, *values, **more) -> dict:
    options = [{"value": value, "label": str(value)} for value in values]
    return {"id": name, "kind": "choice", "prompt": "?", "options": options} | more


TEXT = {"id": "felt", "kind": "text", "prompt": "?"}
SEVERAL = choice("tools", "a", "b") | {"kind": "multiple"}
LOOKS = {"kind": "pocock", "looks": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("plan", "changes", "key", "what"),
    [
        ({"cluster": "stratum"}, {}, "cluster", "clusters follow from the allocation"),
        ({"columns": {"quiz_points": "score"}}, {}, "columns", "have the plan's names already"),
        ({"control": "placebo"}, {}, "control", "'placebo' is not an arm"),
        (ONLY_SCORE | {"primary": []}, {}, "primary", "no outcome decides the trial"),
        (ONLY_SCORE | {"primary": ["quiz_points"] * 2}, {}, "primary", "'quiz_points' comes 2 times"),
        (
            {"covariates": [{"column": "years_python"}, {"column": "years_python", "label": "again"}]},
            {},
            "covariates",
            "'years_python' comes 2 times",
        ),
        ({"subgroups": [{"column": "years_python"}] * 2}, {}, "subgroups", "comes 2 times"),
        ({"margins": [{"outcome": "quiz_points", "margin": 1}] * 2}, {}, "margins", "comes 2 times"),
        ({"multiplicity": {"weights": [0.5, 0.5]}}, {}, "multiplicity.weights", "holm does not use it"),
        (
            {"multiplicity": {"method": "hommel", "transitions": [[0, 1], [1, 0]]}},
            {},
            "multiplicity.transitions",
            "hommel does not use it",
        ),
        (
            {"multiplicity": {"method": "graphical", "weights": [0.4, 0.3, 0.3], "transitions": [[0, 0, 0]] * 3}},
            {},
            "multiplicity.weights",
            "3 weights for 2 primary rows",
        ),
        ({"stopping": {"spending": "pocock"}}, {}, "stopping.spending", 'kind = "none" does not use it'),
        ({"stopping": LOOKS | {"spending": "kim_demets"}}, {}, "stopping.spending", 'kind = "pocock" does not use it'),
        ({"stopping": LOOKS | {"gamma": 2.0}}, {}, "stopping.gamma", "no boundary uses it"),
        ({"stopping": LOOKS | {"kind": "spending", "gamma": 2.0}}, {}, "stopping.gamma", "no boundary uses it"),
        (ONLY_SCORE | {"horizon": 20.0}, {}, "horizon", "no outcome is a time"),
        (
            {"horizon": 20.0, "analyses": [{"outcome": "completion_minutes", "method": "welch_t"}]},
            {},
            "horizon",
            "no analysis of the plan restricts a time",
        ),
        (own(column="quiz_points", cap=9.0), {}, "outcomes.mine.cap", "only a time has one"),
        (own(column="quiz_points", event="completion_event"), {}, "outcomes.mine.event", "only a time has one"),
        (own(column="quiz_points", upper=15.0), {}, "outcomes.mine.upper", "only a bounded outcome has one"),
        (own(column="quiz_points", kind="bounded", upper=5.0), {}, "outcomes.mine.upper", "highest possible value of"),
        (own(column="learned", kind="bounded", upper=6.0), {}, "outcomes.mine.upper", "highest possible value of"),
        (
            own(column="quiz_debugging_points", kind="bounded", upper_column="quiz_max"),
            {},
            "outcomes.mine.upper_column",
            "'quiz_max' is not the most that",
        ),
        (own(column="quiz_points", kind="binary"), {}, "outcomes.mine.kind", "binary takes 0 and 1"),
        (own(column="errors", kind="binary"), {}, "outcomes.mine.kind", "binary takes 0 and 1"),
        (own(column="learned", kind="binary"), {}, "outcomes.mine.kind", "binary takes 0 and 1"),
        (own(column="quiz_points", kind="time", cap=9.0), {}, "outcomes.mine.kind", "is measured in points"),
        (
            own(column="completion_minutes", kind="time", event="errors"),
            {},
            "outcomes.mine.event",
            "'errors' does not hold 0 and 1",
        ),
        (own(column="quiz_score", kind="count"), {}, "outcomes.mine.kind", "count takes whole numbers from 0"),
        (own(column="quiz_max"), {}, "outcomes.mine.column", "is the most that can be had"),
        (
            own(id="errors", column="quiz_points") | {"primary": ["errors"]},
            {},
            "outcomes.errors.id",
            "another column than 'quiz_points'",
        ),
        (
            {
                "outcomes": [SCORE | {"id": name, "column": "quiz_points"} for name in ("again", "twin")],
                "primary": ["again", "twin"],
            },
            {},
            "primary",
            "'again' and 'twin' are the same values",
        ),
        (own(column="felt"), asking(TEXT), "outcomes.mine.column", "'felt' holds text"),
        (own(column="tools"), asking(SEVERAL), "outcomes.mine.column", "'tools' holds text"),
        (own(column="role"), asking(choice("role", "dev", "sci")), "outcomes.mine.column", "'role' holds text"),
        (own(column="interaction_pattern"), {}, "outcomes.mine.column", "holds text"),
        (own(column="finished_at"), {}, "outcomes.mine.column", "holds moments"),
        ({"covariates": [{"column": "felt"}]}, asking(TEXT, before=True), "covariates.felt", "holds text or several"),
        ({"subgroups": [{"column": "tools"}]}, asking(SEVERAL, before=True), "subgroups.tools", "several answers at"),
        (
            {"covariates": [{"column": "role", "scores": ["dev", "scientist"]}]},
            asking(choice("role", "dev", "sci"), before=True),
            "covariates.role.scores",
            "'scientist' is not an answer to 'role'",
        ),
        (
            {"covariates": [{"column": "mood", "scores": ["0", "1", "2"]}]},
            asking(scale("mood", 0, 3), before=True),
            "covariates.mood.scores",
            "'3' is missing",
        ),
        (
            {"covariates": [{"column": "warmup_minutes", "scores": ["1", "2"]}]},
            {},
            "covariates.warmup_minutes.scores",
            "have no levels to put in order",
        ),
        (
            own(column="more"),
            asking(scale("more", when="learned >= 3")),
            "primary",
            "asked only where learned >= 3, which an arm can change",
        ),
        (
            own(column="more"),
            asking(scale("more"), when="learned >= 3"),
            "primary",
            "asked only where learned >= 3, which an arm can change",
        ),
        (
            ONLY_SCORE | {"compliance": {"away_minutes": 5}},
            WITHOUT_TASKS,
            "compliance.away_minutes",
            "the study has no main tasks",
        ),
        (
            ONLY_SCORE | {"compliance": {"attention_failed": 0}},
            WITHOUT_TASKS,
            "compliance.attention_failed",
            "the study has no main tasks",
        ),
        (
            {"outcomes": [TIME], "primary": ["completion_minutes"], "compliance": {"quiz_away_minutes": 3}},
            {"stages": [stage for stage in SHIPPED["stages"] if stage["kind"] != "quiz"]},
            "compliance.quiz_away_minutes",
            "the study has no quiz",
        ),
    ],
)
def test_what_a_plan_says_and_its_study_cannot_use_is_refused_by_its_key(plan, changes, key, what):
    found = [text for text in problems(plan, **changes) if f"analysis.{key}: " in text]
    assert found, problems(plan, **changes)
    assert what in found[0]


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        ({"control": "no_ai"}, {}),
        ({"horizon": 20.0}, {}),
        (
            {
                "outcomes": [TIME | {"censored": "right"}],
                "primary": ["completion_minutes"],
                "horizon": 20.0,
                "analyses": [{"outcome": "completion_minutes", "method": "rerandomization", "role": "primary"}],
            },
            {},
        ),
        ({"multiplicity": {"method": "graphical", "weights": [0.5, 0.5], "transitions": [[0, 1], [1, 0]]}}, {}),
        ({"stopping": LOOKS | {"kind": "spending", "spending": "hwang_shih_decani", "gamma": -2}}, {}),
        (own(column="task_completed", kind="binary"), {}),
        (own(column="yes", kind="binary"), asking(choice("yes", 0, 1))),
        (own(column="yes", kind="binary"), asking(scale("yes", 0, 1))),
        (own(column="yes", kind="ordinal"), asking(choice("yes", 1, 2, 3))),
        (own(column="learned", kind="bounded", upper=7.0), {}),
        (own(column="quiz_points", kind="bounded", upper_column="quiz_max"), {}),
        (own(column="checks_passed", kind="bounded", upper_column="checks_total"), {}),
        (own(column="errors", kind="count"), {}),
        (
            {"covariates": [{"column": "role", "scores": ["sci", "dev"]}]},
            asking(choice("role", "dev", "sci"), before=True),
        ),
        (
            {"covariates": [{"column": "mood", "scores": ["3", "2", "1", "0"]}]},
            asking(scale("mood", 0, 3), before=True),
        ),
        ({"covariates": [{"column": "role"}]}, asking(choice("role", "dev", "sci"), before=True)),
        (own(column="more"), asking(scale("more", when="years_python >= 2"))),
        ({"compliance": {"away_minutes": 5, "attention_failed": 0}}, {}),
    ],
)
def test_what_a_plan_says_and_its_study_can_use_is_taken(plan, changes):
    assert problems(plan, **changes) == []


def test_every_problem_of_a_plan_is_named_at_once():
    plan = {"control": "placebo", "cluster": "stratum", "columns": {"a": "b"}, "multiplicity": {"weights": [1.0]}}
    keys = {text.split(": ")[1] for text in problems(plan)}
    assert {"analysis.control", "analysis.cluster", "analysis.columns", "analysis.multiplicity.weights"} <= keys


def test_a_secondary_outcome_asked_by_the_course_of_the_study_is_warned_of():
    secondary = {"secondary": [{"id": "more", "kind": "ordinal"}]}
    (said,) = course_warnings(study(secondary, **asking(scale("more", when="learned >= 3"))))
    assert "analysis.outcomes.more: asked only where learned >= 3" in said
    assert list(course_warnings(study(secondary, **asking(scale("more"))))) == []


def test_covariates_that_no_analysis_takes_are_warned_of():
    rows = [
        {"outcome": "quiz_points", "method": "welch_t", "role": "primary"},
        {"outcome": "quiz_points", "method": "mann_whitney"},
    ]
    plan = ONLY_SCORE | {"covariates": [{"column": "years_python"}], "analyses": rows}
    (said,) = unadjusted_warnings(study(plan))
    assert said.startswith("analysis.covariates: ")
    assert list(unadjusted_warnings(study())) == []


def test_an_assistant_that_no_stage_offers_is_refused_and_one_that_no_arm_has_is_warned_of():
    without = [stage | {"assistant": False} if stage["kind"] == "tasks" else stage for stage in SHIPPED["stages"]]
    ((key, what, _),) = assistant_problems(study(stages=without))
    assert key.startswith("arms.")
    assert "never meet it" in what
    assert list(assistant_problems(study())) == []
    assert list(assistant_warnings(study())) == []
    more = SHIPPED["assistants"] | {"spare": next(iter(SHIPPED["assistants"].values()))}
    (said,) = assistant_warnings(study(assistants=more))
    assert said.startswith("assistants.spare: no arm has this assistant")
