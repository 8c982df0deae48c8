"""Means, adjusted and not, against R."""

import numpy as np
import pytest
from support.analysis.oracle_tables import expected, noted, run, table

NEAR = 1e-9
ANOREXIA = {"outcome": "Postwt", "arm": "Z", "control": 0}


def near(value, rel=NEAR):
    return pytest.approx(value, rel=rel)


def test_welch_and_student_agree_with_r_t_test():
    """R 4.2.2: t.test(len ~ supp), t.test(var.equal = TRUE) on ToothGrowth."""
    want = expected("two_sample_toothgrowth")
    call = {"outcome": "len", "arm": "supp", "control": "VC"}
    welch, student = (run(method, table("two_sample_toothgrowth"), **call) for method in ("welch_t", "student_t"))
    assert (welch.statistic, welch.df, welch.p_value) == near((want["welch_t"], want["welch_df"], want["welch_p"]))
    assert (welch.ci_low, welch.ci_high) == near(want["welch_ci"])
    assert (student.statistic, student.p_value) == near((want["student_t"], want["student_p"]))


def test_hedges_g_has_the_exact_correction_and_the_noncentral_interval():
    """R: exact J by lgamma; d interval by uniroot on pt(ncp)."""
    want = expected("two_sample_toothgrowth")
    row = run("welch_t", table("two_sample_toothgrowth"), outcome="len", arm="supp", control="VC")
    assert row.effect_size.value == near(want["hedges_g"])
    assert (row.effect_size.ci_low, row.effect_size.ci_high) == near(want["d_ci_noncentral"])


def test_ancova_agrees_with_r_lm_and_sandwich():
    """R: lm(Postwt ~ Z + Prewt), sandwich::vcovHC(type = HC0..HC3)."""
    want, data = expected("ancova_lin_anorexia")["ancova"], table("ancova_lin_anorexia")
    row = run("ancova", data, **ANOREXIA, covariates=("Prewt",))
    found = (row.estimate, row.std_error, row.df, row.p_value, row.ci_low, row.ci_high)
    assert found == near((want["est"], want["se"], want["df"], want["p"], *want["ci"]))
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        assert run("ancova", data, **ANOREXIA, covariates=("Prewt",), vcov=kind).std_error == near(want[f"se_{kind}"])


@pytest.mark.parametrize("outcome", ["unadjusted", "change"])
def test_ols_without_covariates_agrees_with_r_lm(outcome):
    """R: lm(Postwt ~ Z), lm(I(Postwt - Prewt) ~ Z)."""
    want, data = expected("ancova_lin_anorexia")[outcome], table("ancova_lin_anorexia")
    data["change"] = data["Postwt"] - data["Prewt"]
    call = {**ANOREXIA, "outcome": "Postwt" if outcome == "unadjusted" else "change"}
    row = run("ols", data, **call)
    assert (row.estimate, row.std_error, row.p_value) == near((want["est"], want["se"], want["p"]))
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        assert run("ols", data, **call, vcov=kind).std_error == near(want[f"se_{kind}"])


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_lin_agrees_with_estimatr(kind):
    """R: estimatr::lm_lin(Postwt ~ Z, covariates = ~ Prewt, se_type = HC2 / HC3)."""
    want = expected("ancova_lin_anorexia")["lin"][kind]
    row = run("lin", table("ancova_lin_anorexia"), **ANOREXIA, covariates="Prewt", vcov=kind)
    found = (row.estimate, row.std_error, row.df, row.p_value, row.ci_low, row.ci_high)
    assert found == near((want["est"], want["se"], want["df"], want["p"], *want["ci"]))


def test_lin_uses_hc3_unless_told_otherwise():
    data = table("ancova_lin_anorexia")
    default = run("lin", data, **ANOREXIA, covariates="Prewt")
    assert default == run("lin", data, **ANOREXIA, covariates="Prewt", vcov="HC3")


def test_longley_has_the_digits_that_nist_certifies():
    """NIST StRD Longley; R: lm(TOTEMP ~ .)."""
    want, data = expected("nist_longley"), table("nist_longley")
    rows = run("ols", data, outcome="TOTEMP", covariates=[name for name in data if name != "TOTEMP"])
    assert [row.estimate for row in rows] == near(want["coef"])
    assert [row.std_error for row in rows] == near(want["se"])
    assert rows[0].effect_size.value == near(want["r2"])


def test_a_dose_has_the_slope_of_its_column():
    """The same fit, asked for by one column: a numeric arm without a control."""
    want, data = expected("nist_longley"), table("nist_longley")
    others = [name for name in data if name not in ("TOTEMP", "YEAR")]
    row = run("ols", data, outcome="TOTEMP", arm="YEAR", covariates=others)
    assert (row.estimate, row.std_error) == near((want["coef"][-1], want["se"][-1]))


def test_analysis_of_variance_has_the_digits_that_nist_certifies():
    """NIST StRD AtmWtAg."""
    row = run("anova", table("nist_anova_atmwtag"), outcome="y", arm="group", control=1)
    assert row.statistic == near(expected("nist_anova_atmwtag")["AtmWtAg.dat"]["certified_F"], rel=1e-8)


def test_omnibus_tests_agree_with_r():
    """R: aov, kruskal.test, oneway.test on PlantGrowth; median-centred Levene."""
    want, data = expected("multiarm_plantgrowth"), table("multiarm_plantgrowth")
    call = {"outcome": "weight", "arm": "group", "control": "ctrl"}
    anova, welch, kruskal = (run(method, data, **call) for method in ("anova", "welch_anova", "kruskal"))
    assert (anova.statistic, anova.p_value, anova.effect_size.value) == near((want["F"], want["p"], want["eta2"]))
    assert (welch.statistic, welch.df, welch.p_value) == near((want["welch_F"], want["welch_df2"], want["welch_p"]))
    assert (kruskal.statistic, kruskal.p_value) == near((want["kruskal"], want["kruskal_p"]))
    assert noted(anova.note, "Brown-Forsythe F") == near(want["brown_forsythe_F"])
    assert anova.contrast is None
    assert anova.estimate is None


def test_dunnett_agrees_with_multcomp():
    """R: multcomp::glht(mcp(group = "Dunnett")); its p is quasi Monte Carlo, ours is integrated."""
    want, data = expected("multiarm_plantgrowth"), table("multiarm_plantgrowth")
    rows = run("dunnett", data, outcome="weight", arm="group", control="ctrl")
    assert [row.estimate for row in rows] == near(want["dunnett_est"])
    assert [row.statistic for row in rows] == near(want["dunnett_t"])
    assert [row.p_adjusted for row in rows] == pytest.approx(want["dunnett_p"], abs=5e-4)


def test_tukey_agrees_with_r():
    """R: TukeyHSD(aov(weight ~ group))."""
    want, data = expected("multiarm_plantgrowth"), table("multiarm_plantgrowth")
    rows = run("tukey_hsd", data, outcome="weight", arm="group", control="ctrl")
    assert ["-".join(row.contrast) for row in rows] == want["tukey_pair"]
    assert [row.estimate for row in rows] == near(want["tukey_diff"])
    assert [row.ci_low for row in rows] == near(want["tukey_lwr"])
    assert [row.ci_high for row in rows] == near(want["tukey_upr"])
    assert [row.p_adjusted for row in rows] == pytest.approx(want["tukey_p"], abs=1e-8)


def test_subgroup_interactions_agree_with_car():
    """R: lm(log(breaks) ~ wool * tension); car::Anova(type = 2)."""
    want, data = expected("subgroup_warpbreaks"), table("subgroup_warpbreaks")
    data["log_breaks"] = np.log(data["breaks"])
    data["tension"] = data["tension"].astype("category").cat.set_categories(["L", "M", "H"])
    call = {"outcome": "log_breaks", "arm": "wool", "control": "A", "moderator": "tension"}
    rows = run("anova", data, **call)
    assert [row.statistic for row in rows] == near(want["type2"][:3])
    assert rows[-1].p_value == near(want["interaction_p"])
    terms = run("interaction", data, **call, vcov="classical")
    assert [row.estimate for row in terms] == near(want["coef"][4:])


def test_cluster_robust_errors_agree_with_estimatr():
    """R: estimatr::lm_robust(Reaction ~ Days, clusters = Subject, se_type = CR0 / stata / CR2)."""
    want, data = expected("cluster_sleepstudy"), table("cluster_sleepstudy")
    for kind in ("CR0", "stata", "CR2"):
        rows = run("cluster_robust", data, outcome="Reaction", covariates="Days", cluster="Subject", vcov=kind)
        assert [row.estimate for row in rows] == near(want["coef"])
        assert [row.std_error for row in rows] == near(want[kind]["se"])
        assert [row.df for row in rows] == near(want[kind]["df"])
        assert [row.p_value for row in rows] == near(want[kind]["p"])
    slope = run("cluster_robust", data, outcome="Reaction", arm="Days", cluster="Subject")
    assert slope.std_error == near(want["CR2"]["se"][1])


def test_random_intercept_agrees_with_lmer():
    """R: lme4::lmer(Reaction ~ Days + (1 | Subject)), REML."""
    want, data = expected("cluster_sleepstudy"), table("cluster_sleepstudy")
    rows = run("mixed_model", data, outcome="Reaction", covariates="Days", cluster="Subject")
    assert [row.estimate for row in rows] == near(want["lmm_fixef"], rel=1e-9)
    assert [row.std_error for row in rows] == near(want["lmm_se"], rel=1e-5)
    assert rows[0].effect_size.value == near(want["icc"], rel=1e-5)


def test_equivalence_agrees_with_two_t_tests():
    """R: t.test(mu = -margin, alternative = "greater"), t.test(mu = margin, alternative = "less")."""
    data = table("tost_toothgrowth")
    for name, want in expected("tost_toothgrowth").items():
        row = run("tost", data, outcome="len", arm="supp", control="VC", margin=want["bound"],
                  equal_var=name.startswith("student"))  # fmt: skip
        assert row.p_value == near(want["p_tost"])
        assert (row.ci_low, row.ci_high) == near(want["ci90"])
        assert row.ci_level == 0.9
        assert noted(row.note, "against below") == near(want["p_lower"])


def test_bayes_factors_agree_with_the_bayesfactor_package():
    """R: BayesFactor::ttestBF(paired = TRUE / FALSE), medium scale."""
    want, data = expected("bayesfactor_sleep"), table("bayesfactor_sleep")
    call = {"outcome": "extra", "arm": "group", "control": 1}
    paired = run("bayes_factor", data, **call, pair_id="ID")
    assert paired.estimate == near(want["bf10_paired_medium"], rel=1e-7)
    assert abs(paired.statistic) == near(abs(want["paired_t"]))
    assert run("bayes_factor", data, **call, paired=True, prior_scale=0.7071).estimate == paired.estimate
    assert run("bayes_factor", data, **call).estimate == near(want["bf10_independent_medium"], rel=1e-7)


def test_correlations_agree_with_scipy():
    """scipy.stats.pearsonr, spearmanr; the paper's claim that debugging goes with time is held elsewhere."""
    from scipy import stats

    data = table("reliability_attitude")
    for method, reference in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        want = reference(data["rating"], data["learning"])
        row = run(method, data, outcome="rating", x="learning")
        assert (row.estimate, row.p_value) == near((want.statistic, want.pvalue))
    want = stats.pearsonr(data["rating"], data["learning"]).confidence_interval()
    row = run("pearson", data, outcome="rating", x="learning")
    assert (row.ci_low, row.ci_high) == near(tuple(want))
