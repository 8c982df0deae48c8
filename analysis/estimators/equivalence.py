"""Equivalence and non-inferiority: is the effect, or the loss, smaller than a margin?"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import ArmContrast
from analysis.estimators.core.validation import AnalysisError, NotEstimable
from analysis.estimators.numerics.cluster_covariance import ALONE
from analysis.estimators.numerics.designs import additive
from analysis.estimators.outcomes.means import linear_rows, paired_parts, raw_effect, t_parts


@method_per_contrast("covariates stratum cluster")
def tost(
    pair: ArmContrast,
    margin: float | Sequence[float] | None = None,
    equal_var: bool = False,
    paired: bool = False,
    pair_id: str | None = None,
) -> Result:
    """Two one-sided t tests that the difference of means lies within the margin.

    Formula: t_low = (d - low)/se against d <= low, t_high = (d - high)/se against d >= high; p is the larger of the
    two, `statistic` its t. Welch by default, `equal_var=True` pools, `paired=True` takes the rows of the
    two arms as pairs, in their order or by the column `pair_id`; with covariates,
    strata or clusters d is that of `ancova` with HC3 (CR2). `margin` is one number (both sides) or (low,
    high). The interval has level 1 - 2 alpha: inside the margin exactly when p < alpha.
    Missing data: refused. Detail: margin_low, margin_high, p_below, p_above.
    Reference: Schuirmann (1987), J. Pharmacokin. Biopharm. 15:657-680.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = tost(two_arms(), outcome="warmup", arm="arm", control="no_ai", margin=4)
        >>> round(row.p_value, 6), round(row.ci_low, 6), round(row.ci_high, 6), row.ci_level
        (0.011694, -1.59387, 2.927203, 0.9)
    """
    low, high = _margin(margin)
    alpha = 1 - pair.level
    if alpha >= 0.5:
        raise NotEstimable("a level of one half or less leaves no interval")
    difference, error, df = _parts(pair, equal_var, paired or pair_id is not None, pair_id)
    # Two tests at alpha each need no correction: equivalence is claimed only where both reject (Berger 1982,
    # intersection-union).
    below, above = (difference - low) / error, (difference - high) / error
    p_low, p_high = float(stats.t.sf(below, df)), float(stats.t.cdf(above, df))
    reach = float(stats.t.isf(alpha, df)) * error
    return pair.estimate(
        estimate=difference, std_error=error, df=df, statistic=below if p_low >= p_high else above,
        p_value=max(p_low, p_high), ci_low=difference - reach, ci_high=difference + reach,
        ci_level=round(2 * pair.level - 1, 12),
        effect_size=raw_effect(pair, difference),
        note=f"margin ({low:g}, {high:g}); p against below {p_low:.12g}, against above {p_high:.12g}",
        detail={"margin_low": low, "margin_high": high, "p_below": p_low, "p_above": p_high},
    )  # fmt: skip


@method_per_contrast("covariates stratum cluster")
def noninferiority(
    pair: ArmContrast, margin: float | None = None, better: str = "higher", equal_var: bool = False
) -> Result:
    """One-sided t test that the treated are not worse than the control by the margin or more.

    Formula: where `better="higher"`, t = (d + margin)/se against d <= -margin; where "lower" (times, errors),
    t = (d - margin)/se against d >= margin. d and se as in `tost`. The interval has level 1 - 2 alpha: its worse end
    is inside the margin exactly when p < alpha. For a one-sided 2.5%, as regulators ask, give level 0.975.
    Missing data: refused. Detail: margin, better, superiority_p (one-sided, against no difference).
    Reference: Piaggio et al. (2012), JAMA 308:2594-2604 (CONSORT for non-inferiority); ICH E9, section 3.3.2.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = noninferiority(two_arms(), outcome="warmup", arm="arm", control="no_ai", margin=4)
        >>> round(row.p_value, 6), round(row.ci_low, 6), row.ci_level
        (0.001918, -1.59387, 0.9)
    """
    if margin is None or not margin > 0:
        raise AnalysisError.of("margin", f"{margin!r} is not above 0", "name the largest loss that does not matter")
    if better not in ("higher", "lower"):
        raise AnalysisError.of("better", f"{better!r} is not known", "use higher or lower")
    alpha = 1 - pair.level
    if alpha >= 0.5:
        raise NotEstimable("a level of one half or less leaves no interval")
    difference, error, df = _parts(pair, equal_var, False, None)
    side = 1.0 if better == "higher" else -1.0
    statistic = (side * difference + margin) / error
    reach = float(stats.t.isf(alpha, df)) * error
    return pair.estimate(
        estimate=difference, std_error=error, df=df, statistic=statistic, p_value=float(stats.t.sf(statistic, df)),
        ci_low=difference - reach, ci_high=difference + reach, ci_level=round(2 * pair.level - 1, 12),
        effect_size=raw_effect(pair, difference), note=f"not worse by {margin:g}, {better} is better; one-sided p",
        detail={"margin": margin, "better": better, "superiority_p": float(stats.t.sf(side * difference / error, df))},
    )  # fmt: skip


def _parts(pair: ArmContrast, equal_var: bool, paired: bool, pair_id: str | None) -> tuple[float, float, float]:
    """Difference, standard error, degrees of freedom: of pairs, of the adjusted model, or of two samples."""
    trial = pair.trial
    adjusted = bool(trial.covariates or trial.strata or trial.cluster)
    if paired + adjusted + equal_var > 1:
        raise AnalysisError.of("paired", "goes with neither covariates, clusters nor equal_var", "choose one of them")
    if paired:
        return paired_parts(pair, pair_id)
    if not adjusted:
        return t_parts(pair, equal_var)
    # All arms are fitted together, so a contrast of a trial with several arms shares slopes and strata with the others.
    found = linear_rows(trial, additive(trial), None if trial.cluster else "HC3")
    row = found[pair.index - 1] if isinstance(found, list) else found
    if row.std_error is None:
        raise NotEstimable(ALONE)
    return float(row.estimate or 0.0), float(row.std_error), float(row.df or np.nan)


def _margin(margin: float | Sequence[float] | None) -> tuple[float, float]:
    if margin is None:
        raise AnalysisError.of("margin", "is not given", "name the largest difference that does not matter")
    ends = [-margin, margin] if isinstance(margin, Real | int | float) else [float(end) for end in margin]
    if len(ends) != 2:
        raise AnalysisError.of("margin", f"{margin!r} is not two ends", "give one number or (low, high)")
    low, high = map(float, ends)
    if not low < high:
        raise AnalysisError.of("margin", f"({low:g}, {high:g}) is empty", "give a positive margin or (low, high)")
    return low, high
