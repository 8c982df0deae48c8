"""Equal decimals whose mean, sum or difference misses them by a bit have no spread, as whole numbers have none."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run

from analysis.agreement import icc
from analysis.estimators.core.effect_sizes import hedges_g, pooled_sd, standardized_difference, variance
from analysis.measurement.psychometrics import alpha
from analysis.pipeline.description.baseline import _numeric, smd_numeric, variance_ratio
from analysis.pipeline.description.descriptives import _mean_row
from analysis.pipeline.description.outcome_summaries import _of_arm
from analysis.pipeline.description.quiz_quality import _item_rest
from study_app.domain.study.analysis_plan import Plan

CALL = {"outcome": "y", "arm": "arm", "control": "c"}


def people(treated=0.3, control=0.1, each=12):
    """Pairs, one of each arm, in which y depends on nothing but the arm; the last but one has no outcome."""
    arm = np.resize(["c", "t"], 2 * each)
    x = np.random.default_rng(1).normal(size=2 * each)
    table = pd.DataFrame({"arm": arm, "y": np.where(arm == "t", treated, control), "x": x, "got": (arm == "t") * 1})
    return table.assign(pair=np.arange(2 * each) // 2, shifted=table["y"] + 0.1 * (np.arange(2 * each) // 2))


def lost(table):
    """The same with two treated and a control whose outcome is missing."""
    return table.assign(y=table["y"].where(~table.index.isin([1, 3, 10])))


def test_equal_decimals_do_not_vary_and_have_no_standardised_difference():
    ten, thirteen = [0.1] * 10, [0.1] * 13
    assert np.mean(ten) != np.mean(thirteen)
    assert (variance(ten), pooled_sd(ten, thirteen)) == (0, 0)
    assert hedges_g(0.2, pooled_sd(ten, [0.3] * 13), 10, 13) is None
    with np.errstate(invalid="ignore", divide="ignore"):
        assert not np.isfinite(standardized_difference(ten, thirteen))
    assert smd_numeric(ten, thirteen) is None
    assert variance_ratio(thirteen, ten) is None


@pytest.mark.parametrize(
    ("method", "data", "more"),
    [
        ("paired_t", people(), {"pair_id": "pair", "outcome": "shifted"}),
        ("tost", people(), {"pair_id": "pair", "paired": True, "margin": 1, "outcome": "shifted"}),
        ("bayes_factor", people(), {"pair_id": "pair", "paired": True, "outcome": "shifted"}),
        ("bayes_factor", people(), {}),
        ("tsls", people(), {"received": "got"}),
        ("inverse_probability", people(0.1), {}),
        ("inverse_probability", lost(people()), {"covariates": "x"}),
        ("multiple_imputation", lost(people()), {"covariates": "x"}),
        ("tipping_point", lost(people()), {"covariates": "x"}),
    ],
)
def test_an_outcome_that_does_not_vary_within_arms_or_pairs_leaves_no_error_to_test_by(method, data, more):
    row = run(method, data, **{**CALL, **more})
    assert (row.estimate, row.std_error, row.p_value) == (None, None, None)
    assert row.note.startswith("not estimable")


def test_where_nothing_varies_within_arms_there_is_neither_hedges_g_nor_an_interval_of_lee_bounds():
    assert run("permutation", people(), **CALL, replicates=99).effect_size is None
    assert run("lee_bounds", lost(people()), **CALL).effect_size is None


def test_ratings_that_are_all_one_decimal_have_the_intraclass_correlations_of_one_whole_number():
    for kind in ("ICC1", "ICC2", "ICC3"):
        found = [icc([[rating] * 3] * 4, kind) for rating in (0.1, 2.0)]
        assert np.isnan(found[0]) == np.isnan(found[1])
        assert np.nan_to_num(found[0]) == np.nan_to_num(found[1])


def test_answers_whose_totals_are_equal_but_for_rounding_have_no_alpha():
    found = alpha([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.3, 0.1], [0.3, 0.1, 0.2]])
    assert np.isnan(found)
    assert found.note == "not estimable: the totals do not vary"
    beside = pd.DataFrame(
        {"easy": [0, 1, 0, 1], "a": [0.1, 0.3, 0.2, 0.1], "b": [0.2, 0.2, 0.3, 0.3], "c": [0.3, 0.1, 0.1, 0.2]}
    )
    assert _item_rest(beside, "easy") is None


def test_where_everyone_has_one_decimal_no_table_has_a_standard_deviation():
    plan = Plan.model_validate({"outcomes": [{"id": "y", "kind": "continuous"}], "control": "c"})
    people = pd.DataFrame({"arm": ["c"] * 10 + ["t"] * 13, "y": 0.1})
    assert people["y"][10:].std() > 0
    assert {_mean_row(people[10:], plan.outcomes[0], "t", 0.95, None).effect_size.value} == {0}
    assert _of_arm(people[10:], plan.outcomes[0], 0.95, censored=False)["sd"] == 0
    assert {cell["sd"] for cell in _numeric(people, "y", ["c", "t"])["arms"].values()} == {0}
