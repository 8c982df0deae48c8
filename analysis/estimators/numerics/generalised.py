"""Generalised linear models by statsmodels, with the refusals that a trial needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.designs import DesignMatrix
from analysis.estimators.numerics.separation import SUSPECT, separated_at_edges

_KINDS = {
    "CLASSICAL": "nonrobust", "NONROBUST": "nonrobust", "MODEL": "nonrobust", "HC0": "HC0", "ROBUST": "HC0",
    "HC1": "HC1", "QUASI": "quasi",
}  # fmt: skip
BOUNDLESS = "has no finite maximum (separation, or an arm without variation)"


def _kind(vcov: str) -> str:
    kind = _KINDS.get(str(vcov).upper())
    if kind is None:
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use HC0, HC1, quasi or classical")
    return kind


def fit_glm(design: DesignMatrix, y: Floats, family: Any, vcov: str, offset: Floats | None = None) -> Any:
    """Statsmodels' fit of a design, whose covariance `covariance_of` gives.

    Raises:
        NotEstimable: too few rows, an exact fit, or no finite maximum (separation, an arm without events).
    """
    from statsmodels.genmod.generalized_linear_model import GLM

    kind = _kind(vcov)
    n, p = design.columns.shape
    if n <= p:
        raise NotEstimable(f"{n} observations for {p} coefficients")
    model = GLM(y, design.columns, family=family, offset=offset)
    options = {"scale": "X2"} if kind == "quasi" else {}
    # Convergence by the coefficients: under separation the deviance settles while they still run away.
    fitted = model.fit(maxiter=200, tol=1e-14, tol_criterion="params", **options)
    _refuse_separation(design, y, fitted)
    settled(np.asarray(fitted.params), -model.hessian(np.asarray(fitted.params), observed=False), "the likelihood")
    # A sandwich of zero residuals is zero, and every p-value with it.
    residuals, mean = y - fitted.mu, family.variance(fitted.mu)
    if kind != "nonrobust" and np.abs(residuals).max() < 1e-10 * (1 + np.abs(mean).max()):
        raise NotEstimable("the model fits every row exactly, so there is no residual variance")
    return fitted


def _refuse_separation(design: DesignMatrix, y: Floats, fitted: Any) -> None:
    """Refuse a likelihood that rises for ever; asked only where the fit all but predicts an outcome at its edge."""
    low, high = y == 0, (y == 1) & (type(fitted.family).__name__ == "Binomial")
    distance = np.abs(y - fitted.mu)[low | high]
    arrived = fitted.converged and np.isfinite(fitted.mu).all()
    if (not arrived or distance.min(initial=1.0) < SUSPECT) and separated_at_edges(design.columns, low, high):
        raise NotEstimable(f"the likelihood {BOUNDLESS}")


def settled(beta: Floats, information: Floats, what: str) -> None:
    """Refuse a fit that ran off to infinity, or whose columns the outcome does not tell apart."""
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    if not np.isfinite(beta).all() or not np.isfinite(information).all() or (scale <= 1e-6).any():
        raise NotEstimable(f"{what} {BOUNDLESS}")
    # Scaled to a unit diagonal, so that a covariate in milliseconds is not mistaken for a collinear one.
    if float(np.linalg.eigvalsh(information / np.outer(scale, scale))[0]) < 1e-12:
        raise NotEstimable(f"{what} has no unique maximum (separation, or too little information)")


def covariance_of(design: DesignMatrix, y: Floats, fitted: Any, vcov: str) -> Floats:
    """Covariance of a fit's coefficients: of the model, or the sandwich of a canonical link; HC1 times n / (n - p)."""
    kind = _kind(vcov)
    if kind not in ("HC0", "HC1"):
        return np.asarray(fitted.cov_params(), dtype=np.float64)
    # statsmodels' sandwich divides by the variance of each row, which is 0 where a fit is certain of one.
    scores = design.columns * (y - fitted.mu)[:, None]
    bread = np.linalg.inv(-fitted.model.hessian(np.asarray(fitted.params), observed=False))
    n, p = design.columns.shape
    return np.asarray(bread @ (scores.T @ scores) @ bread * (n / (n - p) if kind == "HC1" else 1.0), dtype=np.float64)
