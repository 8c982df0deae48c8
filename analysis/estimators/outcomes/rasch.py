"""The Rasch model, by conditional and by marginal maximum likelihood.

Written here because no library kept up has conditional likelihood, and girth fixes the spread of the persons; as R's
eRm and ltm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from analysis.estimators.core.argument_kinds import table_of, whole, word
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, as_numbers, complete
from analysis.estimators.numerics.newton import Maximum, maximise
from analysis.estimators.outcomes.items import fit_random_intercept

Table = pd.DataFrame | ArrayLike


def responses_of(items: Table, least_items: int = 2) -> pd.DataFrame:
    """Return the responses as a complete numeric frame with text column names."""
    frame = table_of("items", items).copy()
    frame.columns = [str(name) for name in frame.columns]
    if frame.shape[1] < least_items or not len(frame):
        raise AnalysisError.of("items", f"shape {frame.shape}", f"give people x items, at least {least_items} items")
    remedy = "score an unanswered item 0, or leave out the person"
    columns = {name: as_numbers(complete(frame, name, remedy)) for name in frame.columns}
    return pd.DataFrame(columns)


def binary_of(items: Table) -> pd.DataFrame:
    """Return the responses, refused unless coded 0/1."""
    frame = responses_of(items)
    if not np.isin(frame.to_numpy(), (0.0, 1.0)).all():
        raise AnalysisError.of("items", "are not all coded 0/1", "code 1 = right, 0 = wrong")
    return frame


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
        # Given the scores only differences of difficulties are identified: the first is held at 0, and all are centred
        # afterwards.
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
    """Return logs of the elementary symmetric functions of exp(-b), and chances given the score.

    The chances are those of an item and of a pair of items.

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
        # Summation adds positive terms only and so loses no digits, as the quicker recursion with differences does
        # (Gustafsson 1980); logs keep many items from overflowing.
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
    split = None if split is None else word("split", split, ("mean",))
    frame = binary_of(items)
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
    # Centred difficulties are linear in the estimated ones, so that errors no longer depend on which item was held at
    # 0.
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
    frame, nodes = binary_of(items), whole("nodes", nodes, Numbers(least=2, most=500))
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
