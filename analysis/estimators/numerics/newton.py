"""The maximum of a likelihood that gives its gradient and Hessian, by scipy's trust regions.

Written here is what scipy leaves out: a likelihood without a maximum is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import optimize

from analysis.estimators.core.validation import Floats, NotEstimable

BOUNDLESS = "has no finite maximum (separation, or an arm without variation)"
FLAT = 1e-4
"""Least information on a parameter at the top, as a share of that at the start; both as roots."""
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
        rounds: Steps allowed.

    Raises:
        NotEstimable: no finite maximum (separation, an arm without events) or no convergence.
    """
    # scipy asks for value, gradient and Hessian apart; likelihoods give them together.
    known = lru_cache(maxsize=4)(lambda raw: likelihood(np.frombuffer(raw)))

    def asked(part: int) -> Callable[[Floats], Any]:
        return lambda at: -known(at.tobytes())[part]

    try:
        found = optimize.minimize(
            asked(0), np.asarray(start, dtype=np.float64), jac=asked(1), hess=asked(2), method="trust-exact",
            # Until no step promises to rise: under separation the gradient is small long before the top is reached.
            options={"gtol": 0.0, "maxiter": rounds, "max_trust_radius": 1e4},
        )  # fmt: skip
    except (ValueError, np.linalg.LinAlgError) as error:
        raise NotEstimable("the likelihood is not finite") from error
    except UnboundLocalError as error:
        # How scipy's subproblem ends where the surface is too flat for any of its factorisations.
        raise NotEstimable(f"{what} {BOUNDLESS}") from error
    at = found.x
    _refuse_boundary(_scale(likelihood(start)[2]), *likelihood(at)[1:], what)
    for _ in range(2):
        # To the last digits: the value, by which scipy judges a step, is flat at the top to half of them.
        at = at - np.linalg.solve(likelihood(at)[2], likelihood(at)[1])
    return Maximum(at, *likelihood(at))


def _scale(hessian: Floats) -> Floats:
    """Return the root of the information on each parameter."""
    return np.sqrt(np.maximum(np.diag(-(hessian + hessian.T) / 2), 0.0))


def _refuse_boundary(began: Floats, gradient: Floats, hessian: Floats, what: str) -> None:
    information = -(hessian + hessian.T) / 2
    # A flat direction at the top means that the likelihood goes on rising towards infinity, as under separation. Flat
    # beside the start: the information itself depends on a covariate's unit.
    scale = _scale(hessian)
    least = FLAT * np.where(np.isfinite(began) & (began > 0), began, 1.0)
    if not np.isfinite(information).all() or (scale <= least).any():
        raise NotEstimable(f"{what} {BOUNDLESS}")
    # Scaled to a unit diagonal, so that a covariate in milliseconds is not mistaken for a collinear one.
    smallest = float(np.linalg.eigvalsh(information / np.outer(scale, scale))[0])
    if smallest < 1e-12 or float(np.abs(gradient / scale).max()) > 1e-4:
        raise NotEstimable(f"{what} has no unique maximum (separation, or too little information)")
