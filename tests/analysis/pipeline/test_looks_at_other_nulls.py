"""Looks at rows whose estimate without an effect is not zero: z, repeated and final intervals count from there."""

from __future__ import annotations

import pytest
from scipy import stats
from support.analysis.method_rows import ROWS

from analysis.design.sequential import TakenLook
from analysis.estimators.core.no_effect import no_effect
from analysis.estimators.core.results import Estimate
from analysis.pipeline.looks.final import Looks, after_looks
from analysis.pipeline.looks.plan_rows import UNSIGNED
from analysis.pipeline.looks.rows import looked_at, z_of
from study_app.domain.study.analysis_plan import Plan

RULE = {"kind": "obrien_fleming", "looks": [0.5, 1.0]}
PLAN = Plan.model_validate({
    "outcomes": [{"id": "score", "kind": "continuous"}], "primary": ["score"], "stopping": RULE, "covariates": [],
})  # fmt: skip


def ranks(p: float = 0.0005, chance: float = 0.277) -> Estimate:
    """A row as `mann_whitney` gives it where outcomes are lower with the treated: interval of one look .183 to .401."""
    return Estimate(
        id="score.mann_whitney", role="primary", outcome="score", method="mann_whitney", unit="probability",
        contrast=("new", "old"), estimate=chance, p_value=p, ci_low=0.183, ci_high=0.401, n={"new": 30, "old": 30},
    )  # fmt: skip


@pytest.mark.parametrize("method", [name for name in ROWS if name not in UNSIGNED])
def test_z_has_the_sign_of_the_effect_in_every_method_that_looks_allow(method):
    unit = ROWS[method].unit
    row = {"method": method, "unit": unit, "p_value": 0.05, "estimate": no_effect(method, unit) - 0.2}
    assert z_of(row) == pytest.approx(-stats.norm.isf(0.025))
    assert z_of(row | {"estimate": no_effect(method, unit) + 0.2}) == pytest.approx(stats.norm.isf(0.025))


def test_the_repeated_interval_of_a_chance_counts_from_one_half():
    (row,) = looked_at(PLAN, [TakenLook(1, 30, 0.5)], {}, [ranks().to_json()])["rows"]
    z = -stats.norm.isf(0.0005 / 2)
    half = row["boundary"] * (0.277 - 0.5) / z
    assert row["z"] == pytest.approx(z)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(0.277 - half), pytest.approx(0.277 + half))
    # The interval holds one half exactly where the boundary is not crossed.
    assert row["crossed"] == (row["ci_high"] < 0.5)


def final(first: Estimate, last: Estimate, n: int = 60) -> Estimate:
    """The row after a look at half of the people."""
    found = looked_at(PLAN, [TakenLook(1, 30, 0.5)], {}, [first.to_json()])
    entry = {"look": 1, "n": 30, "target": 60, "information": 0.5, "result": found}
    (row,) = after_looks(Looks(PLAN, (entry,), n, 60, complete=True, hidden=False), [last])
    return row


def test_after_looks_estimate_and_interval_of_a_chance_lie_where_one_look_puts_them():
    row = final(ranks(0.2, 0.4), ranks())
    assert row.detail["z"] < 0
    assert row.estimate == pytest.approx(0.277, abs=0.02)
    assert 0 <= row.ci_low < row.estimate < row.ci_high < 0.5
    assert row.p_value < 0.05


def test_a_trial_that_ended_at_its_look_has_a_repeated_interval_between_zero_and_one():
    row = final(ranks(0.2, 0.1), ranks(0.2, 0.1), n=30)
    assert row.detail["crossed"] is False
    assert 0 <= row.ci_low < 0.1 < 0.5 < row.ci_high <= 1
