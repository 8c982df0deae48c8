"""Several arms at once: comparisons with the control, and of all pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.estimators.core.effect_sizes import hedges_g
from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import Floats, NotEstimable
from analysis.estimators.numerics.designs import additive
from analysis.estimators.numerics.linear import fit, t_interval
from analysis.estimators.numerics.studentised_range import joint_tail, quantile, range_tail
from analysis.estimators.omnibus import samples_of


@dataclass(frozen=True)
class ArmMeans:
    """Adjusted means of the arms of one least-squares fit with a pooled variance."""

    trial: AnalysisRequest
    differences: Floats
    """Of each treated arm from the control."""
    covariance: Floats
    df: int
    sd: float

    @classmethod
    def of(cls, trial: AnalysisRequest) -> ArmMeans:
        """Fit arms (and covariates, strata)."""
        samples_of(trial, least=1)
        if trial.control is None:
            # All pairs need no control; the first label serves as the reference, and any choice gives the same
            # differences.
            trial = replace(trial, control=trial.unordered_labels[0])
        design = additive(trial)
        fitted = fit(design.columns, trial.y)
        if fitted.df < 1 or fitted.is_exact:
            raise NotEstimable("no variation within arms to compare with")
        block = np.ix_(design.treated, design.treated)
        sd = float(np.sqrt(fitted.sigma2))
        return cls(trial, fitted.coefficients[design.treated], fitted.covariance()[block], fitted.df, sd)

    def rows(self, contrasts: list[tuple[int, int]], critical: float, tail: Callable[[float], float]) -> list[Estimate]:
        """Return a row per pair of arms, with the simultaneous interval and the adjusted p."""
        return [self._pair_row(one, two, critical, tail) for one, two in contrasts]

    def _pair_row(self, one: int, two: int, critical: float, tail: Callable[[float], float]) -> Estimate:
        labels, counts = self.trial.labels, self.trial.counts
        weights = np.zeros(len(labels))
        weights[one], weights[two] = 1.0, -1.0
        difference = float(weights[1:] @ self.differences)
        error = float(np.sqrt(weights[1:] @ self.covariance @ weights[1:]))
        found = t_interval(difference, error, float(self.df), self.trial.level)
        found |= {"ci_low": difference - critical * error, "ci_high": difference + critical * error}
        n = {labels[one]: counts[labels[one]], labels[two]: counts[labels[two]]}
        return self.trial.estimate(
            **found, contrast=(labels[one], labels[two]), n=n,
            p_adjusted=tail(abs(found["statistic"])),
            effect_size=hedges_g(difference, self.sd, n[labels[one]], n[labels[two]], self.trial.level),
            note="simultaneous interval and adjusted p over all comparisons",
        )  # fmt: skip


@method_over_all_arms("covariates stratum")
def dunnett(trial: AnalysisRequest) -> Result:
    """Return every treated arm with the control, adjusted together.

    Formula: differences adjusted for covariates and strata, where they are named, with the variance pooled over all
    arms; `p_adjusted` and the simultaneous interval from the joint distribution of max |t|, by numerical integration;
    `p_value` is the unadjusted one. Missing data: refused.
    Reference: Dunnett (1955), JASA 50:1096-1121.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> rows = dunnett(three_arms(), outcome="score", arm="arm", control="none")
        >>> [(row.contrast[0], round(row.estimate, 9), round(row.p_adjusted, 6)) for row in rows]
        [('full', -2.0, 0.119921), ('hints', 2.0, 0.119921)]
    """
    _ = trial.labels  # a control must be named
    means = ArmMeans.of(trial)
    tail = joint_tail(means.covariance, means.df)
    critical = quantile(tail, trial.level)
    pairs = [(index, 0) for index in range(1, len(trial.labels))]
    return unwrap(means.rows(pairs, critical, tail))


@method_over_all_arms()
def tukey_hsd(trial: AnalysisRequest) -> Result:
    """Return every pair of arms, adjusted together.

    Formula: Tukey-Kramer, the studentised range of k means with the pooled variance; `p_adjusted` and the
    simultaneous interval; `p_value` is the unadjusted one. Each later arm minus each earlier, control first.
    Missing data: refused.
    Reference: Kramer (1956), Biometrics 12:307-310; Copenhaver & Holland (1988) for the distribution.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> rows = tukey_hsd(three_arms(), outcome="score", arm="arm", control="none")
        >>> [(row.contrast, round(row.estimate, 9), round(row.p_adjusted, 6)) for row in rows]
        [(('full', 'none'), -2.0, 0.15458), (('hints', 'none'), 2.0, 0.15458), (('hints', 'full'), 4.0, 0.004634)]
    """
    means = ArmMeans.of(trial)
    k = len(means.trial.labels)
    # The studentised range is of a difference over the error of one mean; t divides by that of the difference, sqrt(2)
    # larger.
    critical = float(stats.studentized_range.ppf(trial.level, k, means.df)) / np.sqrt(2)
    pairs = [(later, earlier) for earlier in range(k) for later in range(earlier + 1, k)]
    return unwrap(means.rows(pairs, critical, lambda t: range_tail(t * np.sqrt(2), k, means.df)))
