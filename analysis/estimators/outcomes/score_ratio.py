"""Score interval of a ratio of two proportions, also where an arm answers yes throughout."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt

from scipy import optimize, stats

from analysis.estimators.core.validation import AnalysisError

_FURTHEST = 1e12
"""No limit is sought beyond this factor from the estimate; samples that small or uneven have none within it."""


def score_ratio_interval(
    yes: int, total: int, control_yes: int, control_total: int, level: float
) -> tuple[float, float]:
    """Return the interval of the risk ratio by inverting the score test (Miettinen and Nurminen 1985).

    The ratios that the test does not reject at 1 - `level`. Its variance is that of the restricted maximum likelihood
    estimate, times N / (N - 1). An end without a bound is infinite; where no treated person
    says yes, the lower end is 0.

    Example:
        >>> tuple(round(end, 4) for end in score_ratio_interval(12, 12, 12, 12, 0.95))
        (0.7496, 1.334)

    Raises:
        AnalysisError: no control says yes, so that there is no ratio.
    """
    if not control_yes:
        raise AnalysisError.of("control_yes", "no control says yes", "there is no ratio; compare the difference")
    bound = float(stats.norm.ppf(0.5 + level / 2))
    estimate = yes / total / (control_yes / control_total)

    def score(ratio: float) -> float:
        return _score(ratio, yes, total, control_yes, control_total)

    # statsmodels searches the whole axis at once and finds other roots where an arm has 100%; each end is on its own
    # side of the estimate, where the score falls steadily.
    low = _end(lambda ratio: score(ratio) - bound, estimate, 0.5) if yes else 0.0
    high = _end(lambda ratio: score(ratio) + bound, estimate or control_total / (total * control_yes), 2.0)
    return (0.0 if low is None else low), (inf if high is None else high)


def _end(excess: Callable[[float], float], start: float, factor: float) -> float | None:
    inner = outer = start
    # Where no treated person says yes, the start is a guess, and in small arms rejected already; near 0 none is.
    while factor > 1 and excess(inner) < 0:
        inner, outer = inner / factor, inner
    while excess(outer) < 0 if factor < 1 else excess(outer) > 0:
        inner, outer = outer, outer * factor
        if not 1 / _FURTHEST < outer / start < _FURTHEST:
            return None
    return float(optimize.brentq(excess, *sorted((inner, outer)), xtol=1e-14, rtol=1e-13))


def _score(ratio: float, yes: int, total: int, control_yes: int, control_total: int) -> float:
    """Return the standardised difference of the shares' distance to this ratio."""
    everyone = total + control_total
    a, b, c = (
        everyone * ratio,
        -(total * ratio + yes + control_total + control_yes * ratio),
        float(yes + control_yes),
    )
    # The smaller root, written so that nothing cancels: 2c / (-b + sqrt(b^2 - 4ac)).
    control = min(2 * c / (-b + sqrt(max(b * b - 4 * a * c, 0.0))), 1.0)
    treated = min(ratio * control, 1.0)
    spread = treated * (1 - treated) / total + ratio**2 * control * (1 - control) / control_total
    distance = yes / total - ratio * control_yes / control_total
    if spread <= 0:
        return 0.0 if abs(distance) < 1e-12 else inf * distance
    return distance / sqrt(spread * everyone / (everyone - 1))
