"""Plans judged before there are data: columns, options and methods, by what `analyze` will make of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from analysis.estimators.methods import METHODS
from analysis.pipeline.factorial.rows import factor_problems
from analysis.pipeline.factorial.variants import cell_problems_of
from analysis.pipeline.looks.plan_rows import early_looks, look_problems
from analysis.pipeline.planning.family_check import family_problems
from analysis.pipeline.planning.key_check import compliance_problems, key_problems
from analysis.pipeline.planning.option_domains import MADE_HERE, value_problem
from analysis.pipeline.planning.row_check import row_problems
from analysis.pipeline.regimes.rows import regime_problems
from study_app.dataset.schema import participants_table, quiz_types
from study_app.dataset.schema.one_source import source_problems
from study_app.dataset.schema.outcome_fit import (
    column_problems,
    course_problems,
    kind_problems_of_outcomes,
    most_of_quizzes,
)
from study_app.dataset.schema.participants import columns_of
from study_app.dataset.schema.plan_fit import late_problems, measured, plan_problems
from study_app.dataset.schema.reach import reach_problems
from study_app.domain.errors import Problem
from study_app.domain.quiz.items import Bank
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.plan_sections import BY_RECEIVED
from study_app.domain.study.study import Study

OVER_ALL_ARMS = (
    *("anova", "welch_anova", "kruskal", "pearson", "spearman"),
    *("logrank", "stratified_logrank", "kaplan_meier", "rmst_by_arm"),
)
"""Methods without a contrast of two arms."""
BY_ITEM = ("mixed_logit",)
"""Methods over the answers to single items, which the pipeline itself gives them."""
PAIRS = ("pair_id", "the column that names the pairs")
NEEDS: Mapping[str, tuple[str, str]] = {
    "interaction": ("moderator", "a column of the participants table"),
    "noninferiority": ("margin", "the largest loss that does not matter"),
    "tost": ("margin", "the largest difference that does not matter"),
    "pearson": ("x", "the column to correlate with"),
    "spearman": ("x", "the column to correlate with"),
    "paired_t": PAIRS,
}
"""Method -> the option that it cannot do without, and what that is."""
OWN = {"time": ("last_activity",)}
"""Options of the pipeline itself, with their values."""


def study_plan_problems(
    study: Study, bank_of: Callable[[str], Bank | None], file: str, *, acts: bool = False
) -> list[Problem]:
    """Return everything in a study's plan that cannot be carried out with the columns that the study will have.

    Args:
        study: a valid study.
        bank_of: the bank of a folder.
        file: the study file as the user named it.
        acts: whether one of its assistants acts.
    """
    table = participants_table([study], quiz_types([study], bank_of), acts=acts)
    answerable = measured(study, [name for name in table.names if name not in _without_checks(study, bank_of)])
    columns = {column.name: column for column in table.columns if column.name in answerable.columns}
    highest = most_of_quizzes(study, bank_of)
    return [
        *plan_problems(study.analysis, answerable, file),
        *key_problems(study, study.analysis, file),
        *column_problems(study.analysis, study, columns, highest, file),
        *kind_problems_of_outcomes(study, columns, file),
        *reach_problems(study, columns, highest, file),
        *course_problems(study.analysis, study, file),
        *compliance_problems(study, bank_of, file),
        *(late_problems(study.analysis, answerable, file) if study.allocation_stage is not None else []),
        *option_problems(study.analysis, file, clustered=study.allocation.method == "cluster"),
        *row_problems(study, answerable, file),
        *factor_problems(study, file),
        *regime_problems(study, file),
        *cell_problems_of(study, file),
        *unknown_arms(study, file),
        *_not_asked_everywhere(study, file),
        *family_problems(study.analysis, file),
        *look_problems(study.analysis, len(study.arms), file),
        *early_looks(study, file),
        *source_problems(study, bank_of, file),
    ]


def _without_checks(study: Study, bank_of: Callable[[str], Bank | None]) -> tuple[str, ...]:
    """Return the columns of attention checks where the study's quizzes, all of them known, have none."""
    banks = [(quiz.stage, bank_of(quiz.stage.bank)) for quiz in study.quizzes]
    given = [bank is None or any(item.type == "attention_check" for item in bank.items_of(stage.form or None))
             for stage, bank in banks]  # fmt: skip
    return () if any(given) else ("attention_passed", "attention_total")


def unknown_arms(study: Study, file: str) -> list[Problem]:
    """Return direct contrasts of arms that the study does not have, or of an arm with itself."""
    known = [arm.id for arm in study.arms]
    remedy = f"name two of {', '.join(known)}"
    return [
        Problem(file, f"analysis.analyses.{row.id}.contrast", f"{list(row.contrast)} are not two arms", remedy)
        for row in study.analysis.analyses
        if row.contrast and (len(set(row.contrast)) < 2 or not set(row.contrast) <= set(known))
    ]


def _not_asked_everywhere(study: Study, file: str) -> list[Problem]:
    """Outcomes that are asked in too few arms to compare any with the control, primary ones in all."""
    asked: dict[str, set[str]] = {}
    for stage in study.stages:
        for question in stage.asked:
            arms = {arm.id for arm in study.arms if arm.id in (question.arms or (arm.id,))}
            arms = {arm for arm in arms if arm in (stage.arms or (arm,))}
            asked |= {column.name: arms for column in columns_of(question)}
    control = study.analysis.control or study.control.id
    remedy = "ask it in the control and in another arm, or leave it out of the plan"
    return [
        Problem(file, f"analysis.outcomes.{outcome.id}.column", f"'{outcome.name}' is asked in {listed} only", remedy)
        for outcome in study.analysis.outcomes
        if len(study.arms) > 1 and outcome.name in asked
        if control not in (arms := asked[outcome.name])
        or len(arms) < (len(study.arms) if outcome.id in study.analysis.primary else 2)
        if (listed := ", ".join(sorted(arms)) or "no arm")
    ]


def option_problems(plan: Plan, file: str, *, clustered: bool = False) -> list[Problem]:
    """Methods that do not exist, and options that their method does not take."""
    return [
        Problem(file, f"analysis.analyses.{analysis.id}.{key}", what, remedy)
        for analysis in plan.analyses
        for key, what, remedy in _of_analysis(analysis, clustered)
    ]


def unusable(analysis: Analysis, *, clustered: bool = False) -> str:
    """Return why a row of the plan cannot be made whatever the data are, or an empty text."""
    return "; ".join(f"{key}: {what}" for key, what, _ in _of_analysis(analysis, clustered))


def _of_analysis(analysis: Analysis, clustered: bool) -> list[tuple[str, str, str]]:
    method = METHODS.get(analysis.method)
    if method is None:
        close = get_close_matches(analysis.method, list(METHODS), n=3) or sorted(METHODS)
        return [("method", f"there is no method '{analysis.method}'", f"use {' or '.join(close)}")]
    if analysis.method in BY_ITEM:
        what = f"{analysis.method} compares answers item by item, which every report does"
        return [("method", what, "remove the row")]
    taken = {p.name: p.annotation for p in inspect.signature(method).parameters.values() if p.name not in MADE_HERE}
    found = []
    if analysis.contrast and analysis.population in BY_RECEIVED:
        found.append(("contrast", f"{analysis.population} has its own arms", "remove contrast, or choose itt"))
    if analysis.contrast and analysis.method in OVER_ALL_ARMS:
        found.append(("contrast", f"{analysis.method} compares no two arms", "remove contrast, or use lin or welch_t"))
    needed, meaning = PAIRS if analysis.options.get("paired") is True else NEEDS.get(analysis.method, ("", ""))
    if needed and needed not in analysis.options:
        found.append((f"options.{needed}", f"{analysis.method} cannot do without it", f"give {meaning}"))
    for name, value in analysis.options.items():
        if name in OWN and value in OWN[name]:
            continue
        found += [(f"options.{name}", *entry) for entry in _option(analysis.method, name, value, taken, clustered)]
    return found + _together(analysis, clustered)


def _together(analysis: Analysis, clustered: bool) -> list[tuple[str, str, str]]:
    """Options that are sound alone, and exclude each other or what else the row says."""
    options, found = analysis.options, []
    paired = options.get("paired") is True
    if (
        analysis.method in ("tost", "noninferiority")
        and options.get("equal_var") is True
        and (analysis.adjusted or clustered)
    ):
        what = "a pooled variance goes with neither covariates nor clusters"
        found.append(("options.equal_var", what, "remove it, or compare people without adjustment"))
    if paired and (analysis.adjusted or clustered or options.get("equal_var") is True):
        what = "pairs go with neither covariates, clusters nor a pooled variance"
        found.append(("options.paired", what, "choose one of them"))
    if "pair_id" in options and analysis.method != "paired_t" and not paired:
        found.append(("options.pair_id", "rows are not paired", "say paired = true, or remove it"))
    if analysis.adjusted and options.get("statistic") in ("mean", "rmst"):
        what = f"the statistic '{options['statistic']}' does not adjust"
        found.append(("adjusted", what, 'remove adjusted, or use statistic = "lin" or "ancova"'))
    if "vcov" in options and options.get("studentised") is False:
        found.append(("options.vcov", "with studentised = false the variance is not chosen", "remove it"))
    low, high = options.get("outcome_min"), options.get("outcome_max")
    if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
        found.append(("options.outcome_max", f"{high:g} is not above outcome_min", "give the two ends of the scale"))
    return found


def _option(method: str, name: str, value: object, taken: dict[str, Any], clustered: bool) -> list[tuple[str, str]]:
    if name == "control":
        return [("a control is not an option", 'write contrast = ["treated arm", "arm to compare with"] in its place')]
    if name in MADE_HERE:
        return [(f"{method} is given its {name} by the plan and the data", "remove it")]
    if name not in taken:
        takes = ", ".join(sorted(taken)) or "no options"
        return [(f"{method} does not take it", f"remove it; {method} takes {takes}")]
    try:
        # Strictly: neither a text nor a yes is taken as a number.
        adapter: TypeAdapter[Any] = TypeAdapter(taken[name], config=ConfigDict(arbitrary_types_allowed=True))
        adapter.validate_python(value, strict=True)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        return [(f"{value!r} is not valid for {method}", reason[:1].lower() + reason[1:])]
    except (PydanticSchemaGenerationError, PydanticUserError):
        pass
    wrong = value_problem(method, name, value, clustered=clustered)
    return [wrong] if wrong is not None else []
