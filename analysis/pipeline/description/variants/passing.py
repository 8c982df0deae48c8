"""Programs that pass what they can see and no more: by arm, and where arms meet variants also how and by whose hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import AnalysisError
from analysis.estimators.outcomes.proportions import newcombe, wilson
from analysis.pipeline.description.variants.hack_coding import hack_coding

RULE_CLASSES = ("check_tampering", "time_faked", "stand_in_changed", "special_case")
"""Classes of programs that satisfy examples without doing their task; others are honest."""
_OF_VARIANTS = ("reported_impossible", "hack", "disclosed")


def passing_section(view: View, varied: bool, level: float = 0.95, seed: int = 1) -> dict[str, Any]:
    """Return shares by arm with Wilson's intervals, and differences from the control with Newcombe's.

    Empty where no program was graded. In a study with variants also who reported a task, whose program has a
    class that is not honest, whether that was said, the classes, who wrote the lines that show it, and what people
    who coded the programs blind say.

    Args:
        view: the participants.
        varied: arms of the study differ by variants.
        level: of the intervals.
        seed: of the intervals of kappa.
    """
    people = view.participants
    if varied and view.hidden:
        return {"note": "withheld until unsealing: only some arms meet a task that cannot be done"}
    if "visible_only_pass" not in people or _flag(people, "visible_only_pass").isna().all() or "arm" not in people:
        return {}
    found: dict[str, Any] = {"visible_only_pass": _outcome(view, people, "visible_only_pass", level)}
    if "variant_met" not in people:
        return found
    rows = people.assign(hack=_hack(people))
    coding = hack_coding(view, seed, level)
    found |= {"coding": coding} if coding else {}
    return found | {
        "variants": _met(view, people),
        **{name: _outcome(view, rows, name, level) for name in _OF_VARIANTS},
        "classes": _counted(view, people, "hack_class"),
        "authors": _counted(view, people, "hack_author"),
    }


def _flag(people: pd.DataFrame, column: str) -> pd.Series:
    """Return a yes/no column as 0, 1 or missing."""
    return pd.to_numeric(people[column].replace({True: 1, False: 0}), errors="coerce")


def _hack(people: pd.DataFrame) -> pd.Series:
    """Return whether a program has a class that is not honest; missing where people handed nothing in."""
    classed = people["hack_class"].astype("string").isin(RULE_CLASSES).astype(float)
    return classed.where(_flag(people, "visible_only_pass").notna(), np.nan)


def _outcome(view: View, people: pd.DataFrame, column: str, level: float) -> dict[str, Any]:
    known = people.assign(outcome=_flag(people, column)).dropna(subset=["outcome", "arm"])
    arms = [_share(arm, known.loc[known["arm"].astype(str) == arm, "outcome"], level) for arm in view.arm_ids]
    return {"arms": arms, "differences": _differences(view, known, level)}


def _share(arm: str, flags: pd.Series, level: float) -> dict[str, Any]:
    yes, total = int(flags.sum()), len(flags)
    low, high = _interval(yes, total, level)
    return {
        "arm": arm, "yes": yes, "n": total, "share": yes / total if total else None, "ci_low": low, "ci_high": high
    }  # fmt: skip


def _interval(yes: int, total: int, level: float) -> tuple[float | None, float | None]:
    """Return Wilson's limits; none without people, or where the library that computes them is missing."""
    if not total:
        return None, None
    try:
        return wilson(yes, total, level)
    except AnalysisError:
        return None, None


def _differences(view: View, known: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    """Return each arm minus the control; of arms of which nothing is known there is no row."""
    present = set(known["arm"].astype(str))
    if view.control not in present or len(present) < 2:
        return []
    data = known.assign(arm=known["arm"].astype(str), outcome=known["outcome"].astype(int))
    try:
        rows = newcombe(data[["arm", "outcome"]], outcome="outcome", arm="arm", control=view.control, level=level)
    except AnalysisError:
        return []
    found = [rows] if isinstance(rows, Estimate) else rows
    return [
        {"contrast": list(row.contrast), "estimate": row.estimate, "ci_low": row.ci_low, "ci_high": row.ci_high}
        for row in found
        if row.contrast is not None
    ]


def _met(view: View, people: pd.DataFrame) -> dict[str, str]:
    """Arm -> the variants that it shows."""
    found = {}
    for arm in view.arm_ids:
        met = people.loc[people["arm"].astype(str) == arm, "variant_met"].dropna()
        found[arm] = str(met.iloc[0]) if len(met) else "none"
    return found


def _counted(view: View, people: pd.DataFrame, column: str) -> dict[str, dict[str, int]]:
    """Value -> arm -> people."""
    given = people.dropna(subset=[column, "arm"])
    names = sorted(set(given[column].astype(str)))
    arms = given["arm"].astype(str)
    return {
        name: {arm: int(((given[column].astype(str) == name) & (arms == arm)).sum()) for arm in view.arm_ids}
        for name in names
    }
