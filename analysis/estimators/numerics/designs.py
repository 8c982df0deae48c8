"""The columns of a linear predictor for a trial: arms (or a dose), covariates, strata."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import Floats, NotEstimable, dummies, mean_and_spread, numbers, own_units
from analysis.estimators.numerics.linear import independent_columns


@dataclass(frozen=True)
class DesignMatrix:
    """A full-rank design; `treated` are the columns of the arm contrasts, empty where no arm is named."""

    columns: Floats
    names: list[str]
    treated: list[int]
    back: Floats | None = None
    """Makes coefficients of these columns those of the columns as given; None where they are these."""

    def rows_of(self, trial: AnalysisRequest) -> list[tuple[int, tuple[str, str] | None, str]]:
        """(column, contrast, name) of every coefficient to report."""
        if trial.arm is None:
            return [(index, None, name) for index, name in enumerate(self.names)]
        if trial.is_dose:
            return [(index, None, f"per unit of {trial.arm}") for index in self.treated]
        contrasts = [pair.contrast for pair in trial.pairs()]
        return [(index, contrast, "") for index, contrast in zip(self.treated, contrasts, strict=True)]


def arm_columns(trial: AnalysisRequest) -> tuple[Floats, list[str]]:
    """Return one indicator per treated arm, or the dose itself, or nothing."""
    if trial.arm is None:
        return np.empty((len(trial.data), 0)), []
    if trial.is_dose:
        return numbers(trial.data, trial.arm)[:, None], [trial.arm]
    return dummies(trial.codes, len(trial.labels)), [f"{trial.arm}[{label}]" for label in trial.labels[1:]]


def additive(trial: AnalysisRequest, *, intercept: bool = True, covariates: bool = True) -> DesignMatrix:
    """Intercept, arms, covariates, strata as main effects."""
    arms, arm_names = arm_columns(trial)
    ones = np.ones((len(trial.data), 1 if intercept else 0))
    x, x_names = trial.x if covariates else (np.empty((len(trial.data), 0)), [])
    strata, stratum_names = trial.stratum_columns if covariates else (np.empty((len(trial.data), 0)), [])
    labels = ["(Intercept)"][: ones.shape[1]] + arm_names + x_names + stratum_names
    first = ones.shape[1]
    return reduced(trial, np.column_stack([ones, arms, x, strata]), labels, range(first, first + len(arm_names)))


def in_likelihood(trial: AnalysisRequest) -> DesignMatrix:
    """`additive` for a likelihood to climb: without arms, too, in deviations, and with the way back to report."""
    design = additive(trial)
    if trial.arm is not None:
        return design
    mean, spread = mean_and_spread(design.columns)
    columns = np.asarray((design.columns - mean) / spread, dtype=np.float64)
    return replace(design, columns=columns, back=own_units(mean, spread))


def interacted(trial: AnalysisRequest) -> DesignMatrix:
    """Intercept, arms, centred covariates, strata as main effects, and arms times centred covariates (Lin 2013)."""
    arms, arm_names = arm_columns(trial)
    x, x_names = trial.x
    # About the mean of all arms: the arm's own coefficient is then the average effect over everybody (Lin 2013), and
    # not the effect for a person whose covariates are 0.
    centred = x - x.mean(axis=0)
    strata, stratum_names = trial.stratum_columns
    products = (arms[:, :, None] * centred[:, None, :]).reshape(len(x), -1)
    product_names = [f"{arm}:{name}" for arm in arm_names for name in x_names]
    columns = np.column_stack([np.ones(len(x)), arms, centred, strata - strata.mean(axis=0), products])
    labels = ["(Intercept)", *arm_names, *x_names, *stratum_names, *product_names]
    return reduced(trial, columns, labels, range(1, 1 + len(arm_names)))


def reduced(trial: AnalysisRequest, columns: Floats, labels: list[str], treated: range) -> DesignMatrix:
    """Drop columns that others span, saying so; an arm's own column must stay."""
    # Arms last: where columns coincide, a covariate must not be kept in place of the effect that is asked for.
    order = [0, *[i for i in range(columns.shape[1]) if i not in treated and i > 0], *treated]
    order = [i for i in order if i < columns.shape[1]]
    order = list(dict.fromkeys(order))
    kept = sorted(order[i] for i in independent_columns(columns[:, order]))
    lost = [i for i in range(columns.shape[1]) if i not in kept]
    if any(i in treated for i in lost):
        raise NotEstimable("the arms cannot be distinguished from the covariates or strata")
    if lost:
        trial.notes.append(f"dropped as redundant: {', '.join(labels[i] for i in lost)}")
    return DesignMatrix(columns[:, kept], [labels[i] for i in kept], [kept.index(i) for i in treated])
