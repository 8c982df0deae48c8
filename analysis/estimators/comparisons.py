"""Several arms at once: comparisons with the control, and of all pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from analysis.estimators.core.effect_sizes import hedges_g
from analysis.estimators.core.registry import Result, unwrap, whole
from analysis.estimators.core.request import Trial
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import Floats, NotEstimable
from analysis.estimators.numerics.studentised_range import dunnett_probability, quantile, range_probability
from analysis.estimators.omnibus import samples_of, sums_of_squares


def _common_variance(trial: Trial) -> tuple[list[Floats], float, int]:
    samples = samples_of(trial, least=1)
    df = len(trial.y) - len(samples)
    within = sums_of_squares(samples)[1]
    if df < 1 or within <= 0:
        raise NotEstimable("no variation within arms to compare with")
    return samples, within / df, df


@whole
def dunnett(trial: Trial) -> Result:
    """Every treated arm with the control, adjusted together.

    Formula: t with the variance pooled over all arms; `p_adjusted` and the simultaneous interval from the joint
    distribution of max |t|, by numerical integration (no Monte Carlo); `p_value` is the unadjusted one.
    Missing data: refused. Covariates and strata are not used.
    Reference: Dunnett (1955), JASA 50:1096-1121.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> rows = dunnett(three_arms(), outcome="score", arm="arm", control="none")
        >>> [(row.contrast[0], row.estimate, round(row.p_adjusted, 6)) for row in rows]
        [('full', -2.0, 0.119921), ('hints', 2.0, 0.119921)]
    """
    _ = trial.labels  # a control must be named
    samples, variance, df = _common_variance(trial)
    sizes = np.asarray([len(sample) for sample in samples], dtype=np.float64)
    loadings = np.sqrt(sizes[1:] / (sizes[0] + sizes[1:]))
    critical = quantile(lambda q: dunnett_probability(q, loadings, df), trial.level)
    pairs = [(index, 0) for index in range(1, len(samples))]
    return unwrap(
        _comparisons(trial, samples, variance, df, pairs, critical, lambda t: 1 - dunnett_probability(t, loadings, df))
    )


@whole
def tukey_hsd(trial: Trial) -> Result:
    """Every pair of arms, adjusted together.

    Formula: Tukey-Kramer, the studentised range of k means with the pooled variance; `p_adjusted` and the
    simultaneous interval; `p_value` is the unadjusted one. Each later arm minus each earlier, control first.
    Missing data: refused. Covariates and strata are not used.
    Reference: Kramer (1956), Biometrics 12:307-310; Copenhaver & Holland (1988) for the distribution.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> rows = tukey_hsd(three_arms(), outcome="score", arm="arm", control="none")
        >>> [(row.contrast, row.estimate, round(row.p_adjusted, 6)) for row in rows]
        [(('full', 'none'), -2.0, 0.15458), (('hints', 'none'), 2.0, 0.15458), (('hints', 'full'), 4.0, 0.004634)]
    """
    samples, variance, df = _common_variance(trial)
    k = len(samples)
    critical = quantile(lambda q: range_probability(q, k, df), trial.level) / np.sqrt(2)
    pairs = [(later, earlier) for earlier in range(k) for later in range(earlier + 1, k)]
    return unwrap(
        _comparisons(
            trial, samples, variance, df, pairs, critical, lambda t: 1 - range_probability(t * np.sqrt(2), k, df)
        )
    )


def _comparisons(
    trial: Trial,
    samples: list[Floats],
    variance: float,
    df: int,
    pairs: list[tuple[int, int]],
    critical: float,
    tail: Callable[[float], float],
) -> list[Estimate]:
    labels = trial.unordered_labels
    rows = []
    for one, two in pairs:
        a, b = samples[one], samples[two]
        difference = float(a.mean() - b.mean())
        error = float(np.sqrt(variance * (1 / len(a) + 1 / len(b))))
        t = difference / error
        rows.append(
            trial.estimate(
                contrast=(labels[one], labels[two]),
                n={labels[one]: len(a), labels[two]: len(b)},
                estimate=difference,
                std_error=error,
                df=float(df),
                statistic=t,
                p_value=float(2 * stats.t.sf(abs(t), df)),
                p_adjusted=min(max(tail(abs(t)), 0.0), 1.0),
                ci_low=difference - critical * error,
                ci_high=difference + critical * error,
                effect_size=hedges_g(difference, float(np.sqrt(variance)), len(a), len(b), trial.level),
                note="simultaneous interval and adjusted p over all comparisons",
            )  # fmt: skip
        )
    return rows
