"""Standardised effects: Hedges' g with its exact interval, balance measures, and numbers from published summaries.

Written here because pingouin has the approximate correction of g and a normal interval; as R's effectsize.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from analysis.estimators.core.argument_kinds import fits, number, numbers_of, sample_of, share, whole
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import ROUNDED, AnalysisError, Floats, NotEstimable
from study_app.domain.errors import present


def small_sample_factor(df: float) -> float:
    """Hedges' exact correction J(df) = G(df/2) / (sqrt(df/2) G((df-1)/2)) (Hedges 1981).

    >>> round(small_sample_factor(58), 12)
    0.987003581028
    """
    df = number("df", df, Numbers(above=1))
    # Logs of the gamma functions, for the functions themselves overflow from 344 degrees of freedom on.
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2))


def _require_numbers(**given: Any) -> None:
    """Refuse what is not a number; one that does not exist (NaN, infinite) is judged by its caller."""
    for name, value in given.items():
        if not fits(value, float):
            raise AnalysisError.of(name, f"{value!r} is not a number", f"give a number for {name}")


def noncentrality_interval(statistic: float, df: float, level: float = 0.95) -> tuple[float, float]:
    """Limits of the noncentrality of an observed t, by inverting its distribution (Steiger & Fouladi 1997)."""
    _require_numbers(statistic=statistic, df=df)
    if not (np.isfinite(statistic) and df > 0):
        raise NotEstimable("the t statistic does not exist")
    tail = (1 - share("level", level)) / 2

    def limit(probability: float) -> float:
        def gap(noncentrality: float) -> float:
            below = float(special.nctdtr(df, noncentrality, statistic))
            if not np.isfinite(below):  # the library's series gives out where the probability is 0 or 1
                below = float(noncentrality < statistic)
            return below - probability

        # The probability falls as the noncentrality rises. A start of about four standard errors of it brackets most
        # roots; the loops widen it where few degrees of freedom make the distribution skew.
        width = 4.0 + abs(statistic) * 4 / np.sqrt(df)
        low, high = statistic - width, statistic + width
        while gap(low) < 0:
            low -= width
        while gap(high) > 0:
            high += width
        return float(optimize.brentq(gap, low, high, xtol=1e-13, rtol=1e-14, maxiter=500))

    return limit(1 - tail), limit(tail)


def variance(values: ArrayLike) -> float:
    """Sample variance; 0 where two values or more differ by rounding alone.

    The mean of equal values may miss them by a bit, so that their deviations would be as large as the difference of
    two such means.

    >>> variance([0.1] * 10), variance([1, 3])
    (0.0, 2.0)
    """
    found = np.asarray(values, dtype=np.float64)
    return 0.0 if len(found) > 1 and alike(found) else float(found.var(ddof=1))


def deviation(values: ArrayLike) -> float:
    """Sample standard deviation; 0 where two values or more differ by rounding alone.

    >>> deviation([0.1] * 10)
    0.0
    """
    return float(np.sqrt(variance(values)))


def alike(values: Floats, size: float = 0.0) -> bool:
    """Whether values differ by no more than the rounding of their size, or of a larger one that they come from."""
    return len(values) > 0 and bool(np.ptp(values) <= ROUNDED * max(size, float(np.abs(values).max())))


def pooled_sd(treated: ArrayLike, control: ArrayLike) -> float:
    """Square root of the pooled variance of two samples."""
    arms = [sample_of(name, arm) for name, arm in (("treated", treated), ("control", control))]
    if sum(map(len, arms)) < 3:
        raise AnalysisError.of("treated", "and control are two values together", "give three or more")
    squares = sum(0.0 if alike(arm) else float(((arm - arm.mean()) ** 2).sum()) for arm in arms)
    return float(np.sqrt(squares / (sum(map(len, arms)) - 2)))


def hedges_g(difference: float, sd: float, n_treated: int, n_control: int, level: float = 0.95) -> EffectSize | None:
    """Hedges' g = J d; the interval is the exact one of the population value, from the noncentral t.

    Args:
        difference: Treated minus control, in outcome units.
        sd: Pooled standard deviation within arms.
        n_treated: Observations in the treated arm.
        n_control: Observations in the control arm.
        level: Coverage of the interval.

    Returns:
        None where there is no spread or there are fewer than three observations.
    """
    level, bounds = share("level", level), Numbers(least=0)
    n_treated, n_control = whole("n_treated", n_treated, bounds), whole("n_control", n_control, bounds)
    _require_numbers(difference=difference, sd=sd)
    if sd < 0:
        raise AnalysisError.of("sd", f"{sd:g} is not at least 0", "give the pooled standard deviation")
    df = n_treated + n_control - 2
    if df < 1 or min(n_treated, n_control) < 1 or not (sd > 0 and np.isfinite(sd)):
        return None
    root = np.sqrt(n_treated * n_control / (n_treated + n_control))
    low, high = noncentrality_interval(difference / sd * root, df, level)
    # The interval needs no correction: it is of the population value, found by inverting the noncentral t.
    factor = small_sample_factor(df) if df > 1 else np.nan
    return EffectSize("hedges_g", factor * difference / sd, float(low / root), float(high / root))


@dataclass(frozen=True)
class SummaryEffect(Estimate):
    """What follows from published summary numbers; an Estimate with the short names that papers use."""

    d: float | None = None
    d_ci: tuple[float, float] | None = None
    sd: float | None = None

    @property
    def t(self) -> float | None:
        """The t statistic."""
        return self.statistic

    @property
    def p(self) -> float | None:
        """Two-sided p-value."""
        return self.p_value

    @property
    def ci(self) -> tuple[float | None, float | None]:
        """Interval of the mean difference where the scale is known, else of d."""
        return self.ci_low, self.ci_high

    @property
    def g(self) -> float | None:
        """Hedges' g."""
        return self.effect_size.value if self.effect_size else None


def _two_counts(n: Any, n_treated: int | None, n_control: int | None) -> tuple[int, int]:
    if n_treated is not None or n_control is not None:
        if n is not None:
            raise AnalysisError.of("n", "is given beside n_treated or n_control", "give the sizes once")
        n = (n_treated, n_control)
    if isinstance(n, dict):
        n = list(n.values())
    counts = [n, n] if np.ndim(n) == 0 else list(n)
    if len(counts) != 2 or not all(fits(count, float) and count >= 2 and count % 1 == 0 for count in counts):
        raise AnalysisError.of("n", f"{n!r} is not a size of two arms", "give n=(treated, control), or one per-arm n")
    return int(counts[0]), int(counts[1])


def _checked_sd(sd: Any, d: float | None) -> Any:
    if sd is None:
        return None
    if d is not None:
        raise AnalysisError.of("sd", "is given beside d", "give one of the two: d is the difference over sd")
    if np.ndim(sd) == 0:
        return number("sd", sd, Numbers(above=0))
    if len(sd) != 2:
        raise AnalysisError.of("sd", f"{sd!r} is not one of each arm", "give (treated, control), or one number")
    return [number("sd", value, Numbers(above=0)) for value in sd]


def from_summary(
    mean_difference: float | None = None,
    d: float | None = None,
    n: Any = None,
    *,
    sd: float | Sequence[float] | None = None,
    n_treated: int | None = None,
    n_control: int | None = None,
    level: float = 0.95,
) -> SummaryEffect:
    """From a published mean difference, d and arm sizes to t, df, p, interval and Hedges' g (Student's t).

    t = d sqrt(n1 n2 / (n1 + n2)) with n1 + n2 - 2 degrees of freedom; given both the difference and d, the common
    standard deviation they imply is reported, so that two published numbers can be held against each other.

    Args:
        mean_difference: Treated minus control, in outcome units.
        d: Cohen's d with the pooled standard deviation.
        n: Size of each arm (one number: of either arm), as (treated, control).
        sd: Pooled standard deviation, or those of (treated, control), in place of `d`.
        n_treated: In place of `n`.
        n_control: In place of `n`.
        level: Coverage of the intervals.

    >>> row = from_summary(d=0.738, n=(26, 26))
    >>> round(row.t, 4), row.df, round(row.p, 5)
    (2.6609, 50, 0.01045)
    """
    first, second = _two_counts(n, n_treated, n_control)
    df, level = first + second - 2, share("level", level)
    given = {"mean_difference": mean_difference, "d": d}
    mean_difference, d = (value if value is None else number(name, value) for name, value in given.items())
    sd = _checked_sd(sd, d)
    if sd is not None and np.ndim(sd) == 1:
        one, two = (float(value) for value in np.asarray(sd))
        sd = float(np.sqrt(((first - 1) * one**2 + (second - 1) * two**2) / df))
    if d is None and mean_difference is not None and sd is not None:
        d = mean_difference / float(np.asarray(sd))
    if d is None or not np.isfinite(d):
        raise AnalysisError.of("d", "is neither given nor implied", "give d, or mean_difference with sd")
    if mean_difference is not None and mean_difference * d < 0:
        raise AnalysisError.of("d", f"{d:g} and the difference {mean_difference:g} differ in sign", "fix one of them")
    # A d of 0 implies no spread: the quotient does not exist.
    if sd is None and mean_difference is not None and d != 0:
        sd = mean_difference / d
    if mean_difference is None and sd is not None:
        mean_difference = d * float(np.asarray(sd))
    root = np.sqrt(first * second / (first + second))
    t = float(d * root)
    effect = present(hedges_g(d, 1.0, first, second, level), "the standardised effect")
    scale = None if sd is None else float(np.asarray(sd) / root)
    half = 0.0 if scale is None else float(stats.t.ppf(0.5 + level / 2, df)) * scale
    known = mean_difference is not None and scale is not None
    return SummaryEffect(
        method="from_summary",
        estimate=mean_difference if known else d,
        unit="outcome" if known else "standard deviations",
        std_error=scale if known else float(1 / root),
        df=df,
        statistic=t,
        p_value=float(2 * stats.t.sf(abs(t), df)),
        ci_low=mean_difference - half if known and mean_difference is not None else effect.ci_low,
        ci_high=mean_difference + half if known and mean_difference is not None else effect.ci_high,
        ci_level=level,
        effect_size=effect,
        n={"treated": first, "control": second},
        note="" if known else "interval of d, exact from the noncentral t",
        d=d,
        d_ci=(present(effect.ci_low, "the lower limit"), present(effect.ci_high, "the upper limit")),
        sd=None if sd is None else float(np.asarray(sd)),
    )


def standardized_difference(treated: ArrayLike, control: ArrayLike) -> float:
    """Balance of a numeric variable: difference of means over the root of the mean variance (Austin 2009)."""
    a, b = sample_of("treated", treated, 2), sample_of("control", control, 2)
    return float((a.mean() - b.mean()) / np.sqrt((variance(a) + variance(b)) / 2))


def variance_ratio(treated: ArrayLike, control: ArrayLike) -> float:
    """Variance of the treated over that of the control."""
    a, b = sample_of("treated", treated, 2), sample_of("control", control, 2)
    below = variance(b)
    return variance(a) / below if below > 0 else float("inf" if variance(a) > 0 else "nan")


def _counts(name: str, values: Any) -> Floats:
    """Return the people of each level, of which some have people."""
    found = numbers_of(name, values)
    if not np.isfinite(found).all() or (found < 0).any() or not found.sum() > 0:
        raise AnalysisError.of(name, "are not counts of people", "give the people of each level, from 0 on")
    return found


def categorical_difference(treated_counts: Sequence[float], control_counts: Sequence[float]) -> float:
    """Balance of a variable with k levels: Mahalanobis distance of the k-1 proportions (Yang & Dalton 2012).

    >>> round(categorical_difference([2, 10, 14], [2, 9, 15]), 10)
    0.0819289199
    """
    given = {"treated_counts": treated_counts, "control_counts": control_counts}
    one, two = (_counts(name, values) for name, values in given.items())
    if len(one) != len(two):
        what = f"has {len(one)} levels, and control_counts {len(two)}"
        raise AnalysisError.of("treated_counts", what, "give the people of each level of both arms")
    # One level is left out, for shares add up to 1 and their full covariance is singular; which one does not matter.
    p, q = (one / one.sum())[1:], (two / two.sum())[1:]
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    gap = p - q
    # A level that both arms lack makes the covariance singular; the pseudo-inverse leaves it out.
    return float(np.sqrt(max(gap @ np.linalg.pinv(spread) @ gap, 0.0)))
