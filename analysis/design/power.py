"""How many people, how much power: t tests, survival, clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.design.power_arguments import effect_of, one_of, refuse_beside, side_of, sizes
from analysis.design.power_numerics import FEWEST, effect_at, noncentral_t_power, require_power, size_at
from analysis.estimators.core.argument_kinds import SHARE, number
from analysis.estimators.core.option_domains import Numbers
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
    ratio: float | None = None,
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
        ratio: Controls per treated, in place of `n2`.
        n1: Another name of `n`.
        effect_size: Another name of `d`.

    Returns:
        The chance that the test rejects, from the noncentral t distribution.

    Reference: Cohen (1988), ch. 2; as pwr.t.test and pwr.t2n.test.

    >>> round(t_test_power(d=0.738, n=26), 12)
    0.742002148063
    """
    first, second = sizes(one_of(n=n, n1=n1), n2, ratio)
    effect, both = effect_of(one_of(d=d, effect_size=effect_size), difference, sd)
    if both is not None:
        one, two = (float(value) ** 2 / size for value, size in zip(both, (first, second), strict=True))
        # Satterthwaite's, of the true variances: approximate for power, as Welch's test is.
        df = (one + two) ** 2 / (one**2 / (first - 1) + two**2 / (second - 1))
        return noncentral_t_power(effect / float(np.sqrt(one + two)), df, alpha, alternative)
    root = float(np.sqrt(first * second / (first + second)))
    return noncentral_t_power(effect * root, first + second - 2, alpha, alternative)


def sample_size(
    d: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    ratio: float | None = None,
    difference: float | None = None,
    sd: float | Sequence[float] | None = None,
    hazard_ratio: float | None = None,
    allocation: float | None = None,
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
        ratio: Controls per treated; 1 where it is not given.
        difference: In outcome units with `sd`, in place of `d`.
        sd: One standard deviation, or (treated, control) for Welch's test.
        hazard_ratio: Then the number of events by Schoenfeld's formula.
        allocation: Share treated, for the events; one half where it is not given.
        cluster_size: Then inflated by the design effect with `icc`, which it needs.
        icc: Intraclass correlation.
        effect_size: Another name of `d`.

    Reference: Cohen (1988); Schoenfeld (1983), Biometrics 39:499-503; Donner & Klar (2000).

    >>> round(sample_size(d=0.5, power=0.8), 6), round(sample_size(hazard_ratio=0.5, power=0.8), 6)
    (63.76561, 65.345659)
    """
    if hazard_ratio is not None:
        refuse_beside("hazard_ratio", d=d, effect_size=effect_size, difference=difference, sd=sd, ratio=ratio,
                      cluster_size=cluster_size, icc=icc)  # fmt: skip
        share = 0.5 if allocation is None else allocation
        return schoenfeld_events(hazard_ratio, power, alpha, allocation=share, alternative=alternative)
    if allocation is not None:
        raise AnalysisError.of("allocation", "is not used without hazard_ratio", "give ratio, controls per treated")
    require_power(power, alpha)
    d = one_of(d=d, effect_size=effect_size)
    if not effect_of(d, difference, sd)[0]:
        raise AnalysisError.of("d", "of 0 needs infinitely many people", "give an effect other than 0")
    controls = 1.0 if ratio is None else number("ratio", ratio, Numbers(above=0))
    inflation = 1.0
    if cluster_size is not None or icc is not None:
        inflation = design_effect(number("cluster_size", cluster_size), number("icc", icc))

    def power_of(n: float) -> float:
        return t_test_power(d, n, n * controls, alpha, alternative, difference=difference, sd=sd)

    return size_at(power, power_of, "d", FEWEST / min(controls, 1.0)) * inflation


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
    require_power(power, alpha)
    if side_of(alternative) == -1:
        return -minimal_detectable_effect(n, power, alpha, n2, "greater")
    arms = sizes(n, n2, None)
    return effect_at(power, lambda d: t_test_power(d, arms, alpha=alpha, alternative=alternative))


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
    hazard_ratio = number("hazard_ratio", hazard_ratio, Numbers(above=0))
    if hazard_ratio == 1:
        raise AnalysisError.of("hazard_ratio", "of 1 needs infinitely many events", "give another")
    require_power(power, alpha)
    allocation = number("allocation", allocation, SHARE)
    tail = alpha / 2 if side_of(alternative) == 2 else alpha
    edge = float(stats.norm.isf(tail) + stats.norm.ppf(power))
    return edge**2 / (allocation * (1 - allocation) * float(np.log(hazard_ratio)) ** 2)


def design_effect(cluster_size: float, icc: float, cv: float = 0.0) -> float:
    """Inflation of the variance by clusters: 1 + ((cv^2 + 1) m - 1) icc (Donner & Klar 2000; Eldridge 2006).

    >>> design_effect(10, 0.05)
    1.45
    """
    size, spread = number("cluster_size", cluster_size, Numbers(least=1)), number("cv", cv, Numbers(least=0))
    return 1 + ((spread**2 + 1) * size - 1) * number("icc", icc, Numbers(least=0, most=1))
