"""Effect in those whom the allocation moves: instrumental variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import (
    AnalysisError,
    Floats,
    NotEstimable,
    covariate_columns,
    in_deviations,
    names,
    numbers,
)
from analysis.estimators.core.validation import require_columns as _require
from analysis.estimators.numerics.designs import arm_columns
from analysis.estimators.numerics.linear import Fit, fit, independent_columns, t_interval, z_interval


@method_over_all_arms(jackknife=True)
def wald_iv(trial: AnalysisRequest, received: str = "", vcov: str = "robust") -> Result:
    """Complier average effect: the effect of allocation on the outcome over its effect on what was received.

    Formula: (m_y1 - m_y0) / (m_d1 - m_d0), `received=` naming d; HC0 standard error, normal p and interval
    (`vcov="classical"`: residual variance with n - 2, Student's t). Note: first-stage F and the Anderson-Rubin
    interval, which stays valid when few comply. Detail: first_stage_f, anderson_rubin, wu_hausman.
    Rests on: allocation acts through `received` only, no defiers.
    Missing data: refused. Covariates: see `tsls`. Several arms: each with the control.
    Reference: Wald (1940); Angrist, Imbens & Rubin (1996), JASA 91:444-455; Anderson & Rubin (1949).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = wald_iv(two_arms(), outcome="score", arm="arm", control="no_ai", received="used_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-7.5, 3.461846)
    """
    d = _received(trial, received)
    rows = []
    for pair in trial.pairs():
        z = pair.treated.astype(np.float64)[:, None]
        try:
            model = Instrumented.of(trial.y[pair.rows], d[pair.rows], z, np.ones((len(z), 1)))
            rows.append(pair.estimate(**_fields(trial, model, vcov), population="complier"))
        except NotEstimable as error:
            rows.append(pair.estimate(note=f"not estimable: {error}", population="complier"))
    return unwrap(rows)


@method_over_all_arms("covariates stratum", jackknife=True)
def tsls(
    trial: AnalysisRequest, received: str = "", instruments: str | Iterable[str] = (), vcov: str = "robust"
) -> Result:
    """Two-stage least squares: effect of what was received, instrumented by the arm, adjusted for covariates.

    Formula: regress `received` on arms, `instruments` (further instruments), covariates and strata; regress the
    outcome on the fitted values, covariates and strata; HC0 standard error with the observed `received`, normal p
    and interval (`vcov`: "robust"/"HC0", "HC1", "classical"). Several arms: all are instruments of the one effect.
    Detail: first_stage_f, anderson_rubin, wu_hausman, sargan (with several instruments). Missing data: refused.
    Reference: Theil (1953); Imbens & Angrist (1994), Econometrica 62:467-475; Anderson & Rubin (1949).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = tsls(
        ...     two_arms(), outcome="score", arm="arm", control="no_ai", received="used_ai", covariates=("warmup",)
        ... )
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-6.125, 1.889549)
    """
    d = _received(trial, received)
    extra = names(instruments)
    _require(trial.data, extra)
    z = np.column_stack([arm_columns(trial)[0], covariate_columns(trial.data, extra)[0]])
    if not z.shape[1]:
        raise AnalysisError.of("instruments", "there are none", "name the arm, or `instruments`")
    w = np.column_stack([np.ones((len(d), 1)), in_deviations(trial.given_x[0]), trial.stratum_columns[0]])
    model = Instrumented.of(trial.y, d, z, w[:, independent_columns(w)])
    fields = _fields(trial, model, vcov)
    two = trial.arm is not None and not trial.is_dose and len(trial.labels) == 2
    contrast = (trial.labels[1], trial.labels[0]) if two else None
    return trial.estimate(**fields, contrast=contrast, population="complier")


def _received(trial: AnalysisRequest, received: str) -> Floats:
    if not received:
        raise AnalysisError.of("received", "is not given", "name the column that says what was taken up (0/1)")
    _require(trial.data, [received])
    _ = trial.varied_y
    return numbers(trial.data, received)


@dataclass(frozen=True)
class Instrumented:
    """Outcome, received (n), instruments and exogenous columns of a two-stage fit."""

    y: Floats
    d: Floats
    z: Floats
    w: Floats

    @classmethod
    def of(cls, y: Floats, d: Floats, z: Floats, w: Floats) -> Instrumented:
        """Of an outcome, what was received, instruments (those that the exogenous columns leave over), exogenous."""
        both = np.column_stack([w, z])
        both = both[:, independent_columns(both)]
        if both.shape[1] == w.shape[1] or len(y) <= both.shape[1]:
            raise NotEstimable("the instruments do not vary beyond the covariates, or too few rows")
        first, alone = fit(both, d), fit(w, d)
        gained = float(alone.residuals @ alone.residuals - first.residuals @ first.residuals)
        # Relative to what there is to explain: rounding leaves about 1e-16 of it where nothing was explained.
        if gained <= 1e-10 * max(float(alone.residuals @ alone.residuals), 1e-12):
            raise NotEstimable("allocation did not change what was received, so there are no compliers")
        return cls(y, d, both[:, w.shape[1] :], w)

    def fitted(self, vcov: str) -> Any:
        """Linearmodels' two-stage fit; the coefficient of what was received is the last."""
        from linearmodels.iv.model import IV2SLS  # takes a second to import

        kind = {"ROBUST": "HC0", "UNADJUSTED": "CLASSICAL", "NONROBUST": "CLASSICAL"}.get(vcov.upper(), vcov.upper())
        if kind not in ("HC0", "HC1", "CLASSICAL"):
            raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use robust, HC0, HC1 or classical")
        # No instrument's unit or zero moves what is received, but linearmodels takes a large one for collinear.
        model = IV2SLS(self.y, self.w, self.d, in_deviations(self.z))
        # `debiased` divides by n - p in place of n: HC1 and the classical variance do, HC0 does not.
        return model.fit(cov_type="unadjusted" if kind == "CLASSICAL" else "robust", debiased=kind != "HC0")

    def first_stage_f(self) -> float:
        """F of the excluded instruments."""
        full, small = fit(np.column_stack([self.w, self.z]), self.d), fit(self.w, self.d)
        gained = float(small.residuals @ small.residuals - full.residuals @ full.residuals)
        left = float(full.residuals @ full.residuals)
        # Full compliance: allocation explains all of what was received, and what is left over is rounding.
        perfect = left <= 1e-20 * gained or full.df < 1
        return float("inf") if perfect else gained / self.z.shape[1] / (left / full.df)

    def anderson_rubin(self, level: float) -> str:
        """Return all effects b for which the instruments do not predict y - b d, as text (a set, maybe unbounded)."""
        base = np.column_stack([self.w, self.z])
        if self.z.shape[1] == 1:
            a, b, c = self._robust_quadratic(fit(base, self.y), fit(base, self.d), level)
        else:
            a, b, c = self._f_quadratic(fit(base, self.y), fit(base, self.d), level)
        return describe_set(a, b, c)

    def _robust_quadratic(self, fy: Fit, fd: Fit, level: float) -> tuple[float, float, float]:
        """(g_y - b g_d)^2 <= chi2 Var(g_y - b g_d) with HC0."""
        # Inverting the test gives a set that keeps its level however weak the instrument; estimate and standard error
        # of two stages do not (Staiger & Stock 1997).
        half = fy.design @ fy.gram_inverse[:, -1]
        vyy, vdd = float(half**2 @ fy.residuals**2), float(half**2 @ fd.residuals**2)
        vyd = float(half**2 @ (fy.residuals * fd.residuals))
        gy, gd = float(fy.coefficients[-1]), float(fd.coefficients[-1])
        cut = float(stats.chi2.ppf(level, 1))
        return gd**2 - cut * vdd, -2 * (gy * gd - cut * vyd), gy**2 - cut * vyy

    def _f_quadratic(self, fy: Fit, fd: Fit, level: float) -> tuple[float, float, float]:
        """Explained less F times residual, classical, for several instruments."""
        sy, sd = fit(self.w, self.y).residuals, fit(self.w, self.d).residuals
        k, df = self.z.shape[1], fy.df
        cut: float = float(stats.f.ppf(level, k, df)) * k / df

        def form(u: Floats, v: Floats, ru: Floats, rv: Floats) -> float:
            left = float(ru @ rv)
            explained = float(u @ v) - left
            return explained - cut * left

        ry, rd = fy.residuals, fd.residuals
        return form(sd, sd, rd, rd), -2 * form(sy, sd, ry, rd), form(sy, sy, ry, ry)


def describe_set(a: float, b: float, c: float) -> str:
    """Return the solutions of a x^2 + b x + c <= 0.

    >>> describe_set(1, 0, -4)
    '[-2, 2]'
    """
    # a > 0 where the instrument passes its own test at this level: only then is the accepted set an interval.
    under = b * b - 4 * a * c
    # No real root: the quadratic has the sign of `a` everywhere.
    if under < 0:
        return "empty" if a > 0 else "the whole line (the instrument is too weak)"
    low, high = sorted(((-b - np.sqrt(under)) / (2 * a), (-b + np.sqrt(under)) / (2 * a)))
    if a > 0:
        return f"[{low:.12g}, {high:.12g}]"
    return f"up to {low:.12g} or from {high:.12g} (the instrument is weak)"


def _fields(trial: AnalysisRequest, model: Instrumented, vcov: str) -> dict[str, object]:
    fitted = model.fitted(vcov)
    estimate, error = float(fitted.params.iloc[-1]), float(fitted.std_errors.iloc[-1])
    f, accepted = model.first_stage_f(), model.anderson_rubin(trial.level)
    first = f"F = {f:.6g}" if np.isfinite(f) else "F infinite, for allocation settles what was received"
    note = f"{vcov} standard error; first-stage {first}; Anderson-Rubin {100 * trial.level:g}% set: {accepted}"
    effect = EffectSize("first_stage", float(fit(np.column_stack([model.w, model.z]), model.d).coefficients[-1]))
    detail: dict[str, Any] = {"vcov": vcov, "first_stage_f": f, "anderson_rubin": accepted, **_specification(fitted)}
    # Student's t belongs to the variance that divides by n - 2; the robust one is justified by large samples alone.
    if vcov.upper() in ("CLASSICAL", "UNADJUSTED", "NONROBUST"):
        found: dict[str, object] = dict(t_interval(estimate, error, float(fitted.df_resid), trial.level))
    else:
        found = dict(z_interval(estimate, error, trial.level))
    return {**found, "note": note, "effect_size": effect, "detail": detail}


def _specification(fitted: Any) -> dict[str, float]:
    """Wu-Hausman test that what was received is exogenous; Sargan's that several instruments agree."""
    try:
        exogenous, several = fitted.wu_hausman(), fitted.sargan
    except (ValueError, np.linalg.LinAlgError):  # too few rows, or allocation settles what was received
        return {}
    found = {"wu_hausman": exogenous.stat, "wu_hausman_p": exogenous.pval}
    return found | ({"sargan": several.stat, "sargan_p": several.pval} if several.df else {})
