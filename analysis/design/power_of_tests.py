"""Power of tests other than the two-sample t: pairs, several arms, proportions, correlation; by libraries."""

from __future__ import annotations

from analysis.design.power_arguments import PEOPLE, refuse_beside, side_of
from analysis.estimators.core.argument_kinds import SHARE, number
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError

_WORDS = {2: "two-sided", 1: "larger", -1: "smaller"}


def _level_and_side(alpha: float, alternative: str) -> tuple[float, str]:
    """Return the level and statsmodels' word for a one- or two-sided test."""
    return number("alpha", alpha, SHARE), _WORDS[side_of(alternative)]


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

    d, n = number("d", d), number("n", n, PEOPLE)
    alpha, side = _level_and_side(alpha, alternative)
    return float(TTestPower().power(d, n, alpha, alternative=side))


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
    alpha, side = _level_and_side(alpha, alternative)
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

    Reference: Cohen (1988), ch. 3; by pingouin, as pwr.r.test.

    >>> round(correlation_power(r=0.3, n=52), 6)
    0.588897
    """
    import pingouin  # takes a second to import

    r, n = number("r", r, Numbers(above=-1, below=1)), number("n", n, Numbers(least=4))
    alpha, side = _level_and_side(alpha, alternative)
    words = {"larger": "greater", "smaller": "less"}
    return float(pingouin.power_corr(r=r, n=n, alpha=alpha, alternative=words.get(side, side)))
