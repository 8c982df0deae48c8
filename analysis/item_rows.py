"""The quiz item by item: one mixed logistic model over all answers, people as random effects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis import methods
from analysis.frame import Frame
from analysis.masking import View
from analysis.results import Estimate
from analysis.sections import item_facts, item_matrix, quiz_answers
from study_app.domain.errors import StudyError
from study_app.domain.plan import Plan

LEAST_PEOPLE = 10
"""Fewer people than this bear no random effect worth estimating."""


def item_rows(frame: Frame, plan: Plan, view: View) -> list[Estimate]:
    """One row an arm: log odds ratio of full points on an item, `quiz_items.mixed_logit`; none without item answers.

    An item counts as solved with all its points; an item that everybody or nobody solved is left out.
    """
    answers, people = quiz_answers(view), frame.population("itt")
    points = item_matrix(answers, people)
    if points.empty or len(view.arms) < 2:
        return []
    facts = item_facts(answers)
    solved = pd.DataFrame({item: points[item] >= _top(facts, points, str(item)) - 1e-9 for item in points}).astype(
        float
    )
    solved = solved.loc[:, solved.nunique() > 1]
    arm = people.set_index("participant_id")["arm"].reindex(solved.index)
    counts = {name: int((arm == name).sum()) for name in view.arm_ids}
    empty = Estimate(
        id="quiz_items.mixed_logit",
        role="secondary",
        outcome="quiz_items",
        method="mixed_logit",
        unit="log odds",
        n=counts,
        ci_level=plan.level,
    )
    if len(solved) < LEAST_PEOPLE or solved.shape[1] < 2 or min(counts.values()) < 2:
        return [replace(empty, note=f"not estimable: {len(solved)} people, {solved.shape[1]} items that vary")]
    long = solved.rename_axis("person").reset_index().melt("person", var_name="item", value_name="solved")
    long["arm"] = long["person"].map(arm)
    try:
        found: Any = methods.METHODS["mixed_logit"](
            long, outcome="solved", arm="arm", control=view.control, item="item", person="person", level=plan.level
        )
    except StudyError as error:
        return [replace(empty, note=f"not estimable: {error}")]
    rows = found if isinstance(found, list) else [found]
    return [
        replace(
            row,
            id=empty.id + (f".{row.contrast[0]}" if row.contrast and len(view.arms) > 2 else ""),
            role="secondary",
            outcome="quiz_items",
            unit="log odds",
            n={name: counts[name] for name in (row.contrast or view.arm_ids)},
        )
        for row in rows
    ]


def _top(facts: dict[str, dict[str, Any]], points: pd.DataFrame, item: str) -> float:
    return float(facts[item]["max_points"] or points[item].max())
