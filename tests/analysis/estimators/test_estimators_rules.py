"""Rules that hold for all data: shifts, scales, swapped arms, inverted tests, awkward tables."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.analysis.oracle_tables import run

import analysis
from analysis import multiplicity
from analysis.estimators.core.registry import SHARED
from analysis.estimators.core.request import AnalysisError
from analysis.estimators.resampling import SMALL_ARM
from study_app.domain.errors import UserError

OUTCOMES = {
    **dict.fromkeys(("logrank", "stratified_logrank", "kaplan_meier", "rmst", "cox"), "minutes"),
    **dict.fromkeys(("newcombe", "fisher", "cmh", "mixed_logit"), "done"),
    **dict.fromkeys(("fractional_logit", "beta_regression"), "share"),
    **dict.fromkeys(("poisson", "negative_binomial"), "errors"),
    "ordinal_logit": "rating",
}
OPTIONS = {
    "wald_iv": {"received": "used"},
    "tsls": {"received": "used"},
    "tost": {"margin": 2},
    "noninferiority": {"margin": 2},
    "lee_bounds": {"covariates": "warmup", "stratum": None},
    "mixed_logit": {"item": "item", "person": "person", "stratum": None},
    "pearson": {"x": "warmup", "arm": None},
    "spearman": {"x": "warmup", "arm": None},
    "interaction": {"moderator": "site"},
    "rerandomization": {"replicates": 99},
    "permutation": {"replicates": 99},
    "difference_of_differences": {"arm": "quarter", "control": None, "cells": "q0, q1, q2, q3"},
    "factorial": {"factors": ("arm", "years"), "arm": None},
    "factorial_rerandomization": {"factors": ("arm", "years"), "arm": None, "replicates": 99},
}
IDS = (
    "ols student_t welch_t ancova lin mann_whitney brunner_munzel rerandomization permutation logrank "
    "stratified_logrank kaplan_meier rmst cox newcombe fisher cmh fractional_logit beta_regression ordinal_logit "
    "mixed_logit poisson negative_binomial anova welch_anova kruskal dunnett tukey_hsd lee_bounds worst_case wald_iv "
    "tsls tost bayes_factor cluster_robust mixed_model pearson spearman inverse_probability"
).split()
MEASURED = ["score", "share", "done", "minutes", "errors", "rating"]


def people(n=48, arms=("control", "ai"), seed=5):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n // 4 + 1), 4)[:n]
    arm = np.asarray([arms[p % len(arms)] for p in person])
    frame = pd.DataFrame(
        {
            "arm": arm,
            "score": rng.normal(10, 3, n),
            "share": rng.uniform(0.05, 0.95, n),
            "done": rng.integers(0, 2, n),
            "minutes": np.minimum(rng.exponential(30, n) + 1, 35),
            "errors": rng.negative_binomial(1, 0.3, n),
            "rating": rng.integers(1, 5, n),
            "used": ((arm != arms[0]) == (rng.random(n) > 0.15)).astype(int),
            "warmup": rng.normal(size=n),
            "years": rng.choice(["a", "b"], n),
            "site": rng.choice(["u", "v"], n),
            "class": person.astype(str),
            "item": np.tile(["i1", "i2", "i3", "i4"], n // 4 + 1)[:n],
            "person": person,
        }
    )
    row = np.arange(n)
    answered = row // 2 % 2
    return frame.assign(
        event=(frame["minutes"] < 35).astype(int),
        quarter=np.asarray(["q0", "q1", "q2", "q3"])[row % 4],
        responded=answered,
        second_treatment=np.where(answered == 1, None, np.where(row % 2, "stay", "more")),
        first_probability=0.5,
        second_probability=0.5,
    )


def uses(method):
    """The shared arguments that a call of ours gives it; clusters only where a method needs them."""
    given = set(analysis.METHODS[method].uses)
    unpaired = {"stratum"} if method == "bayes_factor" else set()
    return given - unpaired if method in ("cluster_robust", "mixed_model") else given - unpaired - {"cluster"}


def call(method, data, **changes):
    timed = OUTCOMES.get(method) == "minutes"
    named = {
        "outcome": OUTCOMES.get(method, "score"), "arm": "arm", "control": "control", "covariates": ("warmup", "years"),
        "stratum": "site", "cluster": "class", "event": "event" if timed else None, "horizon": 30 if timed else None,
        **OPTIONS.get(method, {}),
    }  # fmt: skip
    named = {key: value for key, value in named.items() if key not in SHARED or key in uses(method)}
    found = run(method, data, **{**named, **changes})
    return found if isinstance(found, list) else [found]


def test_every_method_of_the_contract_is_there():
    assert set(IDS) <= set(analysis.METHODS)


@pytest.mark.parametrize("method", IDS)
def test_every_method_has_the_contracts_signature_and_its_text(method):
    function = analysis.METHODS[method]
    names = list(inspect.signature(function).parameters)
    assert names[:11] == ["data", "outcome", "arm", "control", "covariates", "stratum", "cluster", "event", "horizon",
                          "level", "seed"]  # fmt: skip
    for part in ("Formula:", "Missing data:", "Reference:", "Example:"):
        if method not in ("lee_bounds", "worst_case") or part != "Missing data:":
            assert part in (function.__doc__ or ""), f"{method} says nothing under {part}"


@pytest.mark.parametrize("method", IDS)
def test_every_method_gives_numbers_for_ordinary_data(method):
    for row in call(method, people()):
        assert row.method == method
        assert any(value is not None for value in (row.estimate, row.p_value, row.ci_low)), row.note


def awkward():
    data = people()
    yield "no treated", data[data["arm"] == "control"], {}
    yield "no control", data[data["arm"] == "ai"], {}
    yield "everyone censored", data.assign(event=0), {}
    yield "all the same", data.assign(score=5.0, share=0.5, done=1, minutes=20.0, errors=3, rating=2), {}
    yield "all zero", data.assign(**dict.fromkeys(MEASURED, 0)), {}
    yield "missing covariate", data.assign(warmup=data["warmup"].where(data.index != 3)), {}
    yield "missing outcome", data.assign(**{name: data[name].where(data.index != 3) for name in MEASURED}), {}
    yield "three people", data.iloc[[0, 4, 8]], {}
    yield "two people", data.iloc[[0, 4]], {}
    yield "no rows", data.head(0), {}
    yield "five arms", people(80, ("control", "a", "b", "c", "ü")), {}
    yield "five arms, seven people", people(28, ("control", "a", "b", "c", "ü")).iloc[::4], {}
    yield "labels beyond ASCII", people(48, ("control", "künstlich 🤖")), {}
    yield "a column missing", data.drop(columns="arm"), {}
    yield "an outcome missing", data, {"outcome": "nowhere"}
    yield "an unknown control", data, {"control": "nowhere"}
    yield "no control named", data, {"control": None}
    yield "a constant covariate", data.assign(warmup=1.0), {}
    yield "a covariate that is the arm", data.assign(warmup=(data["arm"] == "ai").astype(float)), {}
    yield "a stratum that is the arm", data.assign(site=data["arm"]), {}
    yield "one cluster", data.assign(**{"class": "1"}), {}
    yield "text for numbers", data.assign(**dict.fromkeys(MEASURED, "many")), {}
    yield "infinite values", data.assign(**dict.fromkeys(MEASURED, np.inf)), {}
    treated = (data["arm"] == "ai").astype(int)
    separate = dict.fromkeys(("done", "event", "rating", "share"), treated)
    yield "arms that do not overlap", data.assign(**separate, score=3.0 * treated, errors=4 * treated, used=1), {}
    yield "an index twice", pd.concat([data, data]), {}


AWKWARD = [
    pytest.param(method, *case, id=f"{case[0]}-{method}", marks=[pytest.mark.slow] if (place + at) % 3 else [])
    for at, case in enumerate(awkward())
    for place, method in enumerate(IDS)
]
"""Every method with every awkwardness; a third of them by default, among which is each method and each awkwardness."""


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("method", "name", "data", "changes"), AWKWARD)
def test_awkward_data_end_in_a_typed_error_or_a_null_with_a_note(method, name, data, changes):
    try:
        rows = call(method, data, **changes)
    except UserError:
        return
    for row in rows:
        figures = (row.estimate, row.std_error, row.statistic, row.p_value, row.ci_low, row.ci_high)
        assert all(figure is None or math.isfinite(figure) for figure in figures)
        if row.estimate is None and row.p_value is None and row.ci_low is None:
            assert row.note


REFUSED = {"no treated", "no control", "no rows", "a column missing", "an outcome missing", "text for numbers"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", [m for m in IDS if m not in ("pearson", "spearman")])
@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_a_person_can_mend_is_an_error_that_names_it(method, case):
    data, changes = next((data, changes) for name, data, changes in awkward() if name == case)
    with pytest.raises(AnalysisError) as found:
        call(method, data, **changes)
    assert ";" in str(found.value)


@pytest.mark.parametrize("method", [m for m in IDS if m not in ("lee_bounds", "worst_case", "inverse_probability")])
def test_a_missing_outcome_is_refused_by_name(method):
    name = OUTCOMES.get(method, "score")
    data = people()
    with pytest.raises(AnalysisError, match=name):
        call(method, data.assign(**{name: data[name].where(data.index != 3)}))


def test_an_unused_category_is_an_empty_arm_not_a_silent_drop():
    data = people()
    data["arm"] = pd.Categorical(data["arm"], ["control", "ai", "hints"])
    with pytest.raises(AnalysisError, match="hints"):
        run("welch_t", data, outcome="score", arm="arm", control="control")


def test_an_unknown_option_is_refused_and_the_known_ones_are_named():
    with pytest.raises(AnalysisError, match="vcov"):
        run("lin", people(), outcome="score", arm="arm", control="control", variance="HC3")


def test_several_columns_missing_are_named_at_once():
    with pytest.raises(AnalysisError) as found:
        run("lin", people(), outcome="nope", arm="arm", control="control", covariates=("neither",))
    assert "nope" in str(found.value)
    assert "neither" in str(found.value)


@pytest.mark.parametrize("control", [0, 0.0, "0", np.int64(0), False])
def test_a_control_may_be_spelled_as_the_column_reads(control):
    data = people().assign(arm=lambda t: (t["arm"] == "ai").astype(int))
    row = run("welch_t", data, outcome="score", arm="arm", control=control if control is not False else 0)
    assert row.contrast == ("1", "0")


def test_several_arms_give_a_row_each():
    rows = call("lin", people(80, ("control", "a", "b", "c", "d")))
    assert [row.contrast for row in rows] == [(arm, "control") for arm in "abcd"]


scales = st.floats(0.1, 50)
shifts = st.floats(-100, 100)
seeds = st.integers(0, 10_000)
EQUIVARIANT = ["ols", "welch_t", "lin"]
"""By default; the others take more time."""
EQUIVARIANT += [
    pytest.param(method, marks=pytest.mark.slow)
    for method in ("student_t", "ancova", "cluster_robust", "mixed_model", "tsls", "wald_iv")
]


@pytest.mark.parametrize("method", EQUIVARIANT)
@given(scale=scales, shift=shifts, seed=seeds)
@settings(max_examples=15, deadline=None)
def test_a_difference_follows_the_unit_of_the_outcome_and_not_its_origin(method, scale, shift, seed):
    data = people(seed=seed)
    before, after = (call(method, table)[0] for table in (data, data.assign(score=data["score"] * scale + shift)))
    assert after.estimate == pytest.approx(before.estimate * scale, rel=1e-6, abs=1e-7)
    assert after.std_error == pytest.approx(before.std_error * scale, rel=1e-5)
    if after.effect_size.value is not None:
        value = before.effect_size.value
        assert after.effect_size.value == pytest.approx(value, rel=1e-6, abs=1e-7)


SIGNED = (*EQUIVARIANT[:-2], "fractional_logit", "poisson", "cox", "fisher")
# Its fits take a second each: ten examples are as long as all other methods together.
SLOWLY_SIGNED = pytest.param("ordinal_logit", marks=pytest.mark.slow)


@pytest.mark.parametrize("method", [*SIGNED, SLOWLY_SIGNED])
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_exchanging_the_arms_turns_the_sign_and_nothing_else(method, seed):
    data = people(seed=seed)
    there, back = call(method, data)[0], call(method, data, control="ai")[0]
    if there.estimate is None:
        assert back.estimate is None
        return
    assert back.estimate == pytest.approx(-there.estimate, rel=1e-6, abs=1e-8)
    near = 1e-3 if method == "ordinal_logit" else 1e-6  # its Hessian is differenced by statsmodels
    assert back.p_value == pytest.approx(there.p_value, rel=near)
    assert back.ci_low == pytest.approx(-there.ci_high, rel=near, abs=1e-7)


@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_rows_does_not_matter(seed):
    data = people(seed=seed)
    shuffled = data.sample(frac=1, random_state=seed)
    for method in ("lin", "cox", "rmst", "cmh", "mann_whitney", "lee_bounds", "mixed_model"):
        for one, two in zip(call(method, data), call(method, shuffled), strict=True):
            assert two.ci_low == pytest.approx(one.ci_low, rel=1e-6, abs=1e-8)
            assert two.ci_high == pytest.approx(one.ci_high, rel=1e-6, abs=1e-8)


@given(seed=seeds, tau=st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_the_interval_of_a_rerandomisation_holds_exactly_what_its_test_does_not_reject(seed, tau):
    data = people(24, seed=seed)
    named = {"replicates": 199, "covariates": ("warmup",), "stratum": None, "seed": 7}
    row = call("rerandomization", data, **named)[0]
    moved = data.assign(score=data["score"] - tau * (data["arm"] == "ai"))
    p = call("rerandomization", moved, **named)[0].p_value
    if row.ci_low + 1e-6 < tau < row.ci_high - 1e-6:
        assert p > 0.05 or _between_two_crossings(data, named, tau, row)
    elif tau < row.ci_low - 0.5 or tau > row.ci_high + 0.5:
        assert p <= 0.05 + 0.02


def _between_two_crossings(data, named, tau, row):
    """A step function may dip inside: then its p is above the level again."""
    nearby = [tau - 0.05, tau + 0.05]
    values = [
        call("rerandomization", data.assign(score=data["score"] - t * (data["arm"] == "ai")), **named)[0].p_value
        for t in nearby
    ]
    return max(values) > 0.04


def test_the_studentised_statistic_of_every_replicate_is_that_of_lin():
    """The closed form against the fitted model, replicate by replicate."""
    data, rng = people(28, seed=3), np.random.default_rng(0)
    drawn = np.stack([rng.permutation(data["arm"].to_numpy()) for _ in range(12)])
    named = {"outcome": "score", "arm": "arm", "control": "control", "covariates": ("warmup",), "stratum": "site"}
    seen = run("lin", data, **named)
    t = [run("lin", data.assign(arm=line), **named).statistic for line in drawn]
    want = (1 + sum(abs(value) >= abs(seen.statistic) for value in t)) / 13
    row = run("rerandomization", data, **named, scheme=drawn)
    assert row.p_value == want
    assert (row.estimate, row.std_error, row.df) == pytest.approx((seen.estimate, seen.std_error, seen.df))


def test_replicates_may_be_labels_indices_or_a_callable():
    data, rng = people(24), np.random.default_rng(1)
    labels = np.stack([rng.permutation(data["arm"].to_numpy()) for _ in range(99)])
    named = {"outcome": "score", "arm": "arm", "control": "control"}
    by_label = run("rerandomization", data, **named, scheme=labels)
    by_index = run("rerandomization", data, **named, scheme=(labels == "ai").astype(np.int8))
    other_order = run("rerandomization", data, **named, scheme=(labels != "ai").astype(int), arms=["ai", "control"])
    called = run("rerandomization", data, **named, scheme=lambda replicates, rng: labels, replicates=99)
    assert by_label.p_value == by_index.p_value == other_order.p_value == called.p_value
    assert by_label.ci_low == by_index.ci_low


def test_replicates_of_the_wrong_shape_are_refused():
    with pytest.raises(AnalysisError, match="shape"):
        call("rerandomization", people(24), scheme=np.zeros((9, 23), dtype=int))


def test_few_assignments_are_enumerated_and_the_p_is_their_exact_share():
    data = pd.DataFrame({"arm": ["a"] * 5 + ["b"] * 5, "y": [5.0, 6, 7, 8, 9, 1, 2, 3, 4, 4.5]})
    row = run("rerandomization", data, outcome="y", arm="arm", control="b")
    assert row.p_value == pytest.approx(2 / math.comb(10, 5), abs=1e-15)
    assert "all 252 assignments" in row.note
    assert len(data) // 2 >= SMALL_ARM


def test_permutation_stays_within_strata():
    """Five pairs: 2^5 assignments; the most extreme one has p 2/32."""
    data = pd.DataFrame({"pair": np.repeat(range(5), 2), "arm": ["t", "c"] * 5, "y": [3, 1, 5, 2, 4, 3, 9, 5, 6, 4]})
    row = run("permutation", data, outcome="y", arm="arm", control="c", stratum="pair")
    assert row.p_value == 2 / 32


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_replicates():
    one, two = (call("rerandomization", people(), seed=4)[0] for _ in range(2))
    assert one == two
    assert one != call("rerandomization", people(), seed=5)[0]


def test_times_censored_early_are_compared_by_kaplan_meier_in_every_replicate():
    data = people(40, seed=2)
    data.loc[data.index[::5], "event"] = 0
    row = call("rerandomization", data, outcome="minutes", event="event", horizon=20, statistic="rmst", covariates=())[
        0
    ]
    reference = call("rmst", data, horizon=20)[0]
    assert (row.estimate, row.std_error) == pytest.approx((reference.estimate, reference.std_error))
    assert (row.ci_low, row.ci_high) == pytest.approx((reference.ci_low, reference.ci_high))
    assert "interval asymptotic" in row.note


@pytest.mark.parametrize(("alternative", "open_side"), [("greater", "ci_high"), ("less", "ci_low")])
def test_a_one_sided_test_of_censored_times_has_the_limit_that_it_asks_about(alternative, open_side):
    data = people(40, seed=2)
    data.loc[data.index[::5], "event"] = 0
    given = {
        "outcome": "minutes",
        "event": "event",
        "horizon": 20,
        "statistic": "rmst",
        "covariates": (),
        "alternative": alternative,
    }
    row = call("rerandomization", data, **given)[0]
    limits = {"ci_low": row.ci_low, "ci_high": row.ci_high}
    assert limits.pop(open_side) is None
    assert all(limit is not None for limit in limits.values())


def test_fully_observed_times_are_compared_by_their_restricted_means():
    data = people(40, seed=2)
    row = call("rerandomization", data, outcome="minutes", event=None, horizon=30, statistic="rmst", covariates=())[0]
    capped = data.assign(score=np.minimum(data["minutes"], 30))
    treated, control = (capped.loc[capped["arm"] == arm, "score"] for arm in ("ai", "control"))
    assert row.estimate == pytest.approx(treated.mean() - control.mean())
    assert row.ci_low < row.estimate < row.ci_high


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_adjusted_p_values_keep_their_order_and_never_shrink(p):
    for method in ("holm", "hochberg", "hommel", "bonferroni", "BH", "BY"):
        found = multiplicity.adjust(p, method)
        assert (found >= np.asarray(p) - 1e-15).all()
        assert (np.diff(found[np.argsort(p, kind="stable")]) >= -1e-15).all()


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=5, deadline=None)
def test_holm_is_that_of_statsmodels(p):
    from statsmodels.stats.multitest import multipletests

    assert multiplicity.adjust(p, "holm") == pytest.approx(multipletests(p, method="holm")[1])


@given(p=st.lists(st.floats(0, 1), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_complete_graph_with_equal_weights_is_holms_procedure(p):
    m = len(p)
    graph = (np.ones((m, m)) - np.eye(m)) / (m - 1)
    found = multiplicity.graphical(p, np.full(m, 1 / m), graph)
    assert found.adjusted == pytest.approx(multiplicity.adjust(p, "holm"), abs=1e-12)


def test_a_missing_p_stays_missing():
    found = multiplicity.adjust([0.01, None, 0.04], "holm")
    assert found[[0, 2]].tolist() == [0.02, 0.04]
    assert math.isnan(found[1])
