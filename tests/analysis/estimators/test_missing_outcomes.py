"""Missing outcomes: imputed by arm, tipped, bounded."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from support.analysis.oracle_tables import run

from analysis.estimators.core.request import AnalysisError
from analysis.estimators.imputation import Pooled

CALL = {"outcome": "y", "arm": "arm", "control": "c"}


def mar(n=400, seed=1):
    """A true effect of 1; the treated with a low x are missing, so complete cases are biased upwards."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"arm": np.where(np.arange(n) % 2, "t", "c"), "x": rng.normal(size=n)})
    table["y"] = 2 * table["x"] + (table["arm"] == "t") + rng.normal(size=n)
    lost = (table["arm"] == "t") & (table["x"] < -0.3) & (rng.random(n) < 0.8)
    return table.assign(y=table["y"].where(~lost))


def test_rubins_rules_are_those_of_mice():
    """R: mice::pool.scalar(c(1, 1.2, 0.9), c(.04, .05, .045), n = 32, k = 2): t 0.0761, df, fmi by its formulas."""
    pool = Pooled.of(np.array([1, 1.2, 0.9]), np.array([0.04, 0.05, 0.045]), 30.0)
    between = np.var([1, 1.2, 0.9], ddof=1)
    total = 0.045 + 4 / 3 * between
    share = 4 / 3 * between / total
    old, seen = 2 / share**2, 31 / 33 * 30 * (1 - share)
    assert (pool.estimate, pool.std_error) == pytest.approx((np.mean([1, 1.2, 0.9]), np.sqrt(total)))
    assert pool.df == pytest.approx(old * seen / (old + seen))
    increase = 4 / 3 * between / 0.045
    assert pool.fraction == pytest.approx((increase + 2 / (pool.df + 3)) / (increase + 1))


def test_nothing_missing_gives_the_plain_analysis():
    data = mar().dropna().reset_index(drop=True)
    row, want = run("multiple_imputation", data, **CALL, covariates="x"), run("ancova", data, **CALL, covariates="x",
                                                                             vcov="HC2")  # fmt: skip
    assert (row.estimate, row.std_error, row.df) == pytest.approx((want.estimate, want.std_error, want.df))


def test_imputation_recovers_an_effect_that_complete_cases_miss():
    data = mar()
    plain = run("welch_t", data.dropna(), **CALL)
    row = run("multiple_imputation", data, **CALL, covariates="x", seed=3)
    assert plain.ci_low > 1
    assert row.ci_low < 1 < row.ci_high
    assert row.detail["imputed"] == {"t": int(data["y"].isna().sum()), "c": 0}
    assert row == run("multiple_imputation", data, **CALL, covariates="x", seed=3)


def test_an_indicator_of_one_person_does_not_stop_the_imputation():
    """Such as that of the one person who skipped the warm-up: it says nothing about the others."""
    data = mar()
    lost = int(np.flatnonzero(data["y"].isna())[0])
    seen = int(np.flatnonzero(data["y"].notna())[0])
    for person in (lost, seen):
        flagged = data.assign(skipped=(np.arange(len(data)) == person).astype(float))
        row = run("multiple_imputation", flagged, **CALL, covariates=("x", "skipped"), seed=3)
        plain = run("multiple_imputation", data, **CALL, covariates="x", seed=3)
        assert (row.estimate, row.p_value) == pytest.approx((plain.estimate, plain.p_value), rel=1e-12)
        assert run("tipping_point", flagged, **CALL, covariates=("x", "skipped"), seed=3).estimate is not None


@pytest.mark.slow
def test_intervals_cover_the_effect_under_missing_at_random():
    rows = [run("multiple_imputation", mar(80, seed), **CALL, covariates="x", imputations=20) for seed in range(400)]
    covered = np.mean([row.ci_low < 1 < row.ci_high for row in rows])
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))


def test_a_delta_moves_the_difference_by_the_share_imputed():
    data = mar()
    here, lower = (run("multiple_imputation", data, **CALL, delta=delta) for delta in (0.0, -2.0))
    share = data.loc[data["arm"] == "t", "y"].isna().mean()
    assert lower.estimate - here.estimate == pytest.approx(-2 * share)


def test_the_tipping_point_is_where_p_reaches_the_level():
    data = mar()
    row = run("tipping_point", data, **CALL, covariates="x")
    there = run("multiple_imputation", data, **CALL, covariates="x", delta=row.estimate)
    assert there.p_value == pytest.approx(0.05, abs=1e-4)
    assert len(row.detail["delta"]) == len(row.detail["p"]) == 41
    assert row.estimate < 0


def test_nothing_to_tip_is_a_null_that_says_so():
    row = run("tipping_point", mar().dropna(), **CALL)
    assert row.estimate is None
    assert "no outcome is missing" in row.note


def test_lee_bounds_are_tighter_within_levels_of_a_covariate_that_predicts():
    data = mar()
    wide, tight = run("lee_bounds", data, **CALL), run("lee_bounds", data, **CALL, covariates="x")
    assert tight.ci_high - tight.ci_low < wide.ci_high - wide.ci_low
    assert tight.detail["cells"] == 2
    low, high = wide.detail["imbens_manski"]
    assert f"Imbens-Manski interval [{low:.6g}, {high:.6g}]" in wide.note


@pytest.mark.parametrize("level", [0.02, 0.3, 0.5, 0.6, 0.95])
def test_the_interval_of_lee_bounds_solves_imbens_and_manskis_equation_at_any_level(level):
    """Imbens & Manski (2004), (7): Phi(c + width / the larger error) - Phi(-c) is the level."""
    row = run("lee_bounds", mar(), **CALL, level=level)
    (low, high), errors = row.detail["imbens_manski"], row.detail["std_errors"]
    cuts = np.array([(row.ci_low - low) / errors[0], (high - row.ci_high) / errors[1]])
    width = (row.ci_high - row.ci_low) / max(errors)
    assert norm.cdf(cuts + width) - norm.cdf(-cuts) == pytest.approx([level, level], abs=1e-9)


@pytest.mark.parametrize("control", ["c", "t"])
def test_each_bound_has_its_error_and_mirrored_outcomes_swap_them(control):
    """Of outcomes skewed to the right the bound that keeps the long tail is the less certain one."""
    skewed = mar().assign(y=lambda table: np.exp(table["y"] / 2))
    call = {**CALL, "control": control}
    row, mirrored = run("lee_bounds", skewed, **call), run("lee_bounds", skewed.assign(y=-skewed["y"]), **call)
    assert (mirrored.ci_low, mirrored.ci_high) == pytest.approx((-row.ci_high, -row.ci_low))
    errors = row.detail["std_errors"]
    assert mirrored.detail["std_errors"] == pytest.approx(errors[::-1])
    of_tail, other = errors if control == "c" else errors[::-1]
    assert of_tail > 1.1 * other


def test_two_observed_outcomes_of_the_untrimmed_arm_are_enough_for_the_errors_of_the_bounds():
    """Lee (2009), prop. 3: the variance of that arm's mean is a part of both; of one outcome there is none."""
    data = pd.DataFrame({"arm": ["t"] * 10 + ["c"] * 4, "y": [*map(float, range(10)), 2.5, 6.5, np.nan, np.nan]})
    errors = run("lee_bounds", data, **CALL).detail["std_errors"]
    trimmed = run("lee_bounds", data.replace({"y": {6.5: 2.5}}), **CALL).detail["std_errors"]
    assert np.square(errors) - np.square(trimmed) == pytest.approx([np.var([2.5, 6.5], ddof=1) / 2] * 2)
    one = run("lee_bounds", data.replace({"y": {6.5: np.nan}}), **CALL)
    assert (one.detail["std_errors"], one.effect_size) == (None, None)


def test_cells_without_an_arm_are_named():
    data = mar(40).assign(site=lambda table: np.where(table["arm"] == "t", "north", "south"))
    with pytest.raises(AnalysisError, match="use coarser covariates"):
        run("lee_bounds", data, **CALL, covariates="site")
