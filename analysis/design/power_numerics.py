"""Power from the noncentral t, and the size or the effect at which a power is reached."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from analysis.design.power_arguments import side_of
from analysis.estimators.core.argument_kinds import SHARE, number
from analysis.estimators.core.validation import AnalysisError

FEWEST = 1.5
"""People from which a size is looked for: rounded up they are the two that a variance needs."""


def noncentral_t_power(shift: float, df: float, alpha: float, alternative: str) -> float:
    """Return the power of a t test whose statistic has this noncentrality."""
    side, alpha = side_of(alternative), number("alpha", alpha, SHARE)
    if side != 2:
        return _above(float(stats.t.isf(alpha, df)), df, shift * side)
    edge = float(stats.t.isf(alpha / 2, df))
    # Both sides count, also the wrong one: R's power.t.test leaves it out unless it is strict, pwr.t.test does not.
    return _above(edge, df, shift) + _above(edge, df, -shift)


def _above(edge: float, df: float, shift: float) -> float:
    """P(noncentral t > edge); where the library's series gives out, far in a tail, the normal limit."""
    value = float(stats.nct.sf(edge, df, shift))
    return value if np.isfinite(value) else float(stats.norm.cdf((shift - edge) / np.sqrt(1 + edge**2 / (2 * df))))


def require_power(power: float, alpha: float) -> None:
    """Refuse a power that no test has: at most its level is reached without any effect."""
    if number("power", power, SHARE) <= number("alpha", alpha, SHARE):
        raise AnalysisError.of("power", f"{power!r} is not above alpha", "ask for 0.8 or 0.9")


def size_at(power: float, of: Callable[[float], float], name: str, low: float = FEWEST) -> float:
    """Return the size at which the power `of` it is reached.

    Args:
        power: that is wanted.
        of: the power of a size; it rises.
        name: the argument to blame where no size is enough.
        low: the smallest size to look at.
    """
    # Doubling finds an upper end; 1e9 people say that the effect has the wrong sign.
    high = max(10.0, 2 * low)
    while of(high) < power:
        high *= 2
        if high > 1e9:
            raise AnalysisError.of(name, "is too small, or of the wrong sign for a one-sided test", "fix the effect")
    if of(low) > power:
        return low
    return float(optimize.brentq(lambda n: of(n) - power, low, high, xtol=1e-11, rtol=1e-13))


def effect_at(power: float, of: Callable[[float], float], high: float = np.inf) -> float:
    """Return the effect above 0 at which the power `of` it is reached.

    Args:
        power: that is wanted.
        of: the power of an effect; it rises.
        high: the largest effect there is.
    """
    reach = min(1.0, high)
    while of(reach) < power:
        if reach == high:
            raise AnalysisError.of("n", f"is too small for any effect to have a power of {power:g}", "give more people")
        reach = min(2 * reach, high)
    return float(optimize.brentq(lambda effect: of(effect) - power, 1e-9, reach, xtol=1e-13, rtol=1e-13))
