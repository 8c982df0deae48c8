"""Which of the standard rows a table collected elsewhere can answer, so that it is not full of rows that cannot be."""

from __future__ import annotations

from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.planning.row_check import of_times
from study_app.domain.study.analysis_plan import Analysis, Plan

NEEDS = {"per_protocol": "compliant", "as_treated": "received", "complier": "received"}
"""Population -> the column that defines it."""


def answerable(row: Analysis, plan: Plan, frame: AnalysisTable) -> bool:
    """Whether the table has what a standard row needs; what the plan itself lists always stays, with its reason."""
    if row.role == "primary" or row in plan.analyses:
        return True
    needed = NEEDS.get(row.population)
    if needed and (needed not in frame.data or frame.data[needed].isna().all()):
        return False
    if row.method == "stratified_logrank" and ("stratum" not in frame.data or frame.data["stratum"].nunique() < 2):
        return False
    right = plan.outcome(row.outcome).censored == "right"
    if right and row.options.get("time") == "last_activity":
        return False
    return row.outcome not in frame.censored or row.method == "rerandomization" or of_times(row.method)
