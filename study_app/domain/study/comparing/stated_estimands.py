"""Estimands as readers meet them: an author's as written, the usual ones in the words of the study's design.

A plan without estimands has the usual ones, which speak of parallel arms with and without an assistant. Their text is
part of what was registered and never changes; it is worded here for the design that the study has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from study_app.domain.allocation.options import options, order_of
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.comparing.stated_decision import listed
from study_app.domain.study.plan_sections import Estimand, IntercurrentEvent
from study_app.domain.study.study import Study, StudyArm

QUIZ_POINTS = "quiz_points"
ABOUT_LOSS: Mapping[str, str] = {
    "multiple_imputation": "multiple imputation",
    "tipping_point": "its tipping point",
    "inverse_probability": "weighting for loss",
    "lee_bounds": "Lee's bounds",
    "worst_case": "worst-case bounds",
}
"""Methods whose rows show how much hangs on what is assumed of missing outcomes, in the order of a sentence."""


def stated_estimands(
    plan: Plan, study: Study | None, about_loss: Mapping[str, Collection[str]]
) -> tuple[Estimand, ...]:
    """Return the estimands to print.

    Args:
        plan: of the study, or of a table collected elsewhere.
        study: None for such a table.
        about_loss: outcome -> methods of `ABOUT_LOSS` that the plan runs for it.
    """
    usual = Plan().estimands
    own = [entry for entry in plan.estimands if entry not in usual]
    # An author who writes estimands writes all; the usual ones are joined by those of further quizzes.
    more = [] if own else _of_quizzes(plan, study, usual)
    return tuple(
        entry if entry in own else _worded(entry, plan, study, about_loss.get(entry.outcome, ()))
        for entry in (*plan.estimands, *more)
        if entry in own or entry.outcome in plan.primary
    )


def _of_quizzes(plan: Plan, study: Study | None, usual: Sequence[Estimand]) -> list[Estimand]:
    """Return estimands of primary outcomes that are the points of another quiz than the main one, as that quiz's."""
    main = next(entry for entry in usual if entry.outcome == QUIZ_POINTS)
    titles = {quiz.points: quiz.stage.title or quiz.stage.id for quiz in study.quizzes} if study else {}
    columns = {outcome.id: outcome.name for outcome in plan.outcomes}
    return [
        main.model_copy(
            update={
                "outcome": outcome,
                "variable": f"Points in the quiz “{titles[column]}”, taken alone; an unanswered item counts 0.",
            }
        )
        for outcome in plan.primary
        if (column := columns.get(outcome, outcome)) in titles and outcome not in {entry.outcome for entry in usual}
    ]


def _worded(entry: Estimand, plan: Plan, study: Study | None, about_loss: Collection[str]) -> Estimand:
    arms = _control_first(study.arms, plan.control or study.control.id) if study is not None else ()
    crossed = study is not None and study.allocation.method == "sequence"
    allocated = "in the order allocated" if crossed else "as allocated"
    changed: dict[str, object] = {
        "population": f"Everyone allocated and not excluded, {allocated}, whatever they then did.",
        "treatments": _direct(entry, plan, arms) or _treatments(entry, arms, study, crossed),
        "intercurrent": tuple(_event(each, arms) for each in entry.intercurrent),
    }
    if crossed:
        changed["summary"] = entry.summary.replace("Difference", "Difference within people", 1)
        changed["missing"] = "A period without a value says nothing; its person counts with the periods that have one."
    elif entry.missing.startswith("Quiz never opened"):
        known = [words for method, words in ABOUT_LOSS.items() if method in about_loss]
        assumed = "Quiz never opened: missing at random given arm, covariates and strata."
        changed["missing"] = f"{assumed} {_listed(known)} how much hangs on that." if known else assumed
    return entry.model_copy(update=changed)


def _control_first(arms: Sequence[StudyArm], control: str) -> tuple[StudyArm, ...]:
    return tuple(sorted(arms, key=lambda arm: arm.id != control))


def _treatments(entry: Estimand, arms: Sequence[StudyArm], study: Study | None, crossed: bool) -> str:
    """Return what is compared: the usual words where only the control has no assistant."""
    if study is None or not arms:
        return "What the arm gives against what the control gives."
    if study.factors and not crossed and not study.second_decision:
        return _of_factors(study)
    control, *others = arms
    second = bool(study.second_decision)
    if not crossed and not second and not control.assistant and all(arm.assistant for arm in others):
        return entry.treatments
    compared = "; ".join(f"{arm.title} against {control.title}" for arm in others)
    where = _in_periods(study) if crossed else ""
    then = ", each followed by what the second randomisation gives to who does not respond" if second else ""
    return f"{compared}{where}{then}."


def _direct(entry: Estimand, plan: Plan, arms: Sequence[StudyArm]) -> str:
    """Return what the plan's own primary rows compare; empty where none of them names a pair of arms."""
    rows = listed(plan, entry.outcome)
    if not any(row.contrast for row in rows):
        return ""
    titles = {arm.id: arm.title for arm in arms}
    control, *others = titles or [plan.control]
    usual = [(other, control) for other in others]
    pairs = dict.fromkeys(pair for row in rows for pair in ([row.contrast] if row.contrast else usual))
    return f"{'; '.join(f'{titles.get(new, new)} against {titles.get(old, old)}' for new, old in pairs)}."


def _of_factors(study: Study) -> str:
    """Return the main effects: each level with its factor's first one."""
    parts = []
    for factor in study.factors:
        names = [str(level.arm.get("label") or level.id.replace("_", " ")) for level in factor.levels]
        others = [other.title for other in study.factors if other is not factor]
        over = f", over the levels of {' and '.join(others)} with equal weights" if others else ""
        parts += [f"{name} against {names[0]}{over}" for name in names[1:]]
    return f"{'; '.join(parts)}."


def _in_periods(study: Study) -> str:
    """Return when people have the treatments; with three, or by orders listed by hand, not each has both of a pair."""
    orders = [set(order_of(option.id)) for option in options(study.allocation, study.arms)]
    both = len(study.arms) == 2 and all(len(order) == 2 for order in orders)
    return " in a period, each person with both" if both else ", each person in the periods of their order"


def _event(event: IntercurrentEvent, arms: Sequence[StudyArm]) -> IntercurrentEvent:
    if not event.event.startswith("AI used where none") or not arms:
        return event
    offered = [bool(arm.assistant) for arm in arms]
    if all(offered):
        return event.model_copy(update={"event": "The arm's assistant not used, or other AI used"})
    return event if any(offered) else event.model_copy(update={"event": "AI used, which no arm offers"})


def _listed(words: Sequence[str]) -> str:
    text = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{text[:1].upper()}{text[1:]} {'show' if len(words) > 1 or words[0].endswith('s') else 'shows'}"
