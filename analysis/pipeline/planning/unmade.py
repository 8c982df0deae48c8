"""What `check` refuses in a plan and `analyze` does not: rows that stay empty with the reason, and sentences.

A plan that was registered before a rule came cannot be changed any more, and its other rows are right. So a row that no
data can answer is left empty and says why, and does not count in the family; what moves no number is a sentence of the
report. What would move one is refused (`planning.refusals`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from analysis.pipeline.factorial.rows import factor_problems
from analysis.pipeline.factorial.variants import cell_problems_of
from analysis.pipeline.looks.plan_rows import early_looks
from analysis.pipeline.planning.key_check import compliance_problems
from analysis.pipeline.planning.plan_check import unknown_arms
from analysis.pipeline.planning.row_check import population_problems, row_problems
from analysis.pipeline.regimes.rows import regime_problems
from study_app.dataset.schema.one_source import column_sources
from study_app.dataset.schema.plan_fit import measured, named_columns
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.study import Study

_ROWS = "analysis.analyses."


def unmade_rows(study: Study | None, plan: Plan, rows: Iterable[Analysis]) -> dict[str, str]:
    """Return why rows cannot be made whatever the data are, by id.

    Args:
        study: None for a table collected elsewhere, of which nothing is known but its columns.
        plan: the one at work, which need not be the study's.
        rows: every row that is due, those that follow from the design among them.
    """
    if study is None or study.allocation.method == "sequence":
        return {}  # Comparisons within people say themselves what they do not bear.
    planned, rows = study.model_copy(update={"analysis": plan}), tuple(rows)
    # Columns are looked for in the data themselves.
    named = {column for _, column in named_columns(plan)}
    named |= {value for row in plan.analyses for value in row.options.values() if isinstance(value, str)}
    known = replace(measured(study, named), columns=frozenset(named))
    found = [*row_problems(planned, known, ""), *factor_problems(planned, ""), *regime_problems(planned, "")]
    found += [*cell_problems_of(planned, ""), *unknown_arms(planned, ""), *population_problems(planned, rows, "")]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        start = f"{_ROWS}{row.id}."
        for problem in found:
            key = problem.key.removeprefix(start)
            # Ids may begin alike: what is left is a key of this row and of no other.
            if key != problem.key and key.split(".")[0] in {*Analysis.model_fields}:
                reasons.setdefault(row.id, []).append(f"{key}: {problem.what}")
    return {name: "; ".join(dict.fromkeys(listed)) for name, listed in reasons.items()}


def ambiguous_columns(study: Study, plan: Plan, file: str) -> list[Problem]:
    """Return columns with two sources that the plan names: which of the two a cell holds cannot be known."""
    named = {column: key for key, column in named_columns(plan)}
    return [
        Problem(file, f"analysis.{named[column]}", problem.what, "name another column")
        for column, problem in column_sources(study, lambda _: None, file)
        if column in named
    ]


def plan_sentences(study: Study | None, plan: Plan) -> Iterator[str]:
    """Yield what `check` refuses in a plan or a study, and moves no number of a dataset that is there."""
    if study is None:
        return
    planned = study.model_copy(update={"analysis": plan})
    named = {column for _, column in named_columns(plan)}
    others = [problem for column, problem in column_sources(study, lambda _: None, "") if column not in named]
    looks = [*early_looks(planned, ""), *(each for each in factor_problems(planned, "") if _of_no_row(each))]
    for problem in (*compliance_problems(planned, lambda _: None, ""), *looks, *others):
        yield f"{problem.key}: {problem.what}."


def _of_no_row(problem: Problem) -> bool:
    return not problem.key.startswith(_ROWS)
