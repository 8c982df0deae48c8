"""Yes/no outcomes: risk difference, odds ratio, odds ratio over strata."""

from __future__ import annotations

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import ArmContrast
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, installed


def _counts(pair: ArmContrast) -> tuple[int, int, int, int]:
    """Yes and total of the treated, yes and total of the control."""
    treated, control = pair.split(pair.trial.binary())
    return int(treated.sum()), len(treated), int(control.sum()), len(control)


def wilson(yes: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of one proportion (Wilson 1927), by statsmodels.

    >>> tuple(round(limit, 12) for limit in wilson(22, 26))
    (0.664688006718, 0.938499662764)
    """
    with installed("Wilson's interval"):
        from statsmodels.stats.proportion import proportion_confint  # takes a second to import

    low, high = proportion_confint(yes, total, 1 - level, "wilson")
    # The score limit is exactly 0 or 1 there; the closed form misses it by rounding.
    return 0.0 if yes == 0 else float(low), 1.0 if yes == total else float(high)


@method_per_contrast(jackknife=True)
def newcombe(pair: ArmContrast) -> Result:
    """Risk difference with Newcombe's hybrid score interval (no continuity correction).

    Formula: d = p1 - p0; limits d - sqrt((p1-l1)^2 + (u0-p0)^2) and d + sqrt((u1-p1)^2 + (p0-l0)^2) with Wilson's
    limits l, u; p-value of the pooled score z test. Effect size: risk ratio with its log-scale interval.
    Missing data: refused. Detail: yes, risk and risk_ci of each arm.
    Reference: Newcombe (1998), Stat. Med. 17:873-890, method 10.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = newcombe(two_arms(), outcome="done", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.ci_low, 6), round(row.ci_high, 6)
        (0.333333, -0.171704, 0.674283)
    """
    from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

    a, m, b, n = _counts(pair)
    p, q = a / m, b / n
    varies = 0 < a + b < m + n
    z, p_value = proportions_ztest([a, b], [m, n]) if varies else (np.nan, np.nan)
    low, high = confint_proportions_2indep(a, m, b, n, "newcomb", "diff", 1 - pair.level)
    (l1, u1), (l0, u0) = wilson(a, m, pair.level), wilson(b, n, pair.level)
    note = f"risks {p:.6g} [{l1:.6g}, {u1:.6g}] and {q:.6g} [{l0:.6g}, {u0:.6g}] (Wilson); p of the pooled score test"
    return pair.estimate(
        estimate=p - q, std_error=float(np.sqrt(p * (1 - p) / m + q * (1 - q) / n)), statistic=z, p_value=p_value,
        ci_low=low, ci_high=high, effect_size=_risk_ratio(a, m, b, n, pair.level),
        note=note if varies else f"{note}; everyone has the same value: no test, and no interval of the log ratio",
        detail={"yes": {pair.contrast[0]: a, pair.contrast[1]: b}, "risk": {pair.contrast[0]: p, pair.contrast[1]: q},
                "risk_ci": {pair.contrast[0]: [l1, u1], pair.contrast[1]: [l0, u0]}},
    )  # fmt: skip


def _risk_ratio(a: int, m: int, b: int, n: int, level: float) -> EffectSize:
    from statsmodels.stats.proportion import confint_proportions_2indep

    if not a or not b:
        return EffectSize("risk_ratio", a / m / (b / n) if b else None)
    if a == m and b == n:
        return EffectSize("risk_ratio", 1.0)
    low, high = confint_proportions_2indep(a, m, b, n, "log", "ratio", 1 - level)
    return EffectSize("risk_ratio", a / m / (b / n), float(low), float(high))


@method_per_contrast()
def fisher(pair: ArmContrast, alternative: str = "two-sided") -> Result:
    """Fisher's exact test; the estimate is the log of the conditional odds ratio.

    Formula: hypergeometric given both margins; two-sided p sums the tables no likelier than the observed one; the
    odds ratio is the conditional maximum-likelihood one, its interval exact (as R's fisher.test). An infinite or
    zero odds ratio leaves the estimate empty and keeps the finite limit. `alternative`: two-sided, greater, less.
    Missing data: refused.
    Reference: Fisher (1935), JRSS 98:39-54; Cornfield (1956).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = fisher(two_arms(), outcome="done", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.p_value, 6)
        (1.468122, 0.545455)
    """
    if alternative not in ("two-sided", "greater", "less"):
        raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")
    a, m, b, n = _counts(pair)
    if not 0 < a + b < m + n:
        raise NotEstimable(f"{pair.trial.outcome!r} has the same value in every row")
    table = [[a, m - a], [b, n - b]]
    found = stats.contingency.odds_ratio(table, kind="conditional")
    limits = found.confidence_interval(pair.level, alternative)
    ratio, low, high = float(found.statistic), float(limits.low), float(limits.high)
    logs = [float(np.log(value)) for value in (ratio, low, high)]
    open_ended = "" if np.isfinite(logs[0]) else f"; the odds ratio is {'infinite' if logs[0] > 0 else 'zero'}"
    return pair.estimate(
        estimate=logs[0], p_value=float(stats.fisher_exact(table, alternative).pvalue), ci_low=logs[1], ci_high=logs[2],
        effect_size=EffectSize("odds_ratio", ratio, low, high),
        note="exact, conditional odds ratio" + open_ended,
        detail={"yes": {pair.contrast[0]: a, pair.contrast[1]: b}},
    )  # fmt: skip


@method_per_contrast("stratum", jackknife=True)
def cmh(pair: ArmContrast, correction: bool = False) -> Result:
    """Cochran-Mantel-Haenszel test over strata; the estimate is the common odds ratio.

    Formula: OR = sum(a d / N) / sum(b c / N); chi-square (sum a - E a)^2 / sum Var a with one degree of freedom,
    less 1/2 with `correction=True`; interval and `std_error` (of the log) by Robins, Breslow & Greenland.
    Effect size: the log odds ratio. Strata with one arm only carry no information. Missing data: refused.
    Reference: Mantel & Haenszel (1959); Robins, Breslow & Greenland (1986), Biometrics 42:311-323.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = cmh(two_arms(), outcome="done", arm="arm", control="no_ai", stratum="stratum")
        >>> round(row.estimate, 6), round(row.statistic, 6), round(row.p_value, 6)
        (7.0, 1.428571, 0.231998)
    """
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = _tables(pair)
    # A stratum with one arm, or in which all answer alike, says nothing of the odds ratio; one of a single person would
    # make the variance 0/0.
    both = [t for t in tables if t.sum(axis=0).all() and t.sum(axis=1).all()]
    if not both:
        raise NotEstimable("no stratum holds both arms and both answers")
    found = StratifiedTable(both)
    test = found.test_null_odds(correction=correction)
    ratio, log_ratio = float(found.oddsratio_pooled), float(found.logodds_pooled)
    error = float(found.logodds_pooled_se) if 0 < ratio < np.inf else np.nan
    reach = float(stats.norm.ppf(0.5 + pair.level / 2)) * error
    return pair.estimate(
        estimate=ratio, unit="odds ratio", std_error=error, df=1.0, statistic=float(test.statistic),
        p_value=float(test.pvalue), ci_low=float(np.exp(log_ratio - reach)), ci_high=float(np.exp(log_ratio + reach)),
        effect_size=EffectSize("log_odds_ratio", log_ratio, log_ratio - reach, log_ratio + reach),
        note=f"{len(tables)} strata; standard error of the log odds ratio",
        detail={"strata": len(tables), "informative_strata": len(both)},
    )  # fmt: skip


def _tables(pair: ArmContrast) -> list[Floats]:
    """Of each stratum with people: [[treated yes, treated no], [control yes, control no]]."""
    trial = pair.trial
    yes, codes = trial.binary()[pair.rows], trial.stratum_codes[pair.rows]
    row = np.where(pair.treated, 0, 1) * 2 + (yes == 0)
    count = int(trial.stratum_codes.max()) + 1
    cells = np.bincount(codes * 4 + row, minlength=4 * count).reshape(count, 2, 2).astype(np.float64)
    return [table for table in cells if table.sum()]
