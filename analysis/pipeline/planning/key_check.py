"""Keys of a plan that nothing in the study uses, or that say the same thing twice: refused by name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel

from analysis.pipeline.planning.fallback import LADDER
from analysis.pipeline.planning.family_check import tests_of
from analysis.pipeline.planning.losses import rows_of_losses
from analysis.pipeline.planning.option_domains import OF_COLUMNS
from analysis.pipeline.planning.plan import crossover_schedule, schedule
from analysis.pipeline.planning.row_check import OF_SHARES, restricted
from study_app.dataset.schema.plan_fit import known_before
from study_app.domain.errors import Problem
from study_app.domain.quiz.items import Bank
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan
from study_app.domain.study.compliance import KEYS, OF_QUIZZES
from study_app.domain.study.study import Study

_Found = Iterator[tuple[str, str, str]]
BY_SPENDING = ("kim_demets", "hwang_shih_decani")
"""Spending functions with a parameter, gamma."""
BY_DRAWS = ("rerandomization", "permutation")
"""Methods whose p values come from so many draws."""


def key_problems(study: Study, plan: Plan, file: str) -> list[Problem]:
    """Return everything in a plan that contradicts its study or itself, or that no analysis of it would use."""
    found = [*_of_other_tables(plan), *_of_arms(study, plan), *_twice(plan), *_of_rules(study, plan)]
    found += [*_dropped(plan), *_with_itself(study, plan), *_too_few_draws(study, plan)]
    if plan.variant_time and not study.varied_tasks:
        found.append(("variant_time", "no arm meets a variant, so it changes nothing", "remove it"))
    for outcome in plan.outcomes:
        found += [(f"outcomes.{outcome.id}.{key}", what, remedy) for key, what, remedy in _of_outcome(outcome, plan)]
    return [Problem(file, f"analysis.{key}", what, remedy) for key, what, remedy in found]


def compliance_problems(study: Study, bank_of: Callable[[str], Bank | None], file: str) -> list[Problem]:
    """Limits of the compliance rule on what the study does not record."""
    rule = study.analysis.compliance
    given = {key: getattr(rule, key) for key in _given(rule)}
    banks = [(quiz.stage, bank) for quiz in study.quizzes if (bank := bank_of(quiz.stage.bank)) is not None]
    attended = sum(
        item.type == "attention_check" for stage, bank in banks for item in bank.items_of(stage.form or None)
    )
    most: dict[str, float] = {
        "away": sum(stage.minutes or 0.0 for stage in study.main_task_stages),
        "quiz_away": sum(quiz.stage.minutes or 0.0 for quiz in study.quizzes),
        "attention_failed": attended if banks else math.inf,
    }
    found = []
    for kind, key in KEYS.items():
        if key not in given:
            continue
        if not study.main_task_stages:
            found.append((key, "the study has no main tasks, and compliance is judged of people who did them"))
        elif kind in OF_QUIZZES and not study.quizzes:
            found.append((key, "the study has no quiz"))
        elif kind == "attention_failed" and banks and not attended:
            found.append((key, "no quiz of the study has an attention check"))
        elif kind in most and given[key] >= most[kind]:
            found.append((key, f"no one can have more than {most[kind]:g}, so nothing is above {given[key]:g}"))
    return [Problem(file, f"analysis.compliance.{key}", what, "remove it") for key, what in found]


def unadjusted_warnings(study: Study) -> Iterator[str]:
    """Yield what a plan's author wrote and no analysis of it uses, where that is harmless."""
    if study.allocation.method == "sequence":
        return
    plan = study.analysis
    adjusted = [row for row in _rows(study, plan) if row.adjusted]
    users = {"covariates": adjusted, "fallback": [row for row in adjusted if row.method in LADDER]}
    for key, using in users.items():
        if key in plan.model_fields_set and getattr(plan, key) and not using:
            yield f"analysis.{key}: no analysis of the plan that it could enter is adjusted, so nothing uses it"


def _rows(study: Study, plan: Plan) -> tuple[Analysis, ...]:
    """Return the analyses that the plan asks for in the study's design."""
    if study.allocation.method == "sequence":
        return crossover_schedule(plan)
    rows = schedule(plan, len(study.arms), study.allocation.method == "cluster")
    return (*rows, *rows_of_losses(plan, study, rows))


def _given(section: BaseModel) -> list[str]:
    """Return the keys of a table that its author gave another value than the usual one."""
    fields = type(section).model_fields
    return [name for name, field in fields.items()
            if getattr(section, name) != field.get_default(call_default_factory=True)]  # fmt: skip


def _of_other_tables(plan: Plan) -> _Found:
    """Keys for tables collected elsewhere; a study says these things itself."""
    if plan.cluster:
        yield "cluster", "clusters follow from the allocation", 'say [allocation] method = "cluster", or remove it'
    if plan.columns:
        yield "columns", "the columns of a study have the plan's names already", "remove it"


def _of_arms(study: Study, plan: Plan) -> _Found:
    arms = [arm.id for arm in study.arms]
    if plan.control and plan.control not in arms:
        yield "control", f"'{plan.control}' is not an arm", f"name one of: {', '.join(arms)}"
    if not plan.primary:
        listed = ", ".join(outcome.id for outcome in plan.outcomes)
        yield "primary", "no outcome decides the trial", f"name at least one of: {listed}"


def _twice(plan: Plan) -> _Found:
    named: dict[str, Sequence[str]] = {
        "covariates": [entry.column for entry in plan.covariates],
        "subgroups": [entry.column for entry in plan.subgroups],
        "margins": [entry.outcome for entry in plan.margins],
        "estimands": [entry.outcome for entry in plan.estimands],
        "primary": plan.primary,
    }
    for key, names in named.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield key, f"'{name}' comes {count} times", "name it once"


def _dropped(plan: Plan) -> _Found:
    """Secondary outcomes with the id of another: only the first of the two is analysed."""
    for entry in plan.secondary:
        kept = plan.outcome(entry.id)
        # The cap of a time follows from the stages, once the plan is read in its study.
        if entry != kept and entry != kept.model_copy(update={"cap": entry.cap}):
            what = f"'{entry.id}' is an outcome of the plan already, and says something else there"
            yield f"secondary.{entry.id}", what, "give it another id and name its column, or remove one of the two"


def _with_itself(study: Study, plan: Plan) -> _Found:
    """Outcomes that are explained by themselves."""
    # A primary outcome known before allocation, and a covariate known after it, are refused as such.
    outcomes = {outcome.name: outcome.id for outcome in plan.outcomes if outcome.id not in plan.primary}
    before = known_before(study)
    for entry in plan.covariates:
        if entry.column in outcomes and entry.column in before:
            what = f"'{outcomes[entry.column]}' is an outcome, which would be adjusted for itself"
            yield f"covariates.{entry.column}", what, "name it in one of the two places"
    for row in plan.analyses:
        own = {row.outcome, plan.outcome(row.outcome).name}
        for name in OF_COLUMNS:
            if row.options.get(name) in own:
                what = f"'{row.options[name]}' is the outcome itself"
                yield f"analyses.{row.id}.options.{name}", what, "name another column"


def _too_few_draws(study: Study, plan: Plan) -> _Found:
    """Re-randomisations so few that no primary row could ever be significant."""
    rows = [row for row in _rows(study, plan) if row.role == "primary"] if len(study.arms) > 1 else []
    if not any(row.method in BY_DRAWS for row in rows) or plan.stopping.interim:
        return  # Boundaries of planned looks are judged with the looks.
    family = sum(tests_of(row, len(study.arms)) for row in rows)
    rule, alpha = plan.multiplicity, 1 - plan.level
    share = {"holm": 1 / family, "bonferroni": 1 / family, "graphical": max(rule.weights, default=1.0)}
    first = alpha * share.get(rule.method, 1.0)
    if first <= 0:
        return  # A graph without weight is refused as such.
    needed = math.ceil(round(1 / first, 6)) - 1
    if plan.replicates < needed:
        what = f"the least p value of {plan.replicates} re-randomisations is above {first:.2g}, so nothing is rejected"
        yield "replicates", what, f"give at least {needed}"


def _of_rules(study: Study, plan: Plan) -> _Found:
    rule, looks = plan.multiplicity, plan.stopping
    if rule.method != "graphical":
        for key in ("weights", "transitions"):
            if getattr(rule, key):
                remedy = f'say method = "graphical", or remove {key}'
                yield f"multiplicity.{key}", f"{rule.method} does not use it", remedy
    else:
        yield from _of_weights(study, plan)
    if looks.kind != "spending" and "spending" in _given(looks):
        yield "stopping.spending", f'kind = "{looks.kind}" does not use it', 'say kind = "spending", or remove it'
    if "gamma" in _given(looks) and (looks.kind != "spending" or looks.spending not in BY_SPENDING):
        remedy = f"remove it, or spend the error by {' or '.join(BY_SPENDING)}"
        yield "stopping.gamma", "no boundary uses it", remedy
    if plan.horizon is not None and study.allocation.method != "sequence":
        yield from _of_horizon(study, plan)


def _of_weights(study: Study, plan: Plan) -> _Found:
    """Graphical rules need a weight for each test: rows without a contrast have one for each treated arm."""
    if len(study.arms) < 2:
        return
    rule = plan.multiplicity
    rows = [row for row in _rows(study, plan) if row.role == "primary"]
    needed = sum(tests_of(row, len(study.arms)) for row in rows)
    if len(rule.weights) != needed:
        listed = ", ".join(row.id for row in rows)
        what = f"{len(rule.weights)} weights for {needed} primary rows ({listed}, by treated arm)"
        yield "multiplicity.weights", what, f"give {needed}, in this order"
    if any(not 0 <= weight <= 1 for weight in (*rule.weights, *(cell for row in rule.transitions for cell in row))):
        yield "multiplicity.weights", "weights and transitions are shares from 0 to 1", "correct them"
    if not any(rule.weights):
        yield "multiplicity.weights", "no row has a share of the error, so nothing is rejected", "give shares above 0"
    if any(row[place : place + 1] not in ((), (0,)) for place, row in enumerate(rule.transitions)):
        what = "a row would pass its share on to itself"
        yield "multiplicity.transitions", what, "write 0 where the row and the column are the same"


def _of_horizon(study: Study, plan: Plan) -> _Found:
    timed = [row for row in _rows(study, plan) if plan.outcome(row.outcome).kind == "time"]
    if not timed:
        yield "horizon", "no outcome is a time", "remove it"
    elif not any(restricted(row, plan.outcome(row.outcome)) for row in timed):
        yield "horizon", "no analysis of the plan restricts a time", "remove it, or add a row of method rmst"


def _of_outcome(outcome: Outcome, plan: Plan) -> _Found:
    kind, given = outcome.kind, _given(outcome)
    for key in ("cap", "event", "censored"):
        if kind != "time" and key in given:
            yield key, f"only a time has one, and '{outcome.id}' is {kind}", 'remove it, or say kind = "time"'
    shares = any(row.outcome == outcome.id and row.method in OF_SHARES for row in plan.analyses)
    for key in ("upper", "upper_column"):
        if kind != "bounded" and not shares and key in given:
            yield (
                key,
                f"only a bounded outcome has one, and '{outcome.id}' is {kind}",
                'say kind = "bounded", or remove it',
            )
