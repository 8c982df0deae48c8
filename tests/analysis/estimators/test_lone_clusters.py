"""An arm or a cell of one cluster: nothing says how much such clusters vary, so that a sandwich is not their error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import METHODS

METHODS_OF_MEANS = ("cluster_robust", "ols", "ancova", "lin", "welch_t", "student_t")


def schools(treated, sizes=(3, 5, 4, 6, 2, 4, 5, 7), seed=1):
    """People of eight schools, the first ones treated, without any effect."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(len(sizes)), sizes)
    y = rng.normal(size=len(school)) + rng.normal(size=len(sizes))[school]
    arm = np.where(school < treated, "new", "old")
    return pd.DataFrame({"y": y, "arm": arm, "school": [f"s{k}" for k in school], "age": rng.normal(size=len(school))})


def row(method, data, **more):
    return METHODS[method](data, outcome="y", arm="arm", control="old", cluster="school", **more)


@pytest.mark.parametrize("method", METHODS_OF_MEANS)
@pytest.mark.parametrize("treated", [1, 7])
def test_an_arm_of_one_cluster_has_an_estimate_and_no_error(method, treated):
    data = schools(treated)
    found = row(method, data)
    means = data.groupby("arm")["y"].mean()
    assert found.estimate == pytest.approx(means["new"] - means["old"])
    assert (found.std_error, found.df, found.statistic, found.p_value, found.ci_low) == (None,) * 5
    assert "one cluster by itself determines a part of it" in found.note
    assert "few clusters" in found.note
    assert row(method, schools(2)).p_value is not None


@pytest.mark.parametrize("more", [{"vcov": "CR1"}, {"vcov": "CR0"}, {"covariates": "age"}, {"stratum": "half"}])
def test_neither_other_variances_nor_covariates_make_an_error_of_one_cluster(more):
    data = schools(1).assign(half=lambda table: np.where(table["school"].isin(["s0", "s1", "s2", "s3"]), "a", "b"))
    assert row("cluster_robust", data, **more).p_value is None


def test_a_stratum_of_one_cluster_takes_no_error_from_the_difference():
    data = schools(4).assign(town=lambda table: np.where(table["school"] == "s7", "far", "near"))
    with_town, without = (
        row("cluster_robust", data, stratum="town"),
        row("cluster_robust", data[data["school"] != "s7"]),
    )
    assert with_town.p_value == pytest.approx(without.p_value)


def test_of_three_arms_only_the_one_of_one_cluster_has_no_error():
    data = schools(3)
    data.loc[data["school"] == "s0", "arm"] = "lone"
    lone, new = row("cluster_robust", data)
    assert (lone.contrast[0], lone.p_value) == ("lone", None)
    assert (new.contrast[0], new.p_value is None) == ("new", False)


def test_effects_of_a_cell_of_one_cluster_have_no_error():
    data = schools(4)
    number = data["school"].str[1:].astype(int)
    data["help"], data["pace"] = np.where(number < 4, "b", "a"), np.where(number.isin([0, 4, 5, 6]), "d", "c")
    more = {"outcome": "y", "factors": ("help", "pace"), "cluster": "school", "effects": "simple"}
    found = {each.id: each for each in METHODS["factorial"](data, **more)}
    assert {name: each.p_value is None for name, each in found.items()} == {
        "b_c_vs_a_c": True, "b_d_vs_a_d": True, "a_d_vs_a_c": True, "b_d_vs_b_c": True,
    }  # fmt: skip
    assert all(each.estimate is not None for each in found.values())


@pytest.mark.parametrize("method", ["tost", "noninferiority"])
def test_a_margin_is_not_tested_without_an_error(method):
    found = row(method, schools(1), margin=2)
    assert found.p_value is None
    assert "one cluster by itself" in found.note


def test_re_randomisation_keeps_its_p_and_states_no_error():
    found = row("rerandomization", schools(1, sizes=(4,) * 8))
    assert found.p_value >= 1 / 8
    assert found.std_error is None


@pytest.mark.parametrize("apart", [1e-6, 1e-8, 3e-9])
def test_covariates_that_are_nearly_alike_are_no_lone_cluster(apart):
    data = schools(4).assign(
        again=lambda table: table["age"] + apart * np.random.default_rng(2).normal(size=len(table))
    )
    both = row("cluster_robust", data, covariates=("age", "again"))
    difference = data.assign(again=(data["again"] - data["age"]) / apart)
    assert both.std_error == pytest.approx(
        row("cluster_robust", difference, covariates=("age", "again")).std_error, rel=0.05
    )
    assert both.p_value is not None
