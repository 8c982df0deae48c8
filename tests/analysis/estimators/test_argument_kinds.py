"""Arguments of a kind that they cannot be: one sentence that names them, never an error of a library or a guess."""

import inspect

import numpy as np
import pytest
from support.analysis.oracle_tables import run
from test_estimators_rules import call, people

import analysis
from analysis.estimators.core.argument_kinds import described, fits
from analysis.estimators.core.registry import SHARED
from analysis.estimators.core.request import AnalysisError

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


IGNORED = [
    ("mixed_logit", {"by_item": True, "item": None}, "by_item: needs item"),
    ("bayes_factor", {"pair_id": "person", "cluster": "class", "paired": True}, "pairs are named by person, class"),
    ("bayes_factor", {"stratum": ["site", "years"], "paired": True}, "pairs are named by site, years"),
    ("worst_case", {"bounds": (0, 30), "outcome_min": 0}, "beside outcome_min or outcome_max"),
    ("worst_case", {"bounds": (0, 10, 30)}, "are not two ends"),
    ("tost", {"margin": (1, 2, 3)}, "is not two ends"),
    ("mixed_logit", {"nodes": 0}, "0 is not at least 2"),
    ("rerandomization", {"arms": ["ai", "control"]}, "not used without a scheme"),
    ("rerandomization", {"studentised": False, "vcov": "HC2"}, "vcov: is not used by the test of the difference"),
    ("permutation", {"studentised": False, "vcov": "HC2"}, "vcov: is not used by the test of the difference"),
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
