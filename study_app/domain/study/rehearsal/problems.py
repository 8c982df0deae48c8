"""Whether a [rehearsal] table fits the study that it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_app.domain.study.rehearsal.section import ExpectedAnswer, Rehearsal, Scenario
from study_app.domain.study.sections import WITH_RANGE, Question, Stage, StudyArm


def rehearsal_problems(
    rehearsal: Rehearsal,
    stages: Sequence[Stage],
    arms: Sequence[StudyArm],
    *,
    sequence: bool,
    clustered: bool,
    treatments: Sequence[str],
) -> list[str]:
    """Return what does not fit, each with its key.

    Args:
        rehearsal: the table.
        stages: of the study.
        arms: of the study.
        sequence: whether everybody has every arm, one after the other.
        clustered: whether whole clusters are allocated.
        treatments: ids of the second treatments, in the order of the file; empty without a second decision.
    """
    questions = {question.id: question for stage in stages for question in stage.asked}
    found = list(_too_close(rehearsal, clustered=clustered))
    for name, expected in rehearsal.answers.items():
        key = f"rehearsal.answers.{name}"
        if name not in questions:
            found.append(f"{key}: the study asks no question of this id; use one of: {', '.join(questions) or 'none'}")
        else:
            found += [f"{key}: {problem}" for problem in _answer_problems(expected, questions[name])]
    known = [arm.id for arm in arms]
    for key, rates in (("reports", rehearsal.variants.reports), ("hacks", rehearsal.variants.hacks)):
        for arm in rates if isinstance(rates, dict) else ():
            if arm not in known:
                found.append(f"rehearsal.variants.{key}: '{arm}' is not an arm; use: {', '.join(known)}")
    for arm in sorted(rehearsal.affect.arms() - set(known)):
        found.append(f"rehearsal.affect: '{arm}' is not an arm; use: {', '.join(known)}")
    for scenario in rehearsal.scenarios:
        found += [f"rehearsal.scenarios.{scenario.id}: {problem}" for problem in _scenario_problems(scenario, arms)]
        found += [f"rehearsal.scenarios.{scenario.id}: {said}" for said in second_effect_problems(scenario, treatments)]
        if sequence and isinstance(scenario.dropout, dict):
            found.append(f"rehearsal.scenarios.{scenario.id}: dropout: everybody has every arm; give one share for all")
    return found


def _too_close(rehearsal: Rehearsal, *, clustered: bool) -> Iterator[str]:
    measures = (("quiz", rehearsal.quiz, "icc"), ("minutes", rehearsal.minutes, "minutes_icc"))
    for name, measure, key in measures if clustered else ():
        skill, shared = measure.skill, getattr(rehearsal, key)
        if skill**2 + shared >= 1:
            yield (
                f"rehearsal.{name}.skill: {skill:g} leaves no room for {key} = {shared:g}, as people of a cluster do "
                f"not share their skill; lower one, so that skill squared and {key} are less than 1 together"
            )


def _answer_problems(expected: ExpectedAnswer, question: Question) -> Iterator[str]:
    if expected.shares and question.kind != "choice":
        yield f"the question is of kind {question.kind}; shares belong to a choice"
    elif not expected.shares and question.kind not in WITH_RANGE:
        yield f"the question is of kind {question.kind}; mean and sd belong to a number, a scale or a slider"
    elif expected.shares:
        known = {str(option.value) for option in question.options}
        allowed = {str(value) for value in question.eligible} or known
        for option in expected.shares:
            if option not in known:
                yield f"'{option}' is not an option; use: {', '.join(sorted(known))}"
            elif option not in allowed and expected.shares[option]:
                yield f"'{option}' keeps people out, and simulated participants are all eligible; leave it out"
    elif expected.mean is not None:
        low, high = question.low, question.high
        if (low is not None and expected.mean < low) or (high is not None and expected.mean > high):
            yield f"the mean {expected.mean:g} lies outside of the question's range ({low} to {high})"


def second_effect_problems(scenario: Scenario, treatments: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a scenario's effects of second treatments, each with its key."""
    for key, effects in scenario.second_effects.items():
        if not treatments:
            yield f"{key}: the study has no [second_decision]; leave it out"
        elif isinstance(effects, dict):
            for name in sorted(set(effects) - set(treatments)):
                yield f"{key}: '{name}' is not a second treatment; use one of: {', '.join(treatments[1:])}"
            if treatments[0] in effects:
                yield f"{key}: '{treatments[0]}' is listed first, and effects are differences from it; leave it out"


def _scenario_problems(scenario: Scenario, arms: Sequence[StudyArm]) -> Iterator[str]:
    known = [arm.id for arm in arms]
    control = next((arm.id for arm in arms if arm.control), known[0])
    for arm in sorted(scenario.arms() - set(known)):
        yield f"'{arm}' is not an arm; use: {', '.join(known)}"
    for key, effects in (("effect_score", scenario.effect_score), ("effect_minutes", scenario.effect_minutes)):
        if isinstance(effects, dict) and effects.get(control):
            yield f"{key}: '{control}' is the control arm, which effects are differences from; leave it out"
