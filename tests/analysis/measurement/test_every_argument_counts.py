"""Of every public function beside the methods: an argument changes the result, or is refused; what no argument can be
is refused by one sentence, whichever argument it is."""

import inspect
import warnings

import numpy as np
import pytest

from analysis import agreement, effects, monitoring, multiplicity, power, psychometrics
from analysis.estimators.core.request import AnalysisError

RNG = np.random.default_rng(0)
RIGHT = (RNG.random((40, 5)) < [0.2, 0.4, 0.5, 0.6, 0.8]).astype(int)
OTHERS = (RNG.random((40, 5)) < 0.5).astype(int)
RATED = [["x", "x", "y"], ["x", "y", "y"], ["y", "y", "y"], ["x", "x", "x"], ["y", "x", "y"]]
RERATED = [["x", "x", "x"], *RATED[1:]]
POINTS, MORE = RNG.normal(size=(10, 3)), RNG.normal(size=(10, 3))
ONE, TWO, THREE = RNG.normal(size=(3, 12))
GROUP, REGROUPED = ["a", "b"] * 20, ["a"] * 20 + ["b"] * 20
USUAL = {
    multiplicity.adjust: {"p": [0.01, 0.02, 0.3], "method": "holm"},
    multiplicity.graphical: {"p": [0.01, 0.02], "weights": [0.5, 0.5], "transitions": [[0, 1], [1, 0]], "alpha": 0.05},
    monitoring.boundaries: {"info": [0.5, 1], "alpha": 0.05, "kind": "obf", "sides": 2},
    monitoring.crossing_probabilities: {"info": [0.5, 1], "critical": [2.8, 2.0], "sides": 2, "drift": 1.0},
    effects.from_summary: {"d": 0.5, "n": (26, 26), "level": 0.95},
    effects.hedges_g: {"difference": 1.0, "sd": 2.0, "n_treated": 20, "n_control": 20, "level": 0.95},
    effects.noncentrality_interval: {"statistic": 2.0, "df": 30.0, "level": 0.95},
    effects.pooled_sd: {"treated": ONE, "control": TWO},
    effects.small_sample_factor: {"df": 20.0},
    effects.standardized_difference: {"treated": ONE, "control": TWO},
    effects.variance_ratio: {"treated": ONE, "control": TWO},
    effects.categorical_difference: {"treated_counts": [2, 10, 14], "control_counts": [2, 9, 15]},
    agreement.cohen_kappa: {"a": list("xxyyx"), "b": list("xyyyx"), "level": 0.95},
    agreement.fleiss_kappa: {"ratings": RATED, "level": 0.95},
    agreement.icc: {"ratings": POINTS, "level": 0.95},
    agreement.kappa_of_table: {"table": [[4, 1, 0], [2, 5, 3], [0, 1, 4]], "level": 0.95},
    agreement.krippendorff_alpha: {"ratings": POINTS.round(), "replicates": 20, "ci_level": 0.9, "seed": 1},
    agreement.light_kappa: {"ratings": RATED},
    agreement.masi_distance: {"a": {"x"}, "b": {"x", "y"}},
    psychometrics.alpha: {"items": RIGHT, "level": 0.95},
    psychometrics.omega: {"items": RIGHT},
    psychometrics.item_statistics: {"items": RIGHT},
    psychometrics.q3: {"items": RIGHT},
    psychometrics.rasch_cml: {"items": RIGHT},
    psychometrics.rasch_mml: {"items": RIGHT},
    psychometrics.item_fit: {"items": RIGHT},
    psychometrics.dif: {"items": RIGHT, "group": GROUP},
    psychometrics.distractors: {"responses": list("abac"), "key": "a", "scores": [3, 1, 2, 0]},
    psychometrics.one_factor: {"correlation": np.corrcoef(POINTS.T)},
}  # fmt: skip
"""A call of each; those of `analysis.power` have a test for themselves."""
CHANGED = {
    "p": [0.03, 0.02], "weights": [0.2, 0.8], "transitions": [[0, 0.5], [1, 0]], "alpha": 0.01, "info": [0.4, 1],
    "kind": "pocock", "sides": 1, "critical": [2.5, 2.0], "drift": 0.5, "d": 0.7, "n": (30, 26), "level": 0.9,
    "mean_difference": 3.0, "difference": 2.0, "sd": 3.0, "n_treated": 15, "n_control": 15, "statistic": 1.0,
    "df": 12.0, "treated": THREE, "control": THREE, "treated_counts": [5, 10, 14], "control_counts": [9, 9, 15],
    "a": list("yxyyx"), "b": list("xxxyx"), "ratings": RERATED, "table": [[4, 1, 0], [2, 5, 3], [0, 3, 4]],
    "replicates": 30, "ci_level": 0.8, "seed": 2, "distance": "interval", "level_of_measurement": "ordinal",
    "items": OTHERS, "maximum": 2.0, "theta": ONE.repeat(4)[:40], "difficulty": [0.0, 1.0, 0.0, 1.0, 0.0],
    "split": None, "nodes": 5, "group": REGROUPED, "reference": "b", "responses": list("abbc"), "key": "b",
    "scores": [3, 1, 2, 4], "correlation": np.corrcoef(MORE.T),
}  # fmt: skip
"""Argument -> another value, which some function takes."""
OF_ITS_KIND = {
    (multiplicity.adjust, "method"): ["bonferroni"],
    (monitoring.boundaries, "delta"): [0.25],
    (monitoring.boundaries, "gamma"): [1.0],
    (effects.from_summary, "n_treated"): [26],
    (effects.from_summary, "n_control"): [26],
    (effects.from_summary, "sd"): [2.0],
    (agreement.icc, "ratings"): [MORE],
    (agreement.icc, "kind"): ["ICC1"],
    (agreement.cohen_kappa, "weights"): ["linear"],
    (agreement.kappa_of_table, "weights"): ["quadratic"],
    (agreement.krippendorff_alpha, "level"): ["ordinal"],
    (agreement.krippendorff_alpha, "ratings"): [MORE.round()],
    (agreement.masi_distance, "a"): [{"z"}],
    (agreement.masi_distance, "b"): [{"z"}],
    (psychometrics.omega, "method"): ["other"],
}  # fmt: skip
"""Where the value above is not of the argument's kind."""
ARGUMENTS = [(function, name) for function in USUAL for name in inspect.signature(function).parameters]


def named(value):
    return value.__name__ if callable(value) else value


def figures(function, given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = function(**given)
    whole = getattr(found, "to_frame", lambda: found)()
    return whole.to_csv() if hasattr(whole, "to_csv") else repr((found, getattr(found, "__dict__", "")))


def test_no_public_function_is_left_out():
    public = {
        getattr(module, name)
        for module in (agreement, effects, monitoring, multiplicity, psychometrics)
        for name in module.__all__
        if not inspect.isclass(getattr(module, name))
    }
    assert public == set(USUAL)
    assert all(callable(getattr(power, name)) for name in power.__all__)


@pytest.mark.parametrize(("function", "argument"), ARGUMENTS, ids=named)
def test_another_value_changes_the_result_or_is_refused(function, argument):
    (value,) = OF_ITS_KIND.get((function, argument), [CHANGED.get(argument)])
    usual = figures(function, USUAL[function])
    try:
        found = figures(function, USUAL[function] | {argument: value})
    except AnalysisError as error:
        found = str(error)
    assert found != usual


NONSENSE = (object(), {}, {"a": 1}, "nonsense", True, float("nan"), float("-inf"), -1.5, (), [None, "x"], lambda: 0)
TAKEN = {
    ("d", -1.5), ("mean_difference", -1.5), ("difference", -1.5), ("statistic", -1.5), ("drift", -1.5),
    *(("key", value) for value in ("nonsense", True, -1.5, float("-inf"))), ("a", ()), ("b", ()),
}  # fmt: skip
"""Numbers that may be negative, an option that no one chose, and an empty set."""
MEANT = {
    agreement.masi_distance: {"{}", "[None, 'x']", "{'a': 1}", "()"},
    multiplicity.adjust: {"nan", "()"},
    psychometrics.item_statistics: {"nan"},
    effects.hedges_g: {"nan", "-inf"},
    effects.noncentrality_interval: {"nan", "-inf", "-1.5"},
}
"""Sets of something; a p or a maximum that is missing; a spread that does not exist, of which None is the answer."""


@pytest.mark.parametrize(("function", "argument"), ARGUMENTS, ids=named)
def test_what_an_argument_cannot_be_is_refused_in_one_sentence(function, argument):
    for value in NONSENSE:
        is_taken = any(argument == name and value is entry for name, entry in TAKEN if not isinstance(entry, float))
        is_taken = is_taken or any(argument == name and repr(value) == repr(entry) for name, entry in TAKEN)
        if is_taken or repr(value) in MEANT.get(function, ()) or (callable(value) and argument == "distance"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(AnalysisError, match="^data: .*; "):
                function(**{**USUAL[function], argument: value})
