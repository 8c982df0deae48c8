"""Orders of a crossover against its periods, and quizzes that an outcome names or not."""

from __future__ import annotations

import tomllib

import pytest
from support.trials.quiz_study import ARMS, OUTCOME, PLAN, study_text

from study_app.content.study_file import validate_study
from study_app.domain.study.clusters import stratum_warnings
from study_app.domain.study.comparing.delayed_outcomes import delayed_outcomes, quiz_warnings
from study_app.domain.study.comparing.treatment_orders import order_problems, order_warnings

THIRD = '[[arms]]\nid = "third"\ninstructions = "Go further."\n'
PERIOD = '[[stages]]\nid = "more{}"\nkind = "instructions"\n'
USUAL = 'primary = ["quiz_points"]\ncovariates = []\nsubgroups = []\n'


def study(**parts: str):
    return validate_study(tomllib.loads(study_text(**parts)), "study.toml")


def crossover(orders: str, arms: str = ARMS, periods: int = 2):
    more = "".join(PERIOD.format(number) for number in range(1, periods))
    return study(arms=arms, allocation=f'method = "sequence"\norders = {orders}', after=more)


@pytest.mark.parametrize(
    ("orders", "periods", "third", "said"),
    [
        ('"all"', 1, False, "has 2 treatment(s), and the study has 1 period(s)"),
        ('"all"', 3, False, "has 2 treatment(s), and the study has 3 period(s)"),
        ('[["plain", "other"], ["other"]]', 2, False, "the order other has 1 treatment(s)"),
        ('[["plain", "other"]]', 2, False, "'plain' is not counterbalanced over periods and their tasks"),
        ('[["plain", "other", "third"], ["other", "plain", "third"]]', 3, True, "'third' is not counterbalanced"),
        ('[["plain", "other"], ["other", "plain"]]', 2, True, "'third' is in no order"),
        ('[["plain", "plain"], ["other", "other"]]', 2, False, "no person has both of some treatments"),
    ],
)
def test_orders_that_confound_a_treatment_with_a_period_or_lose_one_are_refused(orders, periods, third, said):
    found = list(order_problems(crossover(orders, ARMS + THIRD * third, periods)))
    assert found
    assert {key for key, _, _ in found} == {"allocation.orders"}
    assert any(said in what for _, what, _ in found)


@pytest.mark.parametrize(
    ("orders", "periods"),
    [
        ('"all"', 2),
        ('"williams"', 2),
        ('"latin_square"', 2),
        ('[["plain", "other", "other"], ["other", "plain", "plain"]]', 3),
        ('[["plain", "plain"], ["other", "other"], ["plain", "other"], ["other", "plain"]]', 2),
    ],
)
def test_counterbalanced_orders_are_taken_repeated_treatments_among_them(orders, periods):
    assert list(order_problems(crossover(orders, periods=periods))) == []


def test_other_designs_have_no_orders_to_judge():
    assert list(order_problems(study())) == list(order_warnings(study())) == []


def test_periods_with_other_tasks_or_limits_and_the_same_task_twice_are_named():
    task = '[[stages]]\nid = "{}"\nkind = "tasks"\nminutes = {}\npacks = {}\nassistant = true\n'
    arms = ARMS.replace('id = "other"', 'id = "other"\nassistant = "full"')
    arms += '[assistants.full]\nfile = "assistants/full.toml"\n'
    orders = 'method = "sequence"\norders = "all"'
    unlike = study(arms=arms, allocation=orders, after=task.format("a", 10, '["x"]') + task.format("b", 20, '["y"]'))
    alike = study(arms=arms, allocation=orders, after=task.format("a", 10, '["x"]') + task.format("b", 10, '["x"]'))
    assert [text.split(" (")[0] for text in order_warnings(unlike)] == [
        "stages: periods have different tasks, the same for everyone",
        "stages: periods have different limits",
    ]
    assert ["more than one period" in text for text in order_warnings(alike)] == [True]


def test_a_retention_quiz_is_a_secondary_outcome_of_a_plan_with_the_usual_outcomes():
    made = study(plan=USUAL)
    (outcome,) = delayed_outcomes(made.analysis, made)
    assert (outcome.id, outcome.kind, outcome.upper_column) == ("retention_points", "bounded", "retention_max")
    assert list(quiz_warnings(made)) == []
    assert "retention_points" not in made.canonical()


def test_a_retention_quiz_that_the_plan_names_is_not_added_again():
    own = USUAL + '[[analysis.secondary]]\nid = "later"\ncolumn = "retention_score"\n'
    made = study(plan=own)
    assert delayed_outcomes(made.analysis, made) == ()
    assert list(quiz_warnings(made)) == []


def test_a_quiz_that_no_outcome_of_an_own_plan_names_is_said_by_check():
    made = study(plan=PLAN + OUTCOME)
    assert delayed_outcomes(made.analysis, made) == ()
    (said,) = quiz_warnings(made)
    assert said.startswith("stages.retention: no outcome of the plan names the quiz")
    assert 'id = "retention_points"' in said


def test_a_retention_quiz_after_a_crossover_compares_no_treatments_and_check_says_so():
    made = crossover('"all"')
    assert delayed_outcomes(made.analysis, made) == ()
    assert any(
        said.startswith("stages.retention: the quiz comes once for all treatments") for said in quiz_warnings(made)
    )


def test_strata_that_each_person_of_a_cluster_brings_are_named():
    base = 'method = "cluster"\ncluster = "label"\nbase_method = "stratified_blocks"\nstrata = '
    own = study(allocation=base + '[{ variable = "pretest_points", cuts = [5] }]')
    assert ["pretest_points is known of each person" in text for text in stratum_warnings(own)] == [True]
    assert list(stratum_warnings(study(allocation=base + '["label"]'))) == []
    assert list(stratum_warnings(study())) == []
