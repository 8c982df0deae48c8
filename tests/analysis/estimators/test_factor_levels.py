"""Factors: effects against R, re-randomisation that holds the other factors, type I error and coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import expected, table

import analysis
from analysis.estimators.core.validation import AnalysisError

FACTORIAL = analysis.METHODS["factorial"]
RERANDOMISED = analysis.METHODS["factorial_rerandomization"]


def figures(row) -> tuple[float, float, float]:
    return row.estimate, row.std_error, row.df


@pytest.mark.parametrize(("adjustment", "covariates"), [("adjusted", ("wt",)), ("unadjusted", ())])
def test_main_effects_and_interaction_agree_with_r_under_effect_coding(adjustment, covariates):
    """R 4.2.2: lm(mpg ~ am * vs * w) with contr.sum and HC3."""
    want, call = expected("factorial_mtcars")[adjustment], {"outcome": "mpg", "factors": ("am", "vs")}
    rows = [
        row
        for effects in ("main", "interaction")
        for row in _listed(FACTORIAL(table("factorial_mtcars"), **call, covariates=covariates, effects=effects))
    ]
    assert {row.id: figures(row) for row in rows} == {
        name: pytest.approx(tuple(value), rel=1e-9) for name, value in want.items()
    }
    assert [row.estimate / row.detail["coefficient"] for row in rows] == pytest.approx([2, 2, 4])


def test_a_factor_of_three_levels_agrees_with_r():
    """R 4.2.2: lm(breaks ~ wool * tension) with contr.sum and HC3."""
    data = table("subgroup_warpbreaks")
    data["tension"] = pd.Categorical(data["tension"], categories=["L", "M", "H"])
    rows = FACTORIAL(data, outcome="breaks", factors=("wool", "tension"))
    want = expected("factorial_mtcars")["warpbreaks"]
    found = {row.id: figures(row) for row in rows if row.id.startswith("tension")}
    assert found == {name: pytest.approx(tuple(value), rel=1e-9) for name, value in want.items()}


def _listed(found):
    return found if isinstance(found, list) else [found]


def people(rng, n=48, effect=0.0, interaction=0.0, nested=0) -> pd.DataFrame:
    """People in two by two cells by blocks of four, some in a control outside them."""
    cells = np.concatenate([rng.permutation(4) for _ in range(n // 4)])
    data = pd.DataFrame({"a": np.where(cells < 2, "no", "yes"), "b": np.where(cells % 2 == 0, "off", "on")})
    data["block"] = np.repeat(np.arange(n // 4), 4)
    data["x"] = rng.normal(size=n)
    both = (data["a"] == "yes") & (data["b"] == "on")
    spread = np.where(data["b"] == "on", 1.5, 1.0)
    data["y"] = data["x"] + effect * (data["a"] == "yes") + interaction * both + spread * rng.normal(size=n)
    alone = pd.DataFrame({"a": None, "b": None, "block": -1, "x": rng.normal(size=nested)}, index=range(nested))
    return pd.concat([data, alone.assign(y=alone["x"])], ignore_index=True) if nested else data


CALL = {"outcome": "y", "factors": ("a", "b"), "covariates": ("x",)}


def test_the_re_randomised_estimate_is_that_of_the_regression():
    data = people(np.random.default_rng(3), effect=1.0)
    plain, drawn = FACTORIAL(data, **CALL), RERANDOMISED(data, **CALL, within="block", replicates=199)
    for one, other in zip(plain, drawn, strict=True):
        assert figures(other) == pytest.approx(figures(one), rel=1e-9)


def test_the_interval_holds_what_the_test_does_not_reject():
    data = people(np.random.default_rng(4), n=32, effect=1.0)
    row = RERANDOMISED(data, **CALL, within="block", replicates=499)[0]
    for value, rejected in ((row.ci_low - 0.01, True), (row.ci_low + 0.01, False), (row.ci_high + 0.01, True)):
        moved = data.assign(y=data["y"] - value * (data["a"] == "yes"))
        p = RERANDOMISED(moved, **CALL, within="block", replicates=499, interval=False)[0].p_value
        assert (p <= 0.05) == rejected


def test_few_people_are_enumerated_and_other_factors_held():
    data = people(np.random.default_rng(5), n=12)
    row = RERANDOMISED(data, outcome="y", factors=("a", "b"))[0]
    assert (row.detail["exact"], row.detail["assignments"]) == (True, 20 * 20)
    blocks = RERANDOMISED(data, outcome="y", factors=("a", "b"), within="block")[0]
    assert blocks.detail["assignments"] == 2**6


def test_a_nested_control_is_compared_with_all_cells_and_with_each_level_and_leaves_the_factors_alone():
    rng = np.random.default_rng(6)
    data = people(rng, effect=1.0, nested=12)
    inside = data[data["a"].notna()].reset_index(drop=True)
    assert [figures(row) for row in FACTORIAL(data, **CALL)] == [figures(row) for row in FACTORIAL(inside, **CALL)]
    rows = {row.id: row for row in FACTORIAL(data, outcome="y", factors=("a", "b"), effects="control", nested="alone")}
    means = inside.groupby(["a", "b"])["y"].mean()
    control = data.loc[data["a"].isna(), "y"].mean()
    assert rows["cells_vs_alone"].estimate == pytest.approx(means.mean() - control)
    assert rows["a.yes_vs_alone"].estimate == pytest.approx(means["yes"].mean() - control)
    assert rows["a.yes_vs_alone"].n == {"yes": 24, "alone": 12}
    assert set(rows) == {"cells_vs_alone", *(f"{each}_vs_alone" for each in ("a.no", "a.yes", "b.off", "b.on"))}


def test_simple_effects_are_the_main_effect_on_average_and_the_interaction_in_difference():
    rows = {row.id: row.estimate for row in FACTORIAL(people(np.random.default_rng(7)), **CALL, effects="all")}
    off, on = rows["yes_off_vs_no_off"], rows["yes_on_vs_no_on"]
    assert rows["a"] == pytest.approx((off + on) / 2)
    assert rows["a_x_b"] == pytest.approx(on - off)


def test_clusters_have_cr2_errors():
    data = people(np.random.default_rng(8)).assign(group=lambda d: d["block"] // 2 * 4 + 2 * (d["a"] == "yes"))
    row = FACTORIAL(data, outcome="y", factors=("a", "b"), cluster="group")[0]
    assert row.detail["vcov"] == "CR2"
    assert row.df < 20


@pytest.mark.parametrize(
    ("change", "call", "sentence"),
    [
        ({}, {"factors": ()}, "name no factors"),
        ({}, {"factors": ("a", "c")}, "column 'c'"),
        ({"a": "no"}, {}, "a factor needs two"),
        ({}, {"effects": "some"}, "'some' is not known"),
        ({}, {"effects": "control"}, "there is no control"),
    ],
)
def test_what_is_no_factorial_table_is_refused_by_name(change, call, sentence):
    data = people(np.random.default_rng(9)).assign(**change)
    with pytest.raises(AnalysisError, match=sentence):
        FACTORIAL(data, **{**CALL, **call})


def test_levels_known_in_part_and_empty_cells_are_refused():
    data = people(np.random.default_rng(9))
    with pytest.raises(AnalysisError, match="has a level of another factor"):
        FACTORIAL(data.assign(a=data["a"].mask(data.index == 3)), **CALL)
    with pytest.raises(AnalysisError, match="'yes_on' has no rows"):
        FACTORIAL(data[(data["a"] == "no") | (data["b"] == "off")], **CALL)


def share(trials: int, seed: int, draw) -> tuple[np.ndarray, np.ndarray]:
    """Shares of trials that reject and whose interval covers, for each row."""
    rng = np.random.default_rng(seed)
    found = [draw(people(rng, effect=0.0, interaction=0.0)) for _ in range(trials)]
    rejected = np.mean([[row.p_value <= 0.05 for row in rows] for rows in found], axis=0)
    covered = np.mean([[row.ci_low <= 0 <= row.ci_high for row in rows] for rows in found], axis=0)
    return rejected, covered


def within_error(found: np.ndarray, trials: int, wanted: float) -> bool:
    return bool((np.abs(found - wanted) <= 3 * np.sqrt(0.05 * 0.95 / trials)).all())


@pytest.mark.parametrize("trials", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_the_regression_rejects_as_often_as_it_says_without_an_effect(trials):
    rejected, covered = share(trials, 11, lambda data: FACTORIAL(data, **CALL, effects="main", vcov="HC2"))
    assert within_error(rejected, trials, 0.05)
    assert within_error(covered, trials, 0.95)


@pytest.mark.parametrize("trials", [30, pytest.param(1_000, marks=pytest.mark.slow)])
def test_the_re_randomisation_rejects_as_often_as_it_says_without_an_effect(trials):
    rejected, covered = share(trials, 12, lambda data: RERANDOMISED(data, **CALL, within="block", replicates=199))
    assert within_error(rejected, trials, 0.05)
    assert within_error(covered, trials, 0.95)
