"""How well a test measures: reliability, item statistics, the Rasch model, local dependence.

A table of responses has one row a person and one column an item; arrays and data frames do. Missing cells are refused
(score an unanswered item 0, or drop the person, by the plan).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from analysis.checks import AnalysisError, Floats, NotEstimable, as_numbers, complete
from analysis.coefficient import Coefficient
from analysis.estimators.items import fit_random_intercept
from analysis.estimators.newton import Maximum, maximise

Table = pd.DataFrame | ArrayLike


def responses_of(items: Table, least_items: int = 2) -> pd.DataFrame:
    """The responses as a complete numeric frame with text column names."""
    frame = items.copy() if isinstance(items, pd.DataFrame) else pd.DataFrame(np.asarray(items))
    frame.columns = [str(name) for name in frame.columns]
    if frame.shape[1] < least_items or not len(frame):
        raise AnalysisError.of("items", f"shape {frame.shape}", f"give people x items, at least {least_items} items")
    columns = {name: as_numbers(complete(frame, name)) for name in frame.columns}
    return pd.DataFrame(columns)


def _binary(items: Table) -> pd.DataFrame:
    frame = responses_of(items)
    if not np.isin(frame.to_numpy(), (0.0, 1.0)).all():
        raise AnalysisError.of("items", "are not all coded 0/1", "code 1 = right, 0 = wrong")
    return frame


def _alpha(covariance: Floats) -> float:
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def alpha(items: Table, level: float = 0.95) -> Coefficient:
    """Cronbach's alpha (KR-20 for 0/1 items) with Feldt's exact interval.

    Formula: k/(k-1) (1 - sum of item variances / variance of the total); limits 1 - (1 - a) F with n-1 and
    (n-1)(k-1) degrees of freedom. `details`: `standardized` (from correlations), `lambda6` (Guttman), `items`.
    Missing data: refused. Everyone alike: NaN with a note.
    Reference: Cronbach (1951); Feldt, Woodruff & Salih (1987), Appl. Psychol. Meas. 11:93-103.

    Example:
        >>> found = alpha([[1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
        >>> round(found, 6), round(found.ci_low, 6), round(found.ci_high, 6)
        (0.794118, -0.040248, 0.977072)
    """
    frame = responses_of(items)
    n, k = frame.shape
    covariance = np.atleast_2d(np.cov(frame.to_numpy(), rowvar=False))
    if n < 2 or not covariance.sum() > 0:
        return Coefficient(np.nan, n=n, ci_level=level, note="not estimable: the totals do not vary")
    value = _alpha(covariance)
    df1, df2, tail = n - 1, (n - 1) * (k - 1), (1 - level) / 2
    limits = [float(1 - (1 - value) * stats.f.ppf(p, df1, df2)) for p in (1 - tail, tail)]
    return Coefficient(
        value, ci_low=limits[0], ci_high=limits[1], ci_level=level, n=n, df=(float(df1), float(df2)),
        note="Feldt interval", details={**_companions(covariance), "items": k},
    )  # fmt: skip


def _companions(covariance: Floats) -> dict[str, float | None]:
    spread = np.sqrt(np.diag(covariance))
    if not (spread > 0).all():
        return {"standardized": None, "lambda6": None}
    correlation = covariance / np.outer(spread, spread)
    try:
        unexplained = 1 / np.diag(np.linalg.inv(correlation))
        lambda6: float | None = float(1 - unexplained.sum() / correlation.sum())
    except np.linalg.LinAlgError:
        lambda6 = None
    return {"standardized": _alpha(correlation), "lambda6": lambda6}


def omega(items: Table, method: str = "ml") -> Coefficient:
    """McDonald's omega total of a one-factor model fitted by maximum likelihood to the correlations.

    Formula: (sum of loadings)^2 / ((sum of loadings)^2 + sum of uniquenesses). `details`: `loadings`.
    Missing data: refused. Fewer than three items, an item that does not vary, collinear items: NaN with a note.
    Reference: McDonald (1999), Test Theory; as R's factanal with one factor.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> trait = rng.normal(size=(200, 1))
        >>> 0.7 < omega(trait + rng.normal(size=(200, 5))) < 0.9
        True
    """
    if method != "ml":
        raise AnalysisError.of("method", f"{method!r} is not known", "only ml is offered")
    frame = responses_of(items)
    spread = frame.std(ddof=1).to_numpy()
    if frame.shape[1] < 3 or len(frame) < 3 or not (spread > 0).all():
        return Coefficient(np.nan, n=len(frame), note="not estimable: needs three items that vary")
    correlation = np.corrcoef(frame.to_numpy(), rowvar=False)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return Coefficient(np.nan, n=len(frame), note="not estimable: an item is a combination of others")
    loadings, unique = one_factor(correlation)
    total = loadings.sum() ** 2
    return Coefficient(
        float(total / (total + unique.sum())), n=len(frame), note="one factor, maximum likelihood, correlations",
        details={"loadings": dict(zip(frame.columns, loadings.tolist(), strict=True))},
    )  # fmt: skip


def one_factor(correlation: Floats) -> tuple[Floats, Floats]:
    """Loadings and uniquenesses of one factor by maximum likelihood (Joreskog 1967), uniquenesses at least 0.005."""
    k = len(correlation)

    def profile(unique: Floats) -> tuple[float, Floats]:
        root = np.sqrt(unique)
        values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
        rest = values[:-1]
        loading = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0)) * root
        gap = np.outer(loading, loading) + np.diag(unique) - correlation
        return float((rest - np.log(rest)).sum() - (k - 1)), np.diag(gap) / unique**2

    start = 0.5 / np.diag(np.linalg.inv(correlation))
    found = optimize.minimize(
        profile, np.clip(start, 0.005, 1), jac=True, method="L-BFGS-B", bounds=[(0.005, 1.0)] * k,
        options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 2000},
    )  # fmt: skip
    root = np.sqrt(found.x)
    values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
    loading = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0)) * root
    return np.asarray(loading * np.sign(loading.sum() or 1.0)), np.asarray(found.x)


def item_statistics(items: Table, maximum: Sequence[float] | float | None = None) -> pd.DataFrame:
    """One row an item: n, mean, sd, difficulty, item_total, item_rest, alpha_if_deleted.

    `difficulty` is the mean over the item's maximum (1 for 0/1 items, else `maximum`, else missing); `item_rest`
    correlates the item with the total of the others (corrected discrimination). A correlation with a constant is
    missing.
    Missing data: refused.
    Reference: Lord & Novick (1968), ch. 15.

    Example:
        >>> table = item_statistics([[1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
        >>> table["item_rest"].round(6).tolist()
        [0.763763, 0.559017, 0.612372]
    """
    frame = responses_of(items)
    values = frame.to_numpy()
    total = values.sum(axis=1)
    tops = _maxima(values, maximum)
    covariance = np.cov(values, rowvar=False)
    rows = []
    for j, name in enumerate(frame.columns):
        others = np.delete(np.arange(values.shape[1]), j)
        remaining = covariance[np.ix_(others, others)]
        rows.append({
            "item": name,
            "n": len(values),
            "mean": values[:, j].mean(),
            "sd": values[:, j].std(ddof=1),
            "difficulty": values[:, j].mean() / tops[j],
            "item_total": _correlation(values[:, j], total),
            "item_rest": _correlation(values[:, j], total - values[:, j]),
            "alpha_if_deleted": _alpha(remaining) if len(others) > 1 and remaining.sum() > 0 else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("item", drop=False).rename_axis(None)


def _maxima(values: Floats, maximum: Sequence[float] | float | None) -> Floats:
    if maximum is not None:
        return np.broadcast_to(np.asarray(maximum, dtype=np.float64), values.shape[1:])
    return np.full(values.shape[1], 1.0 if np.isin(values, (0.0, 1.0)).all() else np.nan)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-12 else float("nan")


def q3(items: Table, theta: ArrayLike | None = None, difficulty: ArrayLike | None = None) -> pd.DataFrame:
    """Yen's Q3: correlations of the items' residuals from a Rasch model, items x items.

    Residuals are x - expit(theta - b); without `theta` it is logit((score + 0.3) / (k + 0.6)), without `difficulty`
    the conditional-likelihood one. `attrs["mean"]` is the mean off the diagonal: pairs more than 0.2 above it depend
    on each other (Christensen, Makransky & Horton 2017). Missing data: refused.
    Reference: Yen (1984), Appl. Psychol. Meas. 8:125-145.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> chance = special.expit(rng.normal(size=(300, 1)) - np.linspace(-1, 1, 4))
        >>> q3((rng.random((300, 4)) < chance).astype(int)).shape
        (4, 4)
    """
    frame = _binary(items)
    x = frame.to_numpy()
    k = x.shape[1]
    b = rasch_cml(frame).difficulty.to_numpy() if difficulty is None else np.asarray(difficulty, dtype=np.float64)
    ability = special.logit((x.sum(axis=1) + 0.3) / (k + 0.6)) if theta is None else np.asarray(theta, dtype=np.float64)
    residuals = x - special.expit(ability[:, None] - b[None, :])
    with np.errstate(all="ignore"):
        table = pd.DataFrame(np.corrcoef(residuals, rowvar=False), index=frame.columns, columns=frame.columns)
    table.attrs["mean"] = float(table.to_numpy()[np.triu_indices(k, 1)].mean())
    return table


@dataclass(frozen=True)
class RaschFit:
    """A fitted Rasch model."""

    difficulty: pd.Series
    """Per item; conditional: centred at 0; marginal: relative to the mean person."""
    std_error: pd.Series
    loglik: float
    n: int
    sigma: float | None = None
    """Standard deviation of the persons (marginal fit only)."""
    lr_statistic: float | None = None
    """Andersen's likelihood-ratio test over a split at the mean score (conditional fit only)."""
    lr_df: int | None = None
    lr_p: float | None = None
    note: str = ""

    @property
    def easiness(self) -> pd.Series:
        """The difficulties with their sign turned: intercepts of the logistic model."""
        return -self.difficulty


@dataclass(frozen=True)
class _Conditional:
    """Conditional log-likelihood of the difficulties but the first (which is 0), given the scores."""

    totals: Floats
    """Right answers per item."""
    scores: Floats
    """People per score 0..k."""

    def __call__(self, rest: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        b = np.append(0.0, rest)
        value, gradient = -float(self.totals @ b), -self.totals.copy()
        hessian = np.zeros((len(b), len(b)))
        log_gamma, single, double = symmetric_functions(b)
        for r in range(1, len(b)):
            if not self.scores[r]:
                continue
            value -= float(self.scores[r] * log_gamma[r])
            gradient += self.scores[r] * single[r]
            hessian -= self.scores[r] * (double[r] - np.outer(single[r], single[r]))
        # people with every item right condition on a certainty: their answers drop out again
        value += float(self.scores[-1] * b.sum())
        gradient += self.scores[-1]
        return value, gradient[1:], hessian[1:, 1:]


def symmetric_functions(b: Floats) -> tuple[Floats, Floats, Floats]:
    """Logs of the elementary symmetric functions of exp(-b), and the chances of an item, of a pair, given the score.

    Returns:
        log gamma (k+1), P(item right | score) (k+1, k), P(both right | score) (k+1, k, k).
    """
    k = len(b)
    full = _log_symmetric(b)
    single, double = np.zeros((k + 1, k)), np.zeros((k + 1, k, k))
    for i in range(k):
        without = _log_symmetric(np.delete(b, i))
        single[1:, i] = np.exp(-b[i] + without - full[1:])
        for j in range(i + 1, k):
            pair = _log_symmetric(np.delete(b, [i, j]))
            double[2:, i, j] = double[2:, j, i] = np.exp(-b[i] - b[j] + pair - full[2:])
    index = np.arange(k)
    double[:, index, index] = single
    return full, single, double


def _log_symmetric(b: Floats) -> Floats:
    """Log elementary symmetric functions of exp(-b) of every order, by summation."""
    logs = np.full(len(b) + 1, -np.inf)
    logs[0] = 0.0
    for count, value in enumerate(b, start=1):
        logs[1 : count + 1] = np.logaddexp(logs[1 : count + 1], logs[:count] - value)
    return logs


def rasch_cml(items: Table, split: str | None = "mean") -> RaschFit:
    """Rasch model by conditional maximum likelihood: item difficulties without any assumption about the persons.

    Formula: likelihood given each person's score (elementary symmetric functions); difficulties centred at 0,
    standard errors of the centred ones. People with no or every item right carry no information and stay counted.
    `split="mean"`: Andersen's likelihood-ratio test between people below and above the mean score.
    Missing data: refused. An item that all or none get right: not estimable (AnalysisError naming it).
    Reference: Andersen (1970, 1973); as eRm::RM and LRtest.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> chance = special.expit(rng.normal(size=(300, 1)) - np.linspace(-1, 1, 4))
        >>> fitted = rasch_cml((rng.random((300, 4)) < chance).astype(int))
        >>> bool(abs(fitted.difficulty.sum()) < 1e-9)
        True
    """
    frame = _binary(items)
    flat = [name for name in frame.columns if frame[name].nunique() < 2]
    if flat:
        raise AnalysisError.of(f"item {flat[0]!r}", "has the same answer from everyone", "leave it out")
    best, difficulty, errors = _conditional_fit(frame)
    lr, df, p, note = _andersen(frame, best.value, split)
    return RaschFit(difficulty, errors, best.value, len(frame), None, lr, df, p, note)


def _conditional_fit(frame: pd.DataFrame) -> tuple[Maximum, pd.Series, pd.Series]:
    x = frame.to_numpy()
    k = x.shape[1]
    counts = np.bincount(x.sum(axis=1).astype(int), minlength=k + 1).astype(np.float64)
    likelihood = _Conditional(x.sum(axis=0), counts)
    ease = special.logit(np.clip(x.mean(axis=0), 0.5 / len(x), 1 - 0.5 / len(x)))
    try:
        best = maximise(likelihood, ease[0] - ease[1:], "the conditional likelihood")
    except NotEstimable as error:
        raise AnalysisError.of("items", str(error), "too few people between none and all right") from error
    b = np.append(0.0, best.at)
    centring = np.eye(k) - 1 / k
    covariance = centring[:, 1:] @ best.covariance @ centring[:, 1:].T
    errors = np.sqrt(np.diag(covariance))
    return best, pd.Series(b - b.mean(), index=frame.columns), pd.Series(errors, index=frame.columns)


def _andersen(
    frame: pd.DataFrame, loglik: float, split: str | None
) -> tuple[float | None, int | None, float | None, str]:
    if split is None:
        return None, None, None, ""
    score = frame.sum(axis=1)
    halves = [frame[score <= score.mean()], frame[score > score.mean()]]
    if any((half.nunique() < 2).any() for half in halves):
        return None, None, None, "Andersen's test: an item does not vary in one half"
    try:
        parts = [_conditional_fit(half)[0].value for half in halves]
    except AnalysisError:
        return None, None, None, "Andersen's test: a half cannot be fitted"
    statistic, df = 2 * (sum(parts) - loglik), frame.shape[1] - 1
    return float(statistic), df, float(stats.chi2.sf(statistic, df)), "Andersen split at the mean score"


def rasch_mml(items: Table, nodes: int = 61) -> RaschFit:
    """Rasch model by marginal maximum likelihood, persons normal with an estimated standard deviation.

    Formula: logit P = sigma u - b, Gauss-Hermite sum over u. Missing data: refused.
    Reference: Bock & Aitkin (1981), Psychometrika 46:443-459; as lme4::glmer with many quadrature points.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> chance = special.expit(rng.normal(size=(300, 1)) - np.linspace(-1, 1, 4))
        >>> 0.5 < rasch_mml((rng.random((300, 4)) < chance).astype(int)).sigma < 1.5
        True
    """
    frame = _binary(items)
    n, k = frame.shape
    x, person = np.tile(np.eye(k), (n, 1)), np.repeat(np.arange(n), k)
    try:
        best = fit_random_intercept(x, frame.to_numpy().ravel(), person, nodes)
    except NotEstimable as error:
        raise AnalysisError.of("items", str(error), "leave out items without variation") from error
    errors = np.sqrt(np.diag(best.covariance))[:k]
    return RaschFit(
        pd.Series(-best.at[:k], index=frame.columns), pd.Series(errors, index=frame.columns), best.value, n,
        float(np.exp(best.at[k])), note=f"{nodes} nodes",
    )  # fmt: skip


def distractors(responses: Sequence[Any], key: Any, scores: ArrayLike) -> pd.DataFrame:
    """How often each option was chosen, and the mean score of those who chose it.

    >>> distractors(["a", "b", "a", "c"], "a", [3, 1, 2, 0])["chosen"].tolist()
    [2, 1, 1]
    """
    table = pd.DataFrame({"option": list(responses), "score": np.asarray(scores, dtype=np.float64)})
    grouped = table.groupby("option", sort=True)["score"].agg(["size", "mean"])
    return pd.DataFrame({
        "option": grouped.index,
        "chosen": grouped["size"].to_numpy(),
        "share": grouped["size"].to_numpy() / len(table),
        "mean_score": grouped["mean"].to_numpy(),
        "is_key": grouped.index == key,
    })  # fmt: skip
