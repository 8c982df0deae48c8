"""Times, proportions, ranks, bounded and ordered outcomes, items, noncompliance, attrition against their references."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import expected, noted, run, table

FREIREICH = {"outcome": "time", "event": "event", "arm": "treat", "control": "control"}


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel)


def expanded(name, count="count"):
    data = table(name)
    return data.loc[data.index.repeat(data[count])].drop(columns=count).reset_index(drop=True)


def test_logrank_agrees_with_survdiff():
    """R: survival::survdiff(rho = 0, 1) on gehan."""
    want, data = expected("survival_freireich"), table("survival_freireich")
    row = run("logrank", data, **FREIREICH)
    assert (row.statistic, row.p_value) == near((want["logrank_chisq"], want["logrank_p"]))
    assert row.estimate is None
    assert run("logrank", data, **FREIREICH, rho=1).statistic == near(want["fh_rho1_chisq"])
    for label, observed, expect in zip(("control", "6-MP"), want["observed"], want["expected"], strict=True):
        assert noted(row.note, f"{label}: {observed} observed,") == near(expect)


def test_a_stratified_logrank_over_one_stratum_is_the_logrank_and_agrees_with_statsmodels():
    """statsmodels.duration.survfunc.survdiff(strata=)."""
    from statsmodels.duration.survfunc import survdiff

    data = table("survival_freireich").assign(half=lambda t: np.arange(len(t)) % 3)
    row = run("stratified_logrank", data, **FREIREICH, stratum="half")
    want = survdiff(data["time"], data["event"], data["treat"], strata=data["half"])
    assert (row.statistic, row.p_value) == near(want)
    alone = run("stratified_logrank", data.assign(half=1), **FREIREICH, stratum="half")
    assert alone.statistic == near(run("logrank", data, **FREIREICH).statistic)


@pytest.mark.parametrize(("arm", "key"), [("6-MP", "km_6MP"), ("control", "km_control")])
def test_survival_curves_agree_with_survfit(arm, key):
    """R: survfit(conf.type = "log-log")."""
    want, data = expected("survival_freireich")[key], table("survival_freireich")
    for i, time in enumerate(want["time"]):
        rows = {row.id: row for row in run("kaplan_meier", data, **FREIREICH, horizon=time)}
        found = rows[arm]
        assert found.estimate == near(want["surv"][i], rel=1e-12) if want["surv"][i] else found.estimate == 0
        if want["std_err_greenwood"][i] is None:
            assert found.std_error is None
            continue
        limits = (found.std_error, found.ci_low, found.ci_high)
        assert limits == near((want["std_err_greenwood"][i], want["lower"][i], want["upper"][i]))
        assert found.effect_size.value == want["median"]


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_cox_agrees_with_coxph(ties):
    """R: coxph(ties = "efron" / "breslow" / "exact")."""
    want, data = expected("survival_freireich")["cox"][ties], table("survival_freireich")
    row = run("cox", data, **FREIREICH, ties=ties)
    assert (row.estimate, row.std_error, row.p_value) == near((want["coef"], want["se"], want["p"]), rel=1e-8)
    ratio = row.effect_size
    assert (ratio.value, ratio.ci_low, ratio.ci_high) == near((want["hr"], *want["ci"]), rel=1e-8)
    assert noted(row.note, "log partial likelihood") == near(want["loglik"][1])


def test_the_proportional_hazards_test_agrees_with_cox_zph():
    """R: cox.zph(transform = "rank")."""
    chi2, df, p = expected("survival_freireich")["cox"]["zph_rank"]
    note = run("cox", table("survival_freireich"), **FREIREICH).note
    assert (noted(note, "chi2"), noted(note, "df"), noted(note, ", p")) == near((chi2, df, p))


def test_restricted_means_agree_with_survrm2():
    """R: survRM2::rmst2(time, status, arm, tau = 10) on pbc."""
    want = expected("rmst_pbc")
    gap, ratio = run("rmst", table("rmst_pbc"), outcome="time", event="event", arm="Z", control=0, horizon=10)
    difference, of_means, of_lost = want["unadjusted"]["m"]
    assert [gap.estimate, gap.ci_low, gap.ci_high, gap.p_value] == near(difference)
    assert [ratio.estimate, ratio.ci_low, ratio.ci_high, ratio.p_value] == near(of_means)
    lost = ratio.effect_size
    assert [lost.value, lost.ci_low, lost.ci_high] == near(of_lost[:3])
    assert gap.std_error == near(np.sqrt(want["var0"] + want["var1"]))


def completion():
    counts = table("binary_completion_2x2")
    rows = [(arm, 1) for arm, yes in zip(counts["arm"], counts["completed"], strict=True) for _ in range(yes)]
    rows += [(arm, 0) for arm, no in zip(counts["arm"], counts["not"], strict=True) for _ in range(no)]
    return pd.DataFrame(rows, columns=["arm", "done"])


def test_completion_agrees_with_newcombe_and_fisher():
    """R: Newcombe's method 10 by formula; fisher.test."""
    want, call = expected("binary_completion_2x2"), {"outcome": "done", "arm": "arm", "control": "NoAI"}
    row = run("newcombe", completion(), **call)
    assert (row.estimate, row.ci_low, row.ci_high) == near((want["rd"], *want["newcombe_ci"]))
    exact = run("fisher", completion(), **call)
    assert exact.p_value == near(want["fisher_p"])
    assert exact.estimate is None
    assert "infinite" in exact.note


def test_wilson_limits_agree_with_the_formula():
    """R: Wilson's interval by formula."""
    from analysis.estimators.outcomes.proportions import wilson

    want = expected("binary_completion_2x2")
    assert wilson(26, 26) == near(want["wilson_ai"])
    assert wilson(22, 26) == near(want["wilson_noai"])


def test_the_lady_tasting_tea():
    """R: fisher.test(alternative = "greater"); conditional odds ratio 6.408309."""
    want = expected("binary_completion_2x2")
    cups = {"arm": ["milk"] * 4 + ["tea"] * 4}
    call = {"outcome": "said", "arm": "arm", "control": "tea", "alternative": "greater"}
    three = run("fisher", pd.DataFrame({**cups, "said": [1, 1, 1, 0, 1, 0, 0, 0]}), **call)
    four = run("fisher", pd.DataFrame({**cups, "said": [1, 1, 1, 1, 0, 0, 0, 0]}), **call)
    assert (three.p_value, four.p_value) == near((want["tea_3of4_one_sided"], want["tea_4of4_one_sided"]))
    assert three.effect_size.value == near(6.408309, rel=1e-5)


def test_common_odds_ratios_agree_with_statsmodels():
    """statsmodels StratifiedTable: oddsratio_pooled, its interval, test_null_odds(correction)."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    rng = np.random.default_rng(0)
    data = pd.DataFrame({"arm": rng.integers(0, 2, 120), "site": rng.integers(0, 3, 120)})
    data["done"] = (rng.random(120) < 0.4 + 0.2 * data["arm"]).astype(int)
    tables = [
        [[int(((part.arm == a) & (part.done == d)).sum()) for d in (1, 0)] for a in (1, 0)]
        for _, part in data.groupby("site")
    ]
    want = StratifiedTable([np.asarray(cells) for cells in tables])
    for correction in (False, True):
        row = run("cmh", data, outcome="done", arm="arm", control=0, stratum="site", correction=correction)
        test = want.test_null_odds(correction=correction)
        assert (row.statistic, row.p_value) == near((test.statistic, test.pvalue))
    assert row.estimate == near(want.oddsratio_pooled)
    assert (row.ci_low, row.ci_high) == near(tuple(want.oddsratio_pooled_confint()))


def test_mann_whitney_agrees_with_wilcox_test():
    """R: wilcox.test(exact = TRUE, conf.int = TRUE), and exact = FALSE."""
    want, data = expected("mannwhitney_permeability"), table("mannwhitney_permeability")
    call = {"outcome": "value", "arm": "group", "control": "y"}
    row = run("mann_whitney", data, **call)
    assert (row.statistic, row.p_value, row.estimate) == near((want["W"], want["p_two"], want["cles"]))
    shift = row.effect_size
    assert (shift.value, shift.ci_low, shift.ci_high) == near((want["HL"], *want["HL_ci"]))
    assert run("mann_whitney", data, **call, alternative="greater").p_value == near(want["p_greater"])
    assert run("mann_whitney", data, **call, method="asymptotic").p_value == near(want["p_asymptotic_cc"])


def test_the_shift_under_ties_has_the_limits_of_the_corrected_test():
    """R: wilcox.test(conf.int = TRUE) on airquality, Ozone of May and of August: 31.99996 [14.99998, 52.99999]."""
    may = [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37]
    august = [39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85]
    data = pd.DataFrame({"month": [5] * len(may) + [8] * len(august), "ozone": may + august})
    shift = run("mann_whitney", data, outcome="ozone", arm="month", control=5).effect_size
    assert (shift.value, shift.ci_low, shift.ci_high) == (32, 15, 53)


def test_brunner_munzel_agrees_with_scipy():
    """scipy.stats.brunnermunzel."""
    from scipy import stats

    data = table("mannwhitney_permeability")
    x, y = (data.loc[data["group"] == label, "value"] for label in "xy")
    want = stats.brunnermunzel(y, x)
    row = run("brunner_munzel", data, outcome="value", arm="group", control="y")
    assert (row.statistic, row.p_value) == near((want.statistic, want.pvalue))


def test_beta_regression_agrees_with_betareg():
    """R: betareg(share ~ income + persons), expected information."""
    want, data = expected("bounded_foodexpenditure"), table("bounded_foodexpenditure")
    rows = run("beta_regression", data, outcome="share", covariates=("income", "persons"))
    assert [row.estimate for row in rows] == near(want["beta_coef"], rel=1e-5)
    assert [row.std_error for row in rows] == near(want["beta_se"], rel=1e-6)
    assert noted(rows[0].note, "log-likelihood") == near(want["beta_loglik"])


def test_fractional_logit_agrees_with_glm_and_sandwich():
    """R: glm(quasibinomial), sandwich::vcovHC(type = "HC0")."""
    want, data = expected("bounded_foodexpenditure"), table("bounded_foodexpenditure")
    rows = run("fractional_logit", data, outcome="share", covariates=("income", "persons"))
    assert [row.estimate for row in rows] == near(want["frac_coef"])
    assert [row.std_error for row in rows] == near(want["frac_se_robust_hc0"], rel=1e-6)
    quasi = run("fractional_logit", data, outcome="share", covariates=("income", "persons"), vcov="quasi")
    assert [row.std_error for row in quasi] == near(want["frac_se_quasi"], rel=1e-6)


def test_ordinal_logit_agrees_with_polr():
    """R: MASS::polr(Sat ~ Infl + Type + Cont, weights = Freq)."""
    want, data = expected("ordinal_housing"), table("ordinal_housing")
    levels = {"Infl": ["Low", "Medium", "High"], "Type": ["Tower", "Apartment", "Atrium", "Terrace"]}
    for name, order in {**levels, "Cont": ["Low", "High"]}.items():
        data[name] = pd.Categorical(data[name], order)
    rows = run("ordinal_logit", data, outcome="y", covariates=("Infl", "Type", "Cont"), frequency="Freq")
    assert [row.estimate for row in rows] == pytest.approx(want["coef"], abs=1e-6)
    assert [row.std_error for row in rows] == pytest.approx(want["se"], abs=1e-6)
    contact = run(
        "ordinal_logit", data, outcome="Sat", arm="Cont", control="Low", covariates=("Infl", "Type"), frequency="Freq",
        categories=["Low", "Medium", "High"],
    )  # fmt: skip
    assert contact.estimate == pytest.approx(want["coef"][5], abs=1e-6)


def test_counts_agree_with_statsmodels():
    """statsmodels GLM(Poisson); NegativeBinomial(disp=0) for coefficients and log-likelihood."""
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    data = pd.DataFrame({"arm": np.repeat([0, 1], 80), "x": rng.normal(size=160)})
    mean = np.exp(0.6 + 0.3 * data["arm"] + 0.2 * data["x"])
    data["errors"] = rng.negative_binomial(1.5, 1.5 / (1.5 + mean))
    design = sm.add_constant(data[["arm", "x"]])
    want = sm.GLM(data["errors"], design, family=sm.families.Poisson()).fit(tol=1e-14)
    row = run("poisson", data, outcome="errors", arm="arm", control=0, covariates="x")
    assert (row.estimate, row.std_error) == near((want.params["arm"], want.bse["arm"]))
    start = sm.NegativeBinomial(data["errors"], design).fit(disp=0, method="newton", maxiter=200)
    row = run("negative_binomial", data, outcome="errors", arm="arm", control=0, covariates="x")
    assert row.estimate == near(start.params["arm"], rel=1e-6)
    assert noted(row.note, "log-likelihood") == near(start.llf)


def long_answers():
    wide = expanded("rasch_lsat6")
    wide["person"] = wide.index
    return wide.melt(id_vars="person", var_name="item", value_name="right")


def test_the_mixed_logistic_model_agrees_with_glmer():
    """R: lme4::glmer(right ~ 0 + item + (1 | person), nAGQ = 25)."""
    want = expected("rasch_lsat6")["glmer_agq25"]
    rows = run("mixed_logit", long_answers(), outcome="right", item="item", person="person")
    assert [row.estimate for row in rows[:-1]] == pytest.approx(want["fixef"], abs=1e-5)
    assert [row.std_error for row in rows[:-1]] == pytest.approx(want["se"], abs=1e-5)
    assert rows[-1].estimate == pytest.approx(want["sigma"], abs=1e-5)
    assert noted(rows[0].note, "log-likelihood") == near(want["loglik"], rel=1e-11)


def test_the_complier_effect_agrees_with_ivreg():
    """R: Wald ratio; AER::ivreg with classical and HC0 errors; Imbens & Rubin 1997: 0.0026, 0.0032."""
    want, data = expected("cace_vitaminA"), expanded("cace_vitaminA")
    call = {"outcome": "survived", "arm": "Z", "control": 0, "received": "D"}
    for method in ("wald_iv", "tsls"):
        row = run(method, data, **call)
        assert (row.estimate, row.std_error) == near((want["cace"], want["iv_se_hc0"]))
        assert row.population == "complier"
        assert run(method, data, **call, vcov="classical").std_error == near(want["iv_se_classical"])
    assert row.effect_size.value == near(want["compliance"])
    assert run("ols", data, outcome="survived", arm="Z", control=0).estimate == near(want["itt"])


def test_two_stage_least_squares_agrees_with_linearmodels():
    """linearmodels.iv.IV2SLS(cov_type="robust") with two instruments and a covariate."""
    from linearmodels.iv import IV2SLS

    rng = np.random.default_rng(1)
    n = 200
    data = pd.DataFrame({"z": rng.integers(0, 2, n), "w": rng.normal(size=n), "x": rng.normal(size=n)})
    hidden = rng.normal(size=n)
    data["d"] = (0.8 * data["z"] + 0.4 * data["w"] + hidden + rng.normal(size=n) > 0.5).astype(float)
    data["y"] = data["d"] + data["x"] + hidden + rng.normal(size=n)
    exog = data[["x"]].assign(one=1.0)
    want = IV2SLS(data["y"], exog, data[["d"]], data[["z", "w"]]).fit(cov_type="robust")
    row = run("tsls", data, outcome="y", arm="z", control=0, received="d", instruments=("w",), covariates=("x",))
    assert (row.estimate, row.std_error) == near((want.params["d"], want.std_errors["d"]))
    assert row.p_value == near(want.pvalues["d"])


@pytest.mark.parametrize(("trim", "suffix"), [("floor", ""), ("fractional", "_fractional")])
def test_lee_bounds_are_the_worked_example(trim, suffix):
    """Lee (2009): trim 2 of 18; whole numbers."""
    want = expected("lee_bounds_small")
    row = run("lee_bounds", table("lee_bounds_small"), outcome="Y", arm="Z", control=0, trim=trim)
    assert (row.ci_low, row.ci_high) == (want[f"lower{suffix}"], want[f"upper{suffix}"])
    assert noted(row.note, "naive difference") == want["naive"]
    assert noted(row.note, "Fisher p") == near(want["diff_attrition_fisher_p"], rel=1e-5)


def test_villages_have_the_published_fractions():
    """Gerber & Green 2012, table 2.1: 8/21 two-sided, 5/21 one-sided."""
    want, data = expected("ri_villages"), table("ri_villages")
    call = {"outcome": "Y", "arm": "Z", "control": 0}
    for method in ("permutation", "rerandomization"):
        row = run(method, data, **call)
        assert row.estimate == near(want["ate"])
        assert row.p_value == want["count_two"] / want["n_assignments"]
        upper = run(method, data, **call, alternative="greater")
        assert upper.p_value == want["count_upper"] / want["n_assignments"]


APART = (
    "a1111111 b1100100 a1111111 a0010000 b1110100 a1100000 a0111010 a1111000 a0100000 b1000100 b1111111 a1111000 "
    "b0000000 a0100000 a1111011 b1100000 b1111111 a1111110 a1001010 a1101100 a1000000 b0000000 b0000000 a1111111 "
    "a1111111 b0000000 a0000000 b0000000 a1000000 a0000000 a0000000 a1111111 a1100000 b1111001 a1010000 b1111111 "
    "b1111110 b0010000 b1111111 b0010000 a0000000 b1110100 a1011110 b1111111 b1000000 b1111111 b1111010 a1000010 "
    "b1111101 b1000000 b1111111 b0010000 "
)
"""52 people who differ much: arm, and which of seven items each solved."""


def apart() -> pd.DataFrame:
    """Their answers, one a row."""
    rows = [
        (person, item, int(right), word[0])
        for person, word in enumerate(APART.split())
        for item, right in enumerate(word[1:])
    ]
    return pd.DataFrame(rows, columns=["person", "item", "right", "arm"]).astype({"person": str, "item": str})


def test_a_mixed_logit_by_item_has_a_row_for_each_arm_at_each_item():
    """R: lme4::glmer(right ~ 0 + item + item:b + (1 | person), nAGQ = 25); chances averaged over its normal persons."""
    call = {"outcome": "right", "arm": "arm", "control": "a", "item": "item", "person": "person", "by_item": True}
    rows = run("mixed_logit", apart(), **call)
    assert [row.id for row in rows] == [f"arm[b]:item[{item}]" for item in range(7)]
    want = [0.371581, 0.130508, 1.290279, -1.026118, 1.966011, -1.27292, 1.068314]
    assert [row.estimate for row in rows] == pytest.approx(want, abs=0.05)
    errors = [1.4635, 1.44123, 1.44718, 1.45768, 1.49553, 1.48354, 1.55452]
    assert [row.std_error for row in rows] == pytest.approx(errors, rel=0.02)
    assert [rows[item].effect_size.value for item in (0, 4)] == pytest.approx([0.0306, 0.1818], abs=0.005)
    assert {(row.contrast, tuple(row.n.values())) for row in rows} == {(("b", "a"), (26, 26))}
    dose = run(
        "mixed_logit", apart().assign(arm=lambda table: 2.0 * (table["arm"] == "b")), **{**call, "control": None}
    )
    assert [2 * row.estimate for row in dose] == pytest.approx([row.estimate for row in rows], rel=1e-6)


def test_by_item_an_arm_without_answers_to_an_item_is_named():
    call = {"outcome": "right", "arm": "arm", "control": "a", "item": "item", "person": "person", "by_item": True}
    answers = apart()
    for arm in "ab":
        row = run("mixed_logit", answers[(answers["item"] != "3") | (answers["arm"] != arm)], **call)
        assert row.estimate is None
        assert f"no answer to item[3] in the arm {arm!r}" in row.note


def test_a_mixed_logit_of_people_who_differ_much_finds_its_maximum():
    """R: lme4::glmer(y ~ 0 + item + arm + (1 | person), binomial, nAGQ = 25): 0.3517 (1.087), sd 3.560, logLik -160.82.

    Its quadrature moves with each person and ours does not, so that they agree to a few percent of the error.
    """
    call = {"outcome": "right", "arm": "arm", "control": "a", "item": "item", "person": "person"}
    row = run("mixed_logit", apart(), **call)
    assert row.estimate == pytest.approx(0.3517, abs=0.02)
    assert row.std_error == pytest.approx(1.087, rel=0.02)
    assert noted(row.note, "person standard deviation") == pytest.approx(3.560, rel=0.01)
    assert noted(row.note, "log-likelihood") == pytest.approx(-160.82, abs=0.02)
