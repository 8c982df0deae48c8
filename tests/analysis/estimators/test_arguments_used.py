"""No argument is ignored: a method uses what it is given, or refuses it by name."""

import inspect
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run
from test_estimators_rules import OPTIONS, OUTCOMES, people

import analysis
from analysis.estimators.core.registry import SHARED
from analysis.estimators.core.request import AnalysisError, AnalysisRequest
from analysis.estimators.numerics.assignments import replicate
from study_app.domain.allocation.arms import Arm

GIVEN = {"covariates": "warmup", "stratum": "site", "cluster": "class", "event": "event", "horizon": 30}
NEEDED = {"interaction": {"moderator": "site"}, "stratified_logrank": {"stratum": "site"},
          "cluster_robust": {"cluster": "class"}, "mixed_model": {"cluster": "class"}}  # fmt: skip


def outcome_of(method):
    return {"rmst_by_arm": "minutes"}.get(method, OUTCOMES.get(method, "score"))


def plain(method):
    options = {**OPTIONS.get(method, {}), **NEEDED.get(method, {})}
    return {"outcome": outcome_of(method), "arm": "arm", "control": "control", **options}


def without_control(method):
    call = plain(method)
    return {key: value for key, value in call.items() if key != "control"} if call["arm"] is None else call


REFUSED = [
    (method, argument)
    for method, function in analysis.METHODS.items()
    for argument in SHARED
    if argument in GIVEN and argument not in function.uses
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("method", "argument"), REFUSED)
def test_an_argument_that_a_method_does_not_use_is_refused_by_name(method, argument):
    with pytest.raises(AnalysisError, match=f"{argument}: is not used by {method}; leave it out"):
        run(method, people(), **{**without_control(method), argument: GIVEN[argument]})


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", sorted(analysis.METHODS))
@pytest.mark.parametrize("option", ["scheme", "weights", "replicates", "margin"])
def test_an_option_of_another_method_is_refused(method, option):
    if option in inspect.signature(analysis.METHODS[method]).parameters:
        return
    with pytest.raises(AnalysisError, match=f"option '{option}': is not known to {method}"):
        run(method, people(), **{**without_control(method), option: 1})


def usual(method):
    """People, or their periods, and what a call names of them."""
    data, call = people(), without_control(method)
    if method != "crossover":
        return data, call
    data = data.assign(arm=np.where((data["person"] + data.groupby("person").cumcount()) % 2, "ai", "control"))
    return data.assign(period=data.groupby("person").cumcount()), call | {"person": "person", "period": "period"}


@pytest.mark.parametrize("method", sorted(analysis.METHODS))
def test_level_and_seed_are_taken_by_every_method(method):
    data, call = usual(method)
    found = run(method, data, **call, level=0.9, seed=3)
    for row in found if isinstance(found, list) else [found]:
        assert row.ci_level == pytest.approx(0.8 if method in ("tost", "noninferiority") else 0.9)


CHANGES = [
    (method, argument)
    for method, function in analysis.METHODS.items()
    for argument in GIVEN
    if argument in function.uses and argument not in NEEDED.get(method, ())
]
GAPS = ("tipping_point", "multiple_imputation", "lee_bounds", "inverse_probability")
"""Methods about missing outcomes, of which the table then has some."""
ALONE = {"mixed_logit": {"cluster"}, "bayes_factor": {"stratum", "cluster"}, "cmh": set()}


@pytest.mark.slow
@pytest.mark.parametrize(("method", "argument"), CHANGES)
def test_an_argument_that_a_method_uses_changes_its_figures(method, argument):
    if argument in ALONE.get(method, ()):
        with pytest.raises(AnalysisError):
            run(method, people(), **plain(method), **{argument: GIVEN[argument]})
        return
    options = without_control(method)
    if argument in ("event", "horizon") and method in ("rerandomization", "permutation"):
        options |= {"statistic": "rmst", "horizon": 30}
    data = people().assign(event=lambda table: table["event"] * (np.arange(len(table)) % 3 > 0))
    if method in GAPS:
        data.loc[[4, 5, 8], "score"] = None
    if options.get("statistic"):
        options["outcome"] = "minutes"
    if argument == "cluster" and "horizon" in analysis.METHODS[method].uses and options["outcome"] == "minutes":
        options["horizon"] = 30  # without a cluster the last time may be another
    before = run(
        method, data, **{key: value for key, value in options.items() if key != argument or argument == "horizon"}
    )
    after = run(method, data, **{**options, argument: 20 if argument == "horizon" else GIVEN[argument]})
    assert [figures(row) for row in listed(before)] != [figures(row) for row in listed(after)]


def listed(found):
    return found if isinstance(found, list) else [found]


def figures(row):
    return row.estimate, row.std_error, row.statistic, row.p_value, row.ci_low, row.note


def clustered():
    """Eight schools in two blocks, two of four schools of a block treated."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"school": np.repeat(list("abcdefgh"), 3), "block": np.repeat([1, 2], 12)})
    table["z"] = np.repeat([1, 1, 0, 0, 1, 0, 1, 0], 3)
    return table.assign(y=rng.normal(size=24) + table["z"])


def designs_of_schools():
    pairs = [set(pair) for pair in combinations(range(4), 2)]
    lines = [[i in one for i in range(4)] + [i in two for i in range(4)] for one in pairs for two in pairs]
    return np.repeat(np.asarray(lines, dtype=int), 3, axis=1)


@pytest.mark.parametrize("method", ["permutation", "rerandomization"])
def test_clusters_are_exchanged_whole_and_p_is_the_share_of_their_assignments(method):
    data, drawn = clustered(), designs_of_schools()
    gaps = np.asarray([data["y"][line == 1].mean() - data["y"][line == 0].mean() for line in drawn])
    seen = data["y"][data["z"] == 1].mean() - data["y"][data["z"] == 0].mean()
    want = int((np.abs(gaps) >= abs(seen) - 1e-12).sum()) / 36
    call = {"outcome": "y", "arm": "z", "control": 0, "stratum": "block", "cluster": "school", "statistic": "mean",
            "studentised": False}  # fmt: skip
    row = run(method, data, **call)
    assert row.p_value == pytest.approx(want)
    assert run(method, data, **call, scheme=drawn).p_value == pytest.approx(want)
    assert run(method, data, **call, scheme=drawn[:, ::3]).p_value == pytest.approx(want)
    assert (row.detail["clusters"], row.detail["clusters_per_arm"]) == (8, {"0": 4, "1": 4})
    assert "few clusters (4 of 0, 4 of 1" in row.note


def test_replicates_that_split_clusters_are_refused():
    drawn = designs_of_schools()
    drawn[0, 0] = 1 - drawn[0, 0]
    with pytest.raises(AnalysisError, match="splits clusters"):
        run("permutation", clustered(), outcome="y", arm="z", control=0, cluster="school", scheme=drawn)


def test_people_of_one_cluster_in_two_arms_are_named():
    data = clustered()
    data.loc[0, "z"] = 0
    with pytest.raises(AnalysisError, match="cluster 'a' has people in more than one arm"):
        run("permutation", data, outcome="y", arm="z", control=0, cluster="school")


@pytest.mark.parametrize("weights", [(1, 1), (1, 2), (3, 1)])
def test_simple_randomisation_draws_arms_by_their_weights(weights):
    data = pd.DataFrame({"arm": ["a", "b"] * 12, "y": np.arange(24.0)})
    arms = [Arm(id="b", weight=weights[0]), Arm(id="a", weight=weights[1])]
    trial = AnalysisRequest(data=data, method="permutation", outcome="y", arm="arm", control="b", seed=1)
    drawn = replicate(trial, {"method": "simple"}, 4000, arms)
    share = weights[0] / sum(weights)
    assert (drawn.codes == 0).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / drawn.codes.size))


@pytest.mark.parametrize("method", ["ols", "ancova", "lin"])
def test_adjusted_means_of_clusters_have_cr2_errors(method):
    data = people()
    call = {"outcome": "score", "arm": "arm", "control": "control"}
    row, want = run(method, data, **call, cluster="class"), run("cluster_robust", data, **call, cluster="class")
    assert (row.std_error, row.df, row.p_value) == pytest.approx((want.std_error, want.df, want.p_value))
    assert row.detail["clusters"] == 12
    assert row.detail["icc"] is not None
    with pytest.raises(AnalysisError, match="takes no account of clusters"):
        run(method, data, **call, cluster="class", vcov="HC3")


@pytest.mark.slow
def test_nothing_warns_beside_the_notes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in analysis.METHODS:
            data, call = usual(method)
            run(method, data, **call)
