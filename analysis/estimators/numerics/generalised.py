"""Generalised linear models by statsmodels, with the refusals that a trial needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.designs import DesignMatrix

_KINDS = {
    "CLASSICAL": "nonrobust", "NONROBUST": "nonrobust", "MODEL": "nonrobust", "HC0": "HC0", "ROBUST": "HC0",
    "HC1": "HC1", "QUASI": "quasi",
}  # fmt: skip
BEYOND = 25.0
"""Coefficients per standard deviation of a column that only a likelihood without a maximum reaches."""


def fit_glm(
    trial: AnalysisRequest, design: DesignMatrix, y: Floats, family: Any, vcov: str, offset: Floats | None = None
) -> Any:
    """Statsmodels' fit of a design, its `cov_params()` of the kind asked for.

    Raises:
        NotEstimable: too few rows, an exact fit, or no finite maximum (separation, an arm without events).
    """
    from statsmodels.genmod.generalized_linear_model import GLM

    kind = _KINDS.get(str(vcov).upper())
    if kind is None:
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use HC0, HC1, quasi or classical")
    n, p = design.columns.shape
    if n <= p:
        raise NotEstimable(f"{n} observations for {p} coefficients")
    model = GLM(y, design.columns, family=family, offset=offset)
    options = {"cov_type": "nonrobust", "scale": "X2"} if kind == "quasi" else {"cov_type": kind}
    # Convergence by the coefficients: under separation the deviance settles while they still run away.
    fitted = model.fit(maxiter=200, tol=1e-14, tol_criterion="params", **options)
    settled(
        design, np.asarray(fitted.params), -model.hessian(np.asarray(fitted.params), observed=False), "the likelihood"
    )
    # A sandwich of zero residuals is zero, and every p-value with it.
    residuals, mean = y - fitted.mu, family.variance(fitted.mu)
    if kind != "nonrobust" and np.abs(residuals).max() < 1e-10 * (1 + np.abs(mean).max()):
        raise NotEstimable("the model fits every row exactly, so there is no residual variance")
    return fitted


def settled(design: DesignMatrix, beta: Floats, information: Floats, what: str) -> None:
    """Refuse a fit that ran off to infinity, or whose columns the outcome does not tell apart."""
    # Per standard deviation, so that no unit decides; 25 on the logit scale is an odds ratio of 7e10.
    spread = design.columns.std(axis=0)
    if not np.isfinite(beta).all() or (np.abs(beta) * spread > BEYOND).any():
        raise NotEstimable(f"{what} has no finite maximum (separation, or an arm without variation)")
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    if not np.isfinite(information).all() or (scale <= 1e-6).any():
        raise NotEstimable(f"{what} has no finite maximum (separation, or an arm without variation)")
    # Scaled to a unit diagonal, so that a covariate in milliseconds is not mistaken for a collinear one.
    if float(np.linalg.eigvalsh(information / np.outer(scale, scale))[0]) < 1e-12:
        raise NotEstimable(f"{what} has no unique maximum (separation, or too little information)")


def covariance_of(fitted: Any) -> Floats:
    """Covariance of a fit's coefficients; HC1 with its factor n / (n - p), which GLM leaves out."""
    n, p = fitted.model.exog.shape
    return np.asarray(fitted.cov_params() * (n / (n - p) if fitted.cov_type == "HC1" else 1.0), dtype=np.float64)
