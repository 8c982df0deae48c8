"""Cox's proportional hazards model, and the score test of proportionality."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, unwrap, whole
from analysis.estimators.core.request import Pair, Trial
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Bools, Floats, Ints, NotEstimable
from analysis.estimators.numerics.designs import Design, arm_columns, reduced
from analysis.estimators.numerics.linear import z_interval
from analysis.estimators.numerics.newton import maximise
from analysis.estimators.numerics.restricted_mean import kaplan_meier_curve


@dataclass(frozen=True)
class Step:
    """One event time of one stratum: who is at risk, who has the event, the time's score for the PH test."""

    at_risk: Ints
    dead: Ints
    clock: float


class PartialLikelihood:
    """Cox's partial likelihood with Efron, Breslow or exact ties."""

    def __init__(self, x: Floats, steps: list[Step], ties: str) -> None:
        self.x, self.steps, self.ties = x, steps, ties

    def pieces(self, beta: Floats) -> tuple[float, Floats, list[Floats]]:
        """Log-likelihood, scores per event time (T, p), information per event time."""
        eta = self.x @ beta
        total, scores, informations = 0.0, [], []
        for step in self.steps:
            part = self._exact(step, eta) if self.ties == "exact" else self._averaged(step, eta)
            total += part[0]
            scores.append(part[1])
            informations.append(part[2])
        return total, np.asarray(scores), informations

    def __call__(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        value, scores, informations = self.pieces(beta)
        return value, scores.sum(axis=0), -np.sum(informations, axis=0)

    def _averaged(self, step: Step, eta: Floats) -> tuple[float, Floats, Floats]:
        """Efron: each of d tied deaths leaves with weight 1 - l/d; Breslow: with weight 1."""
        top = eta[step.at_risk].max()
        risk, dead = np.exp(eta[step.at_risk] - top), np.exp(eta[step.dead] - top)
        xr, xd = self.x[step.at_risk], self.x[step.dead]
        sums = [risk.sum(), risk @ xr, (xr.T * risk) @ xr]
        tied = [dead.sum(), dead @ xd, (xd.T * dead) @ xd]
        count = len(step.dead)
        value, score = float(eta[step.dead].sum()) - count * top, xd.sum(axis=0)
        information = np.zeros((self.x.shape[1], self.x.shape[1]))
        for rank in range(count):
            gone = rank / count if self.ties == "efron" else 0.0
            zero, one, two = (whole_ - gone * part for whole_, part in zip(sums, tied, strict=True))
            mean = one / zero
            value -= float(np.log(zero))
            score = score - mean
            information += two / zero - np.outer(mean, mean)
        return value, score, information

    def _exact(self, step: Step, eta: Floats) -> tuple[float, Floats, Floats]:
        """Discrete: the dead against every set of as many at risk, by recursion over the risk set."""
        top = eta[step.at_risk].max()
        risk, xr = np.exp(eta[step.at_risk] - top), self.x[step.at_risk]
        d, p = len(step.dead), self.x.shape[1]
        zero, one, two = np.zeros(d + 1), np.zeros((d + 1, p)), np.zeros((d + 1, p, p))
        zero[0] = 1.0
        for weight, row in zip(risk, xr, strict=True):
            cross = one[:-1, :, None] * row[None, None, :]
            outer = np.outer(row, row)
            two[1:] += weight * (two[:-1] + cross + cross.transpose(0, 2, 1) + zero[:-1, None, None] * outer)
            one[1:] += weight * (one[:-1] + zero[:-1, None] * row)
            zero[1:] += weight * zero[:-1]
        mean = one[d] / zero[d]
        value = float(eta[step.dead].sum()) - d * top - float(np.log(zero[d]))
        return value, self.x[step.dead].sum(axis=0) - mean, two[d] / zero[d] - np.outer(mean, mean)


def steps_of(times: Floats, events: Bools, strata: Ints, transform: str) -> list[Step]:
    """Event times stratum by stratum."""
    clocks = _clock(times, events, transform)
    found = []
    for code in np.unique(strata):
        rows = np.flatnonzero(strata == code)
        for time in np.unique(times[rows][events[rows]]):
            at_risk = rows[times[rows] >= time]
            found.append(Step(at_risk, rows[(times[rows] == time) & events[rows]], clocks[time]))
    return found


def _clock(times: Floats, events: Bools, transform: str) -> dict[float, float]:
    """Each event time's value on the scale on which the effect may drift."""
    distinct = np.unique(times[events])
    if transform == "rank":
        values = stats.rankdata(times)
        lookup = {time: float(values[times == time].mean()) for time in distinct}
        return lookup
    if transform == "km":
        curve = kaplan_meier_curve(times, events)
        before = np.concatenate([[1.0], curve.survival[:-1]])
        return {time: 1 - float(before[np.searchsorted(curve.times, time)]) for time in distinct}
    if transform not in ("identity", "log"):
        raise AnalysisError.of("transform", f"{transform!r} is not known", "use rank, km, identity or log")
    return {time: float(np.log(time) if transform == "log" else time) for time in distinct}


@dataclass(frozen=True)
class CoxFit:
    """A maximised partial likelihood."""

    model: PartialLikelihood
    beta: Floats
    loglik: float

    @cached_property
    def covariance(self) -> Floats:
        """Inverse information."""
        return np.asarray(np.linalg.inv(np.sum(self.model.pieces(self.beta)[2], axis=0)), dtype=np.float64)

    def proportionality(self, columns: list[int]) -> tuple[float, int, float]:
        """Score test of adding x times g(t) for these columns (Grambsch & Therneau 1994): chi-square, df, p."""
        _, scores, informations = self.model.pieces(self.beta)
        clock = np.asarray([step.clock for step in self.model.steps])
        clock = clock - clock.mean()
        blocks = np.asarray(informations)
        base = blocks.sum(axis=0)
        cross = np.einsum("t,tab->ab", clock, blocks)[:, columns]
        own = np.einsum("t,tab->ab", clock**2, blocks)[np.ix_(columns, columns)]
        score = (clock[:, None] * scores).sum(axis=0)[columns]
        spread = own - cross.T @ np.linalg.solve(base, cross)
        chi2 = float(score @ np.linalg.solve(spread, score))
        return chi2, len(columns), float(stats.chi2.sf(chi2, len(columns)))


@whole
def cox(trial: Trial, ties: str = "efron", transform: str = "rank") -> Result:
    """Log hazard ratio by Cox's model, adjusted for covariates, with a baseline of its own in each stratum.

    Formula: maximum partial likelihood; Wald statistic, p and interval; `ties` "efron" (default), "breslow" or
    "exact" (discrete). Effect size: the hazard ratio. Note: score test of proportional hazards against a drift with
    g(t), `transform` "rank" (default), "km", "identity" or "log". A hazard ratio above 1 means sooner.
    Missing data: refused; `event` 0 = censored. No events in an arm: null.
    Reference: Cox (1972), JRSS B 34:187-220; Efron (1977); Grambsch & Therneau (1994), Biometrika 81:515-526.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = cox(two_arms(), outcome="minutes", event="done", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (1.127428, 0.744468, 3.087703)
    """
    if ties not in ("efron", "breslow", "exact"):
        raise AnalysisError.of("ties", f"{ties!r} is not known", "use efron, breslow or exact")
    if not trial.events.any():
        raise NotEstimable("no events: everyone is censored")
    steps = steps_of(trial.varied_y, trial.events, trial.stratum_codes, transform)
    design, baseline = _beyond_baseline(trial)
    model = PartialLikelihood(design.columns[:, baseline:], steps, ties)
    best = maximise(model, np.zeros(design.columns.shape[1] - baseline), "the partial likelihood")
    fitted = CoxFit(model, best.at, best.value)
    return unwrap([_row(trial, fitted, index - baseline, contrast, name, transform)
                   for index, contrast, name in design.rows_of(trial) if index >= baseline])  # fmt: skip


def _beyond_baseline(trial: Trial) -> tuple[Design, int]:
    """Arms and covariates that vary within strata, after the columns that each stratum's baseline hazard takes up."""
    arms, arm_names = arm_columns(trial)
    x, x_names = trial.x
    strata, stratum_names = trial.stratum_columns
    taken = ["", *stratum_names]
    columns = np.column_stack([np.ones((len(trial.y), 1)), strata, arms, x - x.mean(axis=0)])
    design = reduced(
        trial, columns, [*taken, *arm_names, *x_names], range(len(taken), len(taken) + len(arm_names))
    )  # fmt: skip
    return design, sum(name in taken for name in design.names)


def _row(
    trial: Trial, fitted: CoxFit, index: int, contrast: tuple[str, str] | None, name: str, transform: str
) -> Estimate:
    found = z_interval(float(fitted.beta[index]), float(np.sqrt(fitted.covariance[index, index])), trial.level)
    ratio = [float(np.exp(float(found[key] or 0.0))) for key in ("estimate", "ci_low", "ci_high")]
    try:
        chi2, df, p = fitted.proportionality([index])
        test = f"proportional hazards (score test, {transform} of time): chi2 = {chi2:.12g}, df = {df}, p = {p:.12g}"
    except np.linalg.LinAlgError:
        test = "proportional hazards: not testable"
    note = f"{test}; log partial likelihood {fitted.loglik:.12g}; {fitted.model.ties} ties"
    fields: dict[str, Any] = {"id": name}
    if contrast:
        fields = {"contrast": contrast, "n": Pair(trial, trial.labels.index(contrast[0])).counts}
    return trial.estimate(**found, **fields, effect_size=EffectSize("hazard_ratio", *ratio), note=note)
