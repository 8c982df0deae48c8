"""Retention quizzes as outcomes: those of a plan that keeps the usual outcomes, and quizzes that no outcome names."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.study.analysis_plan import Outcome, Plan
from study_app.domain.study.comparing.variant_outcome import variant_outcome
from study_app.domain.study.quiz_roles import TOTALS, Quiz
from study_app.domain.study.study import Study


def delayed_outcomes(plan: Plan, study: Study | None) -> tuple[Outcome, ...]:
    """Return an outcome for the points of each retention quiz, where the plan keeps the usual outcomes.

    The plan's text and hash leave them out, for they follow from the study. Empty where the plan's author wrote other
    outcomes, and of a sequence of treatments, whose retention quiz comes once for all treatments.
    """
    if study is None or study.allocation.method == "sequence":
        return ()
    usual = {outcome.id for outcome in Plan.model_fields["outcomes"].get_default(call_default_factory=True)}
    if not usual <= {outcome.id for outcome in plan.outcomes}:
        return ()
    return tuple(
        Outcome(
            id=quiz.points,
            label=quiz.stage.title or quiz.stage.id,
            kind="bounded",
            unit="points",
            upper_column=f"{quiz.prefixes[0]}_max",
        )
        for quiz in study.quizzes
        if quiz.role == "retention" and not _named(plan, quiz)
    )


def with_delayed(plan: Plan, study: Study | None) -> Plan:
    """Return the plan with the outcomes of retention quizzes, and that of variants, among its secondary ones."""
    more = (*delayed_outcomes(plan, study), *variant_outcome(plan, study))
    return plan.model_copy(update={"outcomes": (*plan.outcomes, *more)}) if more else plan


def quiz_warnings(study: Study) -> Iterator[str]:
    """Quizzes after allocation that no outcome of the plan names: their points are exported and not compared."""
    plan = with_delayed(study.analysis, study)
    for quiz in study.quizzes:
        if quiz.role == "baseline" or _named(plan, quiz):
            continue
        if study.allocation.method == "sequence":
            if quiz.stage not in study.period_quizzes:
                yield (
                    f"stages.{quiz.stage.id}: the quiz comes once for all treatments of a person, so its points are "
                    "exported and compare none of them"
                )
            continue
        if {f"{quiz.stage.id}_{end}" for end in TOTALS} & set(study.second_decision.rests_on):
            continue  # It decides who responded.
        points = quiz.points
        yield (
            f"stages.{quiz.stage.id}: no outcome of the plan names the quiz, so its points are exported and not "
            f'compared; add [[analysis.secondary]] with id = "{points}", kind = "bounded" and upper_column = '
            f'"{points.removesuffix("points")}max"'
        )


def _named(plan: Plan, quiz: Quiz) -> bool:
    columns = {f"{prefix}_{end}" for prefix in quiz.prefixes for end in TOTALS}
    return any(outcome.name in columns for outcome in plan.outcomes)
