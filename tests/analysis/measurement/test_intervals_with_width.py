"""Intervals where data are extreme: of a width that the few people bear, or none with a note; never a point."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import METHODS
from analysis.agreement import cohen_kappa


def arms(control, treated) -> pd.DataFrame:
    return pd.DataFrame({"arm": ["c"] * len(control) + ["t"] * len(treated), "y": [*control, *treated]}).astype(
        {"y": float}
    )


def run(method: str, data: pd.DataFrame, **options):
    return METHODS[method](data, outcome="y", arm="arm", control="c", **options)


@pytest.mark.parametrize(("n", "limit"), [(1, None), (4, None), (6, 0.689), (26, 0.922)])
def test_complete_separation_has_an_interval_as_wide_as_people_are_few(n, limit):
    above = run("mann_whitney", arms(range(n), range(100, 100 + n)))
    below = run("mann_whitney", arms(range(100, 100 + n), range(n)))
    assert above.ci_high == 1.0
    assert above.ci_low < 0.97
    assert below.ci_high == pytest.approx(1 - above.ci_low)
    if limit is not None:
        assert above.ci_low == pytest.approx(limit, abs=0.0006)


def test_the_ratio_of_two_risks_of_one_has_no_interval():
    row = run("newcombe", arms([1] * 5, [1] * 5))
    assert (row.effect_size.value, row.effect_size.ci_low, row.effect_size.ci_high) == (1.0, None, None)
    assert "no interval of the log ratio" in row.note
    assert row.ci_low < 0 < row.ci_high


def test_a_kappa_whose_variance_is_0_has_no_interval():
    found = cohen_kappa(["x"] * 10, ["x"] * 7 + ["y"] * 3)
    assert float(found) == 0
    assert (found.ci_low, found.ci_high) == (None, None)
    assert "no interval" in found.note
    assert (found.statistic, found.p_value) == (None, None)


def test_a_restricted_mean_of_people_without_an_event_has_no_interval():
    data = arms([9, 9, 9, 9], [2, 5, 9, 9]).assign(seen=[0, 0, 0, 0, 1, 1, 0, 0])
    still, both = run("rmst_by_arm", data, event="seen", horizon=9)
    assert (still.estimate, still.ci_low, still.ci_high) == (9, None, None)
    assert (still.effect_size.value, still.effect_size.ci_low, still.effect_size.ci_high) == (0, None, None)
    assert "no interval" in still.note
    assert both.ci_low < both.estimate < both.ci_high
    gap = run("rmst", data, event="seen", horizon=9)[0]
    assert gap.detail["mean_ci"]["c"] == [None, None]
    assert gap.ci_low < gap.estimate < gap.ci_high


@pytest.mark.parametrize("seed", range(6))
def test_too_few_assignments_give_no_limit_instead_of_a_far_one(seed):
    rng = np.random.default_rng(seed)
    row = run("permutation", arms(rng.normal(size=3), rng.normal(size=3) + 1), seed=1)
    for limit in (row.ci_low, row.ci_high):
        assert limit is None or not np.isfinite(limit) or abs(limit - row.estimate) < 100 * row.std_error
