"""Least squares by orthogonal decomposition, with the classical and the heteroskedasticity-consistent covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, stats

from analysis.estimators.core.validation import ROUNDED, AnalysisError, Floats, NotEstimable, installed

# Between rounding (about 1e-16 times the condition number) and what data tell apart; R's lm takes 1e-7 after one pass.
ALIAS_TOLERANCE = 1e-9
_NAMES = {
    "CLASSICAL": "classical", "NONROBUST": "classical", "CONST": "classical", "OLS": "classical", "IID": "classical",
    "HC0": "HC0", "HC1": "HC1", "HC2": "HC2", "HC3": "HC3",
}  # fmt: skip


def vcov_name(kind: str | None) -> str:
    """Return the canonical spelling of a covariance estimator."""
    found = _NAMES.get(str(kind or "classical").upper())
    if found is None:
        raise AnalysisError.of("vcov", f"{kind!r} is not known", "use classical, HC0, HC1, HC2 or HC3")
    return found


def independent_columns(design: Floats) -> list[int]:
    """Return indices of columns not (numerically) spanned by those before them, as R's lm drops aliased terms."""
    kept: list[int] = []
    basis = np.empty((len(design), 0))
    for index in range(design.shape[1]):
        column = design[:, index]
        rest = column - basis @ (basis.T @ column)
        # Gram-Schmidt twice: once leaves errors of the order of the condition number, a second pass removes them
        # (Giraud et al. 2005).
        rest = rest - basis @ (basis.T @ rest)
        size, left = np.linalg.norm(column), np.linalg.norm(rest)
        if size > 0 and left > ALIAS_TOLERANCE * size and len(kept) < len(design):
            kept.append(index)
            basis = np.column_stack([basis, rest / left])
    return kept


@dataclass(frozen=True)
class Fit:
    """An ordinary least squares fit; arrays follow the design's columns."""

    design: Floats
    y: Floats
    coefficients: Floats
    back: Floats
    """Coefficients on the orthonormal columns, times this, are those on the design's."""
    model: Any
    """statsmodels' fit on the orthonormal columns."""

    @cached_property
    def residuals(self) -> Floats:
        """Outcome less fitted values."""
        return np.asarray(self.y - self.design @ self.coefficients, dtype=np.float64)

    @cached_property
    def leverage(self) -> Floats:
        """Diagonal of the hat matrix."""
        # The hat matrix is QQ' on orthonormal columns, whose diagonal needs no inverse.
        return np.asarray((self.model.model.exog**2).sum(axis=1), dtype=np.float64)

    @property
    def gram_inverse(self) -> Floats:
        """(X'X)^-1."""
        return np.asarray(self.back @ self.back.T, dtype=np.float64)

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        left: int = self.design.shape[0] - self.design.shape[1]
        return left

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return float(self.residuals @ self.residuals) / self.df

    @property
    def is_exact(self) -> bool:
        """Whether nothing but rounding is left over, with degrees of freedom to spare."""
        return self.df > 0 and self.sigma2 <= ROUNDED**2 * float((self.y**2).mean())

    def with_residuals(self) -> Fit:
        """Return the fit itself, refused where it leaves nothing to judge an error by."""
        if self.df < 1:
            raise NotEstimable(f"{len(self.y)} observations for {self.design.shape[1]} coefficients")
        if self.is_exact:
            raise NotEstimable("the model fits every row exactly, so there is no residual variance")
        return self

    @property
    def r_squared(self) -> float:
        """Share of the outcome's variance about its mean."""
        return 1.0 - float(self.residuals @ self.residuals) / float(((self.y - self.y.mean()) ** 2).sum())

    def covariance(self, kind: str | None = None) -> Floats:
        """Covariance of the coefficients: classical, or HC0 to HC3 (MacKinnon & White 1985) by statsmodels."""
        kind = vcov_name(kind)
        if self.df < 1:
            raise NotEstimable(f"{len(self.y)} observations for {self.design.shape[1]} coefficients")
        # HC2 and HC3 divide by 1 - h: a row that the model fits by itself, as the only one of its stratum, has h = 1.
        if kind in ("HC2", "HC3") and self.leverage.max() > 1 - 1e-10:
            raise NotEstimable(f"an observation has leverage 1, so {kind} does not exist; use fewer covariates")
        found = self.model.cov_params() if kind == "classical" else getattr(self.model, f"cov_{kind}")
        # The sandwich on orthonormal columns, carried back: leverages and residuals are the same on both, for they span
        # one space.
        return np.asarray(self.back @ found @ self.back.T, dtype=np.float64)


def fit(design: Floats, y: Floats) -> Fit:
    """Least squares of `y` (n) on `design` (n, p) of full column rank, by statsmodels on orthonormal columns.

    The QR of the scaled columns before, and one step of refinement after, keep the digits that NIST certifies for
    nearly collinear designs, which statsmodels alone loses.
    """
    with installed("least squares"):
        from statsmodels.regression.linear_model import OLS  # takes a second to import

    if design.shape[0] < design.shape[1]:
        raise NotEstimable(f"{design.shape[0]} observations for {design.shape[1]} coefficients")
    # Columns of unit length: otherwise the rounding error of the largest one decides about the smallest.
    scale = np.linalg.norm(design, axis=0)
    q, r = np.linalg.qr(design / scale)
    model = OLS(y, q).fit()
    first = linalg.solve_triangular(r, np.asarray(model.params))
    # One step of iterative refinement.
    rest = y - (design / scale) @ first
    coefficients = (first + linalg.solve_triangular(r, q.T @ rest)) / scale
    back = linalg.solve_triangular(r, np.eye(r.shape[0])) / scale[:, None]
    return Fit(design, y, coefficients, back, model)


def t_interval(estimate: float, std_error: float, df: float, level: float) -> dict[str, float]:
    """Statistic, p-value and interval of an estimate whose pivot is Student's t."""
    if not std_error > ROUNDED * abs(estimate):
        raise NotEstimable("the standard error is zero")
    half = float(stats.t.ppf(0.5 + level / 2, df)) * std_error
    statistic = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": df,
        "statistic": statistic,
        "p_value": float(2 * stats.t.sf(abs(statistic), df)),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }


def z_interval(estimate: float, std_error: float, level: float) -> dict[str, float | None]:
    """Statistic, p-value and interval of an estimate whose pivot is standard normal."""
    if not (std_error > ROUNDED * abs(estimate) and np.isfinite(std_error)):
        raise NotEstimable("the standard error is zero or does not exist")
    half = float(stats.norm.ppf(0.5 + level / 2)) * std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": None,
        "statistic": estimate / std_error,
        "p_value": float(2 * stats.norm.sf(abs(estimate / std_error))),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }


def f_test(f: float, top: float, bottom: float) -> tuple[float, float]:
    """Return an F from a difference of sums of squares, with its p; what rounding leaves below 0 is 0.

    >>> f_test(-1e-32, 1, 19)
    (0.0, 1.0)
    """
    f = max(f, 0.0)
    return f, float(stats.f.sf(f, top, bottom))


def one_way_f(samples: Sequence[Floats]) -> tuple[float, float]:
    """Return F and p of a one-way analysis of variance."""
    total = sum(len(sample) for sample in samples)
    return f_test(float(stats.f_oneway(*samples).statistic), len(samples) - 1, total - len(samples))
