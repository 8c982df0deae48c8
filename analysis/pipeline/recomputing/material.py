"""Data, models, assignments and results from which the primary rows follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.results import Estimate

REGRESSIONS, TIMED = ("ols", "ancova", "lin", "cluster_robust"), ("logrank", "cox")
"""Methods that the scripts have as least squares with t, and those of times."""
MARGINS, MIXED = ("noninferiority", "tost"), "mixed_model"
"""Those that hold a difference against a margin, and the one with a random intercept for each cluster."""
SIDED = ("mann_whitney", "brunner_munzel", "fisher")
"""Those that may be of one side."""
BY_LEAVING_OUT, LEFT_OUT = ("mann_whitney", "brunner_munzel", "newcombe"), "CR3"
"""Those whose errors over clusters come from leaving out one at a time, and the name of these errors."""
OVER_CLUSTERS = (*REGRESSIONS, *MARGINS, MIXED, *BY_LEAVING_OUT)
"""Those that the scripts compute of people in clusters."""
USUAL = (*OVER_CLUSTERS, "welch_t", "student_t", "fisher", *TIMED)
"""Deciding methods beside re-randomisation that the scripts compute."""
WITH_EXCLUDED = "it counts people who were excluded, and the data of the scripts are of the others"
"""Why a row of everyone allocated has no model."""
Margin = tuple[tuple[float, int], ...]
"""Ends of a margin, each with the side of it on which the difference is to lie: 1 above, -1 below."""
Weights = tuple[float, ...]
"""What a row takes of the mean of each arm of its model but the first, whose weight is minus their sum."""
Rows = Sequence[Mapping[str, Any]]
RESTRICTED, WITHIN = "restricted", "within"
"""Statistics beside lin, ancova and mean: restricted means by Kaplan-Meier, and treatments within people."""


@dataclass(frozen=True)
class ReplayedAnalysis:
    """One analysis as it was run: its people, what it is given, its assignments."""

    labels: tuple[str, ...]
    """Arms of its people, its control first."""
    codes: NDArray[np.int8]
    """(assignments, rows kept): positions in the labels."""
    exact: bool
    kept: NDArray[np.bool_]
    """Rows of the data that it has."""
    column: str
    values: pd.Series
    """The outcome, under the name that its column should have; empty where a row is not in the analysis."""
    statistic: str
    vcov: str
    again: Callable[[NDArray[np.int8]], Sequence[Estimate]]
    """Its rows on some of the assignments."""
    covariates: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    alternative: str = "two-sided"
    itself: bool = False
    """Whether the difference itself is compared, and not one over its standard error."""
    event: str = ""
    horizon: float | None = None
    weights: Mapping[tuple[str, str], Weights] = field(default_factory=dict)
    """Of a factor's effects, by their contrast; other contrasts are of an arm with the control."""


@dataclass(frozen=True)
class RecomputedModel:
    """One primary analysis: its people, its columns, its assignments, and the rows that it gave."""

    outcome: str
    title: str
    column: str
    """The outcome in the data; empty for people who are not in this analysis."""
    statistic: str
    """lin, ancova, mean, restricted or within."""
    vcov: str
    covariates: tuple[str, ...]
    """Columns of the data, in order."""
    strata: tuple[str, ...]
    arms: tuple[str, ...]
    """Those of its people, its control first."""
    rows: tuple[tuple[str, str, Weights], ...]
    """Id of each row, the arm that it compares with the control, and the same as weights; of factors a level."""
    file: str
    """Of its assignments."""
    exact: bool
    """Whether the file holds every possible assignment, the observed one among them."""
    alternative: str
    itself: bool = False
    """Whether the difference itself is compared."""
    event: str = ""
    """Of restricted means: the column that says 1 where the end was seen."""
    horizon: float | None = None


@dataclass(frozen=True)
class UsualRow:
    """A row of a usual function, for a primary outcome that has a model."""

    id: str
    method: str
    column: str
    event: str
    """Column that says 1 where the event happened; empty where the method takes none."""
    treated: str
    control: str
    arms: tuple[str, ...] = ()
    """Of a regression: those of its people, its control first."""
    covariates: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    vcov: str = ""
    weights: Weights = ()
    interacts: bool = False
    cluster: str = ""
    """Column of the clusters, where standard errors are over them."""
    alternative: str = "two-sided"
    margin: Margin = ()
    pooled: bool = False
    """Whether a t test against a margin takes one variance for both arms."""
    title: str = ""
    """Of the outcome, where the plan decides by this row; empty for an additional row."""


@dataclass(frozen=True)
class UsualAnalysis:
    """A primary analysis by a usual function, as it was run: what its rows share."""

    method: str
    column: str
    values: pd.Series
    """The outcome; empty where a person is not in the analysis."""
    event: str
    arms: tuple[str, ...]
    covariates: tuple[str, ...]
    strata: tuple[str, ...]
    vcov: str
    interacts: bool = False
    """Whether each arm has its own slopes."""
    cluster: pd.Series | None = None
    alternative: str = "two-sided"
    weights: Mapping[str, Weights] = field(default_factory=dict)
    """Of effects of factors, by the end of a row's id."""
    margin: Margin = ()
    pooled: bool = False


def weights_of(arms: Sequence[str], treated: str, control: str) -> Weights:
    """Return a contrast of two arms as weights of the means of all but the first."""
    return tuple(float(arm == treated) - float(arm == control) for arm in arms[1:])


@dataclass(frozen=True)
class ReplicationMaterial:
    """Everything of one trial."""

    data: pd.DataFrame
    """One row a person of the analysis set: arm, outcomes, events, covariates, strata; without ids.

    Of a sequence of treatments one row for each period of a person.
    """
    arms: tuple[str, ...]
    """Control first."""
    assignments: Mapping[str, NDArray[np.uint8]]
    """File -> positions in `arms`, (assignments, rows); `NO_PLACE` for rows that none of its models has."""
    models: tuple[RecomputedModel, ...]
    beside: tuple[UsualRow, ...]
    expected: pd.DataFrame
    """id, outcome, method, treated, quantity, value."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Primary row of results.json that the scripts do not compute -> why."""
    notes: tuple[str, ...] = ()
    """What else a reader must know of single rows."""
    within_people: bool = False
    """Whether a row of the data is a period of a person."""
