"""Outcomes weighted by one over the probability of being observed, beside what can be computed without the method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from statsmodels.api import Logit

from analysis.estimators.core.validation import AnalysisError
from analysis.estimators.methods import METHODS

CALL = {"outcome": "y", "arm": "arm", "control": "c"}


def lossy(n: int = 160, seed: int = 3) -> pd.DataFrame:
    """People of two arms; the higher x, the more likely is y, and the more likely is it observed."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    arm = rng.permutation(np.repeat(["c", "t"], n // 2))
    y = x + 0.5 * (arm == "t") + rng.normal(size=n)
    seen = rng.random(n) < 1 / (1 + np.exp(-(1 + x - 0.4 * (arm == "t"))))
    group = rng.choice(["g", "h"], n)
    return pd.DataFrame({"arm": arm, "x": x, "group": group, "y": np.where(seen, y, np.nan)})


def test_without_covariates_it_is_welch_s_test_of_the_observed():
    data = lossy()
    ours = METHODS["inverse_probability"](data, **CALL)
    welch = METHODS["welch_t"](data.dropna(), **CALL)
    for name in ("estimate", "std_error", "df", "p_value", "ci_low", "ci_high"):
        assert getattr(ours, name) == pytest.approx(getattr(welch, name), rel=1e-9)


def test_a_group_as_covariate_in_one_lossy_arm_standardises_its_mean_to_the_groups_of_everybody():
    data = lossy()
    control = data["arm"] == "c"
    data.loc[~control, "y"] = data.loc[~control, "y"].fillna(1.0)
    shares = data[control]["group"].value_counts(normalize=True)
    standardised = (data[control].groupby("group")["y"].mean() * shares).sum()
    row = METHODS["inverse_probability"](data, **CALL, covariates="group")
    assert row.estimate == pytest.approx(data[~control]["y"].mean() - standardised, rel=1e-9)
    assert row.detail["missing"] == {"t": 0, "c": int(data[control]["y"].isna().sum())}
    assert row.detail["largest_weight"]["t"] == 1.0


def test_the_error_is_that_of_all_estimating_equations_together():
    """The sandwich of the stacked equations, its derivatives taken numerically, without the factor n/(n - 1)."""
    data = lossy()
    seen = data["y"].notna().to_numpy()
    y = data["y"].fillna(0).to_numpy()
    treated = (data["arm"] == "t").to_numpy()
    design = np.column_stack([np.ones(len(data)), treated, data["x"]])

    def equations(theta: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-design @ theta[:3]))
        of_means = [(mine & seen) / p * (y - mean) for mine, mean in ((treated, theta[3]), (~treated, theta[4]))]
        return np.column_stack([(seen - p)[:, None] * design, *of_means])

    start = np.concatenate([Logit(seen.astype(float), design).fit(disp=0).params, [0.0, 0.0]])
    theta = optimize.fsolve(lambda given: equations(given).mean(axis=0), start, xtol=1e-10)
    steps = np.eye(5) * 1e-6
    slopes = [(equations(theta + s).mean(axis=0) - equations(theta - s).mean(axis=0)) / 2e-6 for s in steps]
    bread = np.linalg.inv(np.column_stack(slopes))
    meat = equations(theta).T @ equations(theta) / len(data)
    covariance = bread @ meat @ bread.T / len(data)
    row = METHODS["inverse_probability"](data, **CALL, covariates="x")
    assert row.estimate == pytest.approx(theta[3] - theta[4], rel=1e-8)
    contrast = np.array([0, 0, 0, 1, -1])
    assert row.std_error == pytest.approx(np.sqrt(contrast @ covariance @ contrast), rel=0.02)


def test_missing_covariates_are_refused_and_separation_is_a_row_that_says_so():
    data = lossy()
    with pytest.raises(AnalysisError, match="column 'x'"):
        METHODS["inverse_probability"](data.assign(x=data["x"].where(data.index != 3)), **CALL, covariates="x")
    apart = data.assign(x=data["y"].notna().astype(float))
    row = METHODS["inverse_probability"](apart, **CALL, covariates="x")
    assert row.estimate is None
    assert "separation" in row.note


@pytest.mark.slow
def test_loss_that_depends_on_a_covariate_moves_the_observed_mean_and_not_the_weighted_one():
    """2,000 trials of 160 with a loss of about a third, by arm and covariate."""
    found = [_of_trial(seed) for seed in range(2_000)]
    weighted, covered, naive = (np.mean([each[i] for each in found]) for i in range(3))
    assert abs(weighted - 0.5) < 0.02
    assert 0.93 <= covered <= 0.965
    assert abs(naive - 0.5) > 0.05


def _of_trial(seed: int) -> tuple[float, bool, float]:
    data = lossy(seed=seed)
    row = METHODS["inverse_probability"](data, **CALL, covariates="x")
    naive = METHODS["welch_t"](data.dropna(), **CALL)
    return row.estimate, row.ci_low <= 0.5 <= row.ci_high, naive.estimate
