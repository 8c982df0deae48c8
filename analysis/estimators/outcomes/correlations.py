"""Association of two measurements."""

from __future__ import annotations

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_over_all_arms
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, numbers
from analysis.estimators.core.validation import require_columns as _require


def _columns(trial: AnalysisRequest, x: str | None) -> tuple[Floats, Floats]:
    if x is not None and trial.arm is not None:
        raise AnalysisError.of("arm", f"is not used beside x={x!r}", "leave one of the two out")
    name = x or trial.arm
    if name is None:
        raise AnalysisError.of("x", "is not given", "name the other column of the correlation")
    _require(trial.data, [name])
    one, two = numbers(trial.data, name), trial.y
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(two) == 0:
        raise NotEstimable("a correlation needs three rows and two columns that vary")
    return one, two


def _correlation_row(trial: AnalysisRequest, r: float, p: float, interval: tuple[float, float], note: str) -> Result:
    n = len(trial.y)
    t = r * np.sqrt((n - 2) / (1 - r**2)) if abs(r) < 1 else np.inf * np.sign(r)
    return trial.estimate(
        contrast=None, estimate=r, df=float(n - 2), statistic=t, p_value=p, ci_low=interval[0], ci_high=interval[1],
        n={"all": n}, note=note,
    )  # fmt: skip


@method_over_all_arms(without="control")
def pearson(trial: AnalysisRequest, x: str | None = None) -> Result:
    """Product-moment correlation of `outcome` and `x`.

    Formula: t = r sqrt((n-2)/(1-r^2)) with n-2 degrees of freedom; interval by Fisher's z, 1/sqrt(n-3).
    Missing data: refused.
    Reference: Fisher (1921), Metron 1:3-32.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = pearson(two_arms(), outcome="score", x="warmup")
        >>> round(row.estimate, 6), round(row.p_value, 6), round(row.ci_low, 6)
        (-0.796628, 0.001925, -0.940531)
    """
    one, two = _columns(trial, x)
    found = stats.pearsonr(one, two)
    ends = found.confidence_interval(trial.level) if len(two) > 3 else (np.nan, np.nan)
    return _correlation_row(trial, float(found.statistic), float(found.pvalue), tuple(ends), "interval by Fisher's z")


@method_over_all_arms(without="control")
def spearman(trial: AnalysisRequest, x: str | None = None) -> Result:
    """Rank correlation of `outcome` and `x`.

    Formula: Pearson's r of mid-ranks; t as `pearson`; interval by Fisher's z with sqrt((1 + r^2/2)/(n-3)).
    Missing data: refused.
    Reference: Spearman (1904); Bonett & Wright (2000), Psychometrika 65:23-28 for the interval.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = spearman(two_arms(), outcome="score", x="warmup")
        >>> round(row.estimate, 6), round(row.p_value, 6), round(row.ci_low, 6)
        (-0.800737, 0.001752, -0.951881)
    """
    found = stats.spearmanr(*_columns(trial, x))
    r, n = float(found.statistic), len(trial.y)
    # Ranks vary more than normal scores: Fisher's 1/(n - 3) would be too narrow at large r (Bonett & Wright 2000).
    reach = stats.norm.ppf(0.5 + trial.level / 2) * np.sqrt((1 + r**2 / 2) / (n - 3)) if n > 3 else np.nan
    ends = (float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach)))
    return _correlation_row(
        trial, r, float(found.pvalue), ends, "interval by Fisher's z with Bonett and Wright's variance"
    )
