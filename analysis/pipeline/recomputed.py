"""What someone needs to compute the primary results again without this package: data, models, assignments, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.methods import METHODS
from analysis.pipeline.planning.plan import schedule
from analysis.pipeline.planning.unmade import unmade_rows
from analysis.pipeline.prepare import Prepared
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.trial_ledger import ledger_of, within
from study_app.domain.study.analysis_plan import Analysis

CELLS = 20_000_000
"""Arms of people in the file of assignments, at most; with more people it holds fewer assignments."""
BESIDE = ("welch_t", "logrank", "cox")
"""Rows that base R and statsmodels have a function for, and that the scripts compute, too."""


@dataclass(frozen=True)
class RecomputedModel:
    """One primary row's model."""

    row: str
    """Id of the row."""
    outcome: str
    title: str
    statistic: str
    """lin, ancova or mean."""
    vcov: str
    covariates: tuple[str, ...]
    """Columns of the data, in order."""
    strata: tuple[str, ...]
    event: str
    """Of a time: the column that says 1 where the event happened; else empty."""
    base: int
    """Position of the arm that others are compared with."""
    treated: tuple[int, ...]
    """Positions of the arms that are compared with it."""


@dataclass(frozen=True)
class ReplicationMaterial:
    """Everything of one trial."""

    data: pd.DataFrame
    """One row a person of the analysis set: arm, outcomes, events, covariates, strata; without ids."""
    arms: tuple[str, ...]
    """Control first."""
    assignments: NDArray[np.int8]
    """Positions in `arms`, (assignments, people)."""
    models: tuple[RecomputedModel, ...]
    expected: pd.DataFrame
    """id, outcome, method, treated, quantity, value."""


def recomputed(prepared: Prepared, estimates: list[Mapping[str, Any]], seed: int) -> ReplicationMaterial | None:
    """Return the primary re-randomisation rows with all that they rest on.

    None where the plan decides by other methods or populations, and of a sequence: its rows compare treatments within
    people, which no assignment of one arm to each person describes.

    Args:
        prepared: dataset and plan; the arms must be visible.
        estimates: rows of results.json.
        seed: of the analysis.
    """
    if prepared.sequence:
        return None
    plan, view, frame = prepared.fitted, prepared.view, prepared.frame
    ledger, note = ledger_of(prepared.dataset, view)
    unmade = unmade_rows(prepared.dataset.study.study, prepared.plan, prepared.analyses)
    runner = AnalysisRunner(frame, plan, view, ledger, note, seed, False, unmade=unmade)
    everybody = frame.population("itt").reset_index(drop=True)
    planned = schedule(plan, len(view.arms), frame.cluster is not None)
    made = [str(row["id"]) for row in estimates if row["p_value"] is not None]
    primary = [
        row
        for row in planned
        if (row.role, row.method, row.population) == ("primary", "rerandomization", "itt")
        # Of several arms each row has the arm behind its name; a row that could not be made cannot be made again.
        if any(name == row.id or name.startswith(f"{row.id}.") for name in made)
    ]
    drawn = _assignments(prepared, everybody, ledger, seed)
    models, expected = [], []
    columns: dict[str, pd.Series] = {"arm": everybody["arm"].astype(str)}
    for analysis in primary:
        found = _model(runner, analysis, everybody, drawn, prepared, columns)
        if found is not None:
            models.append(found[0])
            expected += found[1]
    if not models:
        return None
    compared = {(model.outcome, view.arm_ids[arm]) for model in models for arm in model.treated}
    expected += [entry for row in estimates for entry in _beside(row, compared)]
    return ReplicationMaterial(pd.DataFrame(columns), view.arm_ids, drawn, tuple(models), pd.DataFrame(expected))


def _assignments(prepared: Prepared, everybody: pd.DataFrame, ledger: Any, seed: int) -> NDArray[np.int8]:
    # At least 99, for fewer could not reach a p of .01, whatever the size of the file.
    count = max(min(prepared.fitted.replicates, CELLS // max(len(everybody), 1)), 99)
    rng = np.random.default_rng(seed)
    if ledger is not None:
        return np.asarray(ledger.for_people([str(person) for person in everybody["participant_id"]])(count, rng))
    strata = everybody["stratum"].fillna("all") if "stratum" in everybody else pd.Series("all", everybody.index)
    cluster = everybody[prepared.frame.cluster] if prepared.frame.cluster else None
    return np.asarray(within(strata, everybody["arm"], prepared.view.arm_ids, cluster)(count, rng))


def _model(
    runner: AnalysisRunner, analysis: Analysis, everybody: pd.DataFrame, drawn: NDArray[np.int8], prepared: Prepared,
    columns: dict[str, pd.Series],
) -> tuple[RecomputedModel, list[dict[str, Any]]] | None:  # fmt: skip
    """Return the model as the analysis has it, and its results on these assignments."""
    try:
        data, given = runner.prepared_call(analysis)
    except LookupError:
        return None
    if given.get("statistic") == "rmst":  # right-censored times: no regression of whole times
        return None
    arms = prepared.view.arm_ids
    base = analysis.contrast[1] if analysis.contrast else arms[0]
    kept = everybody[analysis.outcome].notna().to_numpy()
    call = {key: value for key, value in given.items() if key not in ("replicates", "scheme", "arms", "interval")}
    # Computed again on the assignments of the file: where these are fewer than the plan's, p is not the report's.
    rows: Any = METHODS["rerandomization"](
        data, arm="arm", control=base, scheme=drawn[:, kept], arms=arms, interval=False, **call
    )
    listed = [
        row
        for row in (rows if isinstance(rows, list) else [rows])
        if row.contrast and analysis.contrast in ((), row.contrast)
    ]
    statistic = str(given.get("statistic", "lin"))
    covariates = tuple(given.get("covariates", ())) if statistic != "mean" else ()
    strata = tuple(given.get("stratum") or ()) if statistic != "mean" else ()
    outcome = prepared.fitted.outcome(analysis.outcome)
    event = f"event_{outcome.id}" if f"_event_{outcome.id}" in everybody else ""
    columns[outcome.id] = everybody[outcome.id]
    columns |= {event: everybody[f"_event_{outcome.id}"]} if event else {}
    columns |= {name.strip("_"): everybody[name] for name in (*covariates, *strata)}
    vcov = str(given.get("vcov") or ("HC3" if statistic == "lin" else "HC2"))
    model = RecomputedModel(
        analysis.id, outcome.id, outcome.title, statistic, vcov, tuple(name.strip("_") for name in covariates),
        tuple(name.strip("_") for name in strata), event, arms.index(base),
        tuple(arms.index(row.contrast[0]) for row in listed if row.contrast),
    )  # fmt: skip
    quantities = ("estimate", "statistic", "p_value")
    return model, [
        _entry(analysis.id, outcome.id, "rerandomization", row.contrast[0], name, getattr(row, name))
        for row in listed
        for name in quantities
        if row.contrast and getattr(row, name) is not None
    ]


def _beside(row: Mapping[str, Any], compared: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows of usual functions; their ids have nothing beyond outcome, method and arm.

    None where people are in clusters: the usual functions take them as independent.
    """
    treated = (row["contrast"] or [""])[0]
    usual = {f"{row['outcome']}.{row['method']}", f"{row['outcome']}.{row['method']}.{treated}"}
    if (row["outcome"], treated) not in compared or row["method"] not in BESIDE or row["id"] not in usual:
        return []
    if "clusters" in row["detail"]:
        return []
    return [
        _entry(row["id"], row["outcome"], row["method"], treated, name, row[name])
        for name in ("estimate", "statistic", "p_value")
        if row[name] is not None
    ]


def _entry(row: str, outcome: str, method: str, treated: str, quantity: str, value: float) -> dict[str, Any]:
    return {"id": row, "outcome": outcome, "method": method, "treated": treated, "quantity": quantity, "value": value}
