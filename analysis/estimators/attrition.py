"""Missing outcomes: how far they could move the effect.

Written here because no library kept up has Lee's bounds with Imbens and Manski's interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import optimize, stats

from analysis.estimators.core.effect_sizes import variance
from analysis.estimators.core.jackknife import about_clusters, leave_one_out_errors
from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Bools, Floats, NotEstimable, groups, is_numeric, numbers
from analysis.estimators.numerics.cluster_covariance import few_clusters

MANY = 5
"""Levels beyond which a numeric covariate is cut at its median to form cells."""


@method_per_contrast("covariates stratum cluster")
def lee_bounds(pair: ArmContrast, trim: str = "floor") -> Result:
    """Bounds of the effect among those who stay whatever their arm; a missing outcome is attrition.

    Formula: the arm with the higher retention is trimmed by the share q = (r_high - r_low) / r_high from above and
    from below; bounds in `ci_low`, `ci_high`. `trim="floor"` drops whole observations, floor(q n); "fractional" gives
    the boundary observation its remaining weight. Effect size: Imbens-Manski interval of the effect at the level.
    With `covariates` (numeric ones cut at their median) or `stratum`, trimming is within their levels and the bounds
    are averaged over those who stay. `cluster`: standard errors from leaving out one cluster at a time.
    Rests on: allocation moves retention in one direction only (in each level).
    Detail: naive, retention, retention_p, trimmed, cells, imbens_manski, std_errors.
    Reference: Lee (2009), Rev. Econ. Stud. 76:1071-1102; Imbens & Manski (2004), Econometrica 72:1845-1857.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms()
        >>> table.loc[[6, 7], "score"] = None
        >>> row = lee_bounds(table, outcome="score", arm="arm", control="no_ai")
        >>> round(row.ci_low, 6), round(row.ci_high, 6)
        (-7.0, -4.25)
    """
    if trim not in ("floor", "fractional"):
        raise AnalysisError.of("trim", f"{trim!r} is not known", "use floor or fractional")
    values = pair.trial.y_with_gaps
    whole = _Trimming.of(pair, values, np.ones(len(values), dtype=bool), trim == "fractional")
    cells = _cells(pair, values, trim == "fractional")
    weights, lower, upper = _averaged(cells)
    errors, about = _errors(pair, cells, weights, (lower, upper), trim)
    effect = _imbens_manski(lower, upper, errors[0], errors[1], pair.level)
    reach = f"Imbens-Manski interval [{effect.ci_low:.6g}, {effect.ci_high:.6g}]" if effect else "no interval"
    tightened = f"; tightened over {len(cells)} cells of {', '.join(_by(pair))}" if _by(pair) else ""
    return pair.estimate(
        ci_low=lower, ci_high=upper, n=dict(zip(pair.contrast, whole.observed, strict=True)),
        effect_size=effect, note=f"{whole.described(pair)}; {reach}{tightened}",
        detail={
            "naive": whole.naive, "retention": dict(zip(pair.contrast, whole.retention, strict=True)),
            "retention_p": whole.retention_p, "trimmed": float(whole.q), "cells": len(cells),
            "imbens_manski": [effect.ci_low, effect.ci_high] if effect else None,
            "std_errors": errors if np.isfinite(errors).all() else None, **about,
        },
    )  # fmt: skip


def _averaged(cells: Sequence[_Trimming]) -> tuple[Floats, float, float]:
    """Weights of the cells, and the bounds averaged by them."""
    # Bounds within cells, averaged over the people who stay in either arm, are in expectation no wider than those of
    # the whole (Lee 2009, on covariates); weights by all people would average over another population.
    weights = np.asarray([cell.always_observed for cell in cells])
    weights = weights / weights.sum()
    return weights, *(float(weights @ [getattr(cell, end) for cell in cells]) for end in ("lower", "upper"))


def _errors(
    pair: ArmContrast, cells: Sequence[_Trimming], weights: Floats, bounds: tuple[float, float], trim: str
) -> tuple[list[float], dict[str, Any]]:
    """Return standard errors of the two bounds, and what is known of clusters."""
    if pair.trial.cluster is None:
        # The cells hold different people, so their bounds are independent and variances add; the weights are taken as
        # fixed.
        return [float(np.sqrt(weights**2 @ np.square([cell.errors[end] for cell in cells]))) for end in (0, 1)], {}

    def figures(part: AnalysisRequest) -> tuple[float, float]:
        again = ArmContrast(part, part.labels.index(pair.contrast[0]))
        return _averaged(_cells(again, part.y_with_gaps, trim == "fractional"))[1:]

    pair.trial.notes[:] = few_clusters(pair.trial)
    about = about_clusters(pair.trial)
    try:
        return leave_one_out_errors(pair.trial, figures, np.asarray(bounds)).tolist(), about
    except NotEstimable as reason:
        # The bounds themselves need no error: a cell that rests on one cluster costs the interval, not the row.
        pair.trial.notes.append(str(reason))
        return [np.nan, np.nan], about


def _by(pair: ArmContrast) -> tuple[str, ...]:
    return (*pair.trial.covariates, *pair.trial.strata)


def _cells(pair: ArmContrast, values: Floats, fractional: bool) -> list[_Trimming]:
    """Trimming within each combination of the covariates' and strata's levels."""
    if not _by(pair):
        return [_Trimming.of(pair, values, np.ones(len(values), dtype=bool), fractional)]
    data = pair.trial.data.copy()
    for name in pair.trial.covariates:
        if is_numeric(data[name]) and data[name].nunique() > MANY:
            cells = numbers(data, name)
            data[name] = np.where(cells > np.median(cells), "above the median", "up to the median")
    codes, labels = groups(data, _by(pair))
    found = []
    for code, label in enumerate(labels):
        if not (codes[pair.rows] == code).any():
            continue
        try:
            found.append(_Trimming.of(pair, values, codes == code, fractional))
        except NotEstimable:
            what = f"level {label!r} has no observed outcome in an arm"
            raise AnalysisError.of(", ".join(_by(pair)), what, "use coarser covariates") from None
    return found


@dataclass(frozen=True)
class _Trimming:
    """Lee's bounds of one cell."""

    observed: tuple[int, int]
    """Treated, control."""
    retention: tuple[float, float]
    retention_p: float
    naive: float
    q: Fraction
    first: bool
    """Whether the treated are trimmed."""
    lower: float
    upper: float
    errors: tuple[float, float]
    always_observed: float
    """People who stay in either arm, by the lower retention."""

    @classmethod
    def of(cls, pair: ArmContrast, values: Floats, cell: Bools, fractional: bool) -> _Trimming:
        """Of the rows of a cell; NotEstimable where an arm has no observed outcome."""
        # Infinity marks people of other cells, NaN a missing outcome: the arms' split must keep the two apart, for the
        # retention counts the missing.
        treated, control = pair.split(np.where(cell, values, np.inf))
        treated, control = treated[~np.isinf(treated)], control[~np.isinf(control)]
        one, zero = np.sort(treated[~np.isnan(treated)]), np.sort(control[~np.isnan(control)])
        if not (len(one) and len(zero)):
            raise NotEstimable("an arm has no observed outcome")
        # Fractions: retentions of 3/5 and 2/5 trim one of three, but in floats (1 - 0.4 / 0.6) * 3 is just below 1.
        keep1, keep0 = Fraction(len(one), len(treated)), Fraction(len(zero), len(control))
        q, first = 1 - min(keep1, keep0) / max(keep1, keep0), keep1 >= keep0
        low, high = trimmed_means(one if first else zero, q, fractional)
        ends = (low - zero.mean(), high - zero.mean()) if first else (one.mean() - high, one.mean() - low)
        sizes = ((keep1, len(treated)), (keep0, len(control)))
        # Variance of the log of the retentions' ratio by the delta method: the trimmed share is estimated, too.
        log_spread = sum(float((1 - keep) / (keep * size)) for keep, size in sizes)
        table = [[len(one), len(treated) - len(one)], [len(zero), len(control) - len(zero)]]
        return cls(
            (len(one), len(zero)), (float(keep1), float(keep0)), float(stats.fisher_exact(table)[1]),
            float(one.mean() - zero.mean()), q, first, float(ends[0]), float(ends[1]),
            _bound_errors(one, zero, q, first, log_spread),
            float(min(keep1, keep0)) * (len(treated) + len(control)),
        )  # fmt: skip

    def described(self, pair: ArmContrast) -> str:
        """Return what was trimmed."""
        label = pair.contrast[0 if self.first else 1]
        return (
            f"naive difference {self.naive:.12g}; retention {self.retention[0]:.6g} and {self.retention[1]:.6g}"
            f" (Fisher p {self.retention_p:.6g}); {float(self.q):.6g} of {label} trimmed"
        )


def trimmed_means(values: Floats, q: Fraction, fractional: bool) -> tuple[float, float]:
    """Mean without the share q at the top, and without it at the bottom; `values` sorted.

    >>> trimmed_means(np.arange(10.0, 28.0), Fraction(1, 9), False)
    (17.5, 19.5)
    """
    exact = q * len(values)
    count = int(exact)
    part = float(exact - count) if fractional else 0.0
    weights = np.ones(len(values))
    weights[:count] = 0.0
    if part and count < len(values):
        weights[count] -= part
    if not weights.any():
        raise NotEstimable("trimming leaves no participants")
    return float(np.average(values, weights=weights[::-1])), float(np.average(values, weights=weights))


def _bound_errors(one: Floats, zero: Floats, q: Fraction, first: bool, log_spread: float) -> tuple[float, float]:
    """Return standard errors of the bounds (Lee 2009, prop. 3).

    Of the trimmed mean, its cut, the estimated share and the other arm.
    """
    trimmed, whole_arm = (one, zero) if first else (zero, one)
    count = int(q * len(trimmed))
    parts = [trimmed[: len(trimmed) - count], trimmed[count:]]
    other = variance(whole_arm) / len(whole_arm) if len(whole_arm) > 1 else np.nan
    share = float(q)
    errors = []
    for part, edge in zip(parts, (parts[0][-1], parts[1][0]), strict=True):
        own = variance(part) / len(part) if len(part) > 1 else np.nan
        # What is trimmed depends on a cut that is a quantile of the same data; the further the mean from the cut, the
        # more an error of the cut moves it.
        own += (part.mean() - edge) ** 2 * (share / len(part) + (log_spread if share else 0.0))
        # The other arm is untrimmed and independent, so that the variance of its mean is simply added.
        errors.append(float(np.sqrt(own + other)))
    return (errors[0], errors[1]) if first else (errors[1], errors[0])


def _imbens_manski(lower: float, upper: float, low_error: float, high_error: float, level: float) -> EffectSize | None:
    """Interval that covers the effect (not the whole set) with the level."""
    if not (np.isfinite([low_error, high_error]).all() and max(low_error, high_error) > 0):
        return None
    # Wide bounds leave the effect near one end only, so that a one-sided quantile is enough; where they meet, the
    # two-sided one is needed. The root goes from one to the other without a step.
    width = (upper - lower) / max(low_error, high_error)

    def over(cut: float) -> float:
        return float(stats.norm.cdf(cut + width) - stats.norm.cdf(-cut) - level)

    # Under a level of one half, wide bounds themselves hold the effect more often than that.
    cut = optimize.brentq(over, 0 if over(0) <= 0 else -width / 2, 10)
    return EffectSize("imbens_manski_interval", None, float(lower - cut * low_error), float(upper + cut * high_error))


@method_per_contrast()
def worst_case(
    pair: ArmContrast,
    bounds: Sequence[float] | None = None,
    outcome_min: float | None = None,
    outcome_max: float | None = None,
) -> Result:
    """Bounds of the mean difference with every missing outcome at its worst and at its best.

    Formula: missing treated at the minimum and missing controls at the maximum for `ci_low`, the reverse for
    `ci_high`. `bounds=(lowest, highest)` of the scale (or `outcome_min`, `outcome_max`); else the observed range.
    Reference: Horowitz & Manski (2000), JASA 95:77-84.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms()
        >>> table.loc[[6, 7], "score"] = None
        >>> row = worst_case(table, outcome="score", arm="arm", control="no_ai", bounds=(0, 27))
        >>> round(row.ci_low, 6), round(row.ci_high, 6)
        (-8.666667, 0.333333)
    """
    values = pair.trial.y_with_gaps
    seen = values[~np.isnan(values)]
    if not len(seen):
        raise NotEstimable("no outcome is observed")
    given = [outcome_min, outcome_max] if bounds is None else list(bounds)
    if bounds is not None and (outcome_min is not None or outcome_max is not None):
        raise AnalysisError.of("bounds", "are given beside outcome_min or outcome_max", "give one of the two")
    if len(given) != 2:
        raise AnalysisError.of("bounds", f"{bounds!r} are not two ends", "give (lowest, highest)")
    lowest = float(seen.min() if given[0] is None else given[0])
    highest = float(seen.max() if given[1] is None else given[1])
    # Bounds inside the data would claim less than is known, and the interval would no longer hold every possible
    # effect.
    if lowest > seen.min() or highest < seen.max():
        raise AnalysisError.of("bounds", f"({lowest:g}, {highest:g}) exclude observed values", "give the scale's ends")
    treated, control = pair.split(values)

    def mean(cells: Floats, filled: float) -> float:
        return float(np.where(np.isnan(cells), filled, cells).mean())

    missing = int(np.isnan(treated).sum()), int(np.isnan(control).sum())
    whose = "the scale's" if given[0] is not None or given[1] is not None else "the observed"
    return pair.estimate(
        ci_low=mean(treated, lowest) - mean(control, highest),
        ci_high=mean(treated, highest) - mean(control, lowest),
        note=f"{missing[0]} and {missing[1]} outcomes missing, set to {whose} ends {lowest:g} and {highest:g}",
    )
