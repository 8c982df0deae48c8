"""Further published data against R 4.2.2 ; each call stands above its numbers."""

import numpy as np
import pandas as pd
import pytest
from support.analysis import reference_data
from support.analysis.oracle_tables import noted, run

from analysis import agreement, monitoring, power, psychometrics

AML = {"outcome": "time", "event": "status", "arm": "x", "control": "Nonmaintained"}
OVARIAN = {"outcome": "futime", "event": "fustat", "arm": "rx", "control": 1}
SPRAYS = {"outcome": "count", "arm": "spray", "control": "C"}


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel)


def test_maintenance_and_survival_agree_with_r():
    """survdiff(Surv(time, status) ~ x, aml, rho = 0 / 1); coxph; survfit(conf.type = "log-log"); cox.zph("km")."""
    data = reference_data.aml()
    plain, early = (run("logrank", data, **AML, rho=rho) for rho in (0, 1))
    assert (plain.statistic, plain.p_value) == near((3.3963886989776, 0.0653393220405051))
    assert early.statistic == near(2.77927954475177)
    cox = run("cox", data, **AML)
    assert (cox.estimate, cox.std_error) == near((-0.915532575014718, 0.511934275172005))
    assert noted(run("cox", data, **AML, transform="km").note, "chi2") == near(0.00787507772332368, rel=1e-7)
    stopped, kept = run("kaplan_meier", data, **AML, horizon=20)
    assert (stopped.estimate, stopped.ci_low, stopped.ci_high) == near(
        (0.583333333333333, 0.270138924085497, 0.800940192333387)
    )
    assert (kept.estimate, kept.std_error) == near((0.715909090909091, 0.139664970557228))
    assert (kept.effect_size.value, kept.effect_size.ci_low, kept.effect_size.ci_high) == (31, 13, None)


def test_restricted_means_of_the_maintained_agree_with_survrm2s_formula():
    """rmst2's formula in R on aml, tau = 40: difference, its limits and p; ratio."""
    gap, ratio = run("rmst", reference_data.aml(), **AML, horizon=40)
    assert (gap.estimate, gap.std_error, gap.p_value) == near((6.96717171717171, 5.17070963136234, 0.177841632195553))
    assert (ratio.estimate, ratio.ci_low, ratio.ci_high) == near(
        (1.31769244055501, 0.869500613061632, 1.99690873337285)
    )


def test_stratified_survival_agrees_with_r():
    """survdiff(Surv(futime, fustat) ~ rx + strata(ecog.ps), ovarian); coxph(~ rx + age + strata(ecog.ps))."""
    data = reference_data.ovarian()
    row = run("stratified_logrank", data, **OVARIAN, stratum="ecog")
    assert (row.statistic, row.p_value) == near((0.767911418930592, 0.380863948078783))
    cox = run("cox", data, **OVARIAN, stratum="ecog", covariates="age")
    assert (cox.estimate, cox.std_error) == near((-0.790942352102026, 0.64060872180955))
    assert noted(run("cox", data, **OVARIAN, covariates="age").note, "chi2") == near(0.688640780119428, rel=1e-8)


def test_a_covariate_that_is_also_the_stratum_is_dropped_from_cox_as_r_does():
    """coxph(~ rx + age + ecog.ps + strata(ecog.ps)): the coefficient of ecog.ps is NA, the rest as without it."""
    row = run("cox", reference_data.ovarian(), **OVARIAN, stratum="ecog", covariates=("age", "ecog"))
    assert (row.estimate, row.std_error) == near((-0.790942352102026, 0.64060872180955))
    assert "dropped as redundant: ecog" in row.note


def test_six_arms_agree_with_r():
    """anova(lm(count ~ spray)); oneway.test; kruskal.test; TukeyHSD; glht(mcp(spray = "Dunnett")), control C."""
    data = reference_data.insect_sprays()
    anova, welch, kruskal = (run(method, data, **SPRAYS) for method in ("anova", "welch_anova", "kruskal"))
    assert (anova.statistic, anova.p_value) == near((34.7022820554916, 3.18258372614532e-17))
    assert (welch.statistic, welch.df) == near((36.0654438935773, 30.0425605087674))
    assert (kruskal.statistic, kruskal.p_value) == near((54.6913446223714, 1.51084443941851e-10))
    rows = run("dunnett", data, **SPRAYS)
    assert [row.contrast for row in rows] == [(spray, "C") for spray in "ABDEF"]
    assert [row.p_adjusted for row in rows[2:4]] == pytest.approx([0.275837632908637, 0.844906026107308], abs=2e-5)
    tukey = {row.contrast: row for row in run("tukey_hsd", data, **SPRAYS)}
    assert tukey["E", "D"].p_adjusted == pytest.approx(0.948866909545407, abs=1e-8)
    assert (tukey["A", "C"].ci_low, tukey["A", "C"].ci_high) == near((7.71725815271075, 17.1160751806226), rel=1e-8)


@pytest.mark.parametrize(("correction", "chi2"), [(False, 1.52460666044344), (True, 1.4269462285867)])
def test_admissions_over_departments_agree_with_r(correction, chi2):
    """mantelhaen.test(UCBAdmissions, correct = FALSE / TRUE), women against men."""
    row = run("cmh", reference_data.admissions(), outcome="admitted", arm="sex", control="Male", stratum="dept",
              frequency="n", correction=correction)  # fmt: skip
    assert (row.estimate, row.ci_low, row.ci_high) == near((1.10534266150222, 0.943102828516081, 1.29549224368164))
    assert row.statistic == near(chi2)


def test_paired_soles_agree_with_the_bayesfactor_package():
    """ttestBF(shoes$B, shoes$A, paired = TRUE); t.test(paired = TRUE) has t = -3.3489, A minus B."""
    row = run("bayes_factor", reference_data.shoes(), outcome="wear", arm="sole", control="A", pair_id="boy")
    assert row.estimate == near(7.03699160542459, rel=1e-6)
    assert row.statistic == near(3.3489, rel=1e-4)


def test_batches_and_trees_agree_with_lme4_and_estimatr():
    """lmer(Yield ~ 1 + (1 | Batch)); lmer(circumference ~ age + (1 | Tree)); lm_robust(clusters = Tree, CR2)."""
    row = run("mixed_model", reference_data.dyestuff(), outcome="y", cluster="batch")
    assert (row.estimate, row.std_error, row.effect_size.value) == near((1527.5, 19.3834121787528, 0.4184874159), 1e-6)
    call = {"outcome": "girth", "cluster": "tree"}
    rows = run("mixed_model", reference_data.orange(), **call, covariates="age")
    assert [row.std_error for row in rows] == near([10.4236959854744, 0.00532099610822249], rel=1e-6)
    slope = run("cluster_robust", reference_data.orange(), **call, arm="age")
    assert (slope.std_error, slope.df, slope.p_value) == near((0.0110848884021114, 4, 0.000649672069554141))


def test_section_seven_of_the_law_test_agrees_with_erm():
    """eRm: RM(LSAT7, sum0 = TRUE), LRtest(splitcr = "mean"); eRm stops at 1e-5."""
    found = psychometrics.rasch_cml(reference_data.lsat7())
    assert found.difficulty.to_list() == pytest.approx(
        [-0.541470327320579, 0.536545472604566, -0.13358265046061, 0.805166383886286, -0.666658878709663], abs=1e-5
    )
    assert found.std_error.to_list()[:2] == pytest.approx([0.079168382961521, 0.0679608769940857], abs=1e-5)
    assert found.loglik == near(-1182.69989917633)
    assert (found.lr_statistic, found.lr_df) == pytest.approx((10.8349616529749, 4), abs=1e-5)


RPACT = {
    ("lan_demets_obf", 0.025, (0.3, 0.6, 1.0)): (3.92857254262661, 2.66997200995684, 1.98102449625731),
    ("hsd", 0.025, (0.3, 0.6, 1.0)): (3.06669954932178, 2.65498047322035, 1.992117844522),
    ("wang_tsiatis", 0.05, (1 / 3, 2 / 3, 1.0)): (2.74113649068962, 2.30501184874205, 2.08281332486775),
}


@pytest.mark.parametrize(("kind", "alpha", "info"), RPACT)
def test_boundaries_agree_with_rpact(kind, alpha, info):
    """rpact: getDesignGroupSequential(typeOfDesign = asOF / asHSD, gammaA = -4 / WT, .25, two-sided)."""
    found = monitoring.boundaries(info, alpha, kind, **({"gamma": -4} if kind == "hsd" else {}))
    assert list(found) == pytest.approx(RPACT[kind, alpha, info], abs=1e-6)


def test_power_and_size_agree_with_r():
    """pwr.t.test(n = 15, d = 0.5, sig.level = 0.01); power.t.test(delta = 0.35, power = 0.9, strict = TRUE)."""
    assert power.t_test_power(0.5, 15, alpha=0.01) == near(0.0992884303274363)
    assert power.sample_size(0.35, 0.9) == near(172.515741761968, rel=1e-8)


def test_coefficients_with_gaps_agree_with_the_krippendorff_package():
    """krippendorff 0.9.0: alpha(reliability_data, level_of_measurement)."""
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 5, 30)
    ratings = np.where(rng.random((30, 4)) < 0.7, truth[:, None], rng.integers(1, 5, (30, 4))).astype(float)
    ratings[rng.random((30, 4)) < 0.2] = np.nan
    for level in ("nominal", "ordinal", "interval", "ratio"):
        want = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level)
        assert agreement.krippendorff_alpha(pd.DataFrame(ratings), level) == near(want)
