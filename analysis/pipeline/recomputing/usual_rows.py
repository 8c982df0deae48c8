"""Primary rows by usual functions, which need no assignments, as the supplement gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.numerics.linear import vcov_name
from analysis.pipeline.recomputing import of_factors
from analysis.pipeline.recomputing.between_people import BetweenPeople, named, request_for
from analysis.pipeline.recomputing.material import (
    LEFT_OUT,
    MARGINS,
    MIXED,
    OVER_CLUSTERS,
    REGRESSIONS,
    SIDED,
    TIMED,
    Margin,
    UsualAnalysis,
)
from study_app.domain.study.analysis_plan import Analysis


def usual_runs(source: BetweenPeople, analysis: Analysis) -> list[UsualAnalysis]:
    """Return an analysis by a usual function as it was run, each model by itself.

    Raises:
        LookupError: why the scripts cannot compute it.
    """
    method, data, given = source.runner.prepared_call(analysis)
    if analysis.population not in ("itt", "per_protocol"):
        raise LookupError(f"it is of '{analysis.population}', and the scripts compare people as allocated")
    if method == "factorial":
        trial = of_factors.request_of(data, given, method, source.seed)
        return of_factors.compared(trial, given, source.data, named(given, "cells", analysis.population))
    control = analysis.contrast[1] if analysis.contrast else source.runner.view.control
    trial = request_for(data, given, control, source.seed)
    _refuse_others(method, given, trial)
    column, clustered = str(given["outcome"]), given.get("cluster")
    kept = source.data["participant_id"].isin(set(data["participant_id"]))
    run = UsualAnalysis(
        method, named(given, analysis.population), source.data[column].where(kept), str(given.get("event") or ""),
        trial.labels, trial.covariates, trial.strata, _variance(method, given, trial), method == "lin",
        source.data[clustered] if clustered else None, str(given.get("alternative", "two-sided")),
    )  # fmt: skip
    if method in MARGINS:
        return [replace(run, margin=_margin(method, given), pooled=bool(given.get("equal_var", False)))]
    return [run]


def _refuse_others(method: str, given: Mapping[str, Any], trial: AnalysisRequest) -> None:
    """Refuse what the scripts do not know.

    Raises:
        LookupError: what that is.
    """
    adjusts = method in (*REGRESSIONS, *MARGINS, MIXED)
    if trial.cluster and method not in OVER_CLUSTERS:
        raise LookupError(f"its people come in clusters, and the scripts have no such errors for {method}")
    taken = {"outcome", "event", "covariates", "stratum", "cluster"} | ({"vcov"} if method in REGRESSIONS else set())
    taken |= {"alternative"} if method in SIDED and not trial.cluster else set()
    taken |= {"margin", "better", "equal_var"} if method in MARGINS else set()
    if more := sorted(set(given) - taken):
        raise LookupError(f"the scripts compute {method} without {', '.join(more)}")
    if not adjusts and (given.get("covariates") or given.get("stratum")):
        raise LookupError(f"the scripts compute {method} without covariates and strata")
    if method in TIMED and len(trial.labels) > 2:
        raise LookupError(f"the scripts compute {method} of two arms")


def _variance(method: str, given: Mapping[str, Any], trial: AnalysisRequest) -> str:
    """Return the covariance of a regression; empty where the row has none."""
    if method in MARGINS and (trial.covariates or trial.strata or trial.cluster):
        return "CR2" if trial.cluster else "HC3"
    if method not in REGRESSIONS:
        return LEFT_OUT if trial.cluster and method != MIXED else ""
    wanted = given.get("vcov")
    if trial.cluster:
        return str(wanted or "CR2")
    return vcov_name(wanted or ("HC3" if method == "lin" else None))


def _margin(method: str, given: Mapping[str, Any]) -> Margin:
    """Return each end of the margin, with the side on which the difference is to lie: 1 above it, -1 below."""
    margin = given["margin"]
    if method == "tost":
        low, high = (-margin, margin) if isinstance(margin, int | float) else margin
        return ((float(low), 1), (float(high), -1))
    return ((float(margin), -1),) if given.get("better") == "lower" else ((-float(margin), 1),)
