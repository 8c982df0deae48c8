"""Likelihoods without a maximum are refused by name, whatever scipy makes of them and whatever a covariate's unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from analysis.estimators.core.validation import AnalysisError, NotEstimable
from analysis.estimators.numerics.newton import maximise
from analysis.estimators.outcomes.hazards import cox
from analysis.estimators.outcomes.scores import beta_regression
from analysis.measurement.item_fit import item_fit


def test_an_arm_without_events_has_no_hazard_ratio_in_any_small_trial():
    for seed in range(40, 70):
        rng = np.random.default_rng(seed)
        n = int(rng.choice([8, 12, 20, 60]))
        arm = np.array(["a", "b"])[rng.permutation(n) % 2]
        minutes = np.round(rng.exponential(20, n), 1) + 0.1
        trial = pd.DataFrame({"arm": arm, "t": minutes, "done": ((rng.random(n) < 0.7) & (arm == "a")) * 1})
        row = cox(trial, outcome="t", event="done", arm="arm", control="a")
        assert row.estimate is None
        assert "no finite maximum" in row.note


def test_a_quiz_on_which_everyone_falls_into_one_order_has_no_item_difficulties():
    answers = pd.DataFrame([[0, 1]] * 12 + [[0, 0]] * 17 + [[1, 1]], columns=["a", "b"])
    with pytest.raises(AnalysisError, match="no finite maximum"):
        item_fit(answers)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_a_covariates_unit_decides_neither_that_there_is_a_maximum_nor_that_there_is_none(unit):
    rng = np.random.default_rng(82)
    arm, x = np.repeat([0.0, 1.0], 100), rng.normal(size=200)

    def logit(y):
        columns = np.column_stack([np.ones(200), arm, x * unit])

        def likelihood(at):
            p = 1 / (1 + np.exp(-columns @ at))
            value = float(np.sum(np.where(y == 1, np.log(np.maximum(p, 1e-300)), np.log(np.maximum(1 - p, 1e-300)))))
            return value, columns.T @ (y - p), -(columns.T * (p * (1 - p))) @ columns

        return likelihood

    usual = (rng.random(200) < 1 / (1 + np.exp(-(x + arm)))).astype(float)
    found = maximise(logit(usual), np.zeros(3), "the likelihood").at
    assert found[1] == pytest.approx(0.8, abs=0.7)
    assert found[2] * unit == pytest.approx(1.0, abs=0.5)
    with pytest.raises(NotEstimable):
        maximise(logit(np.where(arm == 1, 1.0, usual)), np.zeros(3), "the likelihood")


def test_shares_that_are_widely_spread_have_a_beta_regression():
    for seed, (precision, n) in enumerate([(0.5, 20), (1.5, 20), (3.0, 52), (3.0, 52), (50.0, 52)] * 4):
        rng = np.random.default_rng(seed)
        x, arm = rng.normal(size=n), rng.permutation(n) % 2
        mean = special.expit(0.5 + 0.6 * x + 0.3 * arm)
        share = np.clip(rng.beta(precision * mean, precision * (1 - mean)), 1e-9, 1 - 1e-9)
        trial = pd.DataFrame({"arm": np.where(arm, "t", "c"), "x": x, "share": share})
        row = beta_regression(trial, outcome="share", arm="arm", control="c", covariates=("x",))
        columns = np.column_stack([np.ones(n), arm, x - x.mean()])

        def below(at, columns=columns, share=share):
            middle, whole = special.expit(columns @ at[:-1]), np.exp(at[-1])
            return -stats.beta.logpdf(share, middle * whole, (1 - middle) * whole).sum()

        best = optimize.minimize(below, np.zeros(4), method="BFGS", options={"gtol": 1e-7})
        assert row.estimate == pytest.approx(best.x[1], abs=1e-4)
        assert row.detail["log_likelihood"] == pytest.approx(-best.fun, abs=1e-7)
