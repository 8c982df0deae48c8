"""Times to an event: survival curves, log-rank tests, restricted means."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_over_all_arms, method_per_contrast, unwrap
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Bools, Floats, Ints, NotEstimable
from analysis.estimators.numerics.linear import z_interval
from analysis.estimators.numerics.restricted_mean import Curve, kaplan_meier_curve, restricted_mean


def _times(trial: AnalysisRequest) -> Floats:
    if (trial.y < 0).any():
        raise AnalysisError.of(f"column {trial.outcome!r}", "holds negative times", "fix or drop those rows")
    return trial.y


@method_over_all_arms("event")
def logrank(trial: AnalysisRequest, rho: float = 0.0) -> Result:
    """Log-rank test over all arms; `rho` > 0 weighs early differences (Fleming-Harrington S(t-)^rho).

    Formula: sum over event times of observed less expected events per arm, with its hypergeometric covariance;
    chi-square with k-1 degrees of freedom. The estimate is null: a test has no effect size. `event` names the 0/1
    column (1 = seen); without it every time is an event. Missing data: refused. Strata: see `stratified_logrank`.
    Reference: Mantel (1966); Harrington & Fleming (1982), Biometrika 69:553-566.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = logrank(two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai")
        >>> round(row.statistic, 6), row.df, round(row.p_value, 6)
        (2.519175, 1.0, 0.112469)
    """
    return _logrank(trial, np.zeros(len(trial.data), dtype=np.int64), rho)


@method_over_all_arms("stratum event")
def stratified_logrank(trial: AnalysisRequest, rho: float = 0.0) -> Result:
    """Log-rank test within strata: scores and covariances summed over the strata.

    Formula: as `logrank` in each stratum of `stratum`, then added. Missing data: refused.
    Reference: Mantel (1966); Kalbfleisch & Prentice (2002), section 1.5.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = stratified_logrank(
        ...     two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai", stratum="stratum"
        ... )
        >>> round(row.statistic, 6), round(row.p_value, 6)
        (2.732339, 0.098335)
    """
    if not trial.strata:
        raise AnalysisError.of("stratum", "is not given", "name the strata's column, or use logrank")
    return _logrank(trial, trial.stratum_codes, rho)


def _logrank(trial: AnalysisRequest, strata: Ints, rho: float) -> Result:
    from statsmodels.duration.survfunc import survdiff  # takes a second to import

    labels = trial.unordered_labels if trial.arm is not None else trial.labels
    times, events, count = _times(trial), trial.events, len(labels)
    if not events.any():
        raise NotEstimable("no events: everyone is censored")
    early = {"weight_type": "fh", "fh_p": rho} if rho else {}
    try:
        chi2, _ = survdiff(times, events.astype(int), trial.codes, strata=strata, **early)
    except np.linalg.LinAlgError:
        raise NotEstimable("the events do not tell the arms apart: everyone at risk has theirs at one time") from None
    if not np.isfinite(chi2):
        raise NotEstimable("no events, or none while two arms were at risk")
    observed = np.bincount(trial.codes[events], minlength=count)
    # statsmodels gives the statistic alone. A sum of cumulative hazards over an arm's people is what the log-rank test
    # calls its expected events.
    expected = np.bincount(trial.codes, _hazards(times, events, strata), minlength=count)
    rows = list(zip(labels, observed, expected, strict=True))
    note = ", ".join(f"{label}: {int(o)} observed, {e:.12g} expected" for label, o, e in rows)
    return trial.estimate(
        contrast=(labels[1], labels[0]) if count == 2 else None, statistic=float(chi2), df=float(count - 1),
        p_value=float(stats.chi2.sf(chi2, count - 1)), note=note,
        detail={"observed": {label: int(o) for label, o, _ in rows}, "expected": {label: e for label, _, e in rows}},
    )  # fmt: skip


def _hazards(times: Floats, events: Bools, strata: Ints) -> Floats:
    """Each person's cumulative hazard at their own time, by Nelson and Aalen within strata: the events expected."""
    found = np.zeros(len(times))
    for code in np.unique(strata):
        rows = np.flatnonzero(strata == code)
        curve = kaplan_meier_curve(times[rows], events[rows])
        found[rows] = np.cumsum(curve.deaths / curve.at_risk)[np.searchsorted(curve.times, times[rows])]
    return found


@method_over_all_arms("event horizon", jackknife=True)
def kaplan_meier(trial: AnalysisRequest) -> Result:
    """Survival at the horizon, one row per arm (control first; `n` names the arm).

    Formula: product-limit estimate, Greenwood's standard error, log-log interval; effect size: the median with its
    log-log limits. Without `horizon`: the last time that every arm reaches. Beyond an arm's follow-up: null.
    Missing data: refused; `event` 0 = censored.
    Reference: Kaplan & Meier (1958), JASA 53:457-481; Borgan & Liestoel (1990) for the log-log interval.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> rows = kaplan_meier(two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai", horizon=30)
        >>> [(row.id, round(row.estimate, 6), round(row.ci_low, 6)) for row in rows]
        [('no_ai', 0.666667, 0.194617), ('ai', 0.166667, 0.007723)]
    """
    times = _times(trial)
    labels = trial.unordered_labels if trial.arm is not None else ("all",)
    codes = trial.codes if trial.arm is not None else np.zeros(len(times), dtype=np.int64)
    last = [float(times[codes == index].max()) for index in range(len(labels))]
    horizon = trial.horizon or min(last)
    return unwrap([
        _survival_row(trial, label, times[codes == index], trial.events[codes == index], horizon)
        for index, label in enumerate(labels)
    ])  # fmt: skip


def _survival_row(trial: AnalysisRequest, label: str, times: Floats, events: Bools, horizon: float) -> Estimate:
    curve = kaplan_meier_curve(times, events)
    place = int(np.searchsorted(curve.times, horizon, side="right")) - 1
    survival = 1.0 if place < 0 else float(curve.survival[place])
    greenwood = 0.0 if place < 0 else float(curve.greenwood[place])
    base = {"id": label, "n": {label: len(times)}, "unit": "probability", "effect_size": _median(curve, trial.level)}
    if horizon > times.max() and survival > 0:
        return trial.null(f"not estimable: follow-up of {label} ends at {times.max():g}", **base)
    note = f"survival of {label} at {horizon:g}"
    if survival in (0.0, 1.0):
        state = "everyone is still without the event" if survival else "everyone has had the event"
        error = 0.0 if survival else np.nan
        return trial.estimate(**base, estimate=survival, std_error=error, note=f"{note}; {state}, so no interval")
    low, high = (float(end[0]) for end in _log_log(np.array([survival]), np.array([greenwood]), trial.level))
    return trial.estimate(
        **base, estimate=survival, std_error=survival * np.sqrt(greenwood), ci_low=low, ci_high=high, note=note
    )


def _log_log(survival: Floats, greenwood: Floats, level: float) -> tuple[Floats, Floats]:
    reach = float(stats.norm.ppf(0.5 + level / 2)) * np.sqrt(greenwood) / np.log(survival)
    # On this scale limits stay within 0 and 1, and the normal approximation is better in small arms.
    centre = np.log(-np.log(survival))
    return np.exp(-np.exp(centre - reach)), np.exp(-np.exp(centre + reach))


def _median(curve: Curve, level: float) -> EffectSize:
    """First time at which the curve (its lower, its upper limit) is at most one half; halfway along a flat half."""
    inner = (curve.survival > 0) & (curve.survival < 1)
    limits = _log_log(curve.survival[inner], curve.greenwood[inner], level)
    return EffectSize("median", _crossing(curve), *(_first(curve.times[inner], values) for values in limits))


def _first(times: Floats, values: Floats) -> float | None:
    below = np.flatnonzero(values <= 0.5)
    return float(times[below[0]]) if len(below) else None


def _crossing(curve: Curve) -> float | None:
    # Products such as 0.8 * 0.625 miss one half in the last bit; R's survfit has a tolerance for the same reason.
    below = np.flatnonzero(curve.survival <= 0.5 + 1e-12)
    if not len(below):
        return None
    first = below[0]
    later = np.flatnonzero(curve.survival < 0.5 - 1e-12)
    if abs(curve.survival[first] - 0.5) < 1e-12 and len(later):
        return float((curve.times[first] + curve.times[later[0]]) / 2)
    return float(curve.times[first])


@dataclass(frozen=True)
class _Restricted:
    mean: float
    variance: float

    def limits(self, level: float) -> tuple[float, float] | tuple[None, None]:
        """Return the normal interval of the mean; none where nothing varies up to the horizon."""
        if not self.variance:
            return None, None
        reach = float(stats.norm.ppf(0.5 + level / 2) * np.sqrt(self.variance))
        return self.mean - reach, self.mean + reach


@method_per_contrast("event horizon", jackknife=True)
def rmst(pair: ArmContrast) -> Result:
    """Restricted mean survival time up to the horizon: difference, then ratio, two rows per treated arm.

    Formula: area under each Kaplan-Meier curve up to `horizon`; variance sum of (area beyond t)^2 d / (Y (Y - d)) by
    Greenwood; normal p and interval; the ratio on the log scale (its `std_error` is the log's). No proportional
    hazards needed. Without `horizon`: the smaller of the arms' longest times. Follow-up that ends before: null.
    Missing data: refused; `event` 0 = censored, no `event` = all seen.
    Detail: horizon, and of each arm mean, mean_std_error, mean_ci, time_lost.
    Reference: Royston & Parmar (2013), BMC Med. Res. Methodol. 13:152; Uno et al. (2014), as survRM2.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> gap, ratio = rmst(two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai", horizon=35)
        >>> round(gap.estimate, 6), round(gap.std_error, 6), round(ratio.estimate, 6)
        (-6.333333, 2.950204, 0.797872)
    """
    trial = pair.trial
    (times1, times0), (events1, events0) = pair.split(_times(trial)), pair.split(trial.events)
    horizon = trial.horizon or float(min(times1.max(), times0.max()))
    one = _Restricted(*restricted_mean(times1, events1, horizon))
    zero = _Restricted(*restricted_mean(times0, events0, horizon))
    note = (
        f"means up to {horizon:g}: {one.mean:.12g} (se {one.variance**0.5:.12g}) "
        f"and {zero.mean:.12g} (se {zero.variance**0.5:.12g})"
    )
    arms = dict(zip(pair.contrast, (one, zero), strict=True))
    detail = {
        "horizon": horizon,
        "mean": {label: arm.mean for label, arm in arms.items()},
        "mean_std_error": {label: arm.variance**0.5 for label, arm in arms.items()},
        "mean_ci": {label: list(arm.limits(pair.level)) for label, arm in arms.items()},
        "time_lost": {label: horizon - arm.mean for label, arm in arms.items()},
    }
    found = z_interval(one.mean - zero.mean, float(np.sqrt(one.variance + zero.variance)), pair.level)
    rows = [pair.estimate(**found, id="difference", note=note), _ratio(pair, one, zero, note, horizon)]
    return [replace(row, detail=detail) for row in rows]


@method_over_all_arms("event horizon", jackknife=True)
def rmst_by_arm(trial: AnalysisRequest) -> Result:
    """Restricted mean survival time up to the horizon, one row per arm (control first; `n` names the arm).

    Formula: area under the arm's Kaplan-Meier curve up to `horizon`, Greenwood's standard error, normal interval.
    Effect size: the mean time lost, horizon less mean. Without `horizon`: the last time that every arm reaches.
    Follow-up of an arm that ends before: null. Missing data: refused; `event` 0 = censored.
    Reference: Royston & Parmar (2013), BMC Med. Res. Methodol. 13:152; as survRM2.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> rows = rmst_by_arm(two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai", horizon=35)
        >>> [(row.id, round(row.estimate, 6)) for row in rows]
        [('no_ai', 31.333333), ('ai', 25.0)]
    """
    times, labels = _times(trial), trial.unordered_labels
    horizon = trial.horizon or float(min(times[trial.codes == index].max() for index in range(len(labels))))
    return unwrap([_mean_row(trial, times, index, label, horizon) for index, label in enumerate(labels)])


def _mean_row(trial: AnalysisRequest, times: Floats, index: int, label: str, horizon: float) -> Estimate:
    mine = trial.codes == index
    base = {"id": label, "n": {label: int(mine.sum())}, "detail": {"horizon": horizon}}
    try:
        found = _Restricted(*restricted_mean(times[mine], trial.events[mine], horizon))
    except NotEstimable as reason:
        return trial.null(f"not estimable: {reason}", **base)
    low, high = found.limits(trial.level)
    lost = EffectSize(
        "time_lost", horizon - found.mean, *(None if end is None else horizon - end for end in (high, low))
    )
    sure = "; no interval: nothing varies before it" if low is None else ""
    return trial.estimate(
        **base, estimate=found.mean, std_error=found.variance**0.5, ci_low=low, ci_high=high, effect_size=lost,
        note=f"mean of {label} up to {horizon:g}{sure}",
    )  # fmt: skip


def _ratio(pair: ArmContrast, one: _Restricted, zero: _Restricted, note: str, horizon: float) -> Estimate:
    # Delta method: the log of a mean has the variance of the mean over its square, and the arms are independent.
    error = float(np.sqrt(one.variance / one.mean**2 + zero.variance / zero.mean**2))
    log = z_interval(float(np.log(one.mean / zero.mean)), error, pair.level)
    low, high = (float(np.exp(float(log[key] or 0.0))) for key in ("ci_low", "ci_high"))
    lost1, lost0 = horizon - one.mean, horizon - zero.mean
    lost = None
    if lost1 > 0 and lost0 > 0:
        spread = float(np.sqrt(one.variance / lost1**2 + zero.variance / lost0**2))
        reach = float(stats.norm.ppf(0.5 + pair.level / 2)) * spread
        lost = EffectSize(
            "ratio_of_time_lost", *(float(lost1 / lost0 * np.exp(shift)) for shift in (0.0, -reach, reach))
        )
    return pair.estimate(
        **{**log, "estimate": one.mean / zero.mean, "ci_low": low, "ci_high": high},
        id="ratio", unit="ratio", effect_size=lost, note=f"{note}; standard error of the log ratio",
    )  # fmt: skip
