"""What is written here although a library is near, and what libraries compute, against references."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.analysis import reference_data
from support.analysis.oracle_tables import run, table

from analysis import power
from analysis.estimators.core.results import Estimates
from analysis.estimators.outcomes.items import RandomIntercept
from analysis.estimators.outcomes.ranks import ordered_differences

ARMS = {"arm": "arm", "control": "c"}


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel)


def test_satterthwaites_degrees_of_freedom_are_those_of_lmertest():
    """R: lmerTest::lmer(Reaction ~ Days + (1 | Subject)): 22.8102 and 161 degrees of freedom."""
    rows = run("mixed_model", table("cluster_sleepstudy"), outcome="Reaction", covariates="Days", cluster="Subject")
    assert [row.df for row in rows] == pytest.approx([22.8102, 161.0], abs=1e-4)


@given(x=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.1, 3.3]) | st.floats(-5, 5), min_size=1, max_size=12),
       y=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 2.2]) | st.floats(-5, 5), min_size=1, max_size=12))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_ordered_differences_are_those_of_all_pairs(x, y):
    want = np.sort(np.subtract.outer(x, y).ravel())
    assert ordered_differences(np.asarray(x), np.asarray(y), range(len(want))) == pytest.approx(
        want.tolist(), abs=1e-12
    )


def test_a_hodges_lehmann_shift_of_many_people_needs_no_table_of_pairs():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"arm": ["t", "c"] * 20_000, "y": rng.normal(size=40_000)})
    data["y"] += 0.2 * (data["arm"] == "t")
    shift = run("mann_whitney", data, outcome="y", **ARMS).effect_size
    assert shift.ci_low < 0.2 < shift.ci_high
    assert shift.ci_high - shift.ci_low < 0.06


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_agrees_with_statsmodels(ties):
    """statsmodels PHReg, ties and strata."""
    from statsmodels.duration.hazard_regression import PHReg

    data = reference_data.ovarian().assign(futime=lambda t: t["futime"] // 50)
    fitted = PHReg(data["futime"], data[["rx", "age"]], status=data["fustat"], strata=data["ecog"], ties=ties).fit()
    row = run("cox", data, outcome="futime", event="fustat", arm="rx", control=1, stratum="ecog", covariates="age",
              ties=ties)  # fmt: skip
    assert (row.estimate, row.std_error) == near((fitted.params[0], fitted.bse[0]), rel=1e-6)


def test_a_paired_t_agrees_with_r():
    """R: t.test(shoes$A, shoes$B, paired = TRUE): t = -3.3489, df = 9, p = 0.008539, [-0.6869539, -0.1330461]."""
    row = run("paired_t", reference_data.shoes(), outcome="wear", arm="sole", control="B", pair_id="boy")
    assert (row.statistic, row.df, row.p_value) == (pytest.approx(-3.3489, abs=1e-4), 9, pytest.approx(0.008539, 1e-3))
    assert (row.ci_low, row.ci_high) == pytest.approx((-0.6869539, -0.1330461), abs=1e-6)


def test_equivalence_of_pairs_agrees_with_statsmodels():
    """statsmodels ttost_paired."""
    from statsmodels.stats.weightstats import ttost_paired

    data = reference_data.shoes()
    row = run("tost", data, outcome="wear", arm="sole", control="A", pair_id="boy", margin=1)
    wear = [data.loc[data["sole"] == sole, "wear"].to_numpy() for sole in "BA"]
    assert row.p_value == near(ttost_paired(*wear, -1, 1)[0])


def test_adjusted_equivalence_is_the_interval_of_the_adjusted_difference():
    data = table("ancova_lin_anorexia")
    call = {"outcome": "Postwt", "arm": "Z", "control": 0, "covariates": "Prewt"}
    row, want = run("tost", data, **call, margin=20), run("ancova", data, **call, vcov="HC3", level=0.9)
    assert (row.estimate, row.ci_low, row.ci_high) == near((want.estimate, want.ci_low, want.ci_high))


def test_dunnett_adjusts_for_covariates():
    """By simulation of the joint t with the model's own correlations."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"arm": list("cabd") * 12, "x": rng.normal(size=48)})
    data["y"] = data["x"] + 0.8 * (data["arm"] == "b") + rng.normal(size=48)
    rows = run("dunnett", data, outcome="y", **ARMS, covariates="x")
    assert [row.estimate for row in rows] == near([row.estimate for row in run("ols", data, outcome="y", **ARMS,
                                                                              covariates="x")])  # fmt: skip
    design = np.column_stack([np.ones(48), *[(data["arm"] == arm) for arm in "abd"], data["x"]]).astype(float)
    block = np.linalg.inv(design.T @ design)[1:4, 1:4]
    draws = rng.multivariate_normal(np.zeros(3), block, 200_000) / np.sqrt(np.diag(block))
    highest = np.abs(draws / np.sqrt(rng.chisquare(43, (200_000, 1)) / 43)).max(axis=1)
    for row in rows:
        assert row.p_adjusted == pytest.approx((highest >= abs(row.statistic)).mean(), abs=0.006)


@pytest.mark.parametrize("gap", [0.0, 0.3, 2.0, 15.0, 60.0, 400.0])
def test_with_two_arms_an_adjusted_p_is_that_of_the_t_test_however_small(gap):
    """R: t.test(var.equal = TRUE); ptukey(lower = FALSE) ends at 1e-14."""
    rng = np.random.default_rng(9)
    data = pd.DataFrame({"arm": ["t"] * 12 + ["c"] * 9, "y": rng.normal(size=21)})
    data["y"] += gap * (data["arm"] == "t")
    want = run("student_t", data, outcome="y", **ARMS)
    for method in ("dunnett", "tukey_hsd"):
        row = run(method, data, outcome="y", **ARMS)
        assert row.p_adjusted == near(want.p_value, rel=1e-8)
        assert (row.ci_low, row.ci_high) == near((want.ci_low, want.ci_high), rel=1e-8)


@pytest.mark.parametrize("gap", [1.0, 6.0, 60.0, 5000.0])
@pytest.mark.parametrize("covariates", [(), "x"])
def test_an_adjusted_p_lies_between_the_single_one_and_the_sum_over_comparisons(gap, covariates):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"arm": list("cabd") * 6, "x": rng.normal(size=24), "y": rng.normal(size=24)})
    data["y"] += gap * (data["arm"] == "b")
    calls = [("dunnett", 3, {"covariates": covariates})] + ([] if covariates else [("tukey_hsd", 6, {})])
    for method, comparisons, options in calls:
        for row in run(method, data, outcome="y", **ARMS, **options):
            assert 0 < row.p_value <= row.p_adjusted * (1 + 1e-9)
            assert row.p_adjusted <= min(comparisons * row.p_value * (1 + 1e-9), 1)


def test_the_upper_tail_of_the_studentised_range_is_that_of_r():
    """R 4.2.2: ptukey(8 * sqrt(2), 3, 21, lower = FALSE), ptukey(6 * sqrt(2), 4, 30, lower = FALSE), to its 1e-11."""
    from analysis.estimators.numerics.studentised_range import range_tail

    assert range_tail(8 * 2**0.5, 3, 21) == pytest.approx(2.405568e-07, abs=1e-11)
    assert range_tail(6 * 2**0.5, 4, 30) == pytest.approx(8.028284e-06, abs=1e-11)


def test_restricted_means_of_each_arm_are_those_of_the_difference():
    data = table("rmst_pbc")
    call = {"outcome": "time", "event": "event", "arm": "Z", "control": 0, "horizon": 10}
    zero, one = run("rmst_by_arm", data, **call)
    gap = run("rmst", data, **call)[0]
    assert gap.estimate == near(one.estimate - zero.estimate)
    assert gap.std_error == near(np.hypot(one.std_error, zero.std_error))
    assert gap.detail["mean"] == {"1": one.estimate, "0": zero.estimate}


def test_powers_are_those_of_their_distributions():
    """Noncentral t, F and normal by scipy; pwr's approximation of r."""
    from scipy import stats

    edge = stats.t.isf(0.025, 25)
    paired = stats.nct.sf(edge, 25, 0.5 * 26**0.5) + stats.nct.cdf(-edge, 25, 0.5 * 26**0.5)
    assert power.paired_t_power(d=0.5, n=26) == near(paired)
    f = stats.ncf.sf(stats.f.isf(0.05, 2, 153), 2, 153, 156 * 0.25**2)
    assert power.anova_power(f=0.25, k=3, n=52) == near(f, rel=1e-7)
    h = 2 * (np.arcsin(0.85**0.5) - np.arcsin(0.6**0.5)) * 25**0.5
    both = stats.norm.sf(1.959963984540054 - h) + stats.norm.cdf(-1.959963984540054 - h)
    assert power.proportion_power(p1=0.85, p2=0.6, n=50) == near(both)
    assert 0.58 < power.correlation_power(r=0.3, n=52) < 0.6


def test_items_that_everyone_answers_alike_stay_out_of_reliability():
    from analysis import psychometrics

    items = table("reliability_attitude")
    for measure in (psychometrics.alpha, psychometrics.omega):
        found = measure(items.assign(same=3))
        assert found == near(float(measure(items)))
        assert found.details["constant"] == ["same"]
        assert "same" in found.note


def test_rows_become_a_frame_and_a_forest_plot():
    data = reference_data.insect_sprays()
    rows = run("dunnett", data, outcome="count", arm="spray", control="C")
    frame = rows.to_frame()
    assert isinstance(rows, Estimates)
    assert list(frame["treated"]) == list("ABDEF")
    assert set(frame["control"]) == {"C"}
    assert frame["n"].tolist() == [24] * 5
    assert len(rows.plot().get_yticklabels()) == 5
    one = run("logrank", reference_data.aml(), outcome="time", event="status", arm="x", control="Nonmaintained")
    assert one.to_frame().loc[0, "observed"] == one.detail["observed"]
    assert one.plot() is not None


@pytest.mark.parametrize("own", [True, False])
def test_the_marginal_likelihood_is_that_of_every_answer_one_by_one(own):
    """Summed person by person from its definition, with columns that all people share and with one of their own."""
    rng = np.random.default_rng(4)
    person, item = np.repeat(np.arange(9), 4), np.tile(np.arange(4), 9)
    x = np.column_stack([(item[:, None] == np.arange(4)).astype(float), person % 2])
    x = np.column_stack([x, rng.normal(size=9)[person]]) if own else x
    y = (rng.random(36) < 0.5).astype(float)
    model = RandomIntercept(x, y, person, nodes=15)
    at = rng.normal(size=x.shape[1] + 1) / 2

    def by_hand(parameters):
        points, weights = np.polynomial.hermite_e.hermegauss(15)
        eta = (x @ parameters[:-1])[:, None] + np.exp(parameters[-1]) * points
        chance = 1 / (1 + np.exp(-np.where(y[:, None] == 1, eta, -eta)))
        each = [np.log(chance[person == who].prod(axis=0) @ weights / weights.sum()) for who in range(9)]
        return sum(each)

    value, gradient, hessian = model(at)
    assert value == pytest.approx(by_hand(at), rel=1e-12)
    steps = np.eye(len(at)) * 1e-5
    assert gradient == pytest.approx([(by_hand(at + step) - by_hand(at - step)) / 2e-5 for step in steps], abs=1e-7)
    slopes = [(model(at + step)[1] - model(at - step)[1]) / 2e-5 for step in steps]
    assert hessian == pytest.approx(np.array(slopes), abs=1e-6)
