"""Each quiz item by item: one mixed logistic model over all its answers, people as random effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.data.quizzes import QuizItems
from analysis.data.view import View
from analysis.estimators import methods
from analysis.estimators.core.results import Estimate
from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.planning.registration import ITEM_ROW
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Plan

OF_CLUSTERS = "people came in clusters, so logistic regression of answers in place of the model with a random person"
LEAST_PEOPLE = 10
"""Fewer people than this bear no random effect worth estimating."""


def item_rows(frame: AnalysisTable, plan: Plan, view: View, quizzes: Sequence[QuizItems]) -> list[Estimate]:
    """For each quiz after allocation one row an arm: log odds ratio of full points on an item.

    The main quiz has the id `quiz_items.mixed_logit`, any other appends its stage. An item counts as solved with all
    its points; an item that all or none solved is left out. None without item answers.
    """
    after = [quiz for quiz in quizzes if quiz.role != "baseline"]
    return [row for quiz in after for row in _quiz_rows(frame, plan, view, quiz)] if len(view.arms) > 1 else []


def _quiz_rows(frame: AnalysisTable, plan: Plan, view: View, quiz: QuizItems) -> list[Estimate]:
    people = frame.population("itt")
    points = quiz.matrix(people)
    if points.empty:
        return []
    solved = _solved(quiz, points)
    arm = people.set_index("participant_id")["arm"].reindex(solved.index)
    counts = {name: int((arm == name).sum()) for name in view.arm_ids}
    empty = Estimate(
        id=ITEM_ROW + ("" if quiz.role == "main" else f".{quiz.stage}"),
        role="secondary",
        outcome=quiz.outcome,
        method="mixed_logit",
        unit="log odds",
        n=counts,
        ci_level=plan.level,
    )
    if len(solved) < LEAST_PEOPLE or solved.shape[1] < 2 or min(counts.values()) < 2:
        return [replace(empty, note=f"not estimable: {len(solved)} people, {solved.shape[1]} items that vary")]
    long = solved.rename_axis("person").reset_index().melt("person", var_name="item", value_name="solved")
    long = long.dropna(subset="solved").reset_index(drop=True)
    long["arm"] = long["person"].map(arm)
    if frame.cluster:
        return _over_clusters(frame, plan, view, long, empty, people, counts)
    try:
        found: Any = methods.METHODS["mixed_logit"](
            long, outcome="solved", arm="arm", control=view.control, item="item", person="person", level=plan.level
        )
    except StudyError as error:
        return [replace(empty, note=f"not estimable: {error}")]
    return _named(found, empty, view, counts)


def _over_clusters(
    frame: AnalysisTable,
    plan: Plan,
    view: View,
    long: pd.DataFrame,
    empty: Estimate,
    people: pd.DataFrame,
    counts: dict[str, int],
) -> list[Estimate]:
    """People allocated in clusters: logistic regression on arm and item, its errors over clusters."""
    cluster = people.set_index("participant_id")[frame.cluster]
    long = long.assign(cluster=long["person"].map(cluster))
    try:
        found = methods.METHODS["fractional_logit"](
            long, outcome="solved", arm="arm", control=view.control, covariates="item", cluster="cluster",
            level=plan.level,
        )  # fmt: skip
    except StudyError as error:
        return [replace(empty, note=f"not estimable: {error}")]
    rows = _named(found, replace(empty, method="fractional_logit"), view, counts)
    return [replace(row, note="; ".join(part for part in (OF_CLUSTERS, row.note) if part)) for row in rows]


def _named(found: Any, empty: Estimate, view: View, counts: dict[str, int]) -> list[Estimate]:
    return [
        replace(
            row,
            id=empty.id + (f".{row.contrast[0]}" if row.contrast and len(view.arms) > 2 else ""),
            role="secondary",
            outcome=empty.outcome,
            unit="log odds",
            n={name: counts[name] for name in (row.contrast or view.arm_ids)},
        )
        for row in (found if isinstance(found, list) else [found])
    ]


def _solved(quiz: QuizItems, points: pd.DataFrame) -> pd.DataFrame:
    """1 where an item earned all its points, else 0, missing where it was not asked; items on which people differ."""
    solved = (points >= quiz.highest(points) - 1e-9).astype(float).where(points.notna())
    return solved.loc[:, solved.nunique() > 1]
