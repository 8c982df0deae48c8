"""The rows of a study with factors: main effects and interactions decide, simple effects and the control follow.

The plan's text and hash leave the usual ones out, for they follow from the study, as outcomes of retention quizzes do.
"""

from __future__ import annotations

from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan
from study_app.domain.study.plan_sections import BY_RECEIVED
from study_app.domain.study.study import Study

METHODS_OF_FACTORS = ("factorial", "factorial_rerandomization")
"""Methods that compare levels of factors, which only a study with factors has."""
HOLDABLE = ("simple", "permuted_blocks", "stratified_blocks")
"""Allocations under which a factor is permuted given the others: what each person gets does not hang on what the
levels of the people before did to a balance."""


def with_factors(plan: Plan, study: Study | None) -> Plan:
    """Return the plan with the rows that decide a study with factors, where it has none for a primary outcome.

    Each factor's main effect, by re-randomisation where the allocation allows it, and the interactions, one family.
    """
    if study is None or not study.factors:
        return plan
    own = {row.outcome for row in plan.analyses if row.role == "primary"}
    held = study.allocation.method in HOLDABLE
    main = "factorial_rerandomization" if held else "factorial"
    more = [
        row
        for outcome in map(plan.outcome, plan.primary)
        if outcome.id not in own
        for row in _deciding(outcome, main, several=len(study.factors) > 1)
    ]
    return plan.model_copy(update={"analyses": (*more, *plan.analyses)}) if more else plan


def _deciding(outcome: Outcome, main: str, *, several: bool) -> list[Analysis]:
    shared = {"outcome": outcome.id, "role": "primary", "adjusted": outcome.kind != "time"}
    rows = [Analysis.model_validate({**shared, "method": main})]
    if several:
        between = {"method": "factorial", "label": "interaction", "options": {"effects": "interaction"}}
        rows.append(Analysis.model_validate({**shared, **between}))
    return rows


def following(plan: Plan, study: Study | None) -> tuple[Analysis, ...]:
    """Return the rows that follow: simple effects, model-based main effects, and the nested control with each level."""
    if study is None or not study.factors:
        return ()
    kinds = ["main", *(["simple"] if len(study.factors) > 1 else [])]
    kinds += ["control"] if study.control.id not in study.cells else []
    listed = {row.id for row in plan.analyses}
    rows = [
        Analysis(
            outcome=name, method="factorial", role="secondary", label=kind, options={"effects": kind},
            adjusted=plan.outcome(name).kind != "time",
        )
        for name in plan.primary
        for kind in kinds
    ]  # fmt: skip
    return tuple(row for row in rows if row.id not in listed)


def factor_problems(study: Study, file: str) -> list[Problem]:
    """Return what in a study's plan does not go with factors, or needs them."""
    plan, found = study.analysis, []
    for row in plan.analyses:
        key = f"analysis.analyses.{row.id}"
        if row.method not in METHODS_OF_FACTORS:
            continue
        if not study.factors:
            what, remedy = f"{row.method} compares levels of factors", "declare [[factors]], or use lin"
            found.append(Problem(file, f"{key}.method", what, remedy))
        elif row.method == "factorial_rerandomization" and study.allocation.method not in HOLDABLE:
            what = f"under '{study.allocation.method}' no factor can be drawn again while the others are held"
            remedy = f"use factorial, or allocate by {', '.join(HOLDABLE)}"
            found.append(Problem(file, f"{key}.method", what, remedy))
        elif row.options.get("effects") == "control" and study.control.id in study.cells:
            what, remedy = "there is no control outside the cells", "add arms_from.plus_control, or leave the row out"
            found.append(Problem(file, f"{key}.options.effects", what, remedy))
        if row.contrast:
            what = f"{row.method} compares levels, not two arms"
            found.append(Problem(file, f"{key}.contrast", what, "remove contrast, or use lin"))
        if row.population in BY_RECEIVED:
            what = "what was received has no levels"
            found.append(Problem(file, f"{key}.population", what, 'use population = "itt" or "per_protocol"'))
    return found + (_of_rules(plan, file) if study.factors else [])


def _of_rules(plan: Plan, file: str) -> list[Problem]:
    found = []
    if plan.multiplicity.method == "graphical":
        what = "'graphical' gives a weight to each comparison of arms, and factors are compared by level"
        found.append(Problem(file, "analysis.multiplicity.method", what, "use holm"))
    if plan.stopping.interim:
        what = "planned looks are taken at comparisons of arms, and the rows that decide here compare levels"
        found.append(Problem(file, "analysis.stopping.kind", what, 'write kind = "none", or [[arms]] without factors'))
    return found
