"""Newton's method with step halving, for likelihoods that give their gradient and Hessian.

Written here because scipy's optimisers stop at a tolerance of the value and do not notice a likelihood without
a maximum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.validation import Floats, NotEstimable

Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]


@dataclass(frozen=True)
class Maximum:
    """Where a log-likelihood is highest."""

    at: Floats
    value: float
    gradient: Floats
    hessian: Floats

    @property
    def covariance(self) -> Floats:
        """Inverse of the negative Hessian."""
        return np.asarray(np.linalg.inv(-self.hessian), dtype=np.float64)


def maximise(likelihood: Likelihood, start: Floats, what: str, rounds: int = 200) -> Maximum:
    """Climb to the maximum.

    Args:
        likelihood: Gives value, gradient and Hessian.
        start: Where to begin.
        what: Named in the note when there is no maximum.
        rounds: Newton steps allowed.

    Raises:
        NotEstimable: no finite maximum (separation, an arm without events) or no convergence.
    """
    at = np.asarray(start, dtype=np.float64)
    value, gradient, hessian = likelihood(at)
    for _ in range(rounds):
        step = _direction(gradient, hessian)
        gain = float(gradient @ step)
        # The gain is twice the rise that a quadratic model still promises. The tolerance lies far
        # below what changes a printed digit, so that the result does not depend on the starting point.
        if gain < 1e-22 * max(1.0, abs(value)):
            break
        at, value, gradient, hessian, moved = _climb(likelihood, at, value, step, (gradient, hessian))
        # Under separation the likelihood rises for ever; the refusal below names it, so stop climbing.
        if np.abs(at).max(initial=0) > 1e6 or not np.isfinite(value):
            break
        if not moved:
            break
    _refuse_boundary(at, gradient, hessian, what)
    return Maximum(at, value, gradient, hessian)


def _direction(gradient: Floats, hessian: Floats) -> Floats:
    """Newton's step, turned uphill where the surface is not concave."""
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    if not np.isfinite(values).all():
        raise NotEstimable("the likelihood is not finite")
    # Eigenvalues by their absolute value turn a saddle's downhill directions uphill; the floor bounds the step where
    # the surface is flat.
    floor = 1e-12 * max(float(np.abs(values).max(initial=0)), 1e-300)
    return np.asarray(vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor)), dtype=np.float64)


def _climb(
    likelihood: Likelihood, at: Floats, value: float, step: Floats, slope: tuple[Floats, Floats]
) -> tuple[Floats, float, Floats, Floats, bool]:
    """Return the longest of the step's halvings that does not go downhill."""
    # 2^-40 is about 1e-12: a step that must be shorter still would change no digit that is printed.
    for power in range(40):
        tried = at + step / 2**power
        found = likelihood(tried)
        # At the top rounding alone can make the value fall, so equal within rounding counts as not downhill.
        if np.isfinite(found[0]) and found[0] >= value - 1e-12 * max(1.0, abs(value)):
            return tried, *found, True
    return at, value, *slope, False


def _refuse_boundary(at: Floats, gradient: Floats, hessian: Floats, what: str) -> None:
    information = -(hessian + hessian.T) / 2
    # A flat direction at the top means that the likelihood goes on rising towards infinity, as under separation.
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    if not np.isfinite(information).all() or (scale <= 1e-6).any():
        raise NotEstimable(f"{what} has no finite maximum (separation, or an arm without variation)")
    # Scaled to a unit diagonal, so that a covariate in milliseconds is not mistaken for a collinear one.
    smallest = float(np.linalg.eigvalsh(information / np.outer(scale, scale))[0])
    if smallest < 1e-12 or float(np.abs(gradient / scale).max()) > 1e-4:
        raise NotEstimable(f"{what} has no unique maximum (separation, or too little information)")
