"""What a trial needs where usual defaults reject too often, each with the call that gives the number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from support.analysis import reference_data
from support.analysis.oracle_tables import run

from analysis.measurement.item_fit import dif
from analysis.pipeline.runner import ROBUST


def people():
    """36 people in three arms, 18 schools; as the table that the values of R below come from."""
    i = np.arange(36)
    arm, school = np.array(["a", "b", "c"])[i % 3], (i // 3) % 6 * 3 + i % 3
    y = 10 + 2 * (i % 3 == 1) + ((i * 13) % 17) / 3 + 0.4 * (i * 7 % 11) + school * 5 % 7
    return pd.DataFrame({
        "arm": arm, "school": school, "x": (i * 7 % 11) / 2.0, "site": np.where(i * 5 % 7 > 2, "n", "s"),
        "y": np.round(y, 4), "count": (i * i + 3 * (i % 3)) % 7, "share": ((i * 11) % 20) / 20.0,
    })  # fmt: skip


def two():
    data = people()
    return data[data["arm"] != "c"].reset_index(drop=True)


CALL = {"arm": "arm", "control": "a"}


def near(*values, rel=1e-6):
    return pytest.approx(values, rel=rel)


def test_the_mixed_model_has_satterthwaites_degrees_of_freedom():
    """R: lmerTest::lmer(y ~ arm + (1 | school)): 2.65, 1.399948871348, df 9.99999991332, p 0.0876384460975."""
    row = run("mixed_model", two(), outcome="y", **CALL, cluster="school")
    assert (row.estimate, row.std_error, row.df, row.p_value) == near(2.65, 1.399948871, 10.0, 0.08763844610)


def test_clusters_that_do_not_vary_have_a_variance_of_zero():
    """R: lmerTest::lmer(y ~ arm + (1 | school)), singular: 0, 24.9517241379; 1.4, 1.289747369008, df 58."""
    i = np.arange(60)
    data = pd.DataFrame(
        {"y": (i * 13) % 17 + (i // 5) % 2, "arm": np.where((i // 5) % 2, "b", "a"), "school": (i // 5).astype(str)}
    )
    row = run("mixed_model", data, outcome="y", **CALL, cluster="school")
    assert (row.detail["cluster_variance"], row.detail["icc"]) == (0.0, 0.0)
    assert (row.estimate, row.std_error, row.df, row.detail["residual_variance"]) == near(
        1.4, 1.289747369008, 58, 24.9517241379
    )
    assert "cluster variance 0, " in row.note


def test_counts_have_hc1_errors():
    """R: sandwich::vcovHC(glm(count ~ arm, poisson), "HC1"): 0.518793793415, 0.261967249531."""
    row = run("poisson", two(), outcome="count", **CALL, vcov="HC1")
    assert (row.estimate, row.std_error) == near(0.518793793415, 0.261967249531)
    assert row.df == sum(row.n.values()) - 2
    assert row.p_value == pytest.approx(2 * stats.t.sf(abs(row.statistic), row.df))
    assert {"poisson", "fractional_logit", "wald_iv", "tsls"} <= set(ROBUST)


def test_shares_have_hc1_errors():
    """R: sandwich::vcovHC(glm(share ~ arm + x, quasibinomial), "HC1"): -0.203601500693, 0.493077008207."""
    row = run("fractional_logit", two(), outcome="share", **CALL, covariates="x", vcov="HC1")
    assert (row.estimate, row.std_error) == near(-0.203601500693, 0.493077008207)


@pytest.mark.parametrize(
    ("moderator", "estimate", "p"),
    [("x", -1.15685333602993, 0.176760529177417), ("site", 1.87776666666667, 0.430471584503442)],
)
def test_the_interaction_is_tested_with_hc3(moderator, estimate, p):
    """R: sandwich::vcovHC(lm(y ~ arm * moderator), "HC3"), t with 20 degrees of freedom; statsmodels agrees."""
    data = two()
    row = run("interaction", data, outcome="y", **CALL, moderator=moderator)
    assert (abs(row.estimate), row.p_value) == near(abs(estimate), p)
    assert row.detail["joint_p"] == pytest.approx(p)
    m = data["x"] if moderator == "x" else (data["site"] == "s") * 1.0
    t = (data["arm"] == "b") * 1.0
    fitted = sm.OLS(data["y"], np.column_stack([np.ones(24), t, m, t * m])).fit(cov_type="HC3", use_t=True)
    assert fitted.pvalues.iloc[3] == pytest.approx(p)


@pytest.mark.parametrize(("size", "low"), [(6, 0.689), (26, 0.922)])
def test_arms_that_do_not_overlap_have_an_interval_of_some_width(size, low):
    """Newcombe (2006), method 5, solved at an estimate of 1."""
    data = pd.DataFrame({"arm": np.repeat(["a", "b"], size), "y": np.arange(2.0 * size)})
    row = run("mann_whitney", data, outcome="y", **CALL)
    assert (row.estimate, row.ci_low, row.ci_high) == (1.0, pytest.approx(low, abs=5e-4), 1.0)
    turned = run("mann_whitney", data, outcome="y", arm="arm", control="b")
    assert (turned.estimate, turned.ci_low, turned.ci_high) == (0.0, 0.0, pytest.approx(1 - low, abs=5e-4))


def test_dunnett_takes_covariates():
    """R: multcomp::glht(lm(y ~ arm + x), mcp(arm = "Dunnett")): 2.58003, 0.903355; p 0.046479, 0.625766."""
    rows = run("dunnett", people(), outcome="y", **CALL, covariates="x")
    assert [row.estimate for row in rows] == pytest.approx([2.580030279898, 0.903354643766])
    assert [row.std_error for row in rows] == pytest.approx([1.09943407024, 1.09690226706])
    assert [row.p_adjusted for row in rows] == pytest.approx([0.04647854, 0.62576565], abs=2e-5)


def test_dif_is_mantel_and_haenszels_test():
    """R: mantelhaen.test(correct = TRUE) over strata of the score: odds ratio, interval, chi-square and p."""
    j, k = np.arange(120)[:, None], np.arange(6)[None, :]
    table = ((j * 7 + k * k * 11 + (j % 13) * k) % 10 > 1 + k + (k == 2) * (j % 2) * 2).astype(int)
    found = dif(pd.DataFrame(table, columns=list("uvwxyz")), np.array(["p", "q"])[np.arange(120) % 2])
    row = found.set_index("item").loc["w", ["odds_ratio", "ci_low", "ci_high", "chi2", "p"]]
    assert row.tolist() == pytest.approx([2.13676947, 0.97921553, 4.66269540, 3.00541510, 0.08298672], rel=1e-6)


def test_pairs_have_their_own_t():
    """R: t.test(b, a, paired = TRUE): p 0.0988369516853; scipy.stats.ttest_rel."""
    data = two()
    row = run("paired_t", data, outcome="y", **CALL)
    treated, control = (data.loc[data["arm"] == arm, "y"].to_numpy() for arm in "ba")
    assert row.p_value == pytest.approx(0.0988369516853095)
    assert row.p_value == pytest.approx(stats.ttest_rel(treated, control).pvalue)


def test_lees_bounds_within_covariates_are_the_average_of_their_cells():
    """By its definition: each cell's bounds, weighted by the people who stay in either arm."""
    data = two()
    data.loc[[0, 2, 7], "y"] = None
    found = run("lee_bounds", data, outcome="y", **CALL, covariates="site")
    bounds, weights = [], []
    for _, cell in data.groupby("site"):
        row = run("lee_bounds", cell.reset_index(drop=True), outcome="y", **CALL)
        kept = cell.groupby("arm")["y"].apply(lambda values: values.notna().mean())
        bounds.append((row.ci_low, row.ci_high))
        weights.append(kept.min() * len(cell))
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(np.average(bounds, axis=0, weights=weights)))
    low, high = found.detail["imbens_manski"]
    assert low < found.ci_low <= found.ci_high < high


def test_a_bayes_factor_of_people_in_clusters_is_refused_with_a_reason():
    with pytest.raises(Exception, match="takes people as independent"):
        run("bayes_factor", two(), outcome="y", **CALL, cluster="school")


@pytest.mark.parametrize(
    ("method", "scale", "want"),
    [
        ("poisson", 1, [(0.858661619, 0.275700489, 3.79648755e-3), (0.518793793, 0.291834516, 0.0846707521)]),
        ("fractional_logit", 12, [(1.19513386, 0.380594118, 3.5496655e-3), (0.672944473, 0.392498335, 0.0958128033)]),
    ],
)  # fmt: skip
def test_an_estimated_dispersion_goes_with_students_t(method, scale, want):
    """R: summary(glm(count ~ spray, quasipoisson)), summary(glm(count / 12 ~ spray, quasibinomial)), InsectSprays."""
    data = reference_data.insect_sprays().query("spray in ('C', 'D', 'E')")
    data = data.assign(count=data["count"] / scale)
    rows = run(method, data, outcome="count", arm="spray", control="C", vcov="quasi")
    for row, figures in zip(rows, want, strict=True):
        assert row.df == 33
        assert (row.estimate, row.std_error, row.p_value) == near(*figures)
