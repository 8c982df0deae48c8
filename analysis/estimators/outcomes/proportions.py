"""Yes/no outcomes: risk difference, odds ratio, odds ratio over strata."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

from analysis.estimators.core.registry import Result, pairwise
from analysis.estimators.core.request import Pair
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable


def _counts(pair: Pair) -> tuple[int, int, int, int]:
    """Yes and total of the treated, yes and total of the control."""
    treated, control = pair.split(pair.trial.binary())
    return int(treated.sum()), len(treated), int(control.sum()), len(control)


def wilson(yes: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of one proportion (Wilson 1927).

    >>> tuple(round(limit, 12) for limit in wilson(22, 26))
    (0.664688006718, 0.938499662764)
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = yes / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    low = 0.0 if yes == 0 else float(middle - half)
    return low, 1.0 if yes == total else float(middle + half)


@pairwise
def newcombe(pair: Pair) -> Result:
    """Risk difference with Newcombe's hybrid score interval (no continuity correction).

    Formula: d = p1 - p0; limits d - sqrt((p1-l1)^2 + (u0-p0)^2) and d + sqrt((u1-p1)^2 + (p0-l0)^2) with Wilson's
    limits l, u; p-value of the pooled score z test. Effect size: risk ratio with its log-scale interval.
    Missing data: refused. Covariates and strata are not used.
    Reference: Newcombe (1998), Stat. Med. 17:873-890, method 10.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = newcombe(two_arms(), outcome="done", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.ci_low, 6), round(row.ci_high, 6)
        (0.333333, -0.171704, 0.674283)
    """
    a, m, b, n = _counts(pair)
    p, q, pooled = a / m, b / n, (a + b) / (m + n)
    (l1, u1), (l0, u0) = wilson(a, m, pair.level), wilson(b, n, pair.level)
    error = np.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n))
    z = (p - q) / error if error > 0 else np.nan
    note = f"risks {p:.6g} [{l1:.6g}, {u1:.6g}] and {q:.6g} [{l0:.6g}, {u0:.6g}] (Wilson); p of the pooled score test"
    return pair.estimate(
        estimate=p - q, std_error=float(np.sqrt(p * (1 - p) / m + q * (1 - q) / n)), statistic=z,
        p_value=float(2 * stats.norm.sf(abs(z))),
        ci_low=p - q - np.sqrt((p - l1) ** 2 + (u0 - q) ** 2), ci_high=p - q + np.sqrt((u1 - p) ** 2 + (q - l0) ** 2),
        effect_size=_risk_ratio(a, m, b, n, pair.level),
        note=note if error > 0 else f"{note}; everyone has the same value: no test, and no interval of a ratio",
    )  # fmt: skip


def _risk_ratio(a: int, m: int, b: int, n: int, level: float) -> EffectSize:
    if not a or not b:
        return EffectSize("risk_ratio", a / m / (b / n) if b else None)
    error = np.sqrt(1 / a - 1 / m + 1 / b - 1 / n)
    if error == 0:
        return EffectSize("risk_ratio", 1.0)
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    log_ratio = np.log(a / m) - np.log(b / n)
    return EffectSize("risk_ratio", *(float(np.exp(log_ratio + shift)) for shift in (0.0, -reach, reach)))


@pairwise
def fisher(pair: Pair, alternative: str = "two-sided") -> Result:
    """Fisher's exact test; the estimate is the log of the conditional odds ratio.

    Formula: hypergeometric given both margins; two-sided p sums the tables no likelier than the observed one; the
    odds ratio is the conditional maximum-likelihood one, its interval exact (as R's fisher.test). An infinite or
    zero odds ratio leaves the estimate empty and keeps the finite limit. `alternative`: two-sided, greater, less.
    Missing data: refused. Covariates and strata are not used.
    Reference: Fisher (1935), JRSS 98:39-54; Cornfield (1956).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = fisher(two_arms(), outcome="done", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.p_value, 6)
        (1.468122, 0.545455)
    """
    a, m, b, n = _counts(pair)
    table = Table(a, m, b, n)
    p = table.p_value(alternative)
    if not 0 < a + b < m + n:
        raise NotEstimable(f"{pair.trial.outcome!r} has the same value in every row")
    ratio = table.odds_ratio()
    low, high = table.interval(pair.level, alternative)
    logs = [float(np.log(value)) for value in (ratio, low, high)]
    open_ended = "" if np.isfinite(logs[0]) else f"; the odds ratio is {'infinite' if logs[0] > 0 else 'zero'}"
    return pair.estimate(
        estimate=logs[0], p_value=p, ci_low=logs[1], ci_high=logs[2],
        effect_size=EffectSize("odds_ratio", ratio, low, high),
        note="exact, conditional odds ratio" + open_ended,
    )  # fmt: skip


class Table:
    """A 2 x 2 table given its margins: yes among m treated and n controls."""

    def __init__(self, a: int, m: int, b: int, n: int) -> None:
        self.a = a
        self.support = np.arange(max(0, a + b - n), min(m, a + b) + 1)
        s = self.support
        ways = special.gammaln(m + 1) - special.gammaln(s + 1) - special.gammaln(m - s + 1)
        rest = a + b - s
        ways = ways + special.gammaln(n + 1) - special.gammaln(rest + 1) - special.gammaln(n - rest + 1)
        self.log_ways: Floats = ways - special.logsumexp(ways)
        self.exact: Floats = stats.hypergeom(m + n, m, a + b).pmf(s)

    def probabilities(self, log_odds: float) -> Floats:
        """Of each possible count, under a log odds ratio."""
        logs = self.log_ways + log_odds * self.support
        return np.asarray(np.exp(logs - special.logsumexp(logs)), dtype=np.float64)

    def p_value(self, alternative: str) -> float:
        """Exact p under an odds ratio of one."""
        seen = self.exact[self.support == self.a][0]
        tails = {
            "two-sided": self.exact[self.exact <= seen * (1 + 1e-7)].sum(),
            "greater": self.exact[self.support >= self.a].sum(),
            "less": self.exact[self.support <= self.a].sum(),
        }
        if alternative not in tails:
            raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")
        return float(min(tails[alternative], 1.0))

    def odds_ratio(self) -> float:
        """Conditional maximum likelihood: the expected count equals the observed."""
        if self.a == self.support[0]:
            return 0.0
        if self.a == self.support[-1]:
            return float("inf")
        return _root(lambda v: float(self.probabilities(v) @ self.support) - self.a)

    def interval(self, level: float, alternative: str = "two-sided") -> tuple[float, float]:
        """Exact limits: the odds ratios whose tail is half of what the level leaves (all of it one-sided)."""
        tail = (1 - level) / (2 if alternative == "two-sided" else 1)
        above, below = self.support >= self.a, self.support <= self.a
        low, high = 0.0, float("inf")
        if self.a > self.support[0] and alternative != "less":
            low = _root(lambda v: float(self.probabilities(v)[above].sum()) - tail)
        if self.a < self.support[-1] and alternative != "greater":
            high = _root(lambda v: tail - float(self.probabilities(v)[below].sum()))
        return low, high


def _root(rising: Callable[[float], float]) -> float:
    """Exp of the root of a rising function of the log odds ratio."""
    low, high = -2.0, 2.0
    while rising(low) > 0:
        low *= 2
    while rising(high) < 0:
        high *= 2
    return float(np.exp(optimize.brentq(rising, low, high, xtol=1e-14, rtol=1e-14)))


@pairwise
def cmh(pair: Pair, correction: bool = False) -> Result:
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
    cells = _tables(pair)
    a, b, c, d = cells
    total = cells.sum(axis=0)
    expected = (a + b) * (a + c) / total
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (total**2 * np.maximum(total - 1, 1))
    if variance.sum() <= 0:
        raise NotEstimable("no stratum holds both arms and both answers")
    gap = abs(float((a - expected).sum()))
    chi2 = max(gap - 0.5 * correction, 0.0) ** 2 / float(variance.sum())
    r, s = a * d / total, b * c / total
    ratio = float(r.sum() / s.sum()) if s.sum() else float("inf")
    error = _robins_error(cells, r, s)
    reach = float(stats.norm.ppf(0.5 + pair.level / 2)) * error
    log_ratio = float(np.log(ratio))
    return pair.estimate(
        estimate=ratio, unit="odds ratio", std_error=error, df=1.0, statistic=chi2,
        p_value=float(stats.chi2.sf(chi2, 1)),
        ci_low=float(np.exp(log_ratio - reach)), ci_high=float(np.exp(log_ratio + reach)),
        effect_size=EffectSize("log_odds_ratio", log_ratio, log_ratio - reach, log_ratio + reach),
        note=f"{cells.shape[1]} strata; standard error of the log odds ratio",
    )  # fmt: skip


def _tables(pair: Pair) -> Floats:
    """(4, strata): treated yes, treated no, control yes, control no."""
    trial = pair.trial
    yes = trial.binary() == 1
    treated = trial.codes == pair.index
    codes, count = trial.stratum_codes, int(trial.stratum_codes.max()) + 1
    masks = (treated & yes, treated & ~yes, pair.rows & ~treated & yes, pair.rows & ~treated & ~yes)
    cells = np.stack([np.bincount(codes[mask], minlength=count) for mask in masks]).astype(np.float64)
    return cells[:, cells.sum(axis=0) > 0]


def _robins_error(cells: Floats, r: Floats, s: Floats) -> float:
    if not (r.sum() and s.sum()):
        return float("nan")
    total = cells.sum(axis=0)
    p, q = (cells[0] + cells[3]) / total, (cells[1] + cells[2]) / total
    first = (p * r).sum() / (2 * r.sum() ** 2)
    second = (p * s + q * r).sum() / (2 * r.sum() * s.sum())
    return float(np.sqrt(first + second + (q * s).sum() / (2 * s.sum() ** 2)))
