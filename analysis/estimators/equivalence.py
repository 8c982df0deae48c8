"""Equivalence: is the effect smaller than a margin?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.estimators.core.effect_sizes import pooled_sd
from analysis.estimators.core.registry import Result, pairwise
from analysis.estimators.core.request import Pair
from analysis.estimators.core.validation import AnalysisError, NotEstimable
from analysis.estimators.outcomes.means import raw_effect, welch_parts


@pairwise
def tost(pair: Pair, margin: float | Sequence[float] | None = None, equal_var: bool = False) -> Result:
    """Two one-sided t tests that the difference of means lies within the margin.

    Formula: t_low = (d - low)/se against d <= low, t_high = (d - high)/se against d >= high; p is the larger of the
    two, `statistic` its t. Welch by default, `equal_var=True` pools. `margin` is one number (both sides) or (low,
    high). The interval has level 1 - 2 alpha: inside the margin exactly when p < alpha.
    Missing data: refused. Covariates and strata are not used.
    Reference: Schuirmann (1987), J. Pharmacokin. Biopharm. 15:657-680.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = tost(two_arms(), outcome="warmup", arm="arm", control="no_ai", margin=4)
        >>> round(row.p_value, 6), round(row.ci_low, 6), round(row.ci_high, 6), row.ci_level
        (0.011694, -1.59387, 2.927203, 0.9)
    """
    low, high = _margin(margin)
    treated, control = pair.varied_arms()
    difference, error, df = welch_parts(pair)
    if equal_var:
        df = float(len(treated) + len(control) - 2)
        error = pooled_sd(treated, control) * float(np.sqrt(1 / len(treated) + 1 / len(control)))
    alpha = 1 - pair.level
    if alpha >= 0.5:
        raise NotEstimable("a level of one half or less leaves no interval")
    below, above = (difference - low) / error, (difference - high) / error
    p_low, p_high = float(stats.t.sf(below, df)), float(stats.t.cdf(above, df))
    reach = float(stats.t.isf(alpha, df)) * error
    return pair.estimate(
        estimate=difference, std_error=error, df=df, statistic=below if p_low >= p_high else above,
        p_value=max(p_low, p_high), ci_low=difference - reach, ci_high=difference + reach,
        ci_level=round(2 * pair.level - 1, 12),
        effect_size=raw_effect(pair, difference),
        note=f"margin ({low:g}, {high:g}); p against below {p_low:.12g}, against above {p_high:.12g}",
    )  # fmt: skip


def _margin(margin: float | Sequence[float] | None) -> tuple[float, float]:
    if margin is None:
        raise AnalysisError.of("margin", "is not given", "name the largest difference that does not matter")
    low, high = (-abs(float(margin)), abs(float(margin))) if isinstance(margin, int | float) else map(float, margin)
    if not low < high:
        raise AnalysisError.of("margin", f"({low:g}, {high:g}) is empty", "give a positive margin or (low, high)")
    return low, high
