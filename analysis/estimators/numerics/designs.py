"""The columns of a linear predictor for a trial: arms (or a dose), covariates, strata.

A dose and covariates are in standard deviations about their mean, for what a computer makes of them depends on their
unit and zero; `DesignMatrix.back` leads to the units given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import (
    Floats,
    NotEstimable,
    dummies,
    in_deviations,
    mean_and_spread,
    numbers,
    own_units,
)
from analysis.estimators.numerics.linear import independent_columns


@dataclass(frozen=True)
class DesignMatrix:
    """A full-rank design; `treated` are the columns of the arm contrasts, empty where no arm is named.

    An arm may have several, one after the other.
    """

    columns: Floats
    names: list[str]
    treated: list[int]
    back: Floats
    """Makes coefficients of these columns those of a dose and of covariates as given; beside arms their own alone."""

    def rows_of(self, trial: AnalysisRequest) -> list[tuple[int, tuple[str, str] | None, str]]:
        """(column, contrast, name) of every coefficient to report."""
        if trial.arm is None:
            return [(index, None, name) for index, name in enumerate(self.names)]
        contrasts = [None] if trial.is_dose else [pair.contrast for pair in trial.pairs()]
        # Several columns of an arm are of its effect at one level each of something else, which the name says.
        each = len(self.treated) // max(len(contrasts), 1)
        usual = f"per unit of {trial.arm}" if trial.is_dose else ""
        return [
            (index, contrasts[place // each], usual if each == 1 else self.names[index])
            for place, index in enumerate(self.treated)
        ]


def arm_columns(trial: AnalysisRequest) -> tuple[Floats, list[str]]:
    """Return one indicator per treated arm, or the dose itself, or nothing."""
    if trial.arm is None:
        return np.empty((len(trial.data), 0)), []
    if trial.is_dose:
        return in_deviations(_dose(trial)), [trial.arm]
    return dummies(trial.codes, len(trial.labels)), [f"{trial.arm}[{label}]" for label in trial.labels[1:]]


def _dose(trial: AnalysisRequest) -> Floats:
    return numbers(trial.data, str(trial.arm))[:, None]


def additive(trial: AnalysisRequest, *, intercept: bool = True, covariates: bool = True) -> DesignMatrix:
    """Intercept, arms, covariates, strata as main effects."""
    arms, arm_names = arm_columns(trial)
    ones = np.ones((len(trial.data), 1 if intercept else 0))
    x, x_names = trial.x if covariates else (np.empty((len(trial.data), 0)), [])
    strata, stratum_names = trial.stratum_columns if covariates else (np.empty((len(trial.data), 0)), [])
    labels = ["(Intercept)"][: ones.shape[1]] + arm_names + x_names + stratum_names
    first = ones.shape[1]
    treated = range(first, first + len(arm_names))
    return reduced(trial, np.column_stack([ones, arms, x, strata]), labels, treated, at_zero=True)


def interacted(trial: AnalysisRequest) -> DesignMatrix:
    """Intercept, arms, centred covariates, strata as main effects, and arms times centred covariates (Lin 2013)."""
    arms, arm_names = arm_columns(trial)
    x, x_names = trial.x
    # About the mean of all arms: the arm's own coefficient is then the average effect over everybody (Lin 2013), and
    # not the effect for a person whose covariates are 0. The mean of indicators is not taken away yet.
    centred = x - x.mean(axis=0)
    strata, stratum_names = trial.stratum_columns
    products = (arms[:, :, None] * centred[:, None, :]).reshape(len(x), -1)
    product_names = [f"{arm}:{name}" for arm in arm_names for name in x_names]
    columns = np.column_stack([np.ones(len(x)), arms, centred, strata - strata.mean(axis=0), products])
    labels = ["(Intercept)", *arm_names, *x_names, *stratum_names, *product_names]
    return reduced(trial, columns, labels, range(1, 1 + len(arm_names)))


def reduced(
    trial: AnalysisRequest, columns: Floats, labels: list[str], treated: range, at_zero: bool = False
) -> DesignMatrix:
    """Drop columns that others span, saying so; an arm's own column must stay.

    Args:
        trial: whose dose and covariates the columns hold, in deviations.
        columns: (n, p), those of the covariates right after those of the arms.
        labels: of the columns.
        treated: the arms' columns.
        at_zero: whether the first coefficient is reported where all covariates are 0, and not at their means.
    """
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
    back = _back(trial, columns.shape[1], treated, at_zero)[np.ix_(kept, kept)]
    return DesignMatrix(columns[:, kept], [labels[i] for i in kept], [kept.index(i) for i in treated], back)


def _back(trial: AnalysisRequest, count: int, treated: range, at_zero: bool) -> Floats:
    """Return what makes coefficients of a dose and of covariates in deviations those of both as given."""
    mean, spread = np.zeros(count), np.ones(count)
    x_mean, x_spread = mean_and_spread(trial.given_x[0])
    x_at = slice(treated.stop, min(treated.stop + len(x_mean), count))
    spread[x_at] = x_spread[: x_at.stop - x_at.start]
    if at_zero:
        mean[x_at] = x_mean[: x_at.stop - x_at.start]
    if trial.is_dose:
        spread[treated.start : treated.stop] = mean_and_spread(_dose(trial))[1][0]
    return own_units(mean, spread)
