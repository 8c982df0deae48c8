"""Proportional odds: statsmodels' fit, refused where the likelihood has no maximum, and its last digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from analysis.estimators.core.validation import Floats, Ints, NotEstimable
from analysis.estimators.numerics.generalised import BOUNDLESS, settled
from analysis.estimators.numerics.separation import SUSPECT, separated_in_order


@dataclass(frozen=True)
class OrderedFit:
    """Coefficients, then cuts, with the inverse of the observed information."""

    parameters: Floats
    covariance: Floats
    loglik: float


def fit_ordered(columns: Floats, codes: Ints) -> OrderedFit:
    """Fit logit P(y <= j) = cut_j - columns @ beta to categories 0..k-1.

    Raises:
        NotEstimable: the likelihood has no finite maximum.
    """
    from statsmodels.miscmodels.ordinal_model import OrderedModel  # takes a second to import

    model = OrderedModel(codes, columns, distr="logit")
    fitted = model.fit(method="bfgs", gtol=1e-9, maxiter=1000, disp=0, skip_hessian=True)
    # Where it separates, the search ends at a slope that it takes for flat, on its way to infinity.
    if _all_but_certain(codes, fitted) and separated_in_order(columns, codes):
        raise NotEstimable(f"the likelihood {BOUNDLESS}")
    # statsmodels keeps cuts in order by estimating the first and logs of the gaps.
    raw = np.asarray(fitted.params, dtype=np.float64)
    count = columns.shape[1]
    found = np.concatenate([raw[:count], np.cumsum(np.append(raw[count], np.exp(raw[count + 1 :])))])
    # Its derivatives are by differences, good for seven digits; steps by the exact ones give the others.
    for _ in range(20):
        loglik, score, information = _derivatives(columns, codes, found)
        settled(found, information, "the likelihood")
        step = np.linalg.solve(information, score)
        found = found + step
        if np.abs(step).max() < 1e-10 * (1 + np.abs(found).max()):
            return OrderedFit(found, np.asarray(np.linalg.inv(information), dtype=np.float64), loglik)
    raise NotEstimable(f"the likelihood {BOUNDLESS}")


def _derivatives(columns: Floats, codes: Ints, parameters: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, score and observed information of coefficients and cuts (McCullagh 1980)."""
    count = columns.shape[1]
    eta, cuts = columns @ parameters[:count], np.concatenate([[-np.inf], parameters[count:], [np.inf]])
    at = np.eye(len(cuts))[:, 1:-1]
    up, low = cuts[codes + 1] - eta, cuts[codes] - eta
    # The derivatives of both limits by the parameters; where there is no limit its density is 0.
    by_up, by_low = np.column_stack([-columns, at[codes + 1]]), np.column_stack([-columns, at[codes]])
    chance = special.expit(up) - special.expit(low)
    dense_up, dense_low = special.expit(up) * special.expit(-up), special.expit(low) * special.expit(-low)
    by = (dense_up[:, None] * by_up - dense_low[:, None] * by_low) / chance[:, None]
    bent_up = dense_up * (special.expit(-up) - special.expit(up)) / chance
    bent_low = dense_low * (special.expit(-low) - special.expit(low)) / chance
    curvature = (by_up.T * bent_up) @ by_up - (by_low.T * bent_low) @ by_low
    return float(np.log(chance).sum()), by.sum(axis=0), by.T @ by - curvature


def _all_but_certain(codes: Ints, fitted: Any) -> bool:
    """Return whether some row is all but certain to be above the cut below it, or below the cut above it."""
    chances = np.asarray(fitted.model.predict(fitted.params), dtype=np.float64)
    cumulative = np.cumsum(chances, axis=1)
    rows = np.arange(len(codes))
    up, down = codes < chances.shape[1] - 1, codes > 0
    beyond = np.concatenate([1 - cumulative[rows[up], codes[up]], cumulative[rows[down], codes[down] - 1]])
    return not np.isfinite(beyond).all() or bool(beyond.min(initial=1.0) < SUSPECT)
