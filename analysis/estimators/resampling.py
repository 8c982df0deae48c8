"""Tests that rest on the randomisation itself: the scheme is run again, and the interval inverts the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from analysis.estimators.core.jackknife import about_clusters
from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.assignments import ReplicateAssignments, replicate
from analysis.estimators.numerics.cluster_covariance import ClusterRobust, few_clusters
from analysis.estimators.numerics.designs import additive, interacted
from analysis.estimators.numerics.linear import fit, independent_columns
from analysis.estimators.numerics.replicated_regression import Moments, Regression, Test, vcov_of_draws
from analysis.estimators.numerics.restricted_mean import replicated_difference
from analysis.estimators.outcomes.means import raw_effect
from study_app.domain.errors import present

ROUNDING = 1e-20
"""Share of the outcome's variance below which a squared standard error is rounding: the arms settle every outcome."""
SMALL_ARM = 5
"""Below this many people an arm does not estimate its own variance."""
_STATISTICS = ("lin", "ancova", "mean", "rmst")


@method_over_all_arms("covariates stratum cluster event horizon")
def rerandomization(
    trial: AnalysisRequest,
    scheme: Any = None,
    statistic: str = "lin",
    replicates: int = 9999,
    vcov: str | None = None,
    studentised: bool = True,
    alternative: str = "two-sided",
    arms: Sequence[Any] | None = None,
    interval: bool = True,
) -> Result:
    """Re-randomisation test of the treatment effect under the trial's own allocation scheme, with its interval.

    Formula: p = (1 + #{|t*| >= |t|}) / (R + 1) over R re-runs of the scheme, or exactly #/N where the whole
    reference set is enumerated; t is the estimate over its own standard error. `statistic`: "lin" (the difference of
    method `lin`, HC3: covariates centred and interacted with the arm, strata as main effects only), "ancova" (no
    interactions, HC2), "mean" (difference of means, Welch) or "rmst" (difference of mean min(T, horizon); Kaplan-Meier
    where someone is censored before the horizon, then with the asymptotic interval of method `rmst`). The interval
    holds every constant effect tau that the same test of y - tau treated does not reject. With fewer than five
    people in an arm the variance is pooled. With `studentised=False` it is, too, and of the statistic "mean" the
    difference itself is compared. `scheme`: None or {"method": "complete"} for fixed arm counts within strata,
    {"method": "simple"}, any design that `study_app.rerandomisation` replays, an array (replicates, rows) or a callable
    (replicates, rng) of arms (`arms` orders the indices). `alternative`: two-sided, greater, less.
    `cluster`: whole clusters are allocated again; the scheme, and arrays, may then be of clusters or of people; the
    standard error is that of `cluster_robust`.
    `interval=False` leaves out interval and effect size, for simulations.
    Missing data: refused. A replicate whose statistic does not exist counts as extreme. No seed means seed 0.
    Reference: Wu & Ding (2021), JASA 116:1898-1913; Gerber & Green (2012), ch. 3; Zhao & Ding (2021), J. Econometrics.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = rerandomization(two_arms(), outcome="score", arm="arm", control="no_ai", covariates=("warmup",))
        >>> round(row.p_value, 6), round(row.ci_low, 6), round(row.ci_high, 6)
        (0.002165, -4.58455, -3.831012)
    """
    return _test(trial, scheme, statistic, replicates, vcov, studentised, alternative, arms, interval)


@method_over_all_arms("covariates stratum cluster event horizon")
def permutation(
    trial: AnalysisRequest,
    statistic: str | None = None,
    replicates: int = 9999,
    scheme: Any = None,
    vcov: str | None = None,
    studentised: bool | None = None,
    alternative: str = "two-sided",
    arms: Sequence[Any] | None = None,
    interval: bool = True,
) -> Result:
    """Permutation test: arm labels are exchanged within strata, arm counts fixed; exact when there are few.

    Formula: as `rerandomization` with the scheme "complete". Without covariates the statistic is the plain
    difference of means, the classical test (two-sided p is the share of |difference| at least as large, not twice
    the smaller tail); with covariates the studentised Lin-adjusted difference. `statistic="lin"`, "mean" or "rmst"
    and `studentised` choose otherwise; `vcov` asks for the studentised. `cluster`: whole clusters are exchanged.
    Missing data: refused.
    Reference: Fisher (1935), The Design of Experiments; Gerber & Green (2012), Field Experiments, table 3.1.

    Example:
        >>> import pandas as pd
        >>> villages = pd.DataFrame({"Z": [1, 0, 0, 0, 0, 0, 1], "Y": [15, 15, 20, 20, 10, 15, 30]})
        >>> row = permutation(villages, outcome="Y", arm="Z", control=0)
        >>> round(row.p_value * 21)
        8
    """
    chosen = statistic or ("lin" if trial.covariates else "mean")
    own_variance = chosen != "mean" or vcov is not None if studentised is None else studentised
    return _test(trial, scheme, chosen, replicates, vcov, own_variance, alternative, arms, interval)


def _test(
    trial: AnalysisRequest,
    scheme: Any,
    statistic: str,
    replicates: int,
    vcov: str | None,
    studentised: bool,
    alternative: str,
    arms: Sequence[Any] | None,
    interval: bool,
) -> Result:
    _check_options(statistic, alternative, replicates, trial)
    pairs = trial.pairs()
    outcome = trial.y if statistic != "rmst" else np.minimum(trial.y, trial.horizon or np.inf)
    if np.ptp(outcome) == 0:
        raise NotEstimable(f"{trial.outcome!r} has the same value in every row")
    for pair in pairs:
        pair.varied_arms(least=1)
    if arms is not None and scheme is None:
        raise AnalysisError.of("arms", "are not used without a scheme", "leave them out, or give the scheme")
    drawn = replicate(trial, scheme, replicates, arms)
    trial.notes += few_clusters(trial) if trial.cluster else []
    # Without censoring before the horizon the restricted mean is a mean of min(T, horizon), and the test is exact.
    early = ~trial.events & (trial.y < (trial.horizon or np.inf))
    if statistic == "rmst" and early.any():
        if vcov or not studentised:
            what = "is not used: times are censored before the horizon, and Greenwood's variance is that of the test"
            raise AnalysisError.of("vcov" if vcov else "studentised", what, "leave it out")
        return unwrap([_censored_row(trial, pair, drawn, alternative, interval) for pair in pairs])
    if vcov and not studentised:
        used = "the difference itself is compared" if statistic == "mean" else "the variance is pooled"
        what = f"is not used: with studentised=False {used}"
        raise AnalysisError.of("vcov", what, "leave it out, or add studentised=True")
    kind = variance_of(trial, statistic, vcov, studentised)
    model = _model(trial, outcome, statistic, kind)
    plain = statistic == "mean" and not studentised
    return unwrap([_test_row(trial, pair, model, drawn, alternative, interval, plain=plain) for pair in pairs])


def _check_options(statistic: str, alternative: str, replicates: int, trial: AnalysisRequest) -> None:
    if statistic not in _STATISTICS:
        raise AnalysisError.of("statistic", f"{statistic!r} is not known", f"use one of {', '.join(_STATISTICS)}")
    if alternative not in ("two-sided", "greater", "less"):
        raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")
    if replicates < 1:
        raise AnalysisError.of("replicates", f"{replicates} is not a positive count", "ask for 9999, say")
    if statistic == "rmst" and trial.horizon is None:
        raise AnalysisError.of("horizon", "is not given", "a restricted mean needs its horizon, e.g. the cap of 35")

    if statistic != "rmst":
        for key, value in (("event", trial.event), ("horizon", trial.horizon)):
            if value is not None:
                remedy = "leave it out, or use statistic='rmst'"
                raise AnalysisError.of(key, f"is not used by the statistic {statistic!r}", remedy)
    if statistic in ("mean", "rmst") and trial.covariates:
        raise AnalysisError.of("covariates", f"are not used by the statistic {statistic!r}", "use 'lin' or 'ancova'")


def variance_of(trial: AnalysisRequest, statistic: str, vcov: str | None, studentised: bool) -> str:
    """Return the variance by which the statistic is studentised: classical, HC0, HC2 or HC3."""
    # HC2 and HC3 of two or three people are so unstable that the studentised statistic loses power; the test stays
    # exact with any variance, since its reference set uses the same one.
    if not studentised or min(trial.counts.values()) < SMALL_ARM:
        return "classical"
    return vcov_of_draws(vcov) if vcov else ("HC3" if statistic == "lin" else "HC2")


def _model(trial: AnalysisRequest, outcome: Floats, statistic: str, vcov: str) -> Regression:
    ones = np.ones((len(outcome), 1))
    if statistic not in ("lin", "ancova"):
        return Regression(outcome, ones, 1, vcov)
    # Centred once over everybody, not in each replicate's arms: covariates are fixed under re-randomisation, and the
    # coefficient of the arm stays the average effect (Lin 2013).
    x = trial.x[0] - trial.x[0].mean(axis=0)
    x = x[:, [i - 1 for i in independent_columns(np.column_stack([ones, x])) if i > 0]]
    fixed = np.column_stack([ones, x, trial.stratum_columns[0]])
    return Regression(outcome, fixed[:, independent_columns(fixed)], 1 + x.shape[1] * (statistic == "lin"), vcov)


def _test_row(
    trial: AnalysisRequest,
    pair: ArmContrast,
    model: Regression,
    drawn: ReplicateAssignments,
    alternative: str,
    interval: bool,
    *,
    plain: bool,
) -> Estimate:
    shift = (trial.codes == pair.index).astype(np.float64) if interval else None
    arms = len(trial.labels)
    observed, others = model.moments(trial.codes, drawn.codes, pair.index, arms, shift)
    if np.isnan(observed.yy[0]):
        raise NotEstimable("the statistic does not exist for the observed assignment; use fewer covariates")
    spread = float(trial.y.var())
    own = bool(observed.yy[0] > ROUNDING * spread)
    # With no variance within arms only the difference itself can be compared, over any constant.
    if not own:
        observed = observed.unstudentised(spread)
    # Of clusters of several sizes, or several arms, the pooled variance changes from one assignment to the next.
    compared = (
        (observed, others) if own and not plain else (observed.unstudentised(spread), others.unstudentised(spread))
    )
    test = Test(*compared, drawn.exact, alternative, drawn.weights)
    low, high = test.interval(trial.level) if interval else (np.nan, np.nan)
    by = "of the difference itself" if plain else f"{model.vcov} variance"
    note = _note(test, drawn, by, alternative, interval and not np.isfinite([low, high]).all(), 1 - trial.level)
    error, df = None, None
    if own and trial.cluster is None:
        error = float(np.sqrt(observed.yy[0]))
        df = float(len(trial.y) - model.fixed.shape[1] - model.interacted * (arms - 1))
    elif own:
        error, df = _error_over_clusters(trial, pair, model)
    return pair.estimate(
        estimate=float(observed.a[0]),
        std_error=error,
        df=df,
        statistic=float(observed.studentised()[0]) if own else None,
        p_value=test.p_value(),
        detail=_detail(trial, test, drawn),
        ci_low=low,
        ci_high=high,
        effect_size=raw_effect(pair, float(observed.a[0])) if interval else None,
        note=note if own else f"{note}; nothing varies within the arms, so the test is of the difference itself",
    )


def _error_over_clusters(
    trial: AnalysisRequest, pair: ArmContrast, model: Regression
) -> tuple[float | None, float | None]:
    """CR2 standard error and Satterthwaite's degrees of freedom of the same model; None where they do not exist."""
    design = interacted(trial) if model.interacted > 1 else additive(trial, covariates=model.fixed.shape[1] > 1)
    try:
        fitted = fit(design.columns, model.y).with_residuals()
        robust = ClusterRobust.of(trial, fitted, None)
        place = design.treated[pair.index - 1]
        return float(np.sqrt(robust.covariance[place, place])), robust.df_of(place)
    except (NotEstimable, np.linalg.LinAlgError, ArithmeticError):
        return None, None


def _detail(trial: AnalysisRequest, test: Test, drawn: ReplicateAssignments) -> dict[str, Any]:
    found = {"assignments": len(drawn.codes), "exact": drawn.exact, "undefined": test.undefined, "scheme": drawn.how}
    if trial.cluster is None:
        return found
    return {**found, **about_clusters(trial)}


def _note(test: Test, drawn: ReplicateAssignments, by: str, alternative: str, open_ended: bool, alpha: float) -> str:
    count = len(drawn.codes)
    parts = [f"{drawn.how}: {'all ' if drawn.exact else ''}{count} assignments, {by}"]
    if alternative != "two-sided":
        parts.append(f"one-sided ({alternative})")
    if test.undefined:
        parts.append(f"{test.undefined} replicates without a statistic, counted as extreme")
    if open_ended and alternative == "two-sided":
        # Replicates that count as extreme whatever the effect keep every p above their share.
        why = (
            f"{test.undefined / count:.0%} of the replicates have no statistic, so that no effect is excluded"
            if test.undefined > alpha * count
            else "too few assignments to exclude any effect"
        )
        parts.append(f"{why}, so no limit on that side")
    return "; ".join(parts)


def _censored_row(
    trial: AnalysisRequest, pair: ArmContrast, drawn: ReplicateAssignments, alternative: str, interval: bool
) -> Estimate:
    """Restricted means by Kaplan-Meier in every replicate, for ends not seen before the horizon.

    A shift of censored times is not defined, so the interval is the asymptotic one of `rmst` in place of an inversion.
    """
    horizon = present(trial.horizon, "the horizon")

    def moments(codes: Any) -> Moments:
        a, variance = replicated_difference(trial.y, trial.events, codes, pair.index, horizon)
        nothing = np.zeros(len(a))
        return Moments(a, nothing, variance, nothing, nothing)

    observed = moments(trial.codes.astype(np.int8)[None, :])
    if not np.isfinite(observed.studentised()[0]):
        raise NotEstimable("the restricted means have no standard error, or follow-up ends before the horizon")
    test = Test(observed, moments(drawn.codes), drawn.exact, alternative, drawn.weights)
    estimate, error = float(observed.a[0]), float(np.sqrt(observed.yy[0]))
    # Greenwood's variance takes people as independent, so that clusters have no interval.
    limits = _asymptotic(estimate, error, pair.level, alternative) if interval and not trial.cluster else {}
    named = "; interval asymptotic (normal, Greenwood's variance) as by method rmst, for times are right-censored"
    named = named if limits else "; no interval: a shift of censored times is not defined" if interval else ""
    return pair.estimate(
        estimate=estimate,
        std_error=error,
        statistic=float(observed.studentised()[0]),
        p_value=test.p_value(),
        **limits,
        detail=_detail(trial, test, drawn),
        note=_note(test, drawn, "Greenwood variance", alternative, False, 1 - pair.level) + named,
    )


def _asymptotic(estimate: float, error: float, level: float, alternative: str) -> dict[str, float]:
    """Return normal limits; of a one-sided alternative only the one that it asks about."""
    reach = error * float(stats.norm.ppf(0.5 + level / 2 if alternative == "two-sided" else level))
    limits = {"ci_low": estimate - reach, "ci_high": estimate + reach}
    kept = {"greater": ("ci_low",), "less": ("ci_high",)}.get(alternative, ("ci_low", "ci_high"))
    return {name: limits[name] for name in kept}
