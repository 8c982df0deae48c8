"""A primary row at the looks: z, boundary, repeated interval, and whether the plan's rule rejects it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from scipy import stats

from analysis.design.sequential import SequentialTest, TakenLook
from analysis.estimators.core.no_effect import CHANCES, no_effect
from analysis.estimators.core.results import Estimate
from analysis.pipeline.family import adjusted
from study_app.domain.study.analysis_plan import Plan

Decision = Literal["efficacy", "futility", "continue"]
WORDS: dict[str, str] = {
    "efficacy": "every primary hypothesis is rejected; the trial may stop",
    "futility": "every primary row is below its futility bound",
    "continue": "the trial goes on",
}
"""What each decision says."""


FEW = 10
"""Re-randomisations as extreme as what was observed; of fewer, p is known to no better than a third."""


def z_of(row: Mapping[str, Any]) -> float:
    """Return the standard normal value of a two-sided p, with the sign of the effect; 0 where there is no p."""
    if row["p_value"] is None or row["estimate"] is None:
        return 0.0
    # The floor keeps z finite where p underflows to 0: no standard error and no interval follow from an infinite one.
    size = float(stats.norm.isf(max(row["p_value"], 1e-300) / 2))
    return math.copysign(size, row["estimate"] - null_of(row))


def null_of(row: Mapping[str, Any]) -> float:
    """Return the estimate of a row without an effect, from which z and its standard error are counted."""
    return no_effect(str(row.get("method", "")), str(row.get("unit", "")))


def within_scale(method: str, value: float) -> float:
    """Return the end of an interval, a chance between 0 and 1."""
    return min(max(value, 0.0), 1.0) if method in CHANCES else value


def error_of(row: Mapping[str, Any], z: float, *, null: float = 0.0, crossed: bool = False) -> float | None:
    """Return the standard error that belongs to z: the effect over z, or the row's own where z says little of it.

    Args:
        row: one that gave z.
        z: of the row.
        null: estimate of the row without an effect.
        crossed: whether z is beyond its boundary; only then may an interval be shorter than z alone makes it.
    """
    if row["estimate"] is None:
        return None
    # Effect over z makes boundary and interval agree exactly, whatever test gave p; near 0 the quotient is noise.
    by_p = float((row["estimate"] - null) / z) if z else None
    if row["std_error"] is None or (abs(z) >= 1 and not (crossed and _few_as_extreme(row))):
        return by_p
    # A boundary is a normal quantile; widened so that the interval is that of the row's t distribution at 5 %.
    wider = stats.t.isf(0.025, row["df"]) / stats.norm.isf(0.025) if row["df"] else 1.0
    own = float(row["std_error"] * wider)
    return own if by_p is None or abs(z) < 1 else min(own, by_p)


def _few_as_extreme(row: Mapping[str, Any]) -> bool:
    """Return whether so few re-randomisations were as extreme that p says only that z is at least so large.

    p is never below one over their number, so that the interval of a large effect would grow with the effect.
    """
    assignments = (row.get("detail") or {}).get("assignments") or row.get("assignments")
    return assignments is not None and row["p_value"] is not None and row["p_value"] * assignments < FEW


def looked_at(
    plan: Plan, looks: Sequence[TakenLook], history: Mapping[str, Sequence[float]], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what the present look says: each row against its boundary, and the decision of the plan's rule.

    Args:
        plan: level, multiplicity rule, stopping rule.
        looks: those taken, the present one last.
        history: z of each row at the looks before.
        rows: the primary rows of the present look, as at a single analysis.
    """
    alpha = 1 - plan.level
    test = SequentialTest(plan.stopping, tuple(looks))
    boundary, spent = test.critical(alpha)[-1], test.spent(alpha)[-1]
    found = [
        _look_row(test, row, [*history.get(row["id"], [0.0] * (len(looks) - 1)), z_of(row)], boundary) for row in rows
    ]
    for entry, p in zip(found, adjusted_over_family(plan, found), strict=True):
        entry["p_adjusted"] = p
    return {
        "boundary": boundary, "nominal_p": float(2 * stats.norm.sf(boundary)), "alpha_spent": spent, "rows": found,
        "decision": _decision(plan, looks[-1], found),
    }  # fmt: skip


def _look_row(test: SequentialTest, row: Mapping[str, Any], z: Sequence[float], boundary: float) -> dict[str, Any]:
    names = ("id", "outcome", "contrast", "estimate", "unit", "std_error", "df", "p_value", "n")
    crossed = abs(z[-1]) >= boundary
    error = error_of(row, z[-1], null=null_of(row), crossed=crossed)
    low, high = (None, None) if error is None else (
        within_scale(str(row.get("method", "")), row["estimate"] + side * boundary * error) for side in (-1, 1)
    )  # fmt: skip
    return {
        **{name: row[name] for name in names}, **_counted(row), "z": z[-1], "boundary": boundary,
        "crossed": crossed, "ci_low": low, "ci_high": high, "sequential_p": test.sequential_p(z),
    }  # fmt: skip


def _counted(row: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of re-randomisations behind p, where there were any: a final interval needs it."""
    found = (row.get("detail") or {}).get("assignments")
    return {} if found is None else {"assignments": int(found)}


def adjusted_over_family(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Sequential p values by the plan's multiplicity rule; as they are without one."""
    listed = [Estimate(id=row["id"], role="primary", p_value=row["sequential_p"]) for row in rows]
    family = adjusted(listed, plan)
    return [float(row.p_value or 0.0) if row.p_adjusted is None else row.p_adjusted for row in family]


def _decision(plan: Plan, look: TakenLook, rows: Sequence[Mapping[str, Any]]) -> Decision:
    rule = plan.stopping
    # All of them and not any: a trial that stops at the first rejection leaves the other hypotheses without their
    # power.
    if all(row["p_adjusted"] <= 1 - plan.level + 1e-12 for row in rows):
        return "efficacy"
    # Binding bounds are in the boundaries already; of others the boundaries know nothing, so passing one over costs no
    # level.
    bound = rule.futility[look.number - 1] if look.number <= len(rule.futility) else None
    return "futility" if bound is not None and all(abs(row["z"]) < bound for row in rows) else "continue"


def with_detail(row: Estimate, **more: Any) -> Estimate:
    """Return the row with further named figures."""
    return replace(row, detail={**row.detail, **more})
