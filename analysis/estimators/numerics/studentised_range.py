"""Joint distribution of several t statistics that share a variance and a control, by Gauss-Legendre quadrature.

Written here because scipy's `dunnett` is Monte Carlo, good to three digits, and takes no covariates; as R's multcomp.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from analysis.estimators.core.validation import Floats

_PANELS = 24
_NODES = 24


@lru_cache(maxsize=64)
def _legendre(low: float, high: float) -> tuple[Floats, Floats]:
    """Composite Gauss-Legendre nodes and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = np.linspace(low, high, _PANELS + 1)
    half = (edges[1:] - edges[:-1]) / 2
    middle = (edges[1:] + edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


def _scales(df: float) -> tuple[Floats, Floats]:
    """Nodes and weights of s = sqrt(chi2_df / df); a single point for a known variance."""
    # From a million degrees of freedom on, the scale is 1 to within what is printed, and its density too narrow for the
    # nodes.
    if not np.isfinite(df) or df > 1e6:
        return np.ones(1), np.ones(1)
    # The tails that are cut hold less than the rounding of a double; the nodes then lie where the density is.
    low = float(np.sqrt(stats.chi2.ppf(1e-18, df) / df))
    high = float(np.sqrt(stats.chi2.isf(1e-18, df) / df))
    nodes, weights = _legendre(low, high)
    log_density = np.log(2 * nodes * df) + stats.chi2.logpdf(nodes**2 * df, df)
    return nodes, weights * np.exp(log_density)


def joint_probability(covariance: Floats, df: float) -> Callable[[float], float]:
    """P(max |T_i| <= q) as a function of q, for the differences of arms from one control with this covariance.

    Exact where the correlations are products of loadings (always without covariates, and with two treated arms);
    otherwise scipy's multivariate t, whose integration is good to about 1e-5, with a fixed seed.

    >>> round(1 - joint_probability(np.array([[2.0, 1], [1, 2]]), 27)(1.33079080116468), 5)
    0.3227
    """
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    loadings = _loadings(correlation)
    if loadings is not None:
        return lambda q: dunnett_probability(q, loadings, df)
    joint = stats.multivariate_t(shape=correlation, df=df, seed=0, allow_singular=True)

    def probability(q: float) -> float:
        ends = np.full(len(sd), q)
        return float(joint.cdf(ends, lower_limit=-ends, maxpts=200_000, random_state=0)) if q > 0 else 0.0

    return probability


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


def dunnett_probability(q: float, loadings: Floats, df: float) -> float:
    """P(max |T_i| <= q) for t statistics with correlations loading_i loading_j (one shared control).

    >>> round(1 - dunnett_probability(1.33079080116468, np.full(2, 0.5**0.5), 27), 5)
    0.3227
    """
    if q <= 0:
        return 0.0
    # Beyond 8.5 a standard normal holds 2e-17, below the rounding of a double.
    z, weight = _legendre(-8.5, 8.5)
    s, density = _scales(df)
    # Given the shared normal z and the scale s the statistics are independent: two nested integrals, whatever the
    # number of arms (Dunnett 1955).
    normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * weight
    return min(float(density @ (_two_sided(q * s, z, loadings) @ normal)), 1.0)


def _two_sided(widths: Floats, z: Floats, loadings: Floats) -> Floats:
    product = np.ones((len(widths), len(z)))
    for loading in loadings:
        rest = np.sqrt(1 - loading**2)
        upper = special.ndtr((loading * z[None, :] + widths[:, None]) / rest)
        product *= upper - special.ndtr((loading * z[None, :] - widths[:, None]) / rest)
    return product


def quantile(probability: Callable[[float], float], level: float) -> float:
    """Return the point below which `probability` has mass `level`."""
    high = 4.0
    while probability(high) < level:
        high *= 2
    return float(optimize.brentq(lambda q: probability(q) - level, 0.0, high, xtol=1e-13, rtol=1e-13))
