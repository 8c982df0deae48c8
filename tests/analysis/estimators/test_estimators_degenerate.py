"""Tables without information: nulls that say why, never a number born of rounding."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run

from analysis import agreement, effects, multiplicity, psychometrics
from analysis.estimators.core.request import AnalysisError

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


def test_shares_that_are_all_0_or_1_are_refused_by_a_beta_regression():
    table = people()
    with pytest.raises(AnalysisError, match="every share is 0 or 1; use fractional_logit"):
        run("beta_regression", table.assign(share=(table.x > 0) * 1.0), outcome="share", **ARMS)


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


def test_arms_with_equal_means_have_a_p_of_1():
    """R 4.2.2: oneway.test(y ~ g, var.equal = TRUE): F = 0, p = 1; scipy's F is -1e-32 there, and its p no number."""
    arms = ["c"] * 6 + ["t"] * 3
    data = pd.DataFrame({"arm": arms, "y": [10.0, 13, 6, 1, 5, 3, 15, 0, 4], "x": [1.0, 2, 3, 1, 2, 3, 1, 2, 3]})
    for options in ({}, {"covariates": "x"}):
        row = run("anova", data, outcome="y", arm="arm", control="c", **options)
        assert (row.statistic, row.p_value) == pytest.approx((0, 1), abs=1e-7)
        assert row.effect_size.value >= 0
    assert run("welch_anova", data, outcome="y", arm="arm", control="c").effect_size.value >= 0


def test_numbers_kept_as_plain_objects_are_numbers():
    data = people()
    want = run("lin", data, outcome="y", covariates="x", **ARMS)
    assert run("lin", data.astype(object), outcome="y", covariates="x", **ARMS) == want


def test_arithmetic_that_fails_is_told_in_words():
    row = run("beta_regression", people(), outcome="share", **ARMS)
    assert row.estimate is None
    assert row.note.startswith("not estimable: the likelihood has no unique maximum")


def test_comparisons_with_a_control_need_its_name():
    with pytest.raises(AnalysisError, match="control: is not given"):
        run("dunnett", people(), outcome="y", arm="arm")


def test_a_hazard_ratio_of_several_arms_counts_the_two_that_it_compares():
    data = people().assign(arm=["no_ai", "ai", "hints"] * 8, minutes=np.arange(1, 25))
    rows = run("cox", data, outcome="minutes", **ARMS)
    assert [row.n for row in rows] == [{"ai": 8, "no_ai": 8}, {"hints": 8, "no_ai": 8}]


TEA = pd.DataFrame({"arm": ["ai"] * 4 + ["no_ai"] * 4, "all": [1] * 4 + [0] * 4, "three": [1, 1, 1, 0, 1, 0, 0, 0]})


@pytest.mark.parametrize(("outcome", "two", "greater", "less"), [("all", 2, 1, 70), ("three", 34, 17, 69)])
@pytest.mark.parametrize("method", ["permutation", "rerandomization"])
def test_cups_of_tea_have_their_exact_shares_of_seventy(method, outcome, two, greater, less):
    """Fisher (1935), ch. 2; R: fisher.test(matrix(c(4, 0, 0, 4), 2)) 2/70, one-sided 1/70; 3 of 4: 34/70, 17/70."""
    for alternative, count in (("two-sided", two), ("greater", greater), ("less", less)):
        row = run(method, TEA, outcome=outcome, **ARMS, alternative=alternative)
        assert row.p_value * 70 == pytest.approx(count, abs=1e-9)


def test_arms_that_settle_every_outcome_are_compared_by_their_difference():
    row = run("rerandomization", people(52), outcome="exact", covariates="x", **ARMS)
    assert (row.estimate, row.p_value) == pytest.approx((1.0, 0.0001))
    assert (row.std_error, row.statistic) == (None, None)
    assert "the test is of the difference itself" in row.note


def test_one_treated_person_has_the_share_of_those_as_far_out():
    data = pd.DataFrame({"arm": ["ai"] + ["no_ai"] * 9, "y": [9.0, 1, 2, 3, 4, 5, 6, 7, 8, 0]})
    assert run("permutation", data, outcome="y", **ARMS).p_value == pytest.approx(2 / 10)
    assert run("permutation", data, outcome="y", **ARMS, alternative="greater").p_value == pytest.approx(1 / 10)


def test_an_instrument_that_settles_what_was_received_has_no_finite_first_stage():
    row = run("wald_iv", people(), outcome="y", received="exact", **ARMS)
    assert "first-stage F infinite, for allocation settles what was received" in row.note


MENDABLE = {
    "two lengths": lambda: agreement.cohen_kappa(["a", "b"], ["a"]),
    "no ratings": lambda: agreement.cohen_kappa([], []),
    "text as numbers": lambda: agreement.krippendorff_alpha([["a", "b"], ["a", "a"]], "ordinal"),
    "one person": lambda: psychometrics.item_statistics([[1, 0, 1]]),
    "p above one": lambda: multiplicity.graphical([2, 0.02], [0.5, 0.5], [[0, 1], [1, 0]]),
    "no effect": lambda: effects.from_summary(d=float("nan"), n=26),
    "two signs": lambda: effects.from_summary(mean_difference=-4, d=0.7, n=26),
}


@pytest.mark.parametrize("case", MENDABLE)
@pytest.mark.filterwarnings("error")
def test_what_a_person_can_mend_is_a_typed_error(case):
    with pytest.raises(AnalysisError):
        MENDABLE[case]()


@pytest.mark.filterwarnings("error")
def test_one_person_has_no_reliability():
    assert np.isnan(psychometrics.alpha([[1, 2]]))


def test_a_missing_p_is_never_rejected_and_does_not_hold_up_the_others():
    found = multiplicity.graphical([None, 0.02], [0.5, 0.5], [[0, 1], [1, 0]])
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.04)
    assert found.rejected.tolist() == [False, True]


def test_a_polynomial_through_every_point_keeps_its_coefficients():
    """NIST StRD Wampler1: y = 1 + x + ... + x^5, certified coefficients 1 and errors 0."""
    x = np.arange(21.0)
    powers = {f"x{k}": x**k for k in range(1, 6)}
    rows = run("ols", pd.DataFrame({**powers, "y": 1 + sum(powers.values())}), outcome="y", covariates=list(powers))
    assert [row.estimate for row in rows] == pytest.approx([1.0] * 6, rel=1e-7)
    assert {(row.std_error, row.p_value) for row in rows} == {(0.0, None)}


def test_a_column_that_is_there_twice_is_refused_by_name():
    data = people()
    with pytest.raises(AnalysisError, match="column 'y': is there more than once; keep one"):
        run("welch_t", pd.concat([data, data[["y"]]], axis=1), outcome="y", **ARMS)


@pytest.mark.parametrize(("cells", "control"), [([0, 1], False), ([False, True], 0), (["0", "1"], 0), ([1, 0], True)])
def test_a_control_named_in_another_spelling_of_yes_and_no_is_found(cells, control):
    data = people().assign(arm=lambda frame: np.where(frame["arm"] == "ai", cells[1], cells[0]))
    want = run("welch_t", people(), outcome="y", **ARMS)
    assert run("welch_t", data, outcome="y", arm="arm", control=control).estimate == want.estimate


@pytest.mark.parametrize(
    ("scheme", "said"),
    [({"method": "minimisation"}, "factor"), ({"kind": "blocks"}, "kind: "), ("lottery", "method: ")],
)
def test_a_scheme_that_is_no_design_is_told_what_is_wrong_with_it(scheme, said):
    with pytest.raises(AnalysisError, match=rf"scheme: cannot be run again \(.*{said}") as refused:
        run("rerandomization", people(), outcome="y", **ARMS, scheme=scheme)
    assert "pydantic" not in str(refused.value)
    assert "input_value" not in str(refused.value)


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ({"method": "permuted_blocks", "block_sizes": [3]}, r"block_sizes: \[3\] is not a multiple of 2"),
        ({"method": "stratified_blocks", "strata": ["town"]}, "column 'town': is not in the table"),
        ({"method": "minimisation", "factors": ["town"]}, "column 'town': is not in the table"),
    ],
)
def test_a_scheme_that_does_not_fit_the_table_is_refused_before_it_is_run(scheme, said):
    with pytest.raises(AnalysisError, match=said):
        run("rerandomization", people(), outcome="y", **ARMS, scheme=scheme)


def test_arms_with_unequal_weights_are_drawn_by_their_weights():
    from study_app.domain.allocation.arms import Arm

    data = pd.DataFrame({"arm": ["ai", "ai", "no_ai"] * 4, "y": np.arange(12.0)})
    arms = [Arm(id="no_ai", weight=1), Arm(id="ai", weight=2)]
    call = {"outcome": "y", **ARMS, "scheme": {"method": "permuted_blocks", "block_sizes": [3]}}
    row = run("rerandomization", data, **call, arms=arms, statistic="mean")
    assert row.note.startswith("whole reference set of permuted_blocks: all 81 assignments")


HAZARDS_AT_ONE_TIME = {"efron": (0.787885567229, 0.735172319032), "exact": (1.46812164978, 1.30006141768)}


def test_equal_times_still_tell_hazards_apart_by_who_had_the_event():
    # coxph in R 4.2.2 with ties = "efron" and "exact"; survdiff has no statistic where all events come at one time.
    seen = [1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1]
    table = pd.DataFrame({"t": 7, "e": seen, "a": [0] * 6 + [1] * 6})
    call = {"outcome": "t", "event": "e", "arm": "a", "control": 0}
    for ties, figures in HAZARDS_AT_ONE_TIME.items():
        row = run("cox", table, ties=ties, **call)
        assert (row.estimate, row.std_error) == pytest.approx(figures, rel=1e-6)
    row = run("logrank", table.assign(e=1), **call)
    assert row.p_value is None
    assert "everyone at risk has theirs at one time" in row.note
