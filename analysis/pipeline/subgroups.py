"""Pre-declared subgroups: the difference at each level, and the interaction with the arm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.design.multiplicity import adjust
from analysis.estimators import methods
from analysis.estimators.core.request import NotEstimable
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import groups
from analysis.estimators.numerics.linear import t_interval
from analysis.estimators.omnibus import InteractionTest
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Outcome, Plan

SMALL = 2
"""Fewer people than this in an arm at a level give no difference there."""


def subgroup_rows(frame: AnalysisTable, plan: Plan, view: View) -> list[Estimate]:
    """For each primary outcome and subgroup: one row a level (Welch), one for the interaction (F test).

    Rows of levels carry the id `<outcome>.subgroup.<column>.<level>`, the interaction `<outcome>.interaction.<column>`;
    interactions are Holm-adjusted over the subgroups of an outcome. Rows of right-censored
    times, which have no means to compare, say so.
    """
    found: list[Estimate] = []
    for outcome_id in plan.primary:
        outcome = plan.outcome(outcome_id)
        if outcome_id in frame.censored:
            found += _of_censored(frame, outcome, plan, view)
            continue
        data = frame.population("itt")
        data = data[data[outcome.id].notna()]
        tests = []
        for subgroup in plan.subgroups:
            found += _levels(data, outcome, subgroup.column, view, plan.level, frame.cluster)
            # Only interactions answer whether groups differ; differences of levels are shown with them and not
            # adjusted.
            tests.append(_interaction(data, outcome, subgroup.column, view, plan.level, frame.cluster))
        found += _holm(tests)
    return found


def _of_censored(frame: AnalysisTable, outcome: Outcome, plan: Plan, view: View) -> list[Estimate]:
    """Return the rows of the subgroups without numbers, each with the reason."""
    data = frame.population("itt")
    data = data[data[outcome.id].notna()]
    why = (
        f"{frame.censored[outcome.id]} times are right-censored before the cap; subgroups compare means of whole times"
    )
    rows = []
    for subgroup in plan.subgroups:
        rows += _levels(data, outcome, subgroup.column, view, plan.level, frame.cluster)
        rows.append(_interaction(data, outcome, subgroup.column, view, plan.level, frame.cluster))
    return [
        Estimate(
            id=row.id, role=row.role, outcome=row.outcome, method=row.method, contrast=row.contrast, unit=row.unit,
            n=row.n, ci_level=row.ci_level, note=f"not estimable: {why}",
        )
        for row in rows
    ]  # fmt: skip


def _levels(
    data: pd.DataFrame, outcome: Outcome, column: str, view: View, level: float, cluster: str | None
) -> list[Estimate]:
    rows = []
    for value in sorted(data[column].dropna().unique(), key=lambda v: (isinstance(v, str), v)):
        part = data[data[column] == value]
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        for arm in view.arm_ids[1:]:
            pair = part[part["arm"].isin([arm, view.control])].reset_index(drop=True)
            name = f"{outcome.id}.subgroup.{column}.{text}" + (f".{arm}" if len(view.arms) > 2 else "")
            rows.append(_difference(pair, outcome, name, (arm, view.control), level, cluster))
    return rows


def _difference(
    pair: pd.DataFrame, outcome: Outcome, name: str, contrast: tuple[str, str], level: float, cluster: str | None
) -> Estimate:
    counts = {arm: int((pair["arm"] == arm).sum()) for arm in contrast}
    base = Estimate(
        id=name,
        role="secondary",
        outcome=outcome.id,
        method="welch_t",
        contrast=contrast,
        unit=outcome.unit,
        n=counts,
        ci_level=level,
    )
    if min(counts.values()) < SMALL:
        return replace(base, note=f"not estimable: fewer than {SMALL} people in an arm")
    try:
        row: Any = methods.METHODS["welch_t"](
            pair, outcome=outcome.id, arm="arm", control=contrast[1], level=level, cluster=cluster
        )
    except StudyError as error:
        return replace(base, note=f"not estimable: {error}")
    named: Estimate = replace(row, id=name, role="secondary", outcome=outcome.id, unit=outcome.unit)
    return named


def _interaction(
    data: pd.DataFrame, outcome: Outcome, column: str, view: View, level: float, cluster: str | None
) -> Estimate:
    """F test of arm by subgroup with HC3 errors (CR2 of clusters).

    Takes numbers as scores, categories as dummies; as method `interaction`.
    """
    data = data[data[column].notna()]
    counts = {arm: int((data["arm"] == arm).sum()) for arm in view.arm_ids}
    base = Estimate(
        id=f"{outcome.id}.interaction.{column}",
        role="secondary",
        outcome=outcome.id,
        method="interaction",
        unit=outcome.unit,
        n=counts,
        ci_level=level,
    )
    arms = [(data["arm"] == arm).to_numpy(dtype=float) for arm in view.arm_ids[1:]]
    if not arms or data[column].nunique() < 2 or min(counts.values(), default=0) < SMALL:
        return replace(base, note="not estimable: needs two arms and two levels with people")
    x = _moderator(data[column])
    main = np.column_stack([np.ones(len(data)), *arms, x])
    product = np.column_stack([arm[:, None] * x for arm in arms])
    try:
        codes = None if cluster is None else groups(data, [cluster])[0]
        test = InteractionTest.of(main, product, data[outcome.id].to_numpy(dtype=float), clusters=codes)
    except (NotEstimable, StudyError, np.linalg.LinAlgError, ArithmeticError) as error:
        return replace(base, note=f"not estimable: {error}")
    vcov = "HC3" if cluster is None else "CR2"
    note = f"interaction of arm and {column}: F({test.df1}, {test.df2:g}), {vcov}"
    # With one contrast F is a squared t, so there is an estimate with an interval; with more there is no single one.
    if test.df1 == 1:
        slope, spread = float(test.fitted.coefficients[test.columns[0]]), float(np.sqrt(test.covariance[0, 0]))
        found = t_interval(slope, spread, test.df2, level)
        base = replace(base, estimate=slope, std_error=spread, ci_low=found["ci_low"], ci_high=found["ci_high"])
        note += "; estimate: change of the difference for each step of the scores"
    size = EffectSize("partial eta squared", test.df1 * test.f / (test.df1 * test.f + test.df2))
    detail = {"df1": test.df1, "df2": test.df2, "vcov": vcov}
    base = replace(base, statistic=test.f, df=float(test.df2), p_value=test.p_value)
    return replace(base, effect_size=size, note=note, detail=detail)


def _moderator(column: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy(dtype=float)[:, None]
    return pd.get_dummies(column.astype(str), drop_first=True).to_numpy(dtype=float)


def _holm(rows: list[Estimate]) -> list[Estimate]:
    known = [index for index, row in enumerate(rows) if row.p_value is not None]
    try:
        adjusted = list(adjust([float(rows[index].p_value or 0.0) for index in known], "holm")) if known else []
    except StudyError as error:
        return [replace(row, note=f"{row.note}; p not adjusted: {error}") for row in rows]
    for index, value in zip(known, adjusted, strict=True):
        rows[index] = replace(rows[index], p_adjusted=float(value))
    return rows
