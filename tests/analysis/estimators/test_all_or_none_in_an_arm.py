"""Yes/no outcomes that everyone or no one of an arm reaches: intervals that hold what the test does not reject."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from support.analysis.oracle_tables import run

from analysis.estimators.core.request import AnalysisError
from analysis.estimators.outcomes.score_ratio import _score, score_ratio_interval
from analysis.pipeline.description.outcome_summaries import _risk_ratio
from study_app.domain.study.analysis_plan import Outcome


def inverted(yes, total, control_yes, control_total, level=0.95):
    """Ends of the ratios on a grid that the score test does not reject; its restricted estimate on a grid as well.

    The reference: Miettinen and Nurminen (1985), without a formula of the restricted estimate.
    """
    bound = stats.norm.ppf(0.5 + level / 2)
    shares = np.linspace(1e-9, 1, 20_001)[1:]
    kept = []
    for ratio in np.exp(np.linspace(-4, 4, 801)):
        control = shares[ratio * shares <= 1]
        treated = ratio * control
        with np.errstate(divide="ignore", invalid="ignore"):
            fits = sum(
                np.where(count > 0, count * np.log(share), 0)
                for count, share in ((yes, treated), (total - yes, 1 - treated), (control_yes, control),
                                     (control_total - control_yes, 1 - control))
            )  # fmt: skip
        best = int(np.nanargmax(fits))
        p, q = treated[best], control[best]
        everyone = total + control_total
        spread = (p * (1 - p) / total + ratio**2 * q * (1 - q) / control_total) * everyone / (everyone - 1)
        distance = yes / total - ratio * control_yes / control_total
        if distance**2 <= bound**2 * spread + 1e-12:
            kept.append(ratio)
    return min(kept), max(kept)


@pytest.mark.parametrize(
    "table",
    [(12, 12, 12, 12), (20, 20, 19, 20), (4, 12, 12, 12)]
    + [
        pytest.param(table, marks=pytest.mark.slow)
        for table in ((8, 8, 7, 8), (26, 26, 22, 26), (10, 14, 6, 11), (9, 9, 1, 9))
    ],
)
def test_the_ratio_of_risks_holds_what_the_score_test_does_not_reject(table):
    low, high = score_ratio_interval(*table, 0.95)
    assert np.log([low, high]) == pytest.approx(np.log(inverted(*table)), abs=0.011)


def test_no_one_in_the_treated_arm_leaves_the_lower_end_at_zero():
    low, high = score_ratio_interval(0, 12, 12, 12, 0.95)
    assert (low, round(high, 4)) == (0.0, 0.2504)
    with pytest.raises(AnalysisError, match="no control says yes"):
        score_ratio_interval(5, 12, 0, 12, 0.95)


@pytest.mark.parametrize("level", [0.55, 0.8, 0.95, 0.999])
def test_no_one_in_a_small_treated_arm_has_an_upper_end_at_which_the_score_is_at_its_bound(level):
    bound = stats.norm.ppf(0.5 + level / 2)
    for total in range(1, 16):
        for control_total in range(1, 16):
            for control_yes in {1, (control_total + 1) // 2, control_total}:
                low, high = score_ratio_interval(0, total, control_yes, control_total, level)
                assert low == 0 < high
                if math.isfinite(high):
                    assert _score(high, 0, total, control_yes, control_total) == pytest.approx(-bound, abs=1e-6)


def test_one_no_in_an_arm_of_one_has_a_ratio_in_the_table_of_outcomes():
    treated, control = pd.DataFrame({"done": [0.0]}), pd.DataFrame({"done": [1.0] * 6})
    found = _risk_ratio(treated, control, Outcome(id="done", kind="binary"), 0.95, clustered=False)
    assert found["estimate"] == found["ci_low"] == 0 < found["ci_high"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_ratio_lies_in_its_interval_and_the_reverse_ratio_has_the_reverse_interval(data):
    total, control_total = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    yes, control_yes = data.draw(st.integers(1, total)), data.draw(st.integers(1, control_total))
    low, high = score_ratio_interval(yes, total, control_yes, control_total, 0.95)
    ratio = yes / total / (control_yes / control_total)
    assert low < ratio < high
    back = score_ratio_interval(control_yes, control_total, yes, total, 0.95)
    assert (low, high) == pytest.approx((1 / back[1], 1 / back[0]), rel=1e-6)


def test_the_table_of_outcomes_shows_that_interval():
    one, zero = pd.DataFrame({"done": [1.0] * 20}), pd.DataFrame({"done": [1.0] * 19 + [0.0]})
    found = _risk_ratio(one, zero, Outcome(id="done", kind="binary"), 0.95, clustered=False)
    assert found["ci_low"] < 1 < found["estimate"] < found["ci_high"]


def test_odds_that_run_off_to_infinity_are_not_estimated():
    data = pd.DataFrame({"arm": ["ai"] * 12 + ["no_ai"] * 12, "rating": [1] * 12 + [0, 1] * 6})
    row = run("ordinal_logit", data, outcome="rating", arm="arm", control="no_ai")
    assert row.estimate is None
    assert "no finite maximum" in row.note
    exact = run("fisher", data, outcome="rating", arm="arm", control="no_ai")
    assert exact.effect_size.value is None
    assert math.isfinite(exact.effect_size.ci_low)
