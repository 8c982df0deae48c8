"""The power functions: figures of R, and no argument that is impossible, or that changes nothing, is taken."""

import inspect
import math
import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import power
from analysis.estimators.core.request import AnalysisError
from analysis.monitoring import boundaries

USUAL = {
    "t_test_power": {"d": 0.5, "n": 20},
    "sample_size": {"d": 0.5},
    "minimal_detectable_effect": {"n": 20},
    "schoenfeld_events": {"hazard_ratio": 0.5},
    "design_effect": {"cluster_size": 10, "icc": 0.05},
    "paired_t_power": {"d": 0.5, "n": 20},
    "anova_power": {"f": 0.25, "k": 3, "n": 20},
    "proportion_power": {"p1": 0.3, "p2": 0.5, "n": 40},
    "correlation_power": {"r": 0.3, "n": 40},
    "paired_t_sample_size": {"d": 0.5},
    "paired_t_detectable_effect": {"n": 20},
    "anova_sample_size": {"f": 0.25, "k": 3},
    "anova_detectable_effect": {"k": 3, "n": 20},
    "proportion_sample_size": {"p1": 0.3, "p2": 0.5},
    "proportion_detectable_effect": {"n": 40},
    "correlation_sample_size": {"r": 0.3},
    "correlation_detectable_effect": {"n": 40},
}
NO_NUMBER = (float("nan"), float("inf"), "x", True, [1, 2, 3], {}, -1e9)
ARGUMENTS = [(name, argument) for name in USUAL for argument in inspect.signature(getattr(power, name)).parameters]


def near(value):
    return pytest.approx(value, rel=1e-9)


def test_figures_are_those_of_r():
    # power.t.test(strict = TRUE), power.anova.test, and the formulas of pwr.2p2n.test and pwr.r.test, in R 4.2.2.
    assert power.t_test_power(difference=0.6, sd=1.3, n=17) == near(0.256916114139575)
    assert power.t_test_power(0.6 / 1.3, 17, alternative="greater") == near(0.371559579881005)
    assert power.t_test_power(0.5, 19, 33) == near(0.398674536636802)
    assert power.paired_t_power(0.6 / 1.3, 17) == near(0.432082559530902)
    assert power.paired_t_power(0.6 / 1.3, 17, 0.01, "greater") == near(0.280288186222731)
    assert power.sample_size(0.37, 0.9, alternative="greater") == near(125.793202815155)
    assert power.minimal_detectable_effect(23, 0.85) == near(0.903497483024872)
    assert power.anova_power(math.sqrt(1.7 * 3 / 4 / 3), 4, 7) == near(0.76586292272968)
    assert power.proportion_power(0.3, 0.55, 40, 70) == near(0.732903935283171)
    assert power.proportion_power(0.55, 0.3, 40, 70, 0.025, "greater") == near(0.732901143029589)
    assert power.correlation_power(0.42, 31) == near(0.670677663427748)
    assert power.correlation_power(-0.5, 30, 0.05, "greater") == near(2.78566094376e-06)


def test_powers_near_1_and_of_few_people_are_those_of_r():
    # R 4.2.2: pwr.t.test(d = 8, n = 2, type = "paired"), pwr.t.test(d = 0.8, n = 60, sig.level = 0.001, type =
    # "paired"), pwr.t.test(d = 3, n = 10, type = "paired"), pwr.r.test(r = 0.3, n = 4), pwr.r.test(r = 0.95, n = 5).
    assert power.paired_t_power(8, 2) == near(0.6252781277285)
    assert power.paired_t_power(0.8, 60, 0.001) == near(0.995556258572723)
    assert power.paired_t_power(3, 10) == near(0.999999999851936)
    assert power.correlation_power(0.3, 4) == near(0.0846902053187086)
    assert power.correlation_power(0.95, 5) == near(0.794798669172774)


def test_sizes_are_those_of_r():
    # R 4.2.2: pwr.t.test(d = 0.4, power = 0.8, type = "paired"), (d = -0.4, ..., alternative = "less");
    # pwr.anova.test(k = 4, f = 0.25, power = 0.8), (k = 2, f = 0.1, power = 0.95, sig.level = 0.01);
    # pwr.2p.test(h = ES.h(0.3, 0.55), power = 0.8), (..., power = 0.9, sig.level = 0.01), (h = 0.5, power = 0.8,
    # alternative = "greater"); pwr.r.test(r = 0.3, power = 0.8), (r = -0.3, power = 0.9, alternative = "less"). Their
    # search stops at 1e-4 of a person.
    for found, r in (
        (power.paired_t_sample_size(0.4), 51.0094483450347),
        (power.paired_t_sample_size(-0.4, alternative="less"), 40.0290847589616),
        (power.anova_sample_size(0.25, 4), 44.5992742990201),
        (power.anova_sample_size(0.1, 2, 0.95, 0.01), 892.368635410168),
        (power.proportion_sample_size(0.3, 0.55), 59.9559762941891),
        (power.proportion_sample_size(0.3, 0.55, 0.9, 0.01), 113.660830653888),
        (power.proportion_sample_size(h=0.5, alternative="greater"), 49.4604344064158),
        (power.correlation_sample_size(0.3), 84.0736397822877),
        (power.correlation_sample_size(-0.3, 0.9, alternative="less"), 91.4102372866019),
    ):
        assert found == pytest.approx(r, abs=1e-4)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("wanted", [0.3, 0.9, 0.999])
def test_sizes_and_effects_are_those_at_which_the_power_is_the_one_wanted(wanted, alternative):
    said, sign = {"power": wanted, "alpha": 0.01, "alternative": alternative}, -1 if alternative == "less" else 1
    last = {"alpha": 0.01, "alternative": alternative}
    for name, effect, n in (("paired_t", "d", 9), ("proportion", "h", 9), ("correlation", "r", 9)):
        power_of, size_of, effect_of = (
            getattr(power, f"{name}_{kind}") for kind in ("power", "sample_size", "detectable_effect")
        )
        size = size_of(**{effect: 0.3 * sign}, **said)
        assert power_of(**{effect: 0.3 * sign}, n=size, **last) == near(wanted)
        detected = effect_of(n=n, **said)
        assert detected * sign > 0
        assert power_of(**{effect: detected}, n=n, **last) == near(wanted)


def test_several_arms_and_unequal_ones_reach_the_power_that_is_wanted():
    assert power.anova_power(0.3, 5, power.anova_sample_size(0.3, 5, 0.9)) == near(0.9)
    assert power.anova_power(power.anova_detectable_effect(5, 6, 0.9), 5, 6) == near(0.9)
    n = power.proportion_sample_size(0.5, 0.3, 0.9, ratio=0.4)
    assert power.proportion_power(0.5, 0.3, n, 0.4 * n) == near(0.9)
    for alternative in ("greater", "less"):
        share = power.proportion_detectable_effect(40, alternative=alternative, n2=25, p2=0.4)
        assert power.proportion_power(share, 0.4, 40, 25, alternative=alternative) == near(0.8)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_no_argument_is_something_that_it_cannot_be(name, argument):
    function = getattr(power, name)
    for value in NO_NUMBER:
        if argument in ("d", "h", "difference", "effect_size") and value == -1e9:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(AnalysisError, match="; "):
                function(**{**USUAL[name], argument: value})


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("t_test_power", {"d": 0.5, "n": 20, "difference": 3}, "difference: is not used beside d"),
        ("t_test_power", {"d": 0.5, "n": 20, "sd": 3}, "sd: is not used beside d"),
        ("t_test_power", {"d": 0.5, "n": 20, "effect_size": 1}, "effect_size: is not used beside d"),
        ("t_test_power", {"d": 0.5, "n": 20, "n1": 30}, "n1: is not used beside n"),
        ("t_test_power", {"d": 0.5, "n": 20, "n2": 30, "ratio": 2}, "ratio: is not used beside n2"),
        ("t_test_power", {"d": 0.5, "n": (20, 30), "n2": 30}, "n2: is not used beside n of both arms"),
        ("t_test_power", {"difference": 3, "n": 20}, "sd: is not given"),
        ("t_test_power", {"difference": 3, "n": 20, "sd": (1, 0)}, "sd: 0 is not above 0"),
        ("t_test_power", {"d": 0.5, "n": (20, 1)}, "n: 1 is not above 1"),
        ("sample_size", {"d": 0.5, "power": 0.04}, "power: 0.04 is not above alpha"),
        ("sample_size", {"d": 0.5, "hazard_ratio": 2}, "d: is not used beside hazard_ratio"),
        ("sample_size", {"hazard_ratio": 2, "cluster_size": 9, "icc": 0.1}, "cluster_size: is not used beside"),
        ("sample_size", {"d": 0.5, "allocation": 0.3}, "allocation: is not used without hazard_ratio; give ratio"),
        ("sample_size", {"d": 0.5, "icc": 0.1}, "cluster_size: is not given"),
        ("schoenfeld_events", {"hazard_ratio": 0.5, "alternative": "other"}, "alternative: 'other' is not known"),
        ("anova_power", {"f": 0.25, "k": 2.5, "n": 9}, "k: 2.5 is not a whole number"),
        ("proportion_power", {"p1": 1.2, "p2": 0.5, "n": 40}, "p1: 1.2 is not at least 0 and at most 1"),
        ("proportion_power", {"p1": 0.2, "p2": 0.5, "n": 40, "h": 1}, "p1: is not used beside h"),
        ("correlation_power", {"r": 1, "n": 40}, "r: 1 is not above -1 and below 1"),
        ("anova_sample_size", {"f": 0, "k": 3}, "f: of 0 needs infinitely many people"),
        ("proportion_sample_size", {"p1": 0.4, "p2": 0.4}, "p1: equal to p2 needs infinitely many people"),
        ("proportion_sample_size", {"p1": 0.4, "p2": 0.5, "h": 1}, "p1: is not used beside h"),
        ("correlation_sample_size", {"r": 0.3, "alternative": "less"}, "r: is too small, or of the wrong sign"),
        ("proportion_detectable_effect", {"n": 5, "p2": 0.9}, "n: is too small: no proportion is far enough from 0.9"),
        ("correlation_detectable_effect", {"n": 4, "power": 0.999999999, "alpha": 1e-12}, "n: is too small for any"),
    ],
)
def test_what_is_impossible_or_would_change_nothing_is_refused(name, given, said):
    with pytest.raises(AnalysisError, match=said):
        getattr(power, name)(**given)


@pytest.mark.parametrize("made", [tuple, np.array, lambda sizes: pd.Series(sizes, index=["ai", "control"])])
def test_sizes_of_two_arms_come_as_any_sequence(made):
    assert power.t_test_power(d=0.5, n=made([50, 40])) == power.t_test_power(d=0.5, n=50, n2=40)


def test_looks_that_are_no_whole_number_are_refused_as_given():
    with pytest.raises(AnalysisError, match=r"info: 3\.0 is not a whole number of looks; give the number of looks"):
        boundaries(3.0, 0.05, "obf")


def test_large_effects_and_numpys_numbers_have_a_power():
    assert power.t_test_power(np.float64(20), np.array([5000, 4000])) == 1
    assert power.paired_t_power(-5, 1000, alternative="greater") == 0
    assert power.minimal_detectable_effect(1.5, 0.99) == near(37.9090716759)
    assert power.sample_size(hazard_ratio=2, allocation=0.3, alternative="less") == near(61.27706117151354)
