"""The rows of a study with a second decision: the arms decide as ever, embedded regimes and second treatments follow.

The plan's text and hash leave the usual ones out, for they follow from the study.
"""

from __future__ import annotations

import pandas as pd

from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.plan_sections import BY_RECEIVED
from study_app.domain.study.study import Study

METHODS_OF_REGIMES = ("embedded_regimes", "second_treatments")
"""Methods that only a study with a second decision has."""


COLUMN = "second_treatment"


def of_second_decision(plan: Plan, study: Study | None) -> tuple[Analysis, ...]:
    """Return the rows that follow for each primary outcome: regimes compared, second treatments compared."""
    if study is None or not study.second_decision:
        return ()
    listed = {row.id for row in plan.analyses}
    rows = [
        Analysis(
            outcome=name, method=method, role="secondary", adjusted=plan.outcome(name).kind != "time",
            options={"reference": first_regime(study)} if method == "embedded_regimes" else {"by": "all"},
        )
        for name in plan.primary
        for method in METHODS_OF_REGIMES
    ]  # fmt: skip
    return tuple(row for row in rows if row.id not in listed)


def in_the_study_s_order(data: pd.DataFrame, study: Study | None) -> pd.DataFrame:
    """Return a table whose second treatments are in the order in which the study lists them, the first as reference."""
    if study is None or not study.second_decision or COLUMN not in data:
        return data
    listed = [each.id for each in study.second_decision.treatments]
    return data.assign(**{COLUMN: pd.Categorical(data[COLUMN], categories=listed)})


def first_regime(study: Study) -> str:
    """Return the regime of the control and the treatment that the study file lists first."""
    return f"{study.control.id}/{study.second_decision.treatments[0].id}"


def arm_of_row(name: str) -> str:
    """Return the arm within which a row compares second treatments; empty for all arms together and for other rows.

    Args:
        name: id of the row, such as `quiz_points.second_treatments.hints/answers_vs_stay`.
    """
    arm, mark, _ = name.rsplit(".", 1)[-1].partition(DECISION_MARK)
    return arm if mark and ".second_treatments." in name else ""


def regime_problems(study: Study, file: str) -> list[Problem]:
    """Return what in a study's plan does not go with a second decision, or needs one."""
    found = []
    for row in study.analysis.analyses:
        key = f"analysis.analyses.{row.id}"
        if row.method not in METHODS_OF_REGIMES:
            continue
        if not study.second_decision:
            what, remedy = f"{row.method} compares treatments of a second decision", "add [second_decision], or use lin"
            found.append(Problem(file, f"{key}.method", what, remedy))
            continue
        if row.contrast:
            what = f"{row.method} compares regimes or second treatments, not two arms"
            found.append(Problem(file, f"{key}.contrast", what, "remove contrast, or use options.reference"))
        if row.population in BY_RECEIVED:
            what = "what was received was not allocated in two decisions"
            found.append(Problem(file, f"{key}.population", what, 'use population = "itt" or "per_protocol"'))
        regimes = [f"{arm.id}/{each.id}" for arm in study.arms for each in study.second_decision.treatments]
        reference = row.options.get("reference", regimes[0])
        # Another value than a text is refused with the other options.
        if isinstance(reference, str) and reference not in regimes:
            what = f"{reference!r} is not a regime"
            found.append(Problem(file, f"{key}.options.reference", what, f"use one of {', '.join(regimes)}"))
    return found
