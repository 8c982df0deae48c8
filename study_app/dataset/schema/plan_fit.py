"""The plan against the study: columns that there will be, outcomes known too early, caps and horizons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from study_app.dataset.schema.participant_columns import OF_ASSISTANT
from study_app.dataset.schema.participants import columns_of
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Outcome, Plan
from study_app.domain.study.periods import PERIOD_COLUMNS, period_column
from study_app.domain.study.quiz_roles import TOTALS
from study_app.domain.study.study import Study

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Measured:
    """What a study measures of each participant, by column of the participants table."""

    columns: frozenset[str]
    """Every column; of quizzes and tasks only those that the study has."""
    before: frozenset[str]
    """Those that are known before allocation."""
    limits: Mapping[str, float]
    """Minutes that a time can reach, by column."""
    by_period: frozenset[str] | None = None
    """What each period of a sequence of treatments its own measures; None of other designs."""
    no_assistant: str | None = None
    """An arm that has none; None where each has one, and of a sequence of treatments."""


def measured(study: Study, columns: Collection[str]) -> Measured:
    """Return what a study measures.

    Args:
        study: the study.
        columns: of its participants table, as `dataset.participants_table` gives them.
    """
    absent = set() if study.main_task_stages else set(_OF_TASKS)
    absent |= set() if study.counted_task_stages else set(_COUNTED)
    absent |= set() if study.main_quiz else {"quiz_points", "quiz_max", "quiz_score"}
    absent |= set() if study.main_task_stages else set(_OF_WORK)
    absent |= set() if any(study.has_assistant(arm.id) for arm in study.arms) else set(OF_ASSISTANT)
    asked = any(question.other_ai for stage in study.stages for question in stage.asked)
    absent |= set() if asked else {"used_other_ai"}
    absent |= set() if _warm_ups(study) else {"warmup_minutes", "warmup_passed"}
    by_period = period_columns(study)
    every = frozenset(set(columns) - absent | (by_period or set()))
    return Measured(every, known_before(study), limits(study), by_period, arm_without_assistant(study))


def arm_without_assistant(study: Study) -> str | None:
    """Return the id of the first arm without an assistant; None where each has one, and of a sequence of treatments."""
    if study.allocation.method == "sequence":
        return None
    return next((arm.id for arm in study.arms if arm.assistant is None), None)


def period_columns(study: Study) -> frozenset[str] | None:
    """Of a sequence of treatments: what each period its own measures; None of other designs."""
    if study.allocation.method != "sequence":
        return None
    lacking = set() if study.period_quizzes else {"points"}
    tasks = bool(study.period_stages) and study.period_stages[0].kind == "tasks"
    lacking |= set() if tasks else {"minutes", "errors", "queries", "completed", "completion_minutes"}
    return frozenset(set(PERIOD_COLUMNS) - lacking)


_COUNTED = (
    "task_minutes task_completed completion_minutes completion_event tasks_passed checks_passed checks_total"
).split()
"""What stages with variants have no part in."""
_OF_TASKS = (
    "task_minutes task_completed completion_minutes completion_event tasks_passed checks_passed checks_total "
    "visible_only_pass runs errors first_error_type"
).split()
_OF_WORK = (
    "active_minutes away_minutes outage_minutes typed_chars pasted_chars_assistant pasted_chars_outside "
    "retyped_assistant_chars pasted_chars_brief pasted_chars_notes starter_chars unknown_chars outside_pastes "
    "outside_paste_chars longest_outside_paste typing_bursts received compliant"
).split()
"""What is recorded, or judged, of people at main tasks."""


def _warm_ups(study: Study) -> list[float]:
    return [stage.minutes or 0.0 for stage in study.stages if stage.kind == "tasks" and not stage.main]


def known_before(study: Study) -> frozenset[str]:
    """Columns whose values exist before the arm does: they can be covariates and never outcomes."""
    known = {"allocation_index", "stratum", "language"}
    for stage in study.before_allocation if study.allocation_stage is not None else ():
        known |= {column.name for question in stage.asked for column in columns_of(question)}
        known |= {score.id for score in stage.scores}
        known |= {"warmup_minutes", "warmup_passed"} if stage.kind == "tasks" and not stage.main else set()
    before = study.before_allocation if study.allocation_stage is not None else ()
    for quiz in (quiz for quiz in study.quizzes if quiz.stage in before):
        known |= {f"{prefix}_{ending}" for prefix in quiz.prefixes for ending in quiz.endings}
    return frozenset(known)


def waves_of_columns(study: Study) -> dict[str, int]:
    """Return the number of the session whose end fixes each outcome, by column; those of the first are left out."""
    found: dict[str, int] = {}
    main = study.main_quiz
    for stage in study.stages:
        columns = {column.name for question in stage.asked for column in columns_of(question)}
        columns |= {score.id for score in stage.scores}
        if stage.kind == "quiz":
            names = (stage.id, "quiz") if main is not None and stage.id == main.id else (stage.id,)
            columns |= {f"{name}_{end}" for name in names for end in TOTALS}
        if stage.kind == "tasks" and stage.main:
            # Who kept to the protocol is not an outcome: rows are chosen by it.
            columns |= {*_OF_TASKS, *_OF_WORK, *OF_ASSISTANT} - {"received", "compliant"}
        found |= dict.fromkeys(columns, study.wave(stage))
    return {column: wave for column, wave in found.items() if wave > 1}


def limits(study: Study) -> dict[str, float]:
    """Minutes that each time can reach: the sum of the limits of its stages."""
    found = {"warmup_minutes": _warm_ups(study)[0]} if _warm_ups(study) else {}
    whole = study.task_limit
    return found | ({"task_minutes": whole, "completion_minutes": whole} if whole else {})


def named_columns(plan: Plan) -> list[tuple[str, str]]:
    """Key of the plan and the column that it names, in the order of the plan."""
    named = []
    for outcome in plan.outcomes:
        named.append((f"outcomes.{outcome.id}.column", outcome.name))
        named += [(f"outcomes.{outcome.id}.event", outcome.event)] if outcome.event else []
        named += [(f"outcomes.{outcome.id}.upper_column", outcome.upper_column)] if outcome.upper_column else []
    named += [("cluster", plan.cluster)] if plan.cluster else []
    named += [(f"covariates.{entry.column}", entry.column) for entry in plan.covariates]
    named += [(f"subgroups.{entry.column}", entry.column) for entry in plan.subgroups]
    return named


def near(column: str, known: Collection[str]) -> str:
    """Return a suggestion for a column that is not there; empty where none is like it."""
    close = get_close_matches(column, sorted(known), n=3, cutoff=0.7)
    close += [name for name in sorted(known) if column.split("_")[0] in name.split("_") and name not in close]
    return f" (near it: {', '.join(close[:5])})" if close else ""


def plan_problems(plan: Plan, study: Measured, file: str) -> list[Problem]:
    """Return everything in a plan that the study cannot answer, or must not."""
    found = [*_missing(plan, study), *_too_early(plan, study.before), *_limits(plan, study.limits)]
    found += _events_too_early(plan, study.before)
    found += _by_design(plan, study.no_assistant)
    found += _once(plan, study.by_period)
    return [Problem(file, f"analysis.{key}", what, remedy) for key, what, remedy in found]


_Found = Iterator[tuple[str, str, str]]


def late_problems(plan: Plan, study: Measured, file: str) -> list[Problem]:
    """Covariates, subgroups and moderators of a plan that exist only after allocation, so that an arm can move them.

    Args:
        plan: of the study.
        study: what it measures; columns that it does not have are not judged.
        file: for the messages.
    """
    named = [(f"covariates.{entry.column}", entry.column) for entry in plan.covariates]
    named += [(f"subgroups.{entry.column}", entry.column) for entry in plan.subgroups]
    named += [
        (f"analyses.{row.id}.options.{option}", column)
        for row in plan.analyses
        for option in ("moderator", "instruments", "pair_id")
        if isinstance(column := row.options.get(option), str)
    ]
    return [
        Problem(
            file,
            f"analysis.{key}",
            f"'{column}' is measured after allocation, so an arm can change it, which biases the comparison",
            "name a variable that is known before allocation" + near(column, study.before),
        )
        for key, column in named
        if column in study.columns and column not in study.before
    ]


def _missing(plan: Plan, study: Measured) -> _Found:
    usual = {column for _, column in named_columns(Plan.default())}
    primary = {plan.outcome(name).name for name in plan.primary}
    for key, column in named_columns(plan):
        if column not in study.columns and (column not in usual or column in primary):
            remedy = "correct the plan" + near(column, study.columns)
            yield key, f"the study will have no column '{column}'", remedy


def _too_early(plan: Plan, before: Collection[str]) -> _Found:
    for name in plan.primary:
        column = plan.outcome(name).name
        if column in before:
            what = f"'{name}' is known before allocation (column '{column}'), so no arm can change it"
            yield "primary", what, "name an outcome that is measured after allocation; use this one as a covariate"


def _events_too_early(plan: Plan, before: Collection[str]) -> _Found:
    for outcome in plan.outcomes:
        if outcome.kind == "time" and outcome.event in before and outcome.name not in before:
            what = f"'{outcome.event}' is known before allocation, so it does not say whether this time ended"
            yield f"outcomes.{outcome.id}.event", what, "name what says whether people got done, or leave it out"


def _by_design(plan: Plan, no_assistant: str | None) -> _Found:
    for name in plan.primary if no_assistant is not None else ():
        column = plan.outcome(name).name
        if column in OF_ASSISTANT:
            what = f"'{name}' measures the use of the assistant, which the arm '{no_assistant}' does not have"
            yield "primary", what, "name an outcome that each arm can have; this one is described by arm in any case"


def _once(plan: Plan, by_period: Collection[str] | None) -> _Found:
    for name in plan.primary if by_period is not None else ():
        if period_column(plan.outcome(name).name) not in (by_period or ()):
            what = f"'{name}' is measured once for all periods, so it says nothing of one treatment"
            remedy = (
                f"name an outcome that each period has: {', '.join(sorted(by_period or ())) or 'give periods tasks'}"
            )
            yield "primary", what, remedy


def _limits(plan: Plan, known: Mapping[str, float]) -> _Found:
    for outcome in plan.outcomes:
        yield from _outcome_limits(outcome, plan.horizon, known.get(outcome.name))


def _outcome_limits(outcome: Outcome, horizon: float | None, limit: float | None) -> _Found:
    if outcome.kind != "time":
        return
    cap = outcome.cap
    if cap is not None and limit is not None and abs(cap - limit) > _TOLERANCE:
        what = f"the cap is {cap:g} minutes and the stages give {limit:g}"
        yield f"outcomes.{outcome.id}.cap", what, "leave the cap out, so that it follows from the stages"
    most = limit if limit is not None else cap
    if horizon is not None and most is not None and horizon > most + _TOLERANCE:
        what = f"the horizon of {horizon:g} lies beyond the {most:g} minutes that '{outcome.id}' can reach"
        yield "horizon", what, f"give a horizon of at most {most:g}, or leave it out"
