"""Joint distributions of several t statistics that share a variance, by Gauss-Legendre quadrature."""

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
    if not np.isfinite(df) or df > 1e6:
        return np.ones(1), np.ones(1)
    low = float(np.sqrt(stats.chi2.ppf(1e-18, df) / df))
    high = float(np.sqrt(stats.chi2.isf(1e-18, df) / df))
    nodes, weights = _legendre(low, high)
    log_density = np.log(2 * nodes * df) + stats.chi2.logpdf(nodes**2 * df, df)
    return nodes, weights * np.exp(log_density)


def range_probability(q: float, k: int, df: float) -> float:
    """P(studentised range of k means <= q) with df degrees of freedom.

    The inner integral is k phi(z) (Phi(z) - Phi(z - q s))^(k-1) over z, the outer one over s = sqrt(chi2/df).

    >>> round(range_probability(3.506426123354149, 3, 27), 10)
    0.95
    """
    if q <= 0:
        return 0.0
    z, weight = _legendre(-8.5, 8.5)
    s, density = _scales(df)
    inner = _range_inner(z, weight, q * s, k)
    return min(float(density @ inner), 1.0)


def _range_inner(z: Floats, weight: Floats, widths: Floats, k: int) -> Floats:
    gaps = special.ndtr(z[None, :]) - special.ndtr(z[None, :] - widths[:, None])
    normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * weight
    return np.asarray(k * gaps ** (k - 1) @ normal, dtype=np.float64)


def dunnett_probability(q: float, loadings: Floats, df: float) -> float:
    """P(max |T_i| <= q) for t statistics with correlations loading_i loading_j (one shared control).

    >>> round(1 - dunnett_probability(1.33079080116468, np.full(2, 0.5**0.5), 27), 5)
    0.3227
    """
    if q <= 0:
        return 0.0
    z, weight = _legendre(-8.5, 8.5)
    s, density = _scales(df)
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
    """The point below which `probability` has mass `level`."""
    high = 4.0
    while probability(high) < level:
        high *= 2
    return float(optimize.brentq(lambda q: probability(q) - level, 0.0, high, xtol=1e-13, rtol=1e-13))
