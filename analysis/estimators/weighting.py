"""Missing outcomes weighted for: those who stayed stand for people like them who were lost.

The regression is statsmodels'. The weighted contrast is written here because statsmodels weights treatments and not
missing outcomes, and survey packages take the weights as known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.estimators.core.effect_sizes import alike
from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.validation import Bools, Floats, NotEstimable
from analysis.estimators.numerics.designs import additive
from analysis.estimators.numerics.generalised import fit_glm
from analysis.estimators.numerics.linear import t_interval


@method_per_contrast("covariates stratum", jackknife=True)
def inverse_probability(pair: ArmContrast) -> Result:
    """Difference of means in which each observed outcome counts as one over its probability of being observed.

    Formula: p from a logistic regression of being observed on arm, covariates and strata, among the arms in which an
    outcome is missing; m = sum(y/p) / sum(1/p) over the observed of each arm. The standard error is that of
    M-estimation with the regression's equations among its own, each arm's share times n/(n - 1); t,
    Welch-Satterthwaite by the arms' shares. `cluster`: leaving out one cluster at a time.
    Without covariates and strata it is `welch_t` of the observed.
    Rests on: being observed depends on arm, covariates and strata only, and is certain for none of the lost.
    Missing data: a missing outcome is weighted for; missing covariates are refused.
    Detail: missing, largest_weight and effective_n (Kish) by arm.
    Reference: Robins, Rotnitzky & Zhao (1994), JASA 89:846-866; Seaman & White (2013), Stat. Methods Med. Res. 22:278.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms()
        >>> table.loc[[6, 7], "score"] = None
        >>> row = inverse_probability(table, outcome="score", arm="arm", control="no_ai", covariates="warmup")
        >>> row.detail["missing"]
        {'ai': 0, 'no_ai': 2}
    """
    rows = pair.trial.data[pair.rows].reset_index(drop=True)
    trial = replace(pair.trial, data=rows, notes=[])
    weighted = _Weighted.of(trial)
    sides = {label: weighted.in_arm(trial.codes == index) for index, label in enumerate(trial.labels)}
    treated, control = sides[pair.contrast[0]], sides[pair.contrast[1]]
    shares = [side.variance for side in (treated, control)]
    if any(alike(weighted.y[weighted.seen & (trial.codes == trial.labels.index(arm))]) for arm in pair.contrast):
        raise NotEstimable("an arm's observed outcomes do not vary")
    # The arms share the regression, so that their errors are not independent: the variance is that of the difference.
    variance = float(((treated.influence - control.influence) ** 2).sum())
    df = sum(shares) ** 2 / sum(share**2 / (side.n - 1) for share, side in zip(shares, (treated, control), strict=True))
    missing = {label: int((~weighted.seen[trial.codes == i]).sum()) for i, label in enumerate(trial.labels)}
    return pair.estimate(
        **t_interval(treated.mean - control.mean, float(np.sqrt(variance)), df, pair.level),
        n={label: side.n for label, side in sides.items() if label in pair.contrast},
        note="" if any(missing.values()) else "no outcome is missing, so every weight is 1",
        detail={
            "missing": {label: missing[label] for label in pair.contrast},
            "largest_weight": {label: sides[label].largest for label in pair.contrast},
            "effective_n": {label: sides[label].effective for label in pair.contrast},
        },
    )


@dataclass(frozen=True)
class _Side:
    """The weighted mean of one arm."""

    mean: float
    influence: Floats
    """What each row of the table adds to the mean's error."""
    n: int
    largest: float
    effective: float

    @property
    def variance(self) -> float:
        return float((self.influence**2).sum())


@dataclass(frozen=True)
class _Weighted:
    """Who was observed, with which probability, and what the estimation of these probabilities adds."""

    y: Floats
    seen: Bools
    p: Floats
    design: Floats
    """The regression's columns; rows of zeros where it has no part."""
    bread: Floats
    """Inverse of the regression's information."""

    @classmethod
    def of(cls, trial: AnalysisRequest) -> _Weighted:
        """Fit the regression among the arms in which an outcome is missing."""
        y = trial.y_with_gaps
        seen = ~np.isnan(y)
        lossy = np.isin(trial.codes, np.unique(trial.codes[~seen]))
        p, design = np.ones(len(y)), np.zeros((len(y), 0))
        if not lossy.any():
            return cls(np.nan_to_num(y), seen, p, design, np.zeros((0, 0)))
        from statsmodels.genmod.families import Binomial

        # An arm without loss has no finite coefficient; its people were certain to be observed.
        alone = len(np.unique(trial.codes[lossy])) == 1
        part = replace(trial, data=trial.data[lossy].reset_index(drop=True), arm=None if alone else trial.arm, notes=[])
        columns = additive(part)
        fitted = fit_glm(columns, seen[lossy].astype(np.float64), Binomial(), "classical")
        p[lossy] = fitted.mu
        design = np.zeros((len(y), columns.columns.shape[1]))
        design[lossy] = columns.columns
        return cls(np.nan_to_num(y), seen, p, design, np.asarray(fitted.cov_params(), dtype=np.float64))

    def in_arm(self, mine: Bools) -> _Side:
        """Return the weighted mean of an arm with its influence on each row."""
        here = mine & self.seen
        count = int(here.sum())
        if count < 2:
            raise NotEstimable(f"an arm has {count} observed outcome(s); 2 are needed")
        weights = np.where(here, 1 / self.p, 0.0)
        mean = float(weights @ self.y / weights.sum())
        own = weights * (self.y - mean)
        # Weights are estimated from the same people: d(1/p)/d(beta) = -(1 - p)/p x for a logistic p, and each row moves
        # beta by its score. Left out, the interval is too wide (Robins, Rotnitzky & Zhao 1994).
        slope = -((own * (1 - self.p)) @ self.design)
        scores = (self.seen - self.p)[:, None] * self.design
        influence = (own + scores @ (self.bread @ slope)) / weights.sum()
        return _Side(
            mean, np.sqrt(count / (count - 1)) * influence, count,
            float(weights.max()), float(weights.sum() ** 2 / (weights**2).sum()),
        )  # fmt: skip
