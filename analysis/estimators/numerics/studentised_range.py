"""Tails of the largest of several t statistics that share a variance, by Gauss-Legendre quadrature.

Written here because scipy's `dunnett` is Monte Carlo, good to three digits, and takes no covariates (as R's multcomp),
and because 1 less a distribution function, as scipy's `studentized_range` has it, leaves nothing of a p below 1e-14.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from analysis.estimators.core.validation import Floats

_PANELS = 24
_NODES = 24
_CUT = 1e-18
"""Share of a tail that may lie outside the nodes: below the rounding of a double."""


@lru_cache(maxsize=64)
def _legendre(low: float, high: float) -> tuple[Floats, Floats]:
    """Composite Gauss-Legendre nodes and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = np.linspace(low, high, _PANELS + 1)
    half = (edges[1:] - edges[:-1]) / 2
    middle = (edges[1:] + edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


def _scales(df: float, cut: float) -> tuple[Floats, Floats]:
    """Nodes and weights of s = sqrt(chi2_df / df), but for tails of `cut`; a single point for a known variance."""
    # From a million degrees of freedom on, the scale is 1 to within what is printed, and its density too narrow for the
    # nodes.
    if not np.isfinite(df) or df > 1e6:
        return np.ones(1), np.ones(1)
    # The nodes lie where the density is, on a logarithmic scale: far in the tail only scales near 0 count.
    low, high = float(stats.chi2.ppf(cut, df)), float(stats.chi2.isf(cut, df))
    logs, weights = _legendre(float(np.log(low / df) / 2), float(np.log(high / df) / 2))
    nodes = np.exp(logs)
    log_density = np.log(2 * df) + 2 * logs + stats.chi2.logpdf(nodes**2 * df, df)
    return nodes, weights * np.exp(log_density)


def _normals(cut: float) -> tuple[Floats, Floats]:
    """Nodes and weights of a standard normal, but for tails of `cut`."""
    reach = float(stats.norm.isf(cut))
    z, weight = _legendre(-reach, reach)
    return z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * weight


def _cut(q: float, df: float) -> float:
    """Return what may be left out: a tiny share of the tail of one statistic, which is a part of the joint one."""
    return max(_CUT * min(2 * float(stats.t.sf(q, df)), 1.0), 1e-300)


def joint_tail(covariance: Floats, df: float) -> Callable[[float], float]:
    """P(max |T_i| > q) as a function of q, for the differences of arms from one control with this covariance.

    Exact where the correlations are products of loadings (always without covariates, and with two treated arms);
    otherwise scipy's multivariate t, whose integration is good to about 1e-5, with a fixed seed.

    >>> round(joint_tail(np.array([[2.0, 1], [1, 2]]), 27)(1.33079080116468), 5)
    0.3227
    """
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    loadings = _loadings(correlation)
    if loadings is not None:
        return lambda q: dunnett_tail(q, loadings, df)
    joint = stats.multivariate_t(shape=correlation, df=df, seed=0, allow_singular=True)

    def tail(q: float) -> float:
        if q <= 0:
            return 1.0
        ends = np.full(len(sd), q)
        rest = 1 - float(joint.cdf(ends, lower_limit=-ends, maxpts=200_000, random_state=0))
        # Between the tail of one statistic and the sum of all: closer than the integration where both are small.
        one = 2 * float(stats.t.sf(q, df))
        return min(max(rest, one), len(sd) * one)

    return tail


def _loadings(correlation: Floats) -> Floats | None:
    """Numbers whose products are the correlations, where there are such."""
    k = len(correlation)
    if k == 1:
        return np.zeros(1)
    if k == 2:
        # Any correlation of two is a product: the root of its size, with its sign on one of them.
        shared = float(np.sqrt(abs(correlation[0, 1])))
        return np.asarray([shared, np.copysign(shared, correlation[0, 1])])
    if (correlation <= 0).any():
        return None
    # If r_ij = l_i l_j then r_ij r_ik / r_jk = l_i^2; the product is checked below for every pair.
    squares = [correlation[i, (i + 1) % k] * correlation[i, (i + 2) % k] / correlation[(i + 1) % k, (i + 2) % k]
               for i in range(k)]  # fmt: skip
    found = np.sqrt(squares)
    rest = np.outer(found, found) - correlation
    np.fill_diagonal(rest, 0.0)
    return found if np.abs(rest).max() < 1e-9 and (found < 1).all() else None


def dunnett_tail(q: float, loadings: Floats, df: float) -> float:
    """P(max |T_i| > q) for t statistics with correlations loading_i loading_j (one shared control).

    >>> round(dunnett_tail(1.33079080116468, np.full(2, 0.5**0.5), 27), 5)
    0.3227
    """
    if q <= 0:
        return 1.0
    cut = _cut(q, df)
    # Given the shared normal z and the scale s the statistics are independent: two nested integrals, whatever the
    # number of arms (Dunnett 1955).
    (z, normal), (s, density) = _normals(cut), _scales(df, cut)
    inside = np.zeros((len(s), len(z)))
    for loading in loadings:
        rest, shift, width = np.sqrt(1 - loading**2), loading * z[None, :], q * s[:, None]
        beyond = special.ndtr((shift - width) / rest) + special.ndtr((-shift - width) / rest)
        with np.errstate(divide="ignore"):  # nothing inside: the logarithm is minus infinity, and the tail 1
            inside += np.log1p(-np.minimum(beyond, 1.0))
    return min(float(density @ (-np.expm1(inside) @ normal)), 1.0)


def range_tail(q: float, k: int, df: float) -> float:
    """P(range of k means over the error of one > q), the upper tail of the studentised range.

    >>> round(range_tail(3.5, 3, 27), 9) == round(float(stats.studentized_range.sf(3.5, 3, 27)), 9)
    True
    """
    if q <= 0:
        return 1.0
    cut = _cut(q / np.sqrt(2), df)
    (z, normal), (s, density) = _normals(cut), _scales(df, cut)
    # The largest mean is at z, all others below it, and at least one of them more than the range below: what is left of
    # the chance that all are below when they must be near.
    below = special.ndtr(z)[None, :]
    far = special.ndtr(z[None, :] - q * s[:, None])
    with np.errstate(divide="ignore"):
        some = below ** (k - 1) * -np.expm1((k - 1) * np.log1p(-np.minimum(far / below, 1.0)))
    return min(k * float(density @ (some @ normal)), 1.0)


def quantile(tail: Callable[[float], float], level: float) -> float:
    """Return the point beyond which `tail` leaves 1 - level."""
    high = 4.0
    while tail(high) > 1 - level:
        high *= 2
    return float(optimize.brentq(lambda q: 1 - level - tail(q), 0.0, high, xtol=1e-13, rtol=1e-13))
