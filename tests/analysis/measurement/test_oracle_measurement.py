"""Reliability, agreement, multiplicity, monitoring, power and balance against their references."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import expected, table

import analysis
from analysis import agreement, effects, monitoring, multiplicity, power, psychometrics


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel)


def test_alpha_and_item_statistics_agree_with_psych():
    """R: psych::alpha(attitude); Feldt's interval by formula."""
    want, data = expected("reliability_attitude"), table("reliability_attitude")
    found = psychometrics.alpha(data)
    assert found == near(want["alpha"])
    assert found.ci == near(tuple(want["feldt_ci"]))
    assert found.details["standardized"] == near(want["std_alpha"])
    assert found.details["lambda6"] == near(want["guttman_lambda6"])
    items = psychometrics.item_statistics(data)
    for column, key in (("mean", "item_mean"), ("item_total", "item_total_uncorrected"), ("item_rest", "item_rest"),
                        ("alpha_if_deleted", "alpha_if_deleted")):  # fmt: skip
        assert items[column].tolist() == near(want[key])


def test_omega_agrees_with_factanal():
    """R: factanal(attitude, 1)."""
    want = expected("reliability_attitude")
    found = psychometrics.omega(table("reliability_attitude"))
    assert found == near(want["omega_total_ml1f"], rel=1e-6)
    assert list(found.details["loadings"].values()) == pytest.approx(want["factanal_loadings"], abs=1e-5)


def lsat():
    data = table("rasch_lsat6")
    return data.loc[data.index.repeat(data["count"])].drop(columns="count").reset_index(drop=True)


def test_rasch_difficulties_agree_with_erm():
    """R: eRm::RM(LSAT6), eRm::LRtest(splitcr = "mean")."""
    want, found = expected("rasch_lsat6"), psychometrics.rasch_cml(lsat())
    assert found.difficulty.tolist() == pytest.approx(want["cml_difficulty_centered"], abs=1e-5)
    assert found.loglik == near(want["cml_loglik"])
    assert found.lr_statistic == pytest.approx(want["andersen_LR_mean_split"], abs=1e-6)
    assert (found.lr_df, found.lr_p) == (want["andersen_df"], pytest.approx(want["andersen_p"], abs=1e-6))


def test_the_marginal_rasch_model_agrees_with_ltm_and_glmer():
    """R: ltm::rasch(GHk = 61); lme4::glmer(nAGQ = 25)."""
    want, found = expected("rasch_lsat6"), psychometrics.rasch_mml(lsat())
    assert found.loglik == near(want["glmer_agq25"]["loglik"], rel=1e-10)
    assert found.easiness.tolist() == pytest.approx(want["glmer_agq25"]["fixef"], abs=1e-5)
    assert found.sigma == pytest.approx(want["ltm_rasch"]["discrimination"], abs=1e-5)
    scaled = (found.difficulty / found.sigma).tolist()
    assert scaled == pytest.approx(want["ltm_rasch"]["difficulty"], abs=2e-5)


def test_q3_agrees_with_the_formula():
    """R: correlation of x - plogis(theta - b), b from eRm."""
    found = psychometrics.q3(lsat())
    assert found.to_numpy() == pytest.approx(np.asarray(expected("rasch_lsat6")["q3"]), abs=1e-6)
    given = psychometrics.q3(lsat(), difficulty=expected("rasch_lsat6")["cml_difficulty_centered"])
    assert given.to_numpy() == pytest.approx(np.asarray(expected("rasch_lsat6")["q3"]), abs=1e-12)


def test_intraclass_correlations_agree_with_psych():
    """R: psych::ICC(lmer = FALSE); Shrout & Fleiss 1979: .17 .29 .71 .44 .62 .91."""
    want, found = expected("icc_shrout_fleiss"), agreement.icc(table("icc_shrout_fleiss"))
    assert found["type"].tolist() == want["type"]
    for column in ("ICC", "F", "df1", "df2", "p", "lower", "upper"):
        assert found[column].tolist() == near(want[column])
    one = agreement.icc(table("icc_shrout_fleiss"), "ICC2")
    assert (one, one.ci_low) == near((want["ICC"][1], want["lower"][1]))


def test_intraclass_correlations_of_raters_a_constant_apart_agree_with_psych():
    """R 4.2.2: psych::ICC(rbind(c(1, 2), c(2, 3), c(3, 4), c(5, 6)), lmer = FALSE), whose error is 0 up to rounding."""
    found = agreement.icc([[1, 2], [2, 3], [3, 4], [5, 6]])
    lower = [0.077957990, 0.006705009, 1, 0.144640126, 0.013320703, 1]
    upper = [0.9887119, 0.9902680, 1, 0.9943239, 0.9951102, 1]
    assert found["lower"].tolist() == near(lower, rel=1e-6)
    assert found["upper"].tolist() == near(upper, rel=1e-6)


@pytest.mark.parametrize("unit", [1, 0.1, 1e9])
def test_raters_who_agree_perfectly_have_the_limits_of_psych(unit):
    """R: psych::ICC of rows (1, 1), (2, 2), (3, 3), 1 for all; the sums of squares are rounding in other units."""
    found = agreement.icc(np.array([[1, 1], [2, 2], [3, 3]]) * unit + unit / 7)
    assert found[["ICC", "lower", "upper"]].to_numpy() == near(np.ones((6, 3)))


def test_the_mean_of_raters_has_no_limit_where_that_of_one_is_below_what_it_can_be():
    """R's psych::ICC has 4.02 as the lower limit of ICC2k and -2.67 as the upper one."""
    found = agreement.icc([[1, 3], [3, 1], [2, 2.5], [2.5, 2]])
    assert np.isnan(found["lower"]["ICC2k"])
    assert found["upper"]["ICC2k"] == near(-2.674785, rel=1e-6)
    assert agreement.icc([[1, 3], [3, 1], [2, 2.5], [2.5, 2]], "ICC2k").ci_low is None


def test_kappas_agree_with_irr():
    """R: irr::kappam.fleiss, kappa2(raters 2, 3), kappam.light."""
    want, data = expected("kappa_diagnoses"), table("kappa_diagnoses")
    many = agreement.fleiss_kappa(data)
    assert (many, many.z) == near((want["fleiss"], want["fleiss_z"]), rel=1e-10)
    two = agreement.cohen_kappa(data["rater2"], data["rater3"])
    assert (two, two.z) == near((want["cohen_r2_r3"], want["cohen_r2_r3_z"]), rel=1e-10)
    assert agreement.cohen_kappa(data[["rater2", "rater3"]]) == two
    assert agreement.light_kappa(data) == near(want["light"], rel=1e-10)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorffs_alpha_agrees_on_the_canonical_data(level):
    """R: irr::kripp.alpha; Krippendorff's own 0.743, 0.815, 0.849, 0.797."""
    found = agreement.krippendorff_alpha(table("krippendorff_canonical"), level=level)
    assert found == near(expected("krippendorff_canonical")[level], rel=1e-10)


def test_krippendorffs_alpha_weighs_complete_data_of_many_raters_rightly():
    """PyPI krippendorff: irr's weights are wrong here (reference/statistics: anxiety -0.0324 against -0.0237)."""
    import krippendorff

    data = np.random.default_rng(0).integers(1, 5, (20, 3)).astype(float)
    want = krippendorff.alpha(reliability_data=data.T, level_of_measurement="interval")
    assert agreement.krippendorff_alpha(data, "interval") == near(want, rel=1e-10)


@pytest.mark.parametrize("method", ["holm", "hochberg", "hommel", "bonferroni", "BH", "BY"])
def test_adjusted_p_values_agree_with_p_adjust(method):
    """R: p.adjust."""
    found = multiplicity.adjust(table("multiplicity_padjust")["p"], method)
    assert found.tolist() == pytest.approx(expected("multiplicity_padjust")[method], rel=1e-15)


def test_a_graph_passes_weight_along_its_edges_as_worked_by_hand():
    """Algorithm 2 of Bretz et al. 2009: H1 at .01/.5, H2 at .015/.75, H4 at .02/.5, H3 at .1/1."""
    graph = [[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]]
    found = multiplicity.graphical([0.01, 0.015, 0.1, 0.02], [0.5, 0.5, 0, 0], graph, alpha=0.05)
    assert found.adjusted.tolist() == near([0.02, 0.02, 0.1, 0.04])
    assert found.order == (0, 1, 3)
    assert found.rejected.tolist() == [True, True, False, True]


def test_boundaries_agree_with_rpact():
    """R: rpact::getDesignGroupSequential(typeOfDesign = "OF", sided = 2) and "asOF", sided = 1."""
    want = expected("groupseq_obf")
    for case in want["obf_two_sided"]:
        found = monitoring.boundaries(case["K"], case["alpha_two_sided"], "obf")
        assert list(found) == pytest.approx(case["crit"], abs=1e-6)
    for case in want["lan_demets_obf_equal"]:
        found = monitoring.boundaries(case["info"], case["alpha_one_sided"], "lan_demets_obf")
        assert list(found) == pytest.approx(case["crit"], abs=1e-6)
        assert list(found.alpha_spent) == pytest.approx(case["alpha_spent"], abs=1e-6)
        assert list(found.nominal) == pytest.approx(case["nominal_one_sided"], abs=1e-6)


def test_pocock_constants_are_those_of_the_table():
    """Jennison & Turnbull 2000, table 2.1, alpha 0.05: 2.178, 2.289, 2.361, 2.413."""
    found = [monitoring.boundaries(looks, 0.05, "pocock")[-1] for looks in (2, 3, 4, 5)]
    assert found == pytest.approx([2.178, 2.289, 2.361, 2.413], abs=5e-4)


def test_power_agrees_with_pwr():
    """R: pwr.t.test, pwr.t2n.test; Schoenfeld's and the design effect's formulas."""
    want = expected("power_ttest")
    assert power.t_test_power(d=0.738, n=26) == near(want["n26_d0738"], rel=1e-10)
    assert power.t_test_power(d=0.5, n=20, n2=40) == near(want["unequal_n20_40_d05"], rel=1e-10)
    welch = power.t_test_power(n=26, difference=4, sd=(5, 7))
    assert welch == near(want["welch_satterthwaite_n26_diff4_sd5_7"], rel=1e-10)
    for key, d, level in (
        ("n_for_d05_p80", 0.5, 0.8),
        ("n_for_d0738_p80", 0.738, 0.8),
        ("n_for_d0738_p90", 0.738, 0.9),
    ):
        assert power.sample_size(d=d, power=level) == near(want[key], rel=1e-5)
    assert power.minimal_detectable_effect(26) == near(want["mde_n26_p80"], rel=1e-8)
    assert power.sample_size(hazard_ratio=0.5) == near(want["schoenfeld_events_hr05"])
    assert power.schoenfeld_events(0.67, 0.9) == near(want["schoenfeld_events_hr067_p90"])
    assert power.design_effect(10, 0.05) == near(want["design_effect_m10_icc005"])


def test_balance_agrees_with_the_formulas():
    """R: Yang & Dalton 2012 by formula; MASS::anorexia."""
    want, counts = expected("smd_paper_table1"), table("smd_paper_table1")
    experience = counts[counts["variable"].str.startswith("exp")]
    found = effects.categorical_difference(experience["treatment"].tolist(), experience["control"].tolist())
    assert found == near(want["smd_experience_multicategory"])
    use = counts[~counts["variable"].str.startswith("exp")]
    found = effects.categorical_difference(use["treatment"].tolist(), use["control"].tolist())
    assert found == near(want["smd_python_use"])
    anorexia = table("ancova_lin_anorexia")
    treated, control = (anorexia.loc[anorexia["Z"] == arm, "Prewt"] for arm in (1, 0))
    assert abs(effects.standardized_difference(treated, control)) == near(want["smd_anorexia_prewt_FT_vs_Cont"])
    assert effects.variance_ratio(treated, control) == near(want["vr_anorexia"])


def test_published_summaries_lead_to_t_p_and_interval():
    """arXiv 2601.20245: d = 0.738 at 26/26 is t = 2.66, p = 0.0104; 4.15 points imply a standard deviation of 5.62."""
    found = effects.from_summary(mean_difference=4.15, d=0.738, n=(26, 26))
    assert (found.t, found.df) == (pytest.approx(2.6609, abs=1e-4), 50)
    assert found.p == pytest.approx(0.01045, abs=1e-5)
    assert found.sd == pytest.approx(5.6233, abs=1e-4)
    assert found.ci_low < 4.15 < found.ci_high
    welch = expected("two_sample_toothgrowth")
    alone = effects.from_summary(d=welch["cohen_d"], n=30)
    assert (alone.t, alone.p, alone.g) == near((welch["student_t"], welch["student_p"], welch["hedges_g"]))
    assert alone.d_ci == near(tuple(welch["d_ci_noncentral"]))


def test_everything_named_in_the_contract_is_there():
    for name in ("multiplicity", "monitoring", "power", "psychometrics", "agreement", "effects", "METHODS"):
        assert hasattr(analysis, name)
    assert isinstance(analysis.METHODS, dict)
    assert pd.Series(list(analysis.METHODS)).is_unique
