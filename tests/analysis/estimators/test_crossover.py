"""Treatments within people, one in each period, against the tests that the textbooks give for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from support.analysis.oracle_tables import run

from analysis.estimators.core.request import AnalysisError

CALL = {"outcome": "y", "arm": "treatment", "control": "a", "person": "person", "period": "period"}


def sequences(orders, people=30, seed=1):
    """Made-up periods: each person in one of these orders, period effects 0, 0.7, 1.4, ..., treatment b 2 lower."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        own = rng.normal(0, 2)
        for period, treatment in enumerate(orders[person % len(orders)]):
            rows.append(
                (f"p{person}", period + 1, treatment, 10 + own + 0.7 * period - 2 * (treatment == "b") + rng.normal())
            )
    return pd.DataFrame(rows, columns=["person", "period", "treatment", "y"])


def test_with_two_periods_it_is_the_t_test_on_half_differences():
    data = sequences(["ab", "ba"])
    wide = data.pivot(index="person", columns="period", values="y")
    first = data[data["period"] == 1].set_index("person")["treatment"]
    half = (wide[1] - wide[2]) / 2
    want = stats.ttest_ind(half[first == "b"], half[first == "a"])
    row = run("crossover", data, **CALL)
    assert (row.statistic, row.p_value, row.df) == pytest.approx((want.statistic, want.pvalue, want.df))
    assert row.estimate == pytest.approx(half[first == "b"].mean() - half[first == "a"].mean())
    total = wide.mean(axis=1)
    assert row.detail["carryover_p"] == pytest.approx(stats.ttest_ind(total[first == "a"], total[first == "b"]).pvalue)


def test_with_three_treatments_it_is_least_squares_with_people_and_periods():
    data = sequences(["abc", "bca", "cab", "acb", "bac", "cba"])
    fitted = smf.ols("y ~ C(person) + C(period) + C(treatment)", data).fit()
    rows = run("crossover", data, **CALL, vcov="classical")
    for row in rows:
        name = f"C(treatment)[T.{row.contrast[0]}]"
        assert (row.estimate, row.std_error) == pytest.approx((fitted.params[name], fitted.bse[name]))
        assert row.df == fitted.df_resid
    effects = [fitted.params["C(period)[T.2]"], fitted.params["C(period)[T.3]"]]
    assert rows[0].detail["period_effects"] == pytest.approx(effects)
    assert run("crossover", data, **CALL)[0].detail["vcov"] == "CR2"


def test_people_with_one_period_say_nothing_of_a_difference():
    data = sequences(["ab", "ba"])
    whole = run("crossover", data, **CALL)
    more = pd.concat([data, pd.DataFrame({"person": ["q"], "period": [1], "treatment": ["a"], "y": [99.0]})])
    row = run("crossover", more, **CALL)
    assert (row.estimate, row.std_error) == pytest.approx((whole.estimate, whole.std_error))
    assert row.detail["people"] == 30


def test_a_period_that_comes_twice_is_refused():
    data = sequences(["ab", "ba"]).assign(period=1)
    with pytest.raises(AnalysisError, match="a person has a period twice"):
        run("crossover", data, **CALL)


def test_one_order_alone_cannot_tell_treatments_from_periods():
    row = run("crossover", sequences(["ab"]), **CALL)
    assert row.estimate is None
    assert "cannot be distinguished from people and periods" in row.note


def test_two_equal_periods_leave_a_mixed_model_no_error_and_its_note_says_so():
    data = sequences(["ab", "ba"])
    first = data.groupby("person")["y"].transform("first")
    data["y"] = first + 1e-5 * data["period"] * (data["treatment"] == "a")
    row = run("mixed_model", data, outcome="y", arm="treatment", control="a", cluster="person", covariates=("period",))
    assert row.estimate is not None
    assert (row.std_error, row.p_value, row.df) == (None, None, None)
    assert "no error to judge by" in row.note


def test_an_ordinal_model_of_many_levels_is_refused_in_its_note():
    data = sequences(["ab", "ba"], people=60)
    assert "120 levels, of which a model of cuts takes 50" in run("ordinal_logit", data, outcome="y", arm="treatment",
                                                                  control="a").note  # fmt: skip


def test_the_tenth_period_comes_after_the_second():
    rng = np.random.default_rng(2)
    rows = [(p, k, "ab"[int(rng.integers(2))], rng.normal()) for p in range(9) for k in range(1, 13)]
    table = pd.DataFrame(rows, columns=["person", "period", "arm", "y"])
    call = {"outcome": "y", "arm": "arm", "control": "a", "person": "person", "period": "period"}
    found = [run("crossover", table.assign(period=table["period"] + shift), **call) for shift in (0, 100)]
    named = table.assign(
        period=pd.Categorical(table["period"].map("period {}".format), map("period {}".format, range(13)))
    )
    assert found[0] == found[1] == run("crossover", named, **call)
