"""How many people, how much power: t tests, analysis of variance, proportions, correlation, survival, clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, stats

from analysis.estimators.core.validation import AnalysisError


def t_test_power(
    d: float | None = None,
    n: float | Sequence[float] | None = None,
    n2: float | None = None,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    difference: float | None = None,
    sd: float | Sequence[float] | None = None,
    ratio: float = 1.0,
    n1: float | None = None,
    effect_size: float | None = None,
) -> float:
    """Power of the two-sample t test.

    Args:
        d: Standardised difference (Cohen's d).
        n: People in the treated arm (and in the control, without `n2` and `ratio`); or (treated, control).
        n2: People in the control arm.
        alpha: Level of the test.
        alternative: two-sided, greater (d > 0 is looked for) or less.
        difference: In outcome units with `sd`, in place of `d`.
        sd: One standard deviation, or (treated, control): then Welch's test, with Satterthwaite's degrees of freedom.
        ratio: Controls per treated, where `n2` is not given.
        n1: Another name of `n`.
        effect_size: Another name of `d`.

    Returns:
        The chance that the test rejects, from the noncentral t distribution.

    Reference: Cohen (1988), ch. 2; as pwr.t.test and pwr.t2n.test.

    >>> round(t_test_power(d=0.738, n=26), 12)
    0.742002148063
    """
    d = effect_size if d is None else d
    first, second = _sizes(n if n1 is None else n1, n2, ratio)
    if sd is not None and np.ndim(sd) == 1:
        if difference is None:
            raise AnalysisError.of("difference", "is not given", "two standard deviations need it in outcome units")
        one, two = (float(value) ** 2 / size for value, size in zip(np.asarray(sd), (first, second), strict=True))
        # Satterthwaite's, of the true variances: approximate for power, as Welch's test is.
        df = (one + two) ** 2 / (one**2 / (first - 1) + two**2 / (second - 1))
        return _noncentral_power(difference / float(np.sqrt(one + two)), df, alpha, alternative)
    if difference is not None and sd is not None:
        d = difference / float(np.asarray(sd))
    if d is None:
        raise AnalysisError.of("d", "is not given", "give d, or difference and sd")
    root = float(np.sqrt(first * second / (first + second)))
    return _noncentral_power(d * root, first + second - 2, alpha, alternative)


def _sizes(n: float | Sequence[float] | None, n2: float | None, ratio: float) -> tuple[float, float]:
    if n is None:
        raise AnalysisError.of("n", "is not given", "give the people per arm")
    if np.ndim(n) == 1:
        first, second = (float(value) for value in np.asarray(n))
        return first, second
    first = float(np.asarray(n))
    second = float(n2) if n2 is not None else first * ratio
    if first <= 1 or second <= 1:
        raise AnalysisError.of("n", f"({first:g}, {second:g}) is too few", "give at least 2 per arm")
    return first, second


def _noncentral_power(shift: float, df: float, alpha: float, alternative: str) -> float:
    sides = {"two-sided": 2, "two.sided": 2, "two_sided": 2, "greater": 1, "larger": 1, "less": -1, "smaller": -1}
    if alternative not in sides or not 0 < alpha < 1:
        raise AnalysisError.of("alternative", f"{alternative!r}, alpha {alpha!r}", "use two-sided, greater or less")
    side = sides[alternative]
    if side != 2:
        return _above(float(stats.t.isf(alpha, df)), df, shift * side)
    edge = float(stats.t.isf(alpha / 2, df))
    # Both sides count, also the wrong one: R's power.t.test leaves it out unless it is strict, pwr.t.test does not.
    return _above(edge, df, shift) + _above(edge, df, -shift)


def _above(edge: float, df: float, shift: float) -> float:
    """P(noncentral t > edge); where the library's series gives out, far in a tail, the normal limit."""
    value = float(stats.nct.sf(edge, df, shift))
    return value if np.isfinite(value) else float(stats.norm.cdf((shift - edge) / np.sqrt(1 + edge**2 / (2 * df))))


def sample_size(
    d: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    ratio: float = 1.0,
    difference: float | None = None,
    sd: float | Sequence[float] | None = None,
    hazard_ratio: float | None = None,
    allocation: float = 0.5,
    cluster_size: float | None = None,
    icc: float | None = None,
    effect_size: float | None = None,
) -> float:
    """People needed in the treated arm, not rounded (the caller rounds up), for a t test; events, for a hazard ratio.

    Args:
        d: Standardised difference (Cohen's d).
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.
        ratio: Controls per treated.
        difference: In outcome units with `sd`, in place of `d`.
        sd: One standard deviation, or (treated, control) for Welch's test.
        hazard_ratio: Then the number of events by Schoenfeld's formula.
        allocation: Share treated, for the events.
        cluster_size: Then inflated by the design effect with `icc`.
        icc: Intraclass correlation.
        effect_size: Another name of `d`.

    Reference: Cohen (1988); Schoenfeld (1983), Biometrics 39:499-503; Donner & Klar (2000).

    >>> round(sample_size(d=0.5, power=0.8), 6), round(sample_size(hazard_ratio=0.5, power=0.8), 6)
    (63.76561, 65.345659)
    """
    if not 0 < power < 1:
        raise AnalysisError.of("power", f"{power!r} is not between 0 and 1", "ask for 0.8 or 0.9")
    if hazard_ratio is not None:
        return schoenfeld_events(hazard_ratio, power, alpha, allocation=allocation, alternative=alternative)
    d = effect_size if d is None else d
    if not (d or difference):
        raise AnalysisError.of("d", f"{d!r} needs infinitely many people", "give an effect other than 0")

    def gap(n: float) -> float:
        return t_test_power(d, n, n * ratio, alpha, alternative, difference=difference, sd=sd) - power

    inflation = design_effect(cluster_size, icc) if cluster_size is not None and icc is not None else 1.0
    return _root(gap, 1.5 if ratio >= 1 else 1.5 / ratio, 10.0) * inflation


def _root(gap: Callable[[float], float], low: float, high: float) -> float:
    # Power rises with n, so doubling finds an upper end; 1e9 people say that the effect has the wrong sign.
    while high <= low or gap(high) < 0:
        high *= 2
        if high > 1e9:
            raise AnalysisError.of("d", "is too small, or of the wrong sign for a one-sided test", "fix the effect")
    if gap(low) > 0:
        return low
    return float(optimize.brentq(gap, low, high, xtol=1e-11, rtol=1e-13))


def minimal_detectable_effect(
    n: float | Sequence[float],
    power: float = 0.8,
    alpha: float = 0.05,
    n2: float | None = None,
    alternative: str = "two-sided",
) -> float:
    """Return the standardised difference that a t test with these arm sizes detects with the given power.

    >>> round(minimal_detectable_effect(26, 0.8), 10)
    0.7923467073
    """
    if alternative in ("less", "smaller"):
        return -minimal_detectable_effect(n, power, alpha, n2, "greater")
    found = optimize.brentq(
        lambda d: t_test_power(d, n, n2, alpha, alternative) - power, 1e-9, 20.0, xtol=1e-13, rtol=1e-13
    )
    return float(found)


mde = minimal_detectable_effect


def schoenfeld_events(
    hazard_ratio: float,
    power: float = 0.8,
    alpha: float = 0.05,
    *,
    allocation: float = 0.5,
    alternative: str = "two-sided",
) -> float:
    """Events needed for a log-rank test: (z_alpha + z_power)^2 / (share (1 - share) log(HR)^2) (Schoenfeld 1983).

    >>> round(schoenfeld_events(0.67, 0.9), 6)
    262.059449
    """
    if not hazard_ratio > 0 or hazard_ratio == 1:
        raise AnalysisError.of("hazard_ratio", f"{hazard_ratio!r} needs infinitely many events", "give another")
    tail = alpha / 2 if alternative.startswith("two") else alpha
    edge = float(stats.norm.isf(tail) + stats.norm.ppf(power))
    return edge**2 / (allocation * (1 - allocation) * float(np.log(hazard_ratio)) ** 2)


def design_effect(cluster_size: float, icc: float, cv: float = 0.0) -> float:
    """Inflation of the variance by clusters: 1 + ((cv^2 + 1) m - 1) icc (Donner & Klar 2000; Eldridge 2006).

    >>> design_effect(10, 0.05)
    1.45
    """
    return 1 + ((cv**2 + 1) * cluster_size - 1) * icc


_SIDES = {"two-sided": "two-sided", "two.sided": "two-sided", "greater": "larger", "larger": "larger",
          "less": "smaller", "smaller": "smaller"}  # fmt: skip


def _side(alternative: str, alpha: float) -> str:
    """Statsmodels' word for a one- or two-sided test."""
    if alternative not in _SIDES or not 0 < alpha < 1:
        raise AnalysisError.of("alternative", f"{alternative!r}, alpha {alpha!r}", "use two-sided, greater or less")
    return _SIDES[alternative]


def _given(**values: float | None) -> list[float]:
    """Return the values, each of which has to be a number."""
    found = []
    for name, value in values.items():
        if value is None or not np.isfinite(value):
            raise AnalysisError.of(name, "is not given", f"give a number for {name}")
        found.append(value)
    return found


def paired_t_power(
    d: float | None = None, n: float | None = None, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Power of the paired t test.

    Args:
        d: Mean difference over the standard deviation of the differences (d_z).
        n: Pairs.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 2; by statsmodels, as pwr.t.test(type = "paired").

    >>> round(paired_t_power(d=0.5, n=26), 6)
    0.68818
    """
    from statsmodels.stats.power import TTestPower  # takes a second to import

    _given(d=d, n=n)
    return float(TTestPower().power(d, n, alpha, alternative=_side(alternative, alpha)))


def anova_power(f: float | None = None, k: int | None = None, n: float | None = None, alpha: float = 0.05) -> float:
    """Power of the one-way analysis of variance.

    Args:
        f: Cohen's f, the standard deviation of the arm means over that within arms.
        k: Arms.
        n: People per arm.
        alpha: Level of the test.

    Reference: Cohen (1988), ch. 8; by statsmodels, as pwr.anova.test.

    >>> round(anova_power(f=0.25, k=3, n=52), 6)
    0.796733
    """
    from statsmodels.stats.power import FTestAnovaPower  # takes a second to import

    f, groups, n = _given(f=f, k=k, n=n)
    return float(FTestAnovaPower().power(f, groups * n, alpha, k_groups=groups))


def proportion_power(
    p1: float | None = None,
    p2: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    h: float | None = None,
) -> float:
    """Power of the comparison of two proportions, on the arcsine scale.

    Args:
        p1: Proportion of the treated.
        p2: Proportion of the control.
        n: People in the treated arm (and in the control, without `n2`).
        n2: People in the control arm.
        alpha: Level of the test.
        alternative: two-sided, greater (p1 > p2 is looked for) or less.
        h: Cohen's h, in place of both proportions.

    Reference: Cohen (1988), ch. 6; by statsmodels, as pwr.2p.test and pwr.2p2n.test.

    >>> round(proportion_power(p1=0.85, p2=0.6, n=50), 6)
    0.818651
    """
    from statsmodels.stats.power import NormalIndPower  # takes a second to import
    from statsmodels.stats.proportion import proportion_effectsize

    (n,) = _given(n=n)
    if h is None:
        _given(p1=p1, p2=p2)
        h = float(proportion_effectsize(p1, p2))
    ratio = (n if n2 is None else n2) / n
    return float(NormalIndPower().power(h, n, alpha, ratio=ratio, alternative=_side(alternative, alpha)))


def correlation_power(
    r: float | None = None, n: float | None = None, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Power of the test of a correlation against none.

    Args:
        r: Correlation.
        n: People.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 3; by pingouin, as pwr.r.test.

    >>> round(correlation_power(r=0.3, n=52), 6)
    0.588897
    """
    import pingouin  # takes a second to import

    _given(r=r, n=n)
    side = {"larger": "greater", "smaller": "less"}.get(_side(alternative, alpha), "two-sided")
    return float(pingouin.power_corr(r=r, n=n, alpha=alpha, alternative=side))
