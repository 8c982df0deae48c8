"""Differences of means: t tests, regression adjustment, Lin's interacted adjustment."""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.effect_sizes import hedges_g, pooled_sd
from analysis.estimators.core.registry import Result, pairwise, unwrap, whole
from analysis.estimators.core.request import Pair, Trial
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import NotEstimable
from analysis.estimators.numerics.designs import Design, additive, interacted
from analysis.estimators.numerics.linear import Fit, fit, t_interval, vcov_name


@pairwise
def student_t(pair: Pair) -> Result:
    """Difference of two means with a common variance.

    Formula: t = (m1 - m0) / (s sqrt(1/n1 + 1/n0)), s the pooled standard deviation, n1 + n0 - 2 degrees of freedom.
    Missing data: refused. Covariates and strata are not used. Several arms: each with the control, pairwise variance.
    Reference: Student (1908), Biometrika 6:1-25.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = student_t(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.statistic, 6), row.df
        (-5.0, -3.321056, 10.0)
    """
    treated, control = pair.varied_arms(least=1)
    if len(treated) + len(control) < 3:
        raise NotEstimable("two observations leave no degree of freedom")
    error = pooled_sd(treated, control) * np.sqrt(1 / len(treated) + 1 / len(control))
    numbers = t_interval(treated.mean() - control.mean(), error, float(len(treated) + len(control) - 2), pair.level)
    return pair.estimate(**numbers, effect_size=raw_effect(pair, numbers["estimate"]))


@pairwise
def welch_t(pair: Pair) -> Result:
    """Difference of two means, each arm with its own variance.

    Formula: t = (m1 - m0) / sqrt(s1^2/n1 + s0^2/n0), Welch-Satterthwaite degrees of freedom.
    Missing data: refused. Covariates and strata are not used. Several arms: each with the control.
    Reference: Welch (1947), Biometrika 34:28-35.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = welch_t(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.p_value, 6), round(row.effect_size.value, 6)
        (0.007734, -1.769284)
    """
    difference, error, df = welch_parts(pair)
    numbers = t_interval(difference, error, df, pair.level)
    return pair.estimate(**numbers, effect_size=raw_effect(pair, difference))


def welch_parts(pair: Pair) -> tuple[float, float, float]:
    """Difference, standard error and Satterthwaite degrees of freedom."""
    treated, control = pair.varied_arms()
    one, zero = treated.var(ddof=1) / len(treated), control.var(ddof=1) / len(control)
    if one + zero == 0:
        raise NotEstimable("neither arm varies")
    df = (one + zero) ** 2 / (one**2 / (len(treated) - 1) + zero**2 / (len(control) - 1))
    return float(treated.mean() - control.mean()), float(np.sqrt(one + zero)), float(df)


def raw_effect(pair: Pair, difference: float) -> EffectSize | None:
    """Hedges' g of a difference over the pooled standard deviation of the unadjusted outcome."""
    treated, control = pair.arms
    if len(treated) + len(control) < 3:
        return None
    return hedges_g(difference, pooled_sd(treated, control), len(treated), len(control), pair.level)


@whole
def ols(trial: Trial, vcov: str | None = None) -> Result:
    """Least-squares difference of means, with covariates and strata as main effects where they are named.

    Formula: y = a + arm + covariates + strata; t with n - p degrees of freedom. `vcov`: classical (default), HC0,
    HC1, HC2 or HC3. Without `arm`: one row per coefficient; a numeric `arm` without `control`: slope per unit.
    Missing data: refused. Columns that others span are dropped with a note.
    Reference: MacKinnon & White (1985), J. Econometrics 29:305-325 for the HC family.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = ols(two_arms(), outcome="score", arm="arm", control="no_ai", vcov="HC3")
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-5.0, 1.649242)
    """
    return linear_rows(trial, additive(trial), vcov)


@whole
def ancova(trial: Trial, vcov: str | None = None) -> Result:
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


@whole
def lin(trial: Trial, vcov: str | None = "HC3") -> Result:
    """Difference of means adjusted for covariates with a slope of their own in each arm.

    Formula: y = a + sum_k b_k D_k + c'(x - mean x) + sum_k D_k d_k'(x - mean x) + e'S by least squares, D_k the
    indicator of treated arm k, x the covariates, S the indicators of the strata's levels but the first; b_k is the
    average effect of arm k. HC3 by default, `vcov="HC2"` on request; t with n - p degrees of freedom. Strata enter as
    main effects only, several stratification factors each with its own. Several arms are fitted together.
    Missing data: refused; impute baseline covariates (mean and indicator) before.
    Reference: Lin (2013), Ann. Appl. Stat. 7:295-318, arXiv 1208.2301.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = lin(two_arms(), outcome="score", arm="arm", control="no_ai", covariates=("warmup",))
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-4.2, 0.201651)
    """
    return linear_rows(trial, interacted(trial), vcov)


def linear_rows(trial: Trial, design: Design, vcov: str | None) -> Result:
    """Fit a design and report the arms' coefficients, or all of them where no arm is named."""
    kind = vcov_name(vcov)
    fitted = fit(design.columns, trial.varied_y)
    if trial.arm is None and fitted.is_exact:
        return unwrap([_exact_row(trial, fitted, index, name) for index, _, name in design.rows_of(trial)])
    errors = np.sqrt(np.diag(fitted.with_residuals().covariance(kind)))
    return unwrap(
        [
            _row(trial, fitted, float(errors[index]), kind, index, contrast, name)
            for index, contrast, name in design.rows_of(trial)
        ]
    )


def _exact_row(trial: Trial, fitted: Fit, index: int, name: str) -> Estimate:
    """A coefficient of a curve through every point (NIST's Wampler1): known without error, so untestable."""
    note = f"{name}; the model fits every row exactly, so there is no residual variance to test by"
    return trial.estimate(
        id=name, estimate=float(fitted.coefficients[index]), std_error=0.0, df=float(fitted.df), note=note,
        effect_size=EffectSize("r_squared", 1.0),
    )  # fmt: skip


def _row(
    trial: Trial, fitted: Fit, error: float, kind: str, index: int, contrast: tuple[str, str] | None, name: str
) -> Estimate:
    numbers = t_interval(float(fitted.coefficients[index]), error, float(fitted.df), trial.level)
    if contrast is None:
        f = fitted.r_squared / max(fitted.design.shape[1] - 1, 1) / ((1 - fitted.r_squared) / fitted.df)
        note = f"{name}; {kind}; F = {f:.12g}, residual standard deviation {np.sqrt(fitted.sigma2):.12g}"
        return trial.estimate(**numbers, id=name, note=note, effect_size=EffectSize("r_squared", fitted.r_squared))
    pair = Pair(trial, trial.labels.index(contrast[0]))
    note = f"{kind} standard error" + (f"; largest leverage {fitted.leverage.max():.4f}" if trial.covariates else "")
    return trial.estimate(
        **numbers, contrast=contrast, n=pair.counts, note=note, effect_size=raw_effect(pair, numbers["estimate"])
    )
