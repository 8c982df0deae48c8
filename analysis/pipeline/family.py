"""The plan's multiplicity rule over its primary rows."""

from __future__ import annotations

from dataclasses import replace

from analysis.design import multiplicity
from analysis.estimators.core.results import Estimate
from study_app.domain.errors import Problem, ProblemsFound, StudyError
from study_app.domain.study.analysis_plan import Plan


def adjusted(rows: list[Estimate], plan: Plan) -> list[Estimate]:
    """Primary rows with their adjusted p over those that could be made; each says where others could not."""
    primary = [index for index, row in enumerate(rows) if row.role == "primary"]
    rule = plan.multiplicity
    if not primary or rule.method == "none":
        return rows
    made = [index for index in primary if rows[index].p_value is not None]
    if rule.method == "graphical":
        # Weights belong to rows, so a row that could not be made keeps its own and counts as not rejected.
        found = dict(zip(primary, _graphical(rows, primary, plan), strict=True))
    else:
        p = [float(rows[index].p_value or 0.0) for index in made]
        try:
            found = dict(zip(made, multiplicity.adjust(p, rule.method), strict=True))
        except StudyError as error:
            return [replace(row, note=f"{row.note}; p not adjusted: {error}") if row.role == "primary" else row
                    for row in rows]  # fmt: skip
    note = _not_made([rows[index].id for index in primary if index not in made], len(made), rule.method)
    rows = list(rows)
    for index in made:
        text = "; ".join(part for part in (rows[index].note, note) if part)
        rows[index] = replace(rows[index], p_adjusted=float(found[index]), note=text)
    return rows


def _not_made(ids: list[str], count: int, method: str) -> str:
    if not ids:
        return ""
    if method == "graphical":
        return f"counted as not rejected, for it could not be made: {', '.join(ids)}"
    return f"p adjusted over {count} of {count + len(ids)} primary rows; could not be made: {', '.join(ids)}"


def _graphical(rows: list[Estimate], primary: list[int], plan: Plan) -> list[float]:
    rule = plan.multiplicity
    if len(rule.weights) != len(primary):
        what = f"{len(rule.weights)} weights for {len(primary)} primary rows"
        remedy = f"give one to each, in this order: {', '.join(rows[index].id for index in primary)}"
        raise ProblemsFound([Problem("plan", "multiplicity.weights", what, remedy)])
    p = [1.0 if rows[index].p_value is None else float(rows[index].p_value or 0.0) for index in primary]
    return list(multiplicity.graphical(p, rule.weights, rule.transitions).adjusted)
