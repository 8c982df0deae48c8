"""Functions beside the methods: what they are given is numbers and tables of a kind that fits, or one sentence."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import agreement, effects, monitoring, multiplicity, psychometrics
from analysis.estimators.core.request import AnalysisError

ANSWERS = np.random.default_rng(0).integers(0, 2, (30, 6))
RATED = [["x", "x"], ["x", "y"], ["y", "y"], ["x", "x"]]
LOOKS, EQUAL = [0.5, 1], [[0, 1], [1, 0]]
REFUSED = [
    (multiplicity.adjust, (["a"],), {}, "p: are not all numbers"),
    (multiplicity.adjust, ({"a": 0.1},), {}, "p: are not all numbers"),
    (multiplicity.adjust, ([[0.1, 0.2]],), {}, r"p: shape \(1, 2\)"),
    (multiplicity.adjust, ([0.1],), {"method": None}, "method: None is not known"),
    (multiplicity.graphical, ([0.1, 0.2], [0.5, np.nan], EQUAL), {}, "weights: "),
    (multiplicity.graphical, ([0.1, 0.2], [0.5, 0.5], [[0, 1], [1]]), {}, "transitions: "),
    (multiplicity.graphical, ([0.1, 0.2], [0.5, 0.5], EQUAL), {"alpha": 2}, "alpha: 2 is not above 0 and below 1"),
    (monitoring.boundaries, (2.5,), {}, "info: "),
    (monitoring.boundaries, ("x",), {}, "info: "),
    (monitoring.boundaries, ([0.5, np.nan],), {}, "info: "),
    (monitoring.boundaries, (LOOKS,), {"alpha": "x"}, "alpha: 'x' is not a number"),
    (monitoring.boundaries, (LOOKS,), {"kind": None}, "kind: None is not known"),
    (monitoring.boundaries, (LOOKS,), {"kind": "kim_demets", "gamma": -1}, "gamma: -1 is not above 0"),
    (monitoring.boundaries, (LOOKS,), {"kind": "wang_tsiatis", "delta": 5}, "delta: 5 is not at least -1"),
    *((monitoring.boundaries, (LOOKS,), {"kind": kind, "gamma": value}, "gamma: is not used by kind")
      for kind in ("obf", "pocock", "wang_tsiatis", "haybittle_peto", "lan_demets_obf") for value in (1.0, -4)),
    *((monitoring.boundaries, (LOOKS,), {"kind": kind, "delta": 0.25}, "delta: is not used by kind")
      for kind in ("obf", "kim_demets", "hsd", "lan_demets_pocock")),
    (monitoring.boundaries, (LOOKS,), {"sides": 0}, "sides: 0 is not at least 1"),
    (psychometrics.dif, (ANSWERS, ["a", None] * 15), {}, "group: 15 of 30 are missing; leave those people out"),
    (psychometrics.rasch_cml, (ANSWERS,), {"split": "median"}, "split: 'median' is not known; use one of mean"),
    (agreement.krippendorff_alpha, ([["ab", "ba"]],), {"level": "masi"}, "ratings: 'ab' is not a set"),
    (agreement.krippendorff_alpha, (RATED,), {"level": "ordinal", "distance": "masi"}, "distance: is given beside"),
    (effects.noncentrality_interval, (2, 30), {"level": 2}, "level: 2 is not above 0"),
    (effects.from_summary, (), {"d": 0.5, "sd": 2, "n": 26}, "sd: is given beside d"),
    (effects.from_summary, (), {"d": "x", "n": 26}, "d: 'x' is not a number"),
    (effects.from_summary, (), {"d": 0.5, "n": 26, "n_treated": 30}, "n: is given beside n_treated"),
    (effects.from_summary, (), {"d": 0.5, "n_treated": 30}, r"n: \(30, None\) is not a size of two arms"),
    (effects.from_summary, (), {"d": 0.5, "n": 26, "level": 95}, "level: 95 is not above 0 and below 1"),
    (effects.from_summary, (3,), {"sd": 0, "n": 26}, "sd: 0 is not above 0"),
    *((function, (value,), {}, "items: ") for value in ("abc", None, 5, [])
      for function in (psychometrics.alpha, psychometrics.item_statistics, psychometrics.rasch_cml)),
    (psychometrics.alpha, (ANSWERS,), {"level": 95}, "level: 95 is not above 0 and below 1"),
    (agreement.fleiss_kappa, (5,), {}, "ratings: "),
    (agreement.fleiss_kappa, (RATED,), {"level": "x"}, "level: 'x' is not a number"),
    (agreement.cohen_kappa, (RATED,), {"level": 1}, "level: 1 is not above 0 and below 1"),
    (agreement.kappa_of_table, ([[1, 2]],), {}, r"table: shape \(1, 2\)"),
    (agreement.krippendorff_alpha, (RATED,), {"replicates": -1}, "replicates: -1 is not at least 0"),
    (agreement.krippendorff_alpha, (RATED,), {"replicates": 1.5}, "replicates: 1.5 is not a whole number"),
    (agreement.krippendorff_alpha, (RATED,), {"level": "ordinal", "level_of_measurement": "ratio"}, "level: is given"),
    (agreement.icc, ("abc",), {}, "ratings: "),
    (agreement.icc, (ANSWERS,), {"level": 2}, "level: 2 is not above 0 and below 1"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "given", "named", "said"), REFUSED)
def test_what_does_not_fit_or_changes_nothing_is_one_sentence(function, given, named, said):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(AnalysisError, match=f"data: {said}"):
            function(*given, **named)


@pytest.mark.parametrize("function", [agreement.icc, agreement.cohen_kappa, agreement.fleiss_kappa])
def test_missing_ratings_are_refused_with_the_measure_that_takes_them(function):
    with pytest.raises(AnalysisError, match=r"1 of 3 cells are empty; leave out .* or use krippendorff_alpha"):
        function([[1, 2], [1, None], [2, 2]])


@pytest.mark.parametrize("function", [psychometrics.alpha, psychometrics.omega, psychometrics.rasch_cml])
def test_missing_answers_are_refused_with_what_to_do_about_items(function):
    with pytest.raises(AnalysisError, match="1 of 3 cells are empty; score an unanswered item 0"):
        function([[1, 0, 1], [0, None, 1], [1, 1, 0]])


def test_units_of_one_rating_are_the_reason_for_no_agreement():
    found = agreement.krippendorff_alpha([[1, None], [2, None]])
    assert np.isnan(found)
    assert found.note == "not estimable: no unit has two ratings"


def test_columns_of_pandas_are_numbers():
    p = pd.Series([0.01, 0.04, None, 0.03], index=list("dcba"), dtype="Float64")
    assert np.nan_to_num(multiplicity.adjust(p)).tolist() == pytest.approx([0.03, 0.06, 0, 0.06])
    assert list(monitoring.boundaries(pd.Series(LOOKS))) == list(monitoring.boundaries(LOOKS))
    assert multiplicity.graphical(pd.Series([0.01, 0.02]), [0.5, 0.5], pd.DataFrame(EQUAL)).adjusted.tolist() == [
        0.02,
        0.02,
    ]
    assert psychometrics.alpha(pd.DataFrame(ANSWERS).convert_dtypes()) == psychometrics.alpha(ANSWERS)
