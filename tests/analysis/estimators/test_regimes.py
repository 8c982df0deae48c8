"""Embedded regimes and second treatments: against sums by hand, and over many simulated trials."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.estimators.core.examples import two_decisions
from analysis.estimators.core.validation import AnalysisError
from analysis.estimators.methods import METHODS

REGIMES, SECOND = METHODS["embedded_regimes"], METHODS["second_treatments"]
SHAPE = {"outcome": "score", "arm": "arm", "control": "plain"}


def weighted(data: pd.DataFrame, arm: str, treatment: str) -> tuple[float, np.ndarray]:
    """Mean of a regime by its definition, and each person's part of its error: sums alone, no model."""
    on = (data["arm"] == arm) & (data["second_treatment"].isna() | (data["second_treatment"] == treatment))
    weight = on / data["first_probability"] / data["second_probability"].fillna(1.0)
    mean = float((weight * data["score"]).sum() / weight.sum())
    return mean, (weight * (data["score"] - mean) / weight.sum()).to_numpy()


def test_regimes_are_weighted_means_with_the_error_of_their_people():
    data = two_decisions()
    base, of_base = weighted(data, "plain", "more")
    for row in REGIMES(data, **SHAPE):
        mean, parts = weighted(data, *row.contrast[0].split("/"))
        assert row.estimate == pytest.approx(mean - base)
        assert (row.detail["mean"], row.detail["mean_reference"]) == (pytest.approx(mean), pytest.approx(base))
        # Four regimes are fitted to sixteen people, and one who responded is in two of them.
        assert row.std_error == pytest.approx(np.sqrt(((parts - of_base) ** 2).sum() * 16 / 12))
        assert row.df == 12


def test_second_treatments_are_compared_among_people_who_did_not_respond():
    data = two_decisions()
    left = data[data["responded"] == 0]
    design = np.column_stack(
        [left["arm"] == "plain", left["arm"] == "tips", left["second_treatment"] == "stay"]
    ).astype(float)
    fitted = sm.WLS(left["score"].to_numpy(), design, weights=np.full(len(left), 4.0)).fit(cov_type="HC3")
    row = SECOND(data, **SHAPE)
    assert (row.estimate, row.std_error) == (pytest.approx(fitted.params[2]), pytest.approx(fitted.bse[2]))
    by_arm = {row.detail["arm"]: row for row in SECOND(data, **SHAPE, by="arm")}
    means = left.groupby(["arm", "second_treatment"])["score"].mean()
    for arm, found in by_arm.items():
        assert found.estimate == pytest.approx(means[arm, "stay"] - means[arm, "more"])


def test_who_left_before_the_decision_counts_in_every_regime_of_the_arm():
    data = two_decisions()
    gone = data.assign(responded=data["responded"].astype(float))
    gone.loc[0, "responded"] = np.nan
    assert [row.estimate for row in REGIMES(gone, **SHAPE)] == [row.estimate for row in REGIMES(data, **SHAPE)]


def test_covariates_enter_centred():
    plain, adjusted = REGIMES(two_decisions(), **SHAPE), REGIMES(two_decisions(), **SHAPE, covariates="warmup")
    assert [row.contrast for row in plain] == [row.contrast for row in adjusted]
    assert adjusted[0].estimate != plain[0].estimate
    assert adjusted[0].df == plain[0].df - 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"responded": 2}, "is not coded 0/1"),
        ({"second_probability": 0.0}, "is not a probability everywhere"),
        ({"second_treatment": None}, "does not go with who responded"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(change, said):
    for method in (REGIMES, SECOND):
        with pytest.raises(AnalysisError, match=said):
            method(two_decisions().assign(**change), **SHAPE)


def test_where_everybody_responded_there_is_a_reason_and_no_figure():
    data = two_decisions().assign(responded=1, second_treatment=None)
    row = REGIMES(data, **SHAPE)
    assert row.estimate is None
    assert "fewer than two second treatments" in row.note


def drawn(rng: np.random.Generator, n: int, effect: float) -> pd.DataFrame:
    """A trial of two arms: tips help people respond, more helps the others by the effect, and ability drives both."""
    ability = rng.normal(size=n)
    arm = rng.permutation(np.repeat(["plain", "tips"], n // 2))
    responded = (ability + rng.normal(size=n) + 0.5 * (arm == "tips") > 0.3).astype(float)
    given = np.where(responded == 1, None, rng.choice(["stay", "more"], size=n)).astype(object)
    score = 10 + 2 * ability + responded + rng.normal(size=n) + effect * (given == "more")
    again = np.where(responded == 1, np.nan, 0.5)
    return pd.DataFrame(
        {
            "arm": arm, "responded": responded, "second_treatment": given, "first_probability": 0.5,
            "second_probability": again, "score": score,
        }
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200])
def test_errors_of_the_first_kind_and_coverage_are_within_monte_carlo_error(n):
    rng, trials, effect = np.random.default_rng(20), 2000, 1.5
    many = drawn(rng, 400_000, effect)
    truth = {row.contrast: row.estimate for row in REGIMES(many, **SHAPE, pairs="all")}
    false, covered, second = 0, 0, 0
    for _ in range(trials):
        none = REGIMES(drawn(rng, n, 0.0), **SHAPE, reference="plain/stay")
        false += next(row for row in none if row.contrast[0] == "plain/more").p_value < 0.05
        data = drawn(rng, n, effect)
        row = next(r for r in REGIMES(data, **SHAPE, pairs="all") if r.contrast == ("tips/more", "plain/stay"))
        covered += row.ci_low <= truth[row.contrast] <= row.ci_high
        among = SECOND(data, **SHAPE)
        second += among.ci_low <= -effect <= among.ci_high
    found = {"false": false / trials, "covered": covered / trials, "second": second / trials}
    assert found["false"] == pytest.approx(0.05, abs=0.02), found
    assert found["covered"] == pytest.approx(0.95, abs=0.02), found
    assert found["second"] == pytest.approx(0.95, abs=0.02), found
