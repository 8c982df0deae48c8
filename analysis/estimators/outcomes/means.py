"""Differences of means: t tests, regression adjustment, Lin's interacted adjustment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from analysis.estimators.core.effect_sizes import alike, hedges_g, noncentrality_interval, pooled_sd
from analysis.estimators.core.registry import Result, method_over_all_arms, method_per_contrast, unwrap
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.cluster_covariance import ALONE, ClusterRobust
from analysis.estimators.numerics.designs import DesignMatrix, additive, interacted
from analysis.estimators.numerics.linear import Fit, fit, t_interval, vcov_name


@method_per_contrast("cluster")
def student_t(pair: ArmContrast) -> Result:
    """Difference of two means with a common variance.

    Formula: t = (m1 - m0) / (s sqrt(1/n1 + 1/n0)), s the pooled standard deviation, n1 + n0 - 2 degrees of freedom.
    `cluster`: the same difference by `cluster_robust`.
    Missing data: refused. Several arms: each with the control, pairwise variance.
    Reference: Student (1908), Biometrika 6:1-25.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = student_t(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.statistic, 6), row.df
        (-5.0, -3.321056, 10.0)
    """
    return _t_row(pair, equal_var=True)


@method_per_contrast("cluster")
def welch_t(pair: ArmContrast) -> Result:
    """Difference of two means, each arm with its own variance.

    Formula: t = (m1 - m0) / sqrt(s1^2/n1 + s0^2/n0), Welch-Satterthwaite degrees of freedom. `cluster`: the same
    difference by `cluster_robust`.
    Missing data: refused. Several arms: each with the control.
    Reference: Welch (1947), Biometrika 34:28-35.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = welch_t(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.p_value, 6), round(row.effect_size.value, 6)
        (0.007734, -1.769284)
    """
    return _t_row(pair, equal_var=False)


def _t_row(pair: ArmContrast, equal_var: bool) -> Result:
    if pair.trial.cluster is not None:
        rows = pair.trial.data[pair.rows].reset_index(drop=True)
        trial = replace(pair.trial, data=rows, notes=[])
        return linear_rows(trial, additive(trial), None)
    difference, error, df = t_parts(pair, equal_var)
    return pair.estimate(**t_interval(difference, error, df, pair.level), effect_size=raw_effect(pair, difference))


def t_parts(pair: ArmContrast, equal_var: bool) -> tuple[float, float, float]:
    """Difference, standard error and degrees of freedom of the two-sample t test."""
    treated, control = pair.varied_arms(least=1 if equal_var else 2)
    if len(treated) + len(control) < 3:
        raise NotEstimable("two observations leave no degree of freedom")
    found = stats.ttest_ind(treated, control, equal_var=equal_var)
    # scipy gives no standard error: the half-width of any interval over its quantile is one, by scipy's own degrees of
    # freedom.
    ends = found.confidence_interval(0.5)
    error = float((ends.high - ends.low) / 2 / stats.t.ppf(0.75, found.df))
    return float(treated.mean() - control.mean()), error, float(found.df)


@method_per_contrast()
def paired_t(pair: ArmContrast, pair_id: str | None = None) -> Result:
    """Mean difference within pairs, e.g. of one person in two periods.

    Formula: t = mean(d) / (sd(d) / sqrt(n)) with n - 1 degrees of freedom; `pair_id` names the column that pairs one
    row of each arm, else rows pair in their order. Effect size: d_z = mean(d) / sd(d) with its exact interval.
    Missing data: refused.
    Reference: Student (1908), Biometrika 6:1-25; Lakens (2013), Front. Psychol. 4:863 for d_z.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = paired_t(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> row.estimate, round(row.statistic, 6), row.df
        (-5.0, -2.459347, 5.0)
    """
    difference, error, df = paired_parts(pair, pair_id)
    root = np.sqrt(df + 1)
    low, high = noncentrality_interval(difference / error, df, pair.level)
    d_z = EffectSize("d_z", difference / error / root, low / root, high / root)
    return pair.estimate(**t_interval(difference, error, df, pair.level), effect_size=d_z)


def paired_parts(pair: ArmContrast, pair_id: str | None) -> tuple[float, float, float]:
    """Mean within-pair difference, its standard error and degrees of freedom."""
    gaps = paired_differences(pair, pair_id)
    return float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps))), float(len(gaps) - 1)


def paired_differences(pair: ArmContrast, pair_id: str | None) -> Floats:
    """Treated less control of each pair, paired by a column or by the order of the rows."""
    trial, column = pair.trial, pair_id
    treated, control = pair.arms
    if column is not None:
        if column not in trial.data.columns:
            raise AnalysisError.of(f"column {column!r}", "is not in the table", "name the column that pairs rows")
        one, two = pair.split(trial.data[column].astype(str).to_numpy())
        if sorted(one) != sorted(two) or len(set(one)) != len(one):
            raise AnalysisError.of(
                f"column {column!r}", "does not pair every row once", "each pair needs one row an arm"
            )
        treated, control = treated[np.argsort(one, kind="stable")], control[np.argsort(two, kind="stable")]
    if len(treated) != len(control):
        raise AnalysisError.of("paired", "the arms differ in size", "name the pairing column in `pair_id`")
    gaps = treated - control
    if alike(gaps, float(np.abs([treated, control]).max())):
        raise NotEstimable("every pair has the same difference")
    return np.asarray(gaps, dtype=np.float64)


def raw_effect(pair: ArmContrast, difference: float) -> EffectSize | None:
    """Hedges' g of a difference over the pooled standard deviation of the unadjusted outcome."""
    treated, control = pair.arms
    if len(treated) + len(control) < 3:
        return None
    return hedges_g(difference, pooled_sd(treated, control), len(treated), len(control), pair.level)


@method_over_all_arms("covariates stratum cluster")
def ols(trial: AnalysisRequest, vcov: str | None = None) -> Result:
    """Least-squares difference of means, with covariates and strata as main effects where they are named.

    Formula: y = a + arm + covariates + strata; t with n - p degrees of freedom. `vcov`: classical (default), HC0,
    HC1, HC2 or HC3. `cluster`: CR2 and Satterthwaite, see `cluster_robust`. Without `arm`: one
    row per coefficient; a numeric `arm` without `control`: slope per unit.
    Missing data: refused. Columns that others span are dropped with a note.
    Reference: MacKinnon & White (1985), J. Econometrics 29:305-325 for the HC family.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = ols(two_arms(), outcome="score", arm="arm", control="no_ai", vcov="HC3")
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-5.0, 1.649242)
    """
    return linear_rows(trial, additive(trial), vcov)


@method_over_all_arms("covariates stratum cluster")
def ancova(trial: AnalysisRequest, vcov: str | None = None) -> Result:
    """Difference of means adjusted for covariates (and strata) with a slope common to the arms.

    Formula: y = a + arm + covariates + strata by least squares; `vcov` as in `ols`, classical by default.
    Missing data: refused; impute baseline covariates (mean and indicator) before.
    Reference: Fisher (1932); Freedman (2008), Ann. Appl. Stat. 2:176-196 on when it may lose precision.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = ancova(two_arms(), outcome="score", arm="arm", control="no_ai", covariates=("warmup",))
        >>> round(row.estimate, 6), row.df
        (-4.2, 9.0)
    """
    return linear_rows(trial, additive(trial), vcov)


@method_over_all_arms("covariates stratum cluster")
def lin(trial: AnalysisRequest, vcov: str | None = None) -> Result:
    """Difference of means adjusted for covariates with their own slope in each arm.

    Formula: y = a + sum_k b_k D_k + c'(x - mean x) + sum_k D_k d_k'(x - mean x) + e'S by least squares, D_k the
    indicator of treated arm k, x the covariates, S the indicators of the strata's levels but the first; b_k is the
    average effect of arm k. HC3 by default, `vcov="HC2"` on request, CR2 with `cluster`; t with n - p degrees of
    freedom. Strata enter as main effects only, several stratification factors each with its own. Several arms are
    fitted together.
    Missing data: refused; impute baseline covariates (mean and indicator) before.
    Reference: Lin (2013), Ann. Appl. Stat. 7:295-318, arXiv 1208.2301.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = lin(two_arms(), outcome="score", arm="arm", control="no_ai", covariates=("warmup",))
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-4.2, 0.201651)
    """
    return linear_rows(trial, interacted(trial), vcov or (None if trial.cluster else "HC3"))


def linear_rows(trial: AnalysisRequest, design: DesignMatrix, vcov: str | None) -> Result:
    """Fit a design and report the arms' coefficients, or all of them where no arm is named.

    With clusters the covariance is CR2 with Satterthwaite's degrees of freedom (or the `vcov` named for clusters).
    """
    fitted = fit(design.columns, trial.varied_y)
    # Certified polynomials are fitted without error; a contrast of arms without error has nothing to be tested by, and
    # is refused.
    if trial.arm is None and fitted.is_exact:
        exact = map(float, design.back @ fitted.coefficients)
        return unwrap([_exact_row(trial, fitted, value, name) for value, name in zip(exact, design.names, strict=True)])
    fitted = fitted.with_residuals()
    if trial.cluster is not None:
        robust = ClusterRobust.of(trial, fitted, vcov)
        covariance, kind, of = robust.covariance, robust.kind, robust.df_along
        extra: dict[str, Any] = robust.detail(trial)
        trial.notes += robust.warnings(trial)
    else:
        kind, robust = vcov_name(vcov), None
        covariance, extra = fitted.covariance(kind), {}

        def of(weights: Floats) -> float:
            return float(fitted.df)

    beta = design.back @ fitted.coefficients
    errors = np.sqrt(np.diag(design.back @ covariance @ design.back.T))

    def numbers(index: int) -> dict[str, float]:
        if robust is not None and robust.is_alone(design.back[index]):
            return {"estimate": float(beta[index])}
        return t_interval(float(beta[index]), float(errors[index]), of(design.back[index]), trial.level)

    rows = design.rows_of(trial)
    return unwrap(
        [_coefficient_row(trial, fitted, numbers(index), kind, contrast, name, extra) for index, contrast, name in rows]
    )


def _exact_row(trial: AnalysisRequest, fitted: Fit, coefficient: float, name: str) -> Estimate:
    """Return a coefficient of a curve through every point (NIST's Wampler1): known without error, so untestable."""
    note = f"{name}; the model fits every row exactly, so there is no residual variance to test by"
    return trial.estimate(
        id=name, estimate=coefficient, std_error=0.0, df=float(fitted.df), note=note,
        effect_size=EffectSize("r_squared", 1.0),
    )  # fmt: skip


def _coefficient_row(
    trial: AnalysisRequest,
    fitted: Fit,
    numbers: dict[str, float],
    kind: str,
    contrast: tuple[str, str] | None,
    name: str,
    extra: dict[str, Any],
) -> Estimate:
    detail = {"vcov": kind, **extra}
    clustered = f", {extra['clusters']} clusters" if extra else ""
    if contrast is None:
        f = fitted.r_squared / max(fitted.design.shape[1] - 1, 1) / ((1 - fitted.r_squared) / fitted.df)
        sd = float(np.sqrt(fitted.sigma2))
        note = f"{name}; {kind}{clustered}; F = {f:.12g}, residual standard deviation {sd:.12g}"
        detail |= {"f": f, "residual_sd": sd}
        effect: EffectSize | None = EffectSize("r_squared", fitted.r_squared)
        return trial.estimate(**numbers, id=name, note=note, effect_size=effect, detail=detail)
    pair = ArmContrast(trial, trial.labels.index(contrast[0]))
    detail["largest_leverage"] = float(fitted.leverage.max())
    note = f"{kind} standard error{clustered}" if "std_error" in numbers else ALONE
    note += f"; largest leverage {fitted.leverage.max():.4f}" if trial.covariates else ""
    effect = raw_effect(pair, numbers["estimate"])
    return trial.estimate(**numbers, contrast=contrast, n=pair.counts, note=note, effect_size=effect, detail=detail)
