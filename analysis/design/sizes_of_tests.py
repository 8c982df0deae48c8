"""People needed, and effects that are detected: pairs, several arms, proportions, correlation."""

from __future__ import annotations

import numpy as np

from analysis.design.power_arguments import PEOPLE, refuse_beside, side_of
from analysis.design.power_numerics import FEWEST, effect_at, require_power, size_at
from analysis.design.power_of_tests import anova_power, correlation_power, paired_t_power, proportion_power
from analysis.estimators.core.argument_kinds import number
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError

FEWEST_POINTS = 4.0
"""People of whom a correlation has a standard error on Fisher's scale."""
NEAREST_TO_ONE = float(np.nextafter(1.0, 0.0))


def paired_t_sample_size(
    d: float | None = None, power: float = 0.8, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Pairs needed for a paired t test, not rounded (the caller rounds up).

    Args:
        d: Mean difference over the standard deviation of the differences (d_z).
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 2; as pwr.t.test(type = "paired").

    >>> round(paired_t_sample_size(d=0.4), 6)
    51.009448
    """
    require_power(power, alpha)
    _require_effect("d", d)
    return size_at(power, lambda n: paired_t_power(d, n, alpha, alternative), "d")


def paired_t_detectable_effect(
    n: float | None = None, power: float = 0.8, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Return the d_z that a paired t test of so many pairs detects with the given power, below 0 for "less".

    Args:
        n: Pairs.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 2; as pwr.t.test(type = "paired").

    >>> round(paired_t_detectable_effect(n=20), 6)
    0.660442
    """
    require_power(power, alpha)
    side = side_of(alternative)
    return _signed(side, effect_at(power, lambda d: paired_t_power(_signed(side, d), n, alpha, alternative)))


def anova_sample_size(f: float | None = None, k: int | None = None, power: float = 0.8, alpha: float = 0.05) -> float:
    """People needed in each arm for a one-way analysis of variance, not rounded (the caller rounds up).

    Args:
        f: Cohen's f, the standard deviation of the arm means over that within arms.
        k: Arms.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.

    Reference: Cohen (1988), ch. 8; as pwr.anova.test.

    >>> round(anova_sample_size(f=0.25, k=4), 5)
    44.59927
    """
    require_power(power, alpha)
    _require_effect("f", f)
    return size_at(power, lambda n: anova_power(f, k, n, alpha), "f")


def anova_detectable_effect(
    k: int | None = None, n: float | None = None, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Return Cohen's f that a one-way analysis of variance detects with the given power.

    Args:
        k: Arms.
        n: People per arm.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.

    Reference: Cohen (1988), ch. 8; as pwr.anova.test.

    >>> round(anova_detectable_effect(k=3, n=52), 5)
    0.25097
    """
    require_power(power, alpha)
    return effect_at(power, lambda f: anova_power(f, k, n, alpha))


def proportion_sample_size(
    p1: float | None = None,
    p2: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    h: float | None = None,
    ratio: float | None = None,
) -> float:
    """People needed in the treated arm to compare two proportions, not rounded, on the arcsine scale.

    Args:
        p1: Proportion of the treated.
        p2: Proportion of the control.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater (p1 > p2 is looked for) or less.
        h: Cohen's h, in place of both proportions.
        ratio: Controls per treated; 1 where it is not given.

    Reference: Cohen (1988), ch. 6; as pwr.2p.test.

    >>> round(proportion_sample_size(p1=0.3, p2=0.55), 6)
    59.955976
    """
    require_power(power, alpha)
    controls = 1.0 if ratio is None else number("ratio", ratio, Numbers(above=0))
    if h is None:
        if number("p1", p1) == number("p2", p2):
            raise AnalysisError.of("p1", "equal to p2 needs infinitely many people", "give two different proportions")
    else:
        refuse_beside("h", p1=p1, p2=p2)
        _require_effect("h", h)

    def power_of(n: float) -> float:
        return proportion_power(p1, p2, n, n * controls, alpha, alternative, h=h)

    return size_at(power, power_of, "p1" if h is None else "h", FEWEST / min(controls, 1.0))


def proportion_detectable_effect(
    n: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    alternative: str = "two-sided",
    *,
    n2: float | None = None,
    p2: float | None = None,
) -> float:
    """Return Cohen's h that a comparison of two proportions detects; beside `p2`, the proportion of the treated.

    Args:
        n: People in the treated arm (and in the control, without `n2`).
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.
        n2: People in the control arm.
        p2: Proportion of the control; that of the treated is above it, for "less" below.

    Reference: Cohen (1988), ch. 6; as pwr.2p.test.

    >>> round(proportion_detectable_effect(n=40), 6), round(proportion_detectable_effect(n=50, p2=0.6), 6)
    (0.626453, 0.845067)
    """
    require_power(power, alpha)
    first, side = number("n", n, PEOPLE), side_of(alternative)
    h = _signed(side, effect_at(power, lambda h: proportion_power(n=first, n2=n2, alpha=alpha, h=_signed(side, h),
                                                                  alternative=alternative)))  # fmt: skip
    if p2 is None:
        return h
    # h is the difference of the angles 2 arcsin(sqrt(p)), which run from 0 to pi.
    angle = 2 * float(np.arcsin(np.sqrt(number("p2", p2, Numbers(least=0, most=1))))) + h
    if not 0 <= angle <= np.pi:
        raise AnalysisError.of("n", f"is too small: no proportion is far enough from {p2:g}", "give more people")
    return float(np.sin(angle / 2) ** 2)


def correlation_sample_size(
    r: float | None = None, power: float = 0.8, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """People needed to find a correlation, not rounded (the caller rounds up).

    Args:
        r: Correlation.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 3; as pwr.r.test.

    >>> round(correlation_sample_size(r=0.3), 6)
    84.073638
    """
    require_power(power, alpha)
    _require_effect("r", r)
    return size_at(power, lambda n: correlation_power(r, n, alpha, alternative), "r", FEWEST_POINTS)


def correlation_detectable_effect(
    n: float | None = None, power: float = 0.8, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Return the correlation that so many people show with the given power, below 0 for "less".

    Args:
        n: People.
        power: Chance of rejecting that is wanted.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 3; as pwr.r.test.

    >>> round(correlation_detectable_effect(n=50), 6)
    0.384325
    """
    require_power(power, alpha)
    side = side_of(alternative)
    found = effect_at(power, lambda r: correlation_power(_signed(side, r), n, alpha, alternative), NEAREST_TO_ONE)
    return _signed(side, found)


def _signed(side: int, effect: float) -> float:
    return -effect if side == -1 else effect


def _require_effect(name: str, value: float | None) -> None:
    if not number(name, value):
        raise AnalysisError.of(name, "of 0 needs infinitely many people", "give an effect other than 0")
