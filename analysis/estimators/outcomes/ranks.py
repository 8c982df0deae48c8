"""Rank comparisons: the chance that a treated person exceeds a control person."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, stats

from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import ArmContrast
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Bools, Floats, Ints, NotEstimable

EXACT_BELOW = 50


@method_per_contrast(jackknife=True)
def mann_whitney(
    pair: ArmContrast, method: str = "auto", correction: bool = True, alternative: str = "two-sided"
) -> Result:
    """Mann-Whitney test; the estimate is P(treated > control) + half P(equal).

    Formula: U counts treated-control pairs won (ties half); p exact when there are no ties and fewer than 50 in each
    arm, else normal with tie and continuity correction (`method`: auto, exact, asymptotic). Interval: Newcombe's
    pseudo-score (method 5). Effect size: Hodges-Lehmann shift with its interval from the same test.
    Missing data: refused.
    Reference: Mann & Whitney (1947); Hodges & Lehmann (1963); Newcombe (2006), Stat. Med. 25:559-573.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = mann_whitney(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), row.statistic, round(row.p_value, 6)
        (0.083333, 3.0, 0.015152)
    """
    treated, control = pair.varied_arms(least=1)
    ties = len(np.unique(pair.trial.y[pair.rows])) < len(treated) + len(control)
    if method not in ("auto", "exact", "asymptotic"):
        raise AnalysisError.of("method", f"{method!r} is not known", "use auto, exact or asymptotic")
    _require_side(alternative)
    small = max(len(treated), len(control)) < EXACT_BELOW
    exact = method == "exact" or (method == "auto" and small and not ties)
    if exact and ties:
        raise NotEstimable("tied values have no exact distribution here; use method='asymptotic'")
    u, p = stats.mannwhitneyu(
        treated, control, alternative=alternative, method="exact" if exact else "asymptotic", use_continuity=correction
    )
    share = float(u) / (len(treated) * len(control))
    low, high = newcombe_interval(share, len(treated), len(control), pair.level)
    return pair.estimate(
        estimate=share, statistic=float(u), p_value=float(p), ci_low=low, ci_high=high,
        effect_size=_hodges_lehmann(treated, control, exact, correction, pair.level),
        detail={"exact": exact},
        note="exact" if exact else "normal approximation" + (", continuity corrected" if correction else ""),
    )  # fmt: skip


def _require_side(alternative: str) -> None:
    if alternative not in ("two-sided", "greater", "less"):
        raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")


def _hodges_lehmann(treated: Floats, control: Floats, exact: bool, correction: bool, level: float) -> EffectSize:
    """Median pairwise difference; the limits are the outermost differences that the two-sided test does not exclude."""
    m, n = len(treated), len(control)
    count = m * n
    cut = _exact_cut(m, n, (1 - level) / 2) if exact else _normal_cut(treated, control, correction, level)
    ranks = [(count - 1) // 2, count // 2, *([cut - 1, count - cut] if cut >= 1 else [])]
    found = ordered_differences(treated, control, ranks)
    return EffectSize("hodges_lehmann_shift", (found[0] + found[1]) / 2, *found[2:])


def ordered_differences(treated: Floats, control: Floats, ranks: Sequence[int]) -> list[float]:
    """Return the differences of these ranks (from 0) among all treated-control pairs, without forming the pairs.

    Written here because no library has it: scipy forms all pairs, 80 GB at 100,000 rows. Weighted-median selection
    over the sorted rows (Johnson & Mizoguchi 1978), n log n time and n memory.

    >>> ordered_differences(np.array([1.0, 5]), np.array([0.0, 3, 4]), [0, 2, 5])
    [-3.0, 1.0, 5.0]
    """
    x, y = np.sort(treated), np.sort(control)[::-1]
    return [_ranked(x, y, rank) for rank in ranks]


def _ranked(x: Floats, falling: Floats, rank: int) -> float:
    """Return the difference of one rank.

    Row i holds x_i - falling, in rising order, its candidates from left to right.
    """
    rising, n = falling[::-1], len(falling)
    left, right = np.zeros(len(x), dtype=np.int64), np.full(len(x), n, dtype=np.int64)
    while True:
        rows = np.flatnonzero(left < right)
        middle = x[rows] - falling[(left[rows] + right[rows]) // 2]
        order = np.argsort(middle, kind="stable")
        mass = np.cumsum((right - left)[rows][order])
        # The weighted median of the rows' middles leaves at most three quarters of the candidates, whichever side the
        # rank is on.
        pivot = middle[order][np.searchsorted(mass, mass[-1] / 2)]
        below = _counted(x, rising, pivot, np.less)
        upto = _counted(x, rising, pivot, np.less_equal)
        if rank < below.sum():
            right = np.minimum(right, below)
        elif rank >= upto.sum():
            left = np.maximum(left, upto)
        else:
            return float(pivot)


def _counted(x: Floats, rising: Floats, pivot: float, holds: Callable[..., Bools]) -> Ints:
    """Return how many of the differences x_i - y, y falling, meet a bound near the pivot, judged on them as rounded."""
    n = len(rising)
    # x - pivot is rounded otherwise than x - y: the search lands next to the right place, and the loop corrects it.
    count = n - np.searchsorted(rising, x - pivot, side="right")
    while True:
        last, following = rising[np.minimum(n - count, n - 1)], rising[np.maximum(n - count - 1, 0)]
        fewer, more = (count > 0) & ~holds(x - last, pivot), (count < n) & holds(x - following, pivot)
        if not (fewer.any() or more.any()):
            return np.asarray(count, dtype=np.int64)
        count[fewer] = n - np.searchsorted(rising, last[fewer], side="right")
        count[more] = n - np.searchsorted(rising, following[more], side="left")


def _normal_cut(treated: Floats, control: Floats, correction: bool, level: float) -> int:
    """Rank of the lowest difference that the normal test keeps: a shift leaves only the ties within each arm."""
    m, n = len(treated), len(control)
    # Ties between the arms vanish under almost every shift; only those within an arm stay.
    ties = sum(float((counts**3 - counts).sum()) for counts in _multiplicities(treated, control))
    spread = np.sqrt(m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1))))
    return int(np.ceil(m * n / 2 - (0.5 if correction else 0.0) - stats.norm.ppf(0.5 + level / 2) * spread))


def _multiplicities(*arms: Floats) -> list[Floats]:
    return [np.unique(values, return_counts=True)[1].astype(np.float64) for values in arms]


def _exact_cut(m: int, n: int, tail: float) -> int:
    """Return the number of extreme differences cut at each side: the tail's quantile of U."""
    # The generating function of U is a Gaussian binomial coefficient: each round multiplies by 1 - q^(n+i) and divides
    # by 1 - q^i. Floats, because counts pass 2^63 before 40 in each arm, and only their shares matter.
    counts = np.zeros(m * n + 1)
    counts[0] = 1.0
    for i in range(1, m + 1):
        grown = counts.copy()
        grown[n + i :] -= counts[: len(counts) - n - i]
        for j in range(i, len(grown)):
            grown[j] += grown[j - i]
        counts = grown
    cumulative = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(cumulative, tail - 1e-12)) if cumulative[0] < tail else 0


_OFF_THE_END = 1e-9


def newcombe_interval(share: float, m: int, n: int, level: float) -> tuple[float, float]:
    """Pseudo-score interval of P(X > Y) + P(X = Y)/2 (Newcombe 2006, method 5)."""
    z = float(stats.norm.ppf(0.5 + level / 2))
    half = (m + n) / 2 - 1

    def reach(theta: float) -> float:
        spread = 1 + half * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return z * float(np.sqrt(theta * (1 - theta) * spread / (m * n)))

    # At complete separation the end point itself solves the equation; the limit is the other root.
    top, bottom = min(share, 1 - _OFF_THE_END), max(share, _OFF_THE_END)
    low = 0.0 if share <= 0 else optimize.brentq(lambda v: share - v - reach(v), 0.0, top, xtol=1e-14)
    high = 1.0 if share >= 1 else optimize.brentq(lambda v: v - share - reach(v), bottom, 1.0, xtol=1e-14)
    return float(low), float(high)


@method_per_contrast(jackknife=True)
def brunner_munzel(pair: ArmContrast, alternative: str = "two-sided") -> Result:
    """Rank test that allows unequal spread; the estimate is P(treated > control) + half P(equal).

    Formula: (p - 1/2) over its standard error from the placements, t with Satterthwaite degrees of freedom; the
    interval is p -+ t se, cut at 0 and 1. Over clusters its row is that of `mann_whitney`. Missing data: refused.
    Reference: Brunner & Munzel (2000), Biom. J. 42:17-25.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = brunner_munzel(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.statistic, 6), round(row.p_value, 6)
        (0.083333, -5.175492, 0.000416)
    """
    from statsmodels.stats.nonparametric import rank_compare_2indep  # takes a second to import

    _require_side(alternative)
    found = rank_compare_2indep(*pair.varied_arms())
    share, error, df = float(found.prob1), float(np.sqrt(found.var_prob)), float(found.df)
    if not error > 0:
        raise NotEstimable("the arms do not overlap, so the statistic has no variance")
    t = float(found.statistic)
    tails = {"two-sided": float(found.pvalue), "greater": stats.t.sf(t, df), "less": stats.t.cdf(t, df)}
    reach = float(stats.t.ppf(0.5 + pair.level / 2, df)) * error
    return pair.estimate(
        estimate=share, std_error=error, df=df, statistic=t, p_value=float(tails[alternative]),
        ci_low=max(share - reach, 0.0), ci_high=min(share + reach, 1.0),
    )  # fmt: skip
