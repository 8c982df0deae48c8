"""Every outcome by arm, with its absolute and its relative effect: what CONSORT 2025 asks for as item 26."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.estimators.core.effect_sizes import deviation
from analysis.estimators.core.no_effect import no_effect
from analysis.estimators.numerics.restricted_mean import kaplan_meier_curve
from analysis.estimators.outcomes.proportions import wilson
from analysis.estimators.outcomes.score_ratio import score_ratio_interval
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Outcome, Plan

Rows = Sequence[Mapping[str, Any]]
ABSOLUTE = {
    "binary": ("newcombe",),
    "time": ("rmst", "welch_t"),
    "ordinal": ("mann_whitney",),
    "count": ("mann_whitney",),
    "bounded": ("lin", "ancova", "welch_t"),
    "continuous": ("lin", "ancova", "welch_t"),
}
"""Kind of outcome -> methods whose row is its absolute effect where no primary row is, the first that is there."""
RELATIVE = {"time": ("cox",), "ordinal": ("ordinal_logit",), "count": ("negative_binomial", "poisson")}
"""Kind of outcome -> methods whose row is its relative effect; of a binary outcome the risk ratio, computed here."""


def outcome_summaries(frame: AnalysisTable, plan: Plan, view: View, estimates: Rows) -> list[dict[str, Any]]:
    """Return the `outcomes` of results.json.

    Args:
        frame: the analysis table.
        plan: its outcomes, in its order.
        view: the arms, control first.
        estimates: rows of results.json; an effect names the row that it repeats.

    Returns:
        One entry an outcome: `outcome`, `kind`, `unit`, `arms` (n, missing, and what the kind asks for: mean, sd,
        median, q1, q3; count and percent with Wilson's interval; events and the median by Kaplan and Meier), `effects`
        (contrast, absolute, relative; None where there is none).
    """
    everybody = frame.population("itt")
    return [_summary(everybody, outcome, frame, plan, view, estimates) for outcome in plan.outcomes]


def _summary(
    data: pd.DataFrame, outcome: Outcome, frame: AnalysisTable, plan: Plan, view: View, estimates: Rows
) -> dict[str, Any]:
    censored = outcome.id in frame.censored
    parts = {arm: data[data["arm"] == arm] for arm in view.arm_ids}
    rows = [row for row in estimates if row["outcome"] == outcome.id and row["population"] == "itt"]
    return {
        "outcome": outcome.id,
        "kind": outcome.kind,
        "unit": outcome.unit,
        "arms": {arm: _of_arm(part, outcome, plan.level, censored=censored) for arm, part in parts.items()},
        "effects": [
            {
                "contrast": [arm, against],
                "absolute": _found(rows, (arm, against), ("primary",), ABSOLUTE[outcome.kind]),
                "relative": _risk_ratio(parts[arm], parts[against], outcome, plan.level, bool(frame.cluster))
                if outcome.kind == "binary"
                else _found(rows, (arm, against), (), RELATIVE.get(outcome.kind, ())),
            }
            for arm, against in _contrasts(rows, view)
        ],
    }


def _contrasts(rows: Rows, view: View) -> list[tuple[str, str]]:
    """Return every arm with the control, then the other pairs of arms that a primary row compares."""
    usual = [(arm, view.control) for arm in view.arm_ids[1:]]
    planned = [tuple(row["contrast"]) for row in rows if row["role"] == "primary" and row["contrast"]]
    direct = [(arm, other) for arm, other in dict.fromkeys(planned) if {arm, other} <= set(view.arm_ids)]
    return usual + [pair for pair in direct if pair not in usual]


def _of_arm(part: pd.DataFrame, outcome: Outcome, level: float, *, censored: bool) -> dict[str, Any]:
    values = part[outcome.id].dropna().to_numpy(dtype=float)
    found: dict[str, Any] = {"n": len(values), "missing": len(part) - len(values)}
    if not len(values):
        return found
    if outcome.kind == "binary":
        return found | _share(values, level)
    if outcome.kind == "time":
        found |= _times(values, part[f"_event_{outcome.id}"].dropna().to_numpy(dtype=float))
    if censored:
        return found
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    spread = deviation(values) if len(values) > 1 else None
    quartiles = {"median": float(middle), "q1": float(low), "q3": float(high)}
    return {**found, "mean": float(values.mean()), "sd": spread, **(quartiles if outcome.kind != "time" else {})}


def _share(values: np.ndarray, level: float) -> dict[str, Any]:
    count = int(values.sum())
    try:
        low, high = wilson(count, len(values), level)
    except StudyError:
        return {"count": count, "percent": 100 * count / len(values)}
    return {
        "count": count, "percent": 100 * count / len(values), "percent_ci_low": 100 * low, "percent_ci_high": 100 * high
    }  # fmt: skip


def _times(values: np.ndarray, events: np.ndarray) -> dict[str, Any]:
    curve = kaplan_meier_curve(values, events == 1)
    # With room for rounding: a product such as 0.9 * 5 / 9 is one half.
    below = np.flatnonzero(curve.survival <= 0.5 + 1e-12)
    return {"events": int(events.sum()), "median": float(curve.times[below[0]]) if len(below) else None}


def _found(rows: Rows, contrast: tuple[str, str], roles: Sequence[str], methods: Sequence[str]) -> Any:
    """Return the row that is this effect: one of these roles, else the first of these methods."""
    mine = [row for row in rows if tuple(row["contrast"] or ()) == contrast and row["estimate"] is not None]
    plain = [row for row in mine if ".subgroup." not in row["id"] and "last_activity" not in row["id"]]
    order = [row for row in plain if row["role"] in roles and not _relative(row)]
    order += [row for name in methods for row in plain if row["method"] == name and "ratio" not in row["unit"].split()]
    order += [row for name in methods for row in plain if row["method"] == name]
    if not order:
        return None
    keys = ("id", "method", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "unit", "contrast")
    # Its error is over clusters then, which its method's name does not say.
    clusters = (order[0].get("detail") or {}).get("clusters")
    return {key: order[0][key] for key in keys} | ({} if clusters is None else {"clusters": clusters})


def _relative(row: Mapping[str, Any]) -> bool:
    """Whether a row holds a ratio, as it is or as a logarithm, or how much an effect changes; neither is absolute."""
    unit = str(row["unit"])
    return unit.startswith("log ") or no_effect(row["method"], unit) == 1 or row["method"] == "interaction"


def _risk_ratio(
    treated: pd.DataFrame, control: pd.DataFrame, outcome: Outcome, level: float, clustered: bool
) -> dict[str, Any] | None:
    """Ratio of the shares with the score interval of Miettinen and Nurminen (1985); none for clusters."""
    one, two = (part[outcome.id].dropna().to_numpy(dtype=float) for part in (treated, control))
    if not len(one) or not len(two) or clustered or not two.sum():
        return None
    low, high = score_ratio_interval(int(one.sum()), len(one), int(two.sum()), len(two), level)
    return {
        "id": None, "method": "risk_ratio", "estimate": float(one.mean() / two.mean()), "ci_low": _number(low),
        "ci_high": _number(high), "ci_level": level, "p_value": None, "unit": "risk ratio", "contrast": None,
    }  # fmt: skip


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
