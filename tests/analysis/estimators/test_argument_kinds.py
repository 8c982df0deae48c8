"""Arguments of a kind that they cannot be: one sentence that names them, never an error of a library or a guess."""

import inspect

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run
from test_estimators_rules import call, people

import analysis
from analysis.estimators.core.argument_kinds import described, fits
from analysis.estimators.core.registry import SHARED
from analysis.estimators.core.request import AnalysisError
from analysis.pipeline.planning.option_domains import value_problem

OF_NO_KIND = (object(), {"a": 1}, float("nan"), True, "nonsense", 2.5, [None])
"""Values of many kinds: an option may be of one of them."""
OPTIONS = [
    (method, parameter.name, parameter.annotation)
    for method, function in analysis.METHODS.items()
    for parameter in inspect.signature(function).parameters.values()
    if parameter.name not in ("data", "outcome", "level", "seed", "frequency", *SHARED)
]
ALSO = {"prior_scale": "str"}
UNCHECKED = ("scheme",)
"""Designs, arrays and callables."""


@pytest.mark.parametrize(("method", "option", "kind"), OPTIONS, ids=lambda value: str(value)[:30])
def test_an_option_of_another_kind_is_refused_by_its_name(method, option, kind):
    data = people()
    for value in OF_NO_KIND:
        if fits(value, kind) or option in UNCHECKED:
            continue
        with pytest.raises(AnalysisError, match=rf"data: {option}: .* is not (known; use )?{described(kind)}"):
            analysis.METHODS[method](data, outcome="score", arm="arm", control="control", **{option: value})


WRONG_SHARED = {
    "outcome": (None, ["score"]),
    "arm": (["arm"], {"arm": 1}),
    "cluster": (["class"],),
    "event": (["event"],),
    "covariates": (5, [["warmup"]]),
    "stratum": (2.5, True),
    "level": ("0.95", None, True, 95, float("nan")),
    "horizon": ("30", [30], True, float("inf")),
    "seed": ("x", -1, 1.5, True),
    "frequency": (["errors"],),
}


@pytest.mark.parametrize("argument", WRONG_SHARED)
def test_a_shared_argument_of_another_kind_is_refused_by_its_name(argument):
    method = {"event": "cox", "horizon": "rmst", "cluster": "ols"}.get(argument, "lin")
    for value in WRONG_SHARED[argument]:
        with pytest.raises(AnalysisError, match=r"; "):
            call(method, people(), **{argument: value})


@pytest.mark.parametrize("method", ["lin", "rerandomization", "multiple_imputation", "cox"])
def test_a_seed_that_is_none_is_refused_also_where_nothing_is_drawn(method):
    with pytest.raises(AnalysisError, match="data: seed: -1 is not a whole number from 0 on"):
        call(method, people(), seed=-1)


def test_numpys_numbers_are_numbers():
    data = people()
    whole, parts = call("tost", data, margin=2)[0], call("tost", data, margin=np.float32(2))[0]
    assert whole == call("tost", data, margin=np.int64(2))[0] == call("tost", data, margin=np.array([-2.0, 2.0]))[0]
    assert whole == parts
    assert call("lin", data, level=np.float64(0.9), seed=np.int64(3))[0].ci_level == 0.9


@pytest.mark.parametrize("made", [tuple, iter, np.array, pd.Index, pd.Series], ids=lambda made: made.__name__)
def test_names_come_in_whatever_can_be_read_one_by_one(made):
    data = people()
    assert call("lin", data, covariates=made(["warmup", "years"])) == call("lin", data, covariates=["warmup", "years"])
    given = {"outcome": "score", "arm": "arm", "control": "control", "received": "event"}
    several, listed = (
        run("tsls", data, **given, covariates=(), instruments=names) for names in (made(["warmup"]), ["warmup"])
    )
    assert several == listed
    factors = [
        analysis.METHODS["factorial"](data, outcome="score", factors=names)
        for names in (made(["arm", "site"]), ["arm", "site"])
    ]
    assert factors[0] == factors[1]


def test_columns_may_be_numbered():
    data = people()[["score", "arm", "warmup"]]
    numbered = data.set_axis([0, 1, 2], axis=1)
    for method, given in (("pearson", {"x": 2}), ("interaction", {"arm": 1, "control": "control", "moderator": 2})):
        named = {key: data.columns[value] if isinstance(value, int) else value for key, value in given.items()}
        found, usual = run(method, numbered, outcome=0, **given), run(method, data, outcome="score", **named)
        assert (found.estimate, found.p_value) == (usual.estimate, usual.p_value)


@pytest.mark.parametrize("method", ["ols", "ancova", "lin", "factorial"])
def test_statas_names_of_cr1_are_known_wherever_clusters_are(method):
    given = {"cluster": "person"} | ({"factors": ["arm", "site"], "arm": None} if method == "factorial" else {})
    given |= {"control": None, "covariates": ()} if method == "factorial" else {}
    usual, *others = (call(method, people(), vcov=vcov, **given) for vcov in ("CR1", "stata", "CR1S", "cr1"))
    assert all(other == usual for other in others)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("mann_whitney", {"alternative": "LESS"}), ("cox", {"transform": "KM"}), ("cox", {"ties": "Efron"}),
        ("lee_bounds", {"trim": "Floor"}), ("bayes_factor", {"prior_scale": "Wide"}), ("lin", {"vcov": "hc2"}),
        ("interaction", {"vcov": "cr2", "cluster": "person"}), ("poisson", {"vcov": "Classical"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)  # fmt: skip
def test_a_plan_takes_words_in_other_capitals_only_where_the_method_does(method, given):
    (option, word), clustered = next(iter(given.items())), "cluster" in given
    if value_problem(method, option, word, clustered=clustered) is None:
        assert all(row.estimate is not None for row in call(method, people(), **given))
    else:
        with pytest.raises(AnalysisError, match=f"data: {option}: '{word}' is not known; use"):
            call(method, people(), **given)


IGNORED = [
    ("mixed_logit", {"by_item": True, "item": None}, "by_item: needs item"),
    ("bayes_factor", {"pair_id": "person", "cluster": "class", "paired": True}, "pairs are named by person, class"),
    ("bayes_factor", {"stratum": ["site", "years"], "paired": True}, "pairs are named by site, years"),
    ("worst_case", {"bounds": (0, 30), "outcome_min": 0}, "beside outcome_min or outcome_max"),
    ("worst_case", {"bounds": (0, 10, 30)}, "are not two ends"),
    ("tost", {"margin": (1, 2, 3)}, "is not two ends"),
    ("mixed_logit", {"nodes": 0}, "0 is not at least 2"),
    ("mixed_logit", {"cluster": "class"}, "cluster: is given beside person"),
    ("rerandomization", {"arms": ["ai", "control"]}, "not used without a scheme"),
    ("rerandomization", {"studentised": False, "vcov": "HC2"}, "vcov: is not used: .* the variance is pooled"),
    ("permutation", {"studentised": False, "vcov": "HC2", "covariates": ()}, "the difference itself is compared"),
]


@pytest.mark.parametrize(("method", "given", "said"), IGNORED)
def test_an_option_that_would_change_nothing_is_refused(method, given, said):
    with pytest.raises(AnalysisError, match=said):
        call(method, people(), **given)


def test_a_variance_named_to_a_permutation_asks_for_the_studentised_difference():
    data = people()
    plain, named = (call("permutation", data, covariates=(), **given)[0] for given in ({}, {"vcov": "HC2"}))
    assert named == call("permutation", data, covariates=(), studentised=True)[0]
    assert named.statistic != plain.statistic


@pytest.mark.parametrize("given", [{"vcov": "HC2"}, {"studentised": False}])
def test_the_variance_of_censored_times_is_not_chosen(given):
    data = people().assign(event=lambda table: table["event"] * (np.arange(len(table)) % 3 > 0))
    options = {"outcome": "minutes", "event": "event", "horizon": 30, "statistic": "rmst", "covariates": ()}
    with pytest.raises(AnalysisError, match=f"data: {next(iter(given))}: is not used: times are censored"):
        call("rerandomization", data, **options, **given)


def test_schools_that_the_arms_tell_apart_leave_no_error():
    data = people().assign(school=lambda table: table["arm"] + " school")
    row = run("mixed_model", data, outcome="score", arm="arm", control="control", cluster="school")
    assert (row.estimate, row.p_value, row.ci_low) == (None, None, None)
    assert "tell every cluster apart" in row.note
