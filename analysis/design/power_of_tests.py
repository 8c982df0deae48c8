"""Power of tests other than the two-sample t: pairs, several arms, proportions, correlation."""

from __future__ import annotations

import numpy as np
from scipy import stats

from analysis.design.power_arguments import PEOPLE, refuse_beside, side_of
from analysis.design.power_numerics import noncentral_t_power
from analysis.estimators.core.argument_kinds import SHARE, number
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError

_WORDS = {2: "two-sided", 1: "larger", -1: "smaller"}
"""Statsmodels' words for a two-sided test and the one-sided ones."""


def paired_t_power(
    d: float | None = None, n: float | None = None, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Power of the paired t test.

    Args:
        d: Mean difference over the standard deviation of the differences (d_z).
        n: Pairs.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 2; as pwr.t.test(type = "paired").

    >>> round(paired_t_power(d=0.5, n=26), 6)
    0.68818
    """
    d, n = number("d", d), number("n", n, PEOPLE)
    return noncentral_t_power(d * float(np.sqrt(n)), n - 1, alpha, alternative)


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

    f, groups = number("f", f, Numbers(least=0)), number("k", k, Numbers(least=2))
    if groups % 1:
        raise AnalysisError.of("k", f"{k!r} is not a whole number of arms", "give one")
    total = groups * number("n", n, PEOPLE)
    return float(FTestAnovaPower().power(f, total, number("alpha", alpha, SHARE), k_groups=groups))


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

    first = number("n", n, PEOPLE)
    ratio = 1.0 if n2 is None else number("n2", n2, PEOPLE) / first
    if h is None:
        shares = [number(name, value, Numbers(least=0, most=1)) for name, value in (("p1", p1), ("p2", p2))]
        h = float(proportion_effectsize(*shares))
    else:
        refuse_beside("h", p1=p1, p2=p2)
        h = number("h", h)
    alpha, side = number("alpha", alpha, SHARE), _WORDS[side_of(alternative)]
    return float(NormalIndPower().power(h, first, alpha, ratio=ratio, alternative=side))


def correlation_power(
    r: float | None = None, n: float | None = None, alpha: float = 0.05, alternative: str = "two-sided"
) -> float:
    """Power of the test of a correlation against none.

    Args:
        r: Correlation.
        n: People.
        alpha: Level of the test.
        alternative: two-sided, greater or less.

    Reference: Cohen (1988), ch. 3, whose approximation of Fisher's z has the bias r / (2 (n - 1)); as pwr.r.test.

    >>> round(correlation_power(r=0.3, n=52), 6)
    0.588897
    """
    r, n = number("r", r, Numbers(above=-1, below=1)), number("n", n, Numbers(least=4))
    side, alpha = side_of(alternative), number("alpha", alpha, SHARE)
    t = float(stats.t.isf(alpha / 2 if side == 2 else alpha, n - 2))
    # The correlation from which the test rejects, and the mean of z, both in units of its standard error.
    edge = float(np.arcsinh(t / np.sqrt(n - 2)) * np.sqrt(n - 3))
    shift = float((np.arctanh(r) + r / (2 * (n - 1))) * np.sqrt(n - 3))
    if side != 2:
        return float(stats.norm.sf(edge - side * shift))
    return float(stats.norm.sf(edge - shift) + stats.norm.sf(edge + shift))
