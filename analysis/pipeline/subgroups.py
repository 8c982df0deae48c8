"""Pre-declared subgroups: the difference at each level, and the interaction with the arm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.data.view import View
from analysis.design.multiplicity import adjust
from analysis.estimators import methods
from analysis.estimators.core.request import NotEstimable
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.numerics.linear import fit, independent_columns
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Outcome, Plan

SMALL = 2
"""Fewer people than this in an arm at a level give no difference there."""


def subgroup_rows(frame: AnalysisTable, plan: Plan, view: View) -> list[Estimate]:
    """For each primary outcome and subgroup: one row a level (Welch), one for the interaction (F test).

    Rows of levels carry the id `<outcome>.subgroup.<column>.<level>`, the interaction `<outcome>.interaction.<column>`;
    interactions are Holm-adjusted over the subgroups of an outcome. None for right-censored times.
    """
    found: list[Estimate] = []
    for outcome_id in plan.primary:
        if outcome_id in frame.censored:
            continue
        outcome = plan.outcome(outcome_id)
        data = frame.population("itt")
        data = data[data[outcome.id].notna()]
        tests = []
        for subgroup in plan.subgroups:
            found += _levels(data, outcome, subgroup.column, view, plan.level)
            tests.append(_interaction(data, outcome, subgroup.column, view, plan.level))
        found += _holm(tests)
    return found


def _levels(data: pd.DataFrame, outcome: Outcome, column: str, view: View, level: float) -> list[Estimate]:
    rows = []
    for value in sorted(data[column].dropna().unique(), key=lambda v: (isinstance(v, str), v)):
        part = data[data[column] == value]
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        for arm in view.arm_ids[1:]:
            pair = part[part["arm"].isin([arm, view.control])].reset_index(drop=True)
            name = f"{outcome.id}.subgroup.{column}.{text}" + (f".{arm}" if len(view.arms) > 2 else "")
            rows.append(_difference(pair, outcome, name, (arm, view.control), level))
    return rows


def _difference(pair: pd.DataFrame, outcome: Outcome, name: str, contrast: tuple[str, str], level: float) -> Estimate:
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
        row: Any = methods.METHODS["welch_t"](pair, outcome=outcome.id, arm="arm", control=contrast[1], level=level)
    except StudyError as error:
        return replace(base, note=f"not estimable: {error}")
    return replace(row, id=name, role="secondary", outcome=outcome.id, unit=outcome.unit)


def _interaction(data: pd.DataFrame, outcome: Outcome, column: str, view: View, level: float) -> Estimate:
    """F test of arm by subgroup: numbers as scores, categories as dummies (least squares, classical variance)."""
    data = data[data[column].notna()]
    counts = {arm: int((data["arm"] == arm).sum()) for arm in view.arm_ids}
    base = Estimate(
        id=f"{outcome.id}.interaction.{column}",
        role="secondary",
        outcome=outcome.id,
        method="ols",
        unit=outcome.unit,
        n=counts,
        ci_level=level,
    )
    arms = [(data["arm"] == arm).to_numpy(dtype=float) for arm in view.arm_ids[1:]]
    if not arms or data[column].nunique() < 2 or min(counts.values(), default=0) < SMALL:
        return replace(base, note="not estimable: needs two arms and two levels with people")
    x = _moderator(data[column])
    main = np.column_stack([np.ones(len(data)), *arms, x])
    full = np.column_stack([main, *[arm[:, None] * x for arm in arms]])
    y = data[outcome.id].to_numpy(dtype=float)
    try:
        small, large = (fit(design[:, independent_columns(design)], y) for design in (main, full))
        extra = large.design.shape[1] - small.design.shape[1]
        if extra < 1 or large.df < 1 or large.sigma2 <= 0:
            return replace(base, note="not estimable: too few people for the interaction")
        f = float((small.sigma2 * small.df - large.sigma2 * large.df) / extra / large.sigma2)
    except (NotEstimable, np.linalg.LinAlgError, ArithmeticError) as error:
        return replace(base, note=f"not estimable: {error}")
    p = float(stats.f.sf(f, extra, large.df))
    note = f"interaction of arm and {column}: F({extra}, {large.df})"
    if extra == 1:
        slope = float(large.coefficients[-1])
        spread = float(np.sqrt(large.gram_inverse[-1, -1] * large.sigma2))
        half = float(stats.t.ppf(0.5 + level / 2, large.df)) * spread
        base = replace(base, estimate=slope, std_error=spread, ci_low=slope - half, ci_high=slope + half)
        note += "; estimate: change of the difference for each step of the scores"
    share = extra * f / (extra * f + large.df)
    size = EffectSize("partial eta squared", share)
    return replace(base, statistic=f, df=float(large.df), p_value=p, effect_size=size, note=note)


def _moderator(column: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy(dtype=float)[:, None]
    return pd.get_dummies(column.astype(str), drop_first=True).to_numpy(dtype=float)


def _holm(rows: list[Estimate]) -> list[Estimate]:
    known = [index for index, row in enumerate(rows) if row.p_value is not None]
    adjusted = list(adjust([float(rows[index].p_value or 0.0) for index in known], "holm")) if known else []
    for index, value in zip(known, adjusted, strict=True):
        rows[index] = replace(rows[index], p_adjusted=float(value))
    return rows
