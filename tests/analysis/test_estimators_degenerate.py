"""Tables without information: nulls that say why, never a number born of rounding."""

import numpy as np
import pandas as pd
import pytest
from oracle_tables import run

from analysis.checks import AnalysisError

ARMS = {"arm": "arm", "control": "no_ai"}


def people(n=24):
    rng = np.random.default_rng(1)
    arm = np.where(np.arange(n) % 2 == 0, "ai", "no_ai")
    return pd.DataFrame({
        "arm": arm, "x": rng.normal(size=n), "site": np.arange(n) % 3, "y": rng.normal(size=n),
        "exact": (arm == "ai") * 1.0, "share": np.where(arm == "ai", 0.9, 0.1), "one": 1,
    })  # fmt: skip


EXACT = {
    "ols": {}, "ancova": {"covariates": "x"}, "lin": {"covariates": "x"}, "interaction": {"moderator": "site"},
    "cluster_robust": {"cluster": "site"}, "mixed_model": {"cluster": "site"},
}  # fmt: skip


@pytest.mark.parametrize("method", EXACT)
def test_a_model_that_fits_every_row_leaves_no_error_to_judge_by(method):
    row = run(method, people(), outcome="exact", **ARMS, **EXACT[method])
    assert (row.estimate, row.p_value) == (None, None)
    assert "fits every row exactly" in row.note


def test_shares_that_the_arms_determine_have_no_robust_error():
    row = run("fractional_logit", people(), outcome="share", **ARMS)
    assert row.estimate is None
    assert "fits every row exactly" in row.note


@pytest.mark.parametrize(
    ("method", "options"), [("interaction", {"moderator": "site"}), ("cox", {}), ("poisson", {}), ("wald_iv", {})]
)
def test_a_constant_outcome_is_a_null_with_a_note(method, options):
    options = {"received": "exact"} if method == "wald_iv" else options
    row = run(method, people(), outcome="one", **ARMS, **options)
    assert (row.estimate, row.p_value) == (None, None)
    assert "'one' has the same value in every row" in row.note


def test_numbers_kept_as_plain_objects_are_numbers():
    data = people()
    want = run("lin", data, outcome="y", covariates="x", **ARMS)
    assert run("lin", data.astype(object), outcome="y", covariates="x", **ARMS) == want


def test_arithmetic_that_fails_is_told_in_words():
    row = run("beta_regression", people(), outcome="share", **ARMS)
    assert row.estimate is None
    assert row.note.startswith("not estimable: the data do not determine the model")


def test_comparisons_with_a_control_need_its_name():
    with pytest.raises(AnalysisError, match="control: is not given"):
        run("dunnett", people(), outcome="y", arm="arm")


def test_a_hazard_ratio_of_several_arms_counts_the_two_that_it_compares():
    data = people().assign(arm=["no_ai", "ai", "hints"] * 8, minutes=np.arange(1, 25))
    rows = run("cox", data, outcome="minutes", **ARMS)
    assert [row.n for row in rows] == [{"ai": 8, "no_ai": 8}, {"hints": 8, "no_ai": 8}]
