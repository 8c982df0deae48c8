"""Effect in those whom the allocation moves: instrumental variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, unwrap, whole
from analysis.estimators.core.request import Trial
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, covariate_columns, names, numbers
from analysis.estimators.core.validation import require_columns as _require
from analysis.estimators.numerics.designs import arm_columns
from analysis.estimators.numerics.linear import Fit, fit, independent_columns, t_interval, z_interval


@whole
def wald_iv(trial: Trial, received: str = "", vcov: str = "robust") -> Result:
    """Complier average effect: the effect of allocation on the outcome over its effect on what was received.

    Formula: (m_y1 - m_y0) / (m_d1 - m_d0), `received=` naming d; HC0 standard error, normal p and interval
    (`vcov="classical"`: residual variance with n - 2, Student's t). Note: first-stage F and the Anderson-Rubin
    interval, which stays valid when few comply. Rests on: allocation acts through `received` only, no defiers.
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


@whole
def tsls(trial: Trial, received: str = "", instruments: str | Iterable[str] = (), vcov: str = "robust") -> Result:
    """Two-stage least squares: effect of what was received, instrumented by the arm, adjusted for covariates.

    Formula: regress `received` on arms, `instruments` (further instruments), covariates and strata; regress the
    outcome on the fitted values, covariates and strata; HC0 standard error with the observed `received`, normal p
    and interval (`vcov`: "robust"/"HC0", "HC1", "classical"). Several arms: all are instruments of the one effect.
    Note: first-stage F and the Anderson-Rubin interval. Missing data: refused.
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
    w = np.column_stack([np.ones((len(d), 1)), trial.x[0], trial.stratum_columns[0]])
    model = Instrumented.of(trial.y, d, z, w[:, independent_columns(w)])
    fields = _fields(trial, model, vcov)
    two = trial.arm is not None and not trial.is_dose and len(trial.labels) == 2
    contrast = (trial.labels[1], trial.labels[0]) if two else None
    return trial.estimate(**fields, contrast=contrast, population="complier")


def _received(trial: Trial, received: str) -> Floats:
    if not received:
        raise AnalysisError.of("received", "is not given", "name the column that says what was taken up (0/1)")
    _require(trial.data, [received])
    _ = trial.varied_y
    return numbers(trial.data, received)


@dataclass(frozen=True)
class Instrumented:
    """A two-stage fit; the coefficient of interest is the first."""

    y: Floats
    d: Floats
    z: Floats
    w: Floats
    projected: Floats
    """Fitted received and the exogenous columns."""
    beta: Floats
    residuals: Floats

    @classmethod
    def of(cls, y: Floats, d: Floats, z: Floats, w: Floats) -> Instrumented:
        """Fit by two least-squares stages."""
        both = np.column_stack([w, z])
        both = both[:, independent_columns(both)]
        if both.shape[1] == w.shape[1] or len(y) <= both.shape[1]:
            raise NotEstimable("the instruments do not vary beyond the covariates, or too few rows")
        first = fit(both, d)
        alone = fit(w, d)
        gained = float(alone.residuals @ alone.residuals - first.residuals @ first.residuals)
        if gained <= 1e-10 * max(float(alone.residuals @ alone.residuals), 1e-12):
            raise NotEstimable("allocation did not change what was received, so nobody is a complier")
        projected = np.column_stack([d - first.residuals, w])
        second = fit(projected, y)
        observed = np.column_stack([d, w])
        return cls(y, d, both[:, w.shape[1] :], w, projected, second.coefficients, y - observed @ second.coefficients)

    def covariance(self, vcov: str) -> Floats:
        """HC0, HC1 or classical covariance of the coefficients."""
        kind = {"ROBUST": "HC0", "UNADJUSTED": "CLASSICAL", "NONROBUST": "CLASSICAL"}.get(vcov.upper(), vcov.upper())
        n, p = self.projected.shape
        bread = np.linalg.inv(self.projected.T @ self.projected)
        if kind == "CLASSICAL":
            return np.asarray(bread * float(self.residuals @ self.residuals) / (n - p), dtype=np.float64)
        if kind not in ("HC0", "HC1"):
            raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use robust, HC0, HC1 or classical")
        half = self.projected @ bread
        return np.asarray((half.T * self.residuals**2) @ half * (n / (n - p) if kind == "HC1" else 1.0))

    def first_stage_f(self) -> float:
        """F of the excluded instruments."""
        full, small = fit(np.column_stack([self.w, self.z]), self.d), fit(self.w, self.d)
        gained = float(small.residuals @ small.residuals - full.residuals @ full.residuals)
        left = float(full.residuals @ full.residuals)
        perfect = left <= 1e-20 * gained or full.df < 1
        return float("inf") if perfect else gained / self.z.shape[1] / (left / full.df)

    def anderson_rubin(self, level: float) -> str:
        """All effects b for which the instruments do not predict y - b d, as text (a set, maybe unbounded)."""
        base = np.column_stack([self.w, self.z])
        if self.z.shape[1] == 1:
            a, b, c = self._robust_quadratic(fit(base, self.y), fit(base, self.d), level)
        else:
            a, b, c = self._f_quadratic(fit(base, self.y), fit(base, self.d), level)
        return describe_set(a, b, c)

    def _robust_quadratic(self, fy: Fit, fd: Fit, level: float) -> tuple[float, float, float]:
        """(g_y - b g_d)^2 <= chi2 Var(g_y - b g_d) with HC0."""
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
        cut = float(stats.f.ppf(level, k, df)) * k / df

        def form(u: Floats, v: Floats, ru: Floats, rv: Floats) -> float:
            left = float(ru @ rv)
            return float(u @ v) - left - cut * left

        ry, rd = fy.residuals, fd.residuals
        return form(sd, sd, rd, rd), -2 * form(sy, sd, ry, rd), form(sy, sy, ry, ry)


def describe_set(a: float, b: float, c: float) -> str:
    """The solutions of a x^2 + b x + c <= 0.

    >>> describe_set(1, 0, -4)
    '[-2, 2]'
    """
    under = b * b - 4 * a * c
    if under < 0:
        return "empty" if a > 0 else "the whole line (the instrument is too weak)"
    low, high = sorted(((-b - np.sqrt(under)) / (2 * a), (-b + np.sqrt(under)) / (2 * a)))
    if a > 0:
        return f"[{low:.12g}, {high:.12g}]"
    return f"up to {low:.12g} or from {high:.12g} (the instrument is weak)"


def _fields(trial: Trial, model: Instrumented, vcov: str) -> dict[str, object]:
    error = float(np.sqrt(model.covariance(vcov)[0, 0]))
    f = model.first_stage_f()
    first = f"F = {f:.6g}" if np.isfinite(f) else "F infinite, for allocation settles what was received"
    note = (
        f"{vcov} standard error; first-stage {first}; "
        f"Anderson-Rubin {trial.level:.0%} set: {model.anderson_rubin(trial.level)}"
    )
    effect = EffectSize("first_stage", float(fit(np.column_stack([model.w, model.z]), model.d).coefficients[-1]))
    estimate = float(model.beta[0])
    if vcov.upper() in ("CLASSICAL", "UNADJUSTED", "NONROBUST"):
        found: dict[str, object] = dict(t_interval(estimate, error, float(len(model.y) - len(model.beta)), trial.level))
    else:
        found = dict(z_interval(estimate, error, trial.level))
    return {**found, "note": note, "effect_size": effect}
