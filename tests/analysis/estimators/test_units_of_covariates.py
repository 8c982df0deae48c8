"""Neither a covariate's unit nor its zero decides what is estimated: not the figures, and not that there are any."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run
from test_arguments_used import GAPS, without_control
from test_estimators_rules import people

import analysis
from analysis.estimators.numerics.separation import separated_at_edges

FIGURES = ("estimate", "std_error", "p_value", "ci_low", "ci_high")
UNITS = {"a thousand": (1e3, 0.0), "a million": (1e6, 0.0), "a millionth": (1e-6, 0.0), "far from 0": (1.0, 1e6),
         "milliseconds since 1970": (1e8, 1.7e12)}  # fmt: skip
QUICK = ("fractional_logit", "negative_binomial", "cluster_robust", "multiple_imputation")
ADJUSTED = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name, method in analysis.METHODS.items()
    if "covariates" in method.uses and name not in ("crossover", "lee_bounds")
]


def figures(method, data, **call):
    found = run(method, data, covariates="x", **call)
    return [
        {name: getattr(row, name) for name in FIGURES} if row.estimate is not None else row.note.partition(";")[0]
        for row in (found if isinstance(found, list) else [found])
    ]


def alike(one, other, rel=1e-8):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert mine == (theirs if isinstance(theirs, str) else pytest.approx(theirs, rel=rel, abs=1e-8))


@pytest.mark.parametrize("method", ADJUSTED)
def test_a_method_gives_the_same_figures_whatever_the_unit_and_the_zero_of_a_covariate(method):
    data, call = people(), without_control(method)
    if method in GAPS:
        data.loc[[4, 5, 8], "score"] = None
    usual = figures(method, data.assign(x=data["warmup"]), **call, seed=3)
    for factor, zero in UNITS.values():
        found = figures(method, data.assign(x=data["warmup"] * factor + zero), **call, seed=3)
        # From another zero the same seed imputes other draws of the same distribution.
        if zero and method == "tipping_point":
            assert isinstance(found[0], type(usual[0]))
        else:
            alike(found, usual, 0.1 if zero and method == "multiple_imputation" else 1e-8)


QUICK_SLOPES = ("cluster_robust", "mixed_model", "cox")
SLOPES = [
    pytest.param(name, marks=() if name in QUICK_SLOPES else pytest.mark.slow)
    for name in ("ols ancova lin cluster_robust mixed_model cox fractional_logit beta_regression ordinal_logit poisson "
                 "negative_binomial mixed_logit").split()
]  # fmt: skip


def slope(method, data, **call):
    """What a row says of a dose or a covariate, by no unit."""
    found = run(method, data, **call)
    row = next(row for row in (found if isinstance(found, list) else [found]) if row.id in ("x", "per unit of x"))
    return {"t": row.estimate / row.std_error, "p_value": row.p_value, "df": row.df or 0, "estimate": row.estimate}


@pytest.mark.parametrize("method", SLOPES)
@pytest.mark.parametrize("clustered", [True, False])
@pytest.mark.parametrize("named", ["a dose", "a covariate without arms"])
def test_what_is_said_of_a_dose_or_of_a_covariate_without_arms_is_the_same_by_any_unit_and_zero(
    method, clustered, named
):
    call = {key: value for key, value in without_control(method).items() if key not in ("arm", "control", "cluster")}
    call |= {"arm": "x", "covariates": "warmup"} if named == "a dose" else {"covariates": "x"}
    always, never = ("cluster_robust", "mixed_model"), ("mixed_logit",)
    call |= {"cluster": "class"} if method in always or (clustered and method not in never) else {}
    data = people()
    x = np.random.default_rng(2).permutation(len(data)) // 7
    usual = slope(method, data.assign(x=x), **call)
    for factor, zero in UNITS.values():
        found = slope(method, data.assign(x=x * factor + zero), **call)
        assert found == pytest.approx(usual | {"estimate": usual["estimate"] / factor}, rel=1e-8)


@pytest.mark.parametrize("cluster", [None, "class"])
def test_a_moderator_in_milliseconds_differs_from_none_in_the_unit_of_its_coefficient_alone(cluster):
    data = people()
    call = {"outcome": "score", "arm": "arm", "control": "control", "moderator": "x", "cluster": cluster}
    usual = run("interaction", data.assign(x=data["warmup"]), **call)
    found = run("interaction", data.assign(x=data["warmup"] * 1e8 + 1.7e12), **call)
    assert found.estimate * 1e8 == pytest.approx(usual.estimate, rel=1e-8)
    assert found.p_value == pytest.approx(usual.p_value, rel=1e-8)


def trial(kind, n=40, seed=0):
    """Yes/no answers that arm and covariate separate, or of which one of 40 keeps them from it."""
    rng = np.random.default_rng(seed)
    arm = np.array(["no_ai", "ai"])[rng.permutation(n) % 2]
    x = rng.normal(50, 10, n)
    if kind.startswith("on a line"):
        x = np.round(x, -1)
    treated = arm == "ai"
    yes = {
        "the covariate alone": x > 50,
        "both together": x + 15 * treated > 57,
        "on a line, with both answers there": (x > 50) | ((x == 50) & (rng.random(n) < 0.5)),
        "an arm": treated | (rng.random(n) < 0.5),
    }[kind.removeprefix("all but ")]
    if kind.startswith("all but "):
        yes[np.argmin(x)], yes[np.argmax(x)] = True, False
        yes[np.flatnonzero(treated)[:2]] = [True, False]
    return pd.DataFrame({"arm": arm, "x": x, "yes": yes * 1.0})


KINDS = ("the covariate alone", "both together", "on a line, with both answers there", "an arm")
MODELS = {"fractional_logit": "yes", "ordinal_logit": "yes"}


@pytest.mark.parametrize("method", ["fractional_logit", pytest.param("ordinal_logit", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_separation_is_refused_in_every_unit(method, kind):
    data = trial(kind)
    for factor, zero in ((1.0, 0.0), *UNITS.values()):
        moved = data.assign(x=data["x"] * factor + zero)
        (found,) = figures(method, moved, outcome=MODELS[method], arm="arm", control="no_ai")
        assert found == "not estimable: the likelihood has no finite maximum (separation, or an arm without variation)"


@pytest.mark.parametrize("method", ["fractional_logit", pytest.param("ordinal_logit", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_one_person_who_answers_otherwise_makes_it_estimable_in_every_unit(method, kind):
    data = trial(f"all but {kind}")
    call = {"outcome": MODELS[method], "arm": "arm", "control": "no_ai"}
    usual = figures(method, data, **call)
    assert usual[0]["std_error"] < 50
    for factor, zero in UNITS.values():
        alike(figures(method, data.assign(x=data["x"] * factor + zero), **call), usual)


@pytest.mark.parametrize("method", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("factor", [1.0, 7e6])
def test_a_level_at_which_nobody_counts_anything_leaves_its_rate_without_a_maximum(method, factor):
    data = people().assign(x=lambda table: (table.index % 3 == 0) * factor)
    data.loc[data["x"] > 0, "errors"] = 0
    (found,) = figures(method, data, outcome="errors", arm="arm", control="control")
    assert "no finite maximum" in found


def test_a_steep_slope_that_does_not_separate_is_estimated():
    rng = np.random.default_rng(52)
    x = rng.lognormal(0, 2, 60)
    yes = (rng.random(60) < 1 / (1 + np.exp(-3 * (x - 2)))) * 1.0
    data = pd.DataFrame({"arm": np.array(["no_ai", "ai"])[np.arange(60) % 2], "x": x, "yes": yes})
    (found,) = figures("fractional_logit", data, outcome="yes", arm="arm", control="no_ai")
    assert 0 < found["std_error"] < 10


def test_a_constant_covariate_is_left_out_and_not_taken_for_what_rounding_makes_of_it():
    data = people().assign(x=0.1)
    row = run("ols", data, outcome="score", arm="arm", control="control", covariates="x")
    plain = run("ols", data, outcome="score", arm="arm", control="control")
    assert "dropped as redundant: x" in row.note
    assert row.p_value == pytest.approx(plain.p_value, rel=1e-9)


def test_moments_in_milliseconds_as_covariates_change_neither_the_effect_of_a_dose_nor_weights_of_a_lossy_arm():
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    data = pd.DataFrame({"arm": np.array(["no_ai", "ai"])[np.arange(200) % 2], "dose": np.arange(200) % 4, "x": x})
    data["yes"] = (rng.random(200) < 1 / (1 + np.exp(-2 * x))) * 1.0
    data["score"] = pd.Series(rng.normal(size=200) + x).mask((data["arm"] == "ai") & (rng.random(200) < 0.4 + 0.2 * x))
    for method, call in (
        ("fractional_logit", {"outcome": "yes", "arm": "dose"}),
        ("inverse_probability", {"outcome": "score", "arm": "arm", "control": "no_ai"}),
    ):
        usual = figures(method, data, **call)
        assert usual[0]["std_error"] > 0
        for spread in (1e9, 1e6):
            alike(figures(method, data.assign(x=1.7e12 + spread * x), **call), usual)


@pytest.mark.parametrize("arms", [{"arm": "arm", "control": "no_ai", "instruments": "x"}, {"instruments": "arm"}])
def test_instruments_and_covariates_in_milliseconds_leave_the_effect_of_what_was_received(arms):
    rng = np.random.default_rng(3)
    x, treated = rng.normal(size=200), np.arange(200) % 2 == 1
    data = pd.DataFrame({"arm": np.where(treated, "ai", "no_ai"), "used": (treated & (rng.random(200) < 0.7)) * 1})
    data["score"] = rng.normal(size=200) + x + data["used"]
    call = {"outcome": "score", "received": "used", **arms}
    call |= {"covariates": "x"} if "arm" not in arms else {}
    usual = run("tsls", data.assign(x=x), **call)
    found = run("tsls", data.assign(x=1.7e12 + 1e9 * x), **call)
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(getattr(usual, name), rel=1e-8)


@pytest.mark.parametrize(
    ("method", "outcome"),
    [("fractional_logit", "yes"), ("poisson", "count"), ("negative_binomial", "count"), ("ordinal_logit", "rating")],
)
def test_without_arms_a_slope_is_by_the_unit_given_and_cuts_and_intercept_are_where_all_covariates_are_0(
    method, outcome
):
    rng = np.random.default_rng(5)
    x = rng.normal(size=120)
    data = pd.DataFrame({"yes": (rng.random(120) < 1 / (1 + np.exp(-2 * x))) * 1.0, "x": x})
    data["count"], data["rating"] = rng.negative_binomial(2, 0.4, 120), np.digitize(x + rng.normal(size=120), [-1, 1])
    usual = {row.id: row for row in run(method, data, outcome=outcome, covariates="x")}
    slope = usual["x"]
    for mean, spread in ((3.0, 2.0), (1.7e12, 1e9)):
        for row in run(method, data.assign(x=mean + spread * x), outcome=outcome, covariates="x"):
            if row.id == "x":
                assert row.estimate * spread == pytest.approx(slope.estimate, rel=1e-8)
                assert row.std_error * spread == pytest.approx(slope.std_error, rel=1e-8)
                continue
            moved = slope.estimate * mean / spread * (1 if "|" in row.id else -1)
            assert row.estimate == pytest.approx(usual[row.id].estimate + moved, rel=1e-8)


@pytest.mark.parametrize(("usual", "other"), [(0.0, 3.0), (1.0, 0.0), (2.0, 5.0)])
def test_a_covariate_in_which_one_person_alone_differs_does_not_stop_an_imputation(usual, other):
    data = people().assign(x=usual)
    data.loc[3, "x"] = other
    data.loc[[4, 5, 8], "score"] = None
    call = {"outcome": "score", "arm": "arm", "control": "control", "seed": 3}
    plain = run("multiple_imputation", data, **call)
    assert run("multiple_imputation", data, **call, covariates="x").estimate == pytest.approx(plain.estimate)


def test_separation_among_many_shares_takes_no_matrix_of_rows_by_rows():
    rng = np.random.default_rng(4)
    columns = np.column_stack([np.ones(3000), rng.normal(size=(3000, 2))])
    edge = rng.random(3000) < 0.2
    high = edge & (rng.random(3000) < 0.5)
    tracemalloc.start()
    try:
        assert not separated_at_edges(columns, edge & ~high, high)
        assert tracemalloc.get_traced_memory()[1] < 3000**2
    finally:
        tracemalloc.stop()
