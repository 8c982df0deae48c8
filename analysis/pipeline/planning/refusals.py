"""Designs and plans that the analysis does not take: refused with a sentence before any number is computed."""

from __future__ import annotations

from dataclasses import replace

from analysis.data.dataset import Dataset
from analysis.pipeline.looks.plan_rows import look_problems
from analysis.pipeline.planning.key_check import key_problems
from analysis.pipeline.planning.plan_check import option_problems
from analysis.pipeline.planning.row_check import direction_problems, role_problems
from analysis.pipeline.planning.unmade import ambiguous_columns
from study_app.dataset.schema import participants_table
from study_app.dataset.schema.columns import Column
from study_app.dataset.schema.outcome_fit import column_problems, course_problems
from study_app.dataset.schema.plan_fit import (
    late_problems,
    measured,
    named_columns,
    plan_problems,
)
from study_app.dataset.schema.reach import plan_reach_problems
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.contradictions.decisions import decision_problems
from study_app.domain.study.designs import design_problems, used_by, used_by_plan
from study_app.domain.study.study import Study


def refuse(dataset: Dataset, plan: Plan) -> None:
    """Refuse what would give wrong numbers, or none whatever the data are.

    Designs not analysed yet, outcomes known before allocation, wrong limits, options that a method does not take.

    Raises:
        ProblemsFound: all of it at once.
    """
    study, file = dataset.study.study, dataset.study.file or "plan"
    used = used_by_plan(plan) if study is None else used_by(study.model_copy(update={"analysis": plan}))
    clustered = bool(plan.cluster) if study is None else study.allocation.method == "cluster"
    found = design_problems(used, "analyze", file) + option_problems(plan, file, clustered=clustered)
    found += direction_problems(plan, file)
    if study is None:
        found += role_problems(plan, file)  # those of a study are outcomes that are known late
    if study is not None:
        # Columns that are missing are looked for in the data themselves.
        columns = frozenset(dataset.participants.columns) | {column for _, column in named_columns(plan)}
        known = replace(measured(study, columns), columns=columns)
        found += plan_problems(plan, known, file)
        found += key_problems(study, plan, file) + course_problems(plan, study, file)
        known_columns = _columns(study)
        found += column_problems(plan, study, known_columns, {}, file)
        planned = study.model_copy(update={"analysis": plan})
        found += plan_reach_problems(planned, known_columns, {}, file)
        found += ambiguous_columns(study, plan, file) + look_problems(plan, len(study.arms), file)
        found += [Problem(file, *each) for each in decision_problems(planned) if each[0].startswith("analysis.")]
        if study.allocation_stage is not None:
            # A column that every dataset has and the study never measures is left out with a note, not refused.
            found += late_problems(plan, measured(study, dataset.participants.columns), file)
    if found:
        raise ProblemsFound(found)


def _columns(study: Study) -> dict[str, Column]:
    """Return the columns of a study by name; those of types of items, which its banks say, are not among them."""
    prefixes = dict.fromkeys((prefix for quiz in study.quizzes for prefix in quiz.prefixes), ())
    return {column.name: column for column in participants_table([study], prefixes).columns}
