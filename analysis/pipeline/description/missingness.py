"""What is missing: how much of each variable in each arm, and which variables are missing together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.estimators.core.effect_sizes import standardized_difference
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.study.analysis_plan import Plan

FEW = 2
"""People with and without a value whose baseline can be compared."""


def missingness_section(frame: AnalysisTable, plan: Plan, view: View) -> dict[str, Any]:
    """Return the `missing` of results.json.

    Args:
        frame: the analysis table.
        plan: its covariates, then its outcomes; what the data do not have at all is left out.
        view: the arms, control first.

    Returns:
        `n` (people whom the analyses are about), `left_out` (status -> arm -> people allocated who are in no analysis,
        where there are some), `variables` (missing and percent by arm), `patterns` (variables missing together, people
        by arm, the commonest first; complete people have none) and `baseline` (for each primary outcome and covariate:
        standardised difference of those without the outcome from those with it).
    """
    people = frame.population("itt")
    gaps = _gaps(people, plan)
    arms = {arm: (people["arm"] == arm).to_numpy() for arm in view.arm_ids}
    return {
        "n": len(people),
        **({"left_out": apart} if (apart := frame.set_aside(view.arm_ids)) else {}),
        "variables": [
            {"variable": name, "missing": int(cells.sum()),
             "arms": {arm: _share(cells.to_numpy(), mine) for arm, mine in arms.items()}}
            for name, cells in gaps.items()
        ],
        "patterns": _patterns(gaps, arms),
        "baseline": _baseline(people, plan),
    }  # fmt: skip


def _gaps(people: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return True where a variable has no value (people, variables)."""
    covariates = [entry.column for entry in plan.covariates if entry.column in people]
    outcomes = [outcome.id for outcome in plan.outcomes if people[outcome.id].notna().any()]
    names = list(dict.fromkeys([*covariates, *outcomes]))
    return people[names].isna() if names else pd.DataFrame(index=people.index)


def _share(cells: np.ndarray, mine: np.ndarray) -> dict[str, Any]:
    count, missing = int(mine.sum()), int((cells & mine).sum())
    return {"n": count, "missing": missing, "percent": 100 * missing / count if count else None}


def _patterns(gaps: pd.DataFrame, arms: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return which variables are missing together."""
    if gaps.empty:
        return []
    together = [tuple(name for name, gone in zip(gaps, row, strict=True) if gone) for row in gaps.to_numpy()]
    found = []
    for pattern in dict.fromkeys(together):
        mine = np.asarray([entry == pattern for entry in together])
        counts = {arm: int((mine & rows).sum()) for arm, rows in arms.items()}
        found.append({"missing": list(pattern), "n": int(mine.sum()), "arms": counts})
    return sorted(found, key=lambda entry: (-entry["n"], entry["missing"]))


def _baseline(people: pd.DataFrame, plan: Plan) -> list[dict[str, Any]]:
    """Return how those without a primary outcome differ at baseline from those with it; numeric covariates only."""
    found: list[dict[str, Any]] = []
    for name in plan.primary:
        gone = people[name].isna()
        for entry in plan.covariates:
            values = pd.to_numeric(people[entry.column], errors="coerce") if entry.column in people else pd.Series()
            without, having = _seen(values, gone), _seen(values, ~gone)
            if min(len(without), len(having)) < FEW or not np.ptp(np.concatenate([without, having])):
                continue
            found.append({
                "outcome": name, "variable": entry.column, "without": float(without.mean()),
                "n_without": len(without), "having": float(having.mean()), "n_having": len(having),
                "smd": standardized_difference(without, having) if _varies(without, having) else None,
            })  # fmt: skip
    return found


def _seen(values: pd.Series, rows: pd.Series) -> np.ndarray:
    return values[rows].dropna().to_numpy(dtype=float) if len(values) else np.empty(0)


def _varies(*parts: np.ndarray) -> bool:
    return any(np.ptp(part) > 0 for part in parts)
