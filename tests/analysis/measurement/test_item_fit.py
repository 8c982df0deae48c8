"""Items one by one: fit to the Rasch model and differences between groups of equal ability."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from analysis.estimators.core.request import AnalysisError
from analysis.pipeline.description.quiz_quality import _dependence
from analysis.psychometrics import dif, item_fit, q3, rasch_cml


def answers(people=600, items=8, seed=3, slope=1.0, harder=0.0):
    """Made-up 0/1 answers; the third item has another slope, and is harder for the second half of people."""
    rng = np.random.default_rng(seed)
    slopes = np.where(np.arange(items) == 2, slope, 1.0)
    shift = np.where((np.arange(people)[:, None] >= people // 2) & (np.arange(items) == 2), harder, 0.0)
    logits = slopes * (rng.normal(size=(people, 1)) - np.linspace(-1.2, 1.2, items)) - shift
    return (rng.random((people, items)) < special.expit(logits)).astype(int)


def test_infit_and_outfit_are_the_weighted_and_the_plain_mean_of_squared_residuals():
    x = answers(people=60, items=5)
    found = item_fit(x)
    b = rasch_cml(x, split=None).difficulty.to_numpy()
    kept = x[(x.sum(axis=1) > 0) & (x.sum(axis=1) < 5)]
    grid = np.linspace(-8, 8, 160_001)
    at = {score: grid[np.argmin(np.abs(special.expit(grid[:, None] - b).sum(axis=1) - score))] for score in range(1, 5)}
    p = special.expit(np.array([at[score] for score in kept.sum(axis=1)])[:, None] - b)
    z2 = (kept - p) ** 2 / (p * (1 - p))
    assert found["outfit"].to_numpy() == pytest.approx(z2.mean(axis=0), rel=1e-3)
    assert found["infit"].to_numpy() == pytest.approx(np.average(z2, axis=0, weights=p * (1 - p)), rel=1e-3)


def test_an_item_that_discriminates_less_has_the_largest_fit_statistics():
    found = item_fit(answers(slope=0.1))
    assert found["infit"].idxmax() == 2
    assert found["infit"][2] > 1.15
    assert item_fit(answers(slope=3.0))["infit"].idxmin() == 2


def test_an_item_that_is_harder_for_one_group_alone_is_found():
    group = np.repeat(["a", "b"], 300)
    found = dif(answers(harder=1.5), group)
    assert found["ets_class"].tolist().count("C") == 1
    assert found["ets_class"][2] == "C"
    assert found["odds_ratio"][2] > 2
    assert found["p_adjusted"][2] < 0.001
    turned = dif(answers(harder=1.5), group, reference="b")
    assert turned["odds_ratio"][2] == pytest.approx(1 / found["odds_ratio"][2])
    assert dif(answers(), group)["ets_class"].tolist().count("C") == 0


def test_an_item_that_one_group_alone_gets_right_is_a_large_difference():
    """R: mantelhaen.test has an odds ratio of infinity, no interval, chi-square 29.94244, p = 4.450646e-08."""
    rng = np.random.default_rng(1)
    others = (rng.random((40, 4)) < [0.3, 0.5, 0.6, 0.8]).astype(int)
    group = np.repeat(["a", "b"], 20)
    row = dif(np.column_stack([others, group == "a"]).astype(int), group).iloc[4]
    assert (row["odds_ratio"], row["delta"], row["ets_class"]) == (np.inf, -np.inf, "C")
    assert (row["chi2"], row["p"]) == pytest.approx((29.94244, 4.450646e-08), rel=1e-6)
    assert np.isnan([row["ci_low"], row["ci_high"]]).all()


@pytest.mark.parametrize("gap", [None, np.nan])
def test_people_without_a_group_are_refused_and_are_no_group_of_their_own(gap):
    with pytest.raises(AnalysisError, match="group: 300 of 600 are missing; leave those people out"):
        dif(answers(), np.array(["a", gap] * 300, dtype=object))


@pytest.mark.parametrize(("group", "reference"), [(["a"] * 600, None), (["a", "b"] * 300, "c"), (["a", "b"], None)])
def test_groups_that_cannot_be_compared_are_refused(group, reference):
    with pytest.raises(AnalysisError):
        dif(answers(), group, reference)


def test_the_five_most_dependent_pairs_of_two_items_are_named_and_all_of_them_counted():
    """Christensen et al. (2017): a pair depends whose Q3 is more than 0.2 above the mean of all pairs."""
    solved = pd.DataFrame(answers(items=6), columns=list("abcdef")).astype(float)
    solved["b"] = np.where(np.arange(len(solved)) % 4, solved["a"], solved["b"])
    solved["d"] = np.where(np.arange(len(solved)) % 4, solved["c"], solved["d"])
    found, table = _dependence(solved.assign(everybody=1.0)), q3(solved)
    values = {pair: table.loc[pair] for pair in combinations("abcdef", 2)}
    mean = np.mean(list(values.values()))
    most = sorted(values, key=values.get, reverse=True)[:5]
    assert [(row["first"], row["second"]) for row in found["largest"]] == most
    assert [row["above_mean"] for row in found["largest"]] == pytest.approx([values[pair] - mean for pair in most])
    assert set(most[:2]) == {("a", "b"), ("c", "d")}
    assert found["dependent"] == sum(value > mean + 0.2 for value in values.values()) >= 2
