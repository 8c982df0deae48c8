"""Item responses: mixed logistic regression with a random person, by marginal maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse, special, stats

from analysis.estimators.core.registry import Result, method_over_all_arms
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import (
    AnalysisError,
    Bools,
    Floats,
    Ints,
    NotEstimable,
    groups,
    require_columns,
)
from analysis.estimators.numerics.designs import DesignMatrix, arm_columns, reduced
from analysis.estimators.numerics.newton import Maximum, maximise
from analysis.estimators.outcomes.scores import link_rows


@dataclass(frozen=True)
class Logit:
    """Bernoulli likelihood of shares in [0, 1] with a logit link."""

    x: Floats
    y: Floats

    def __call__(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        eta = self.x @ beta
        mean = special.expit(eta)
        value = float(self.y @ eta - np.logaddexp(0, eta).sum())
        return value, self.x.T @ (self.y - mean), -(self.x.T * (mean * (1 - mean))) @ self.x


@dataclass(frozen=True)
class RandomIntercept:
    """Marginal likelihood of logit P = x b + sigma u_person, u standard normal; the last parameter is log sigma.

    The integral over u is a Gauss-Hermite sum that is the same for every person; gradient and Hessian are exact
    derivatives of that sum (Louis's identity). Written here because statsmodels has a variational approximation only.
    """

    x: Floats
    y: Floats
    person: Ints
    nodes: int = 61

    @cached_property
    def _kinds(self) -> tuple[Floats, Any, Any, Any]:
        """Distinct rows of x with a one; of each person how many rows they have of each, how many right; X'y by person.

        Everybody answers the same items, so that 140,000 answers may have 28 distinct rows.
        """
        rows, kind = np.unique(self.x, axis=0, return_inverse=True)
        shape = (int(self.person.max()) + 1, len(rows))
        places = (self.person, kind.ravel())
        every = sparse.csr_array((np.ones(len(self.y)), places), shape=shape)
        right = sparse.csr_array((self.y, places), shape=shape)
        extended = np.column_stack([rows, np.ones(len(rows))])
        return extended, every, right, right @ extended

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        sigma = float(np.exp(parameters[-1]))
        points, weights = np.polynomial.hermite_e.hermegauss(self.nodes)
        log_weights = np.log(weights) - 0.5 * np.log(2 * np.pi)
        extended, every, right, gained = self._kinds
        p = self.x.shape[1]
        base = extended[:, :p] @ parameters[:-1]
        logs = np.empty((every.shape[0], self.nodes))
        scores = np.empty((every.shape[0], self.nodes, p + 1))
        for k, u in enumerate(points):
            eta = base + sigma * u
            logs[:, k] = right @ eta - every @ np.logaddexp(0, eta) + log_weights[k]
            scores[:, k] = gained - every @ (special.expit(eta)[:, None] * extended)
            scores[:, k, p] *= sigma * u
        # On the log scale, for at the outer nodes the likelihood of a person with many answers underflows.
        total = special.logsumexp(logs, axis=1)
        posterior = np.exp(logs - total[:, None])
        mean = np.einsum("ik,ikj->ij", posterior, scores)
        # Louis (1982): the observed information is the complete-data one less the posterior variance of its score.
        hessian = np.einsum("ik,ika,ikb->ab", posterior, scores, scores, optimize=True) - mean.T @ mean
        hessian += self._curvature(base, sigma, points, every.T @ posterior)
        # The parameter is log sigma: its second derivative has the first as a further term.
        hessian[p, p] += mean[:, p].sum()
        return float(total.sum()), mean.sum(axis=0), hessian

    def _curvature(self, base: Floats, sigma: float, points: Floats, shares: Floats) -> Floats:
        """Posterior mean of the complete-data Hessian, without the term from sigma's log scale.

        `shares`: of each distinct row, the posterior weights of the people who have it, node by node.
        """
        found = np.zeros((self.x.shape[1] + 1,) * 2)
        extended = self._kinds[0].copy()
        for k, u in enumerate(points):
            mean = special.expit(base + sigma * u)
            extended[:, -1] = sigma * u
            found -= (extended.T * (shares[:, k] * mean * (1 - mean))) @ extended
        return found


def fit_random_intercept(x: Floats, y: Floats, person: Ints, nodes: int = 61) -> Maximum:
    """Maximise the marginal likelihood; where persons vary no more than chance, at a person variance of zero."""
    start = np.append(np.zeros(x.shape[1]), np.log(0.7))
    try:
        return maximise(RandomIntercept(x, y, person, nodes), start, "the marginal likelihood")
    except NotEstimable:
        plain = maximise(Logit(x, y), start[:-1], "the likelihood")
    # log sigma = -inf has no curvature; -1 there keeps the matrix invertible and touches no other coefficient's error.
    hessian = np.diag(np.append(np.zeros(x.shape[1]), -1.0))
    hessian[:-1, :-1] = plain.hessian
    return Maximum(np.append(plain.at, -np.inf), plain.value, np.append(plain.gradient, 0.0), hessian)


@method_over_all_arms("covariates stratum cluster")
def mixed_logit(
    trial: AnalysisRequest, item: str | None = None, person: str | None = None, nodes: int = 61, by_item: bool = False
) -> Result:
    """Item-level logistic regression of 0/1 answers with a random person: log odds of a right answer.

    Formula: logit P = arm + item + covariates + sigma u, u standard normal, marginal maximum likelihood over `nodes`
    Gauss-Hermite points; one row of data per answer, `item=` and `person=` name its columns (`person` may also be
    given as `cluster`). Effect size: difference in the population-averaged chance of a right answer, for a dose its
    derivative per unit. Without `arm`: one row per item (its easiness) and the person sigma. `by_item`: a row
    for each arm at each item, the effect size over its answers.
    Missing data: refused; an unanswered item is a row with 0 points or no row, by the plan.
    Reference: De Boeck & Wilson (2004), Explanatory Item Response Models; as glmer with many quadrature points.

    Example:
        >>> import pandas as pd
        >>> rows = [(p, i, p % 2, int(p % 5 + 2 * (p % 2) > i + p * i % 3)) for p in range(40) for i in range(6)]
        >>> table = pd.DataFrame(rows, columns=["person", "item", "arm", "right"])
        >>> row = mixed_logit(table, outcome="right", arm="arm", control=0, item="item", person="person")
        >>> round(row.estimate, 4), round(row.std_error, 4)
        (8.424, 3.779)
    """
    if person and trial.cluster:
        raise AnalysisError.of(
            "cluster", "is given beside person", "persons are the clusters here: give one of the two"
        )
    person = person or trial.cluster
    if person is None:
        raise AnalysisError.of("person", "is not given", "name the column that says who answered")
    require_columns(trial.data, [person, *([] if item is None else [item])])
    if by_item and (item is None or trial.arm is None):
        key = "arm" if trial.arm is None else "item"
        raise AnalysisError.of("by_item", f"needs {key}, which is not given", f"name the column of the {key}")
    y = trial.binary()
    if np.ptp(y) == 0:
        raise NotEstimable(f"{trial.outcome!r} has the same value in every row")
    codes, people = groups(trial.data, [person])
    if len(people) == len(y):
        raise NotEstimable("each person has one answer, so persons cannot be distinguished from chance")
    columns, labels, treated = _columns(trial, item, by_item)
    design = reduced(trial, columns, labels, treated)
    best = fit_random_intercept(design.columns, y, codes, nodes)
    sigma = float(np.exp(best.at[-1]))
    note = (
        f"logit scale; person standard deviation {sigma:.12g}, log-likelihood {best.value:.12g}, {len(people)} people"
    )
    if sigma == 0:
        note += "; persons vary no more than chance, so their variance is zero"

    def effect(index: int, _: dict[str, float | None]) -> EffectSize | None:
        # Of an arm at one item, over the answers to it.
        x = design.columns[design.columns[:, _item_of(design, index)] == 1] if by_item else design.columns
        if trial.is_dose:
            per_unit = _slope(x, index, float(design.back[index, index]))
            return _with_limits("average_marginal_effect", per_unit, best, trial.level)
        return _with_limits("average_probability_difference", _gap(x, design.treated, index), best, trial.level)

    rows = link_rows(trial, design, best.at[:-1], best.covariance, note, effect)
    if by_item and isinstance(rows, list):
        return [
            _of_item(trial, row, design.columns[:, place % design.treated[0]] == 1) for place, row in enumerate(rows)
        ]
    if trial.arm is not None:
        return rows
    error = float(np.sqrt(best.covariance[-1, -1])) * sigma
    spread = trial.estimate(estimate=sigma, std_error=error, id="(sigma)", note="person standard deviation")
    return [*(rows if isinstance(rows, list) else [rows]), spread]


def _columns(trial: AnalysisRequest, item: str | None, by_item: bool) -> tuple[Floats, list[str], range]:
    """Items (all levels, in place of an intercept), arms, covariates, strata."""
    if item is None:
        items, item_names = np.ones((len(trial.y), 1)), ["(Intercept)"]
    else:
        codes, levels = groups(trial.data, [item])
        items = (codes[:, None] == np.arange(len(levels))).astype(np.float64)
        item_names = [f"{item}[{level}]" for level in levels]
    arms, arm_names = arm_columns(trial)
    x, x_names = trial.x
    strata, stratum_names = trial.stratum_columns
    first = items.shape[1]
    if by_item:
        _refuse_unmet(trial, codes, item_names)
        arms = (arms[:, :, None] * items[:, None, :]).reshape(len(arms), -1)
        arm_names = [f"{arm}:{name}" for arm in arm_names for name in item_names]
    columns = np.column_stack([items, arms, x - x.mean(axis=0), strata])
    labels = [*item_names, *arm_names, *x_names, *stratum_names]
    return columns, labels, range(first, first + len(arm_names))


def _refuse_unmet(trial: AnalysisRequest, codes: Ints, item_names: Sequence[str]) -> None:
    """Refuse arms of which one met an item and another did not: there is no difference at that item."""
    if trial.is_dose:
        return
    for index, name in enumerate(item_names):
        seen = set(trial.codes[codes == index].tolist())
        if missing := [arm for place, arm in enumerate(trial.labels) if place not in seen]:
            raise NotEstimable(f"no answer to {name} in the arm {missing[0]!r}; leave that item out")


def _of_item(trial: AnalysisRequest, row: Estimate, answered: Bools) -> Estimate:
    """Return an arm's row at one item with the answers to it as its n."""
    if trial.is_dose:
        return row
    counts = {arm: int((answered & (trial.codes == trial.labels.index(arm))).sum()) for arm in row.n}
    return replace(row, n=counts)


def _item_of(design: DesignMatrix, index: int) -> int:
    """Return the column of the item at which a column is an arm's effect; items come first, each arm in their order."""
    return design.treated.index(index) % design.treated[0]


Averaged = Callable[[Floats], float]
"""A figure on the scale of chances, averaged over rows and over the person distribution, of the parameters."""


def _gap(x: Floats, treated: list[int], index: int) -> Averaged:
    """Return the difference of chances between an arm and the control."""
    off = x.copy()
    off[:, treated] = 0.0
    off, counts = np.unique(off, axis=0, return_counts=True)
    on = off.copy()
    on[:, index] = 1.0

    def difference(parameters: Floats) -> float:
        points, weights = np.polynomial.hermite_e.hermegauss(41)
        spread = np.exp(parameters[-1]) * points[None, :]
        gaps = special.expit((on @ parameters[:-1])[:, None] + spread)
        gaps = gaps - special.expit((off @ parameters[:-1])[:, None] + spread)
        # The weights of `hermegauss` add up to the root of 2 pi and not to 1.
        return float(counts @ (gaps @ weights) / counts.sum() / weights.sum())

    return difference


def _slope(x: Floats, index: int, unit: float) -> Averaged:
    """Return the derivative of the chance by a dose, per unit as given."""
    rows, counts = np.unique(x, axis=0, return_counts=True)

    def derivative(parameters: Floats) -> float:
        points, weights = np.polynomial.hermite_e.hermegauss(41)
        chances = special.expit((rows @ parameters[:-1])[:, None] + np.exp(parameters[-1]) * points[None, :])
        slopes = chances * (1 - chances) * parameters[index] * unit
        return float(counts @ (slopes @ weights) / counts.sum() / weights.sum())

    return derivative


def _with_limits(name: str, figure: Averaged, best: Maximum, level: float) -> EffectSize:
    """Return a figure at the maximum with the delta method's interval."""
    value = figure(best.at)
    gradient = np.empty(len(best.at))
    for j in range(len(best.at)):
        # Central differences: their error is of the order of the step squared, far below that of the estimate.
        step = np.zeros(len(best.at))
        step[j] = 1e-5
        gradient[j] = (figure(best.at + step) - figure(best.at - step)) / 2e-5
    reach = float(stats.norm.ppf(0.5 + level / 2) * np.sqrt(gradient @ best.covariance @ gradient))
    return EffectSize(name, value, value - reach, value + reach)
