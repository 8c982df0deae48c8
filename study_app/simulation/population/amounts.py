"""The numbers that a simulation is given: in range, and of something that the study has."""

from __future__ import annotations

import math
from collections.abc import Mapping

from study_app.domain.errors import UserError
from study_app.domain.study.study import Study
from study_app.simulation.behaviour.profiles import Amount


def check_amounts(
    participants: int, score: Amount, minutes: Amount, noncompliance: float, dropout: Amount, overconfidence: float
) -> None:
    """Refuse numbers that are out of range.

    Raises:
        UserError: one is; the message names the option.
    """
    problems = []
    if participants < 1:
        problems.append(f"--participants: {participants} is not a number of participants; give a whole number from 1")
    for name, effect in [("--effect-score", each) for each in _each(score)] + [
        ("--effect-minutes", each) for each in _each(minutes)
    ]:
        if not math.isfinite(effect):
            problems.append(f"{name}: {effect} is not an effect; give a finite number")
    for name, share in [("--noncompliance", noncompliance), *(("--dropout", each) for each in _each(dropout))]:
        if not 0 <= share <= 1:
            problems.append(f"{name}: {share:g} is not a share; give a number from 0 to 1")
    if not -1 <= overconfidence <= 1:
        problems.append(f"--overconfidence: {overconfidence:g} is not a difference of shares; give one from -1 to 1")
    if problems:
        raise UserError("\n".join(problems))


def check_used(study: Study, score: Amount, minutes: Amount, noncompliance: float, overconfidence: float) -> None:
    """Refuse what nothing of the study takes: the data would look as if it had been put in."""
    tasks = "the study has no main tasks"
    lacking = {
        "--effect-score": (any(_each(score)) and study.main_quiz is None, "the study has no main quiz"),
        "--effect-minutes": (any(_each(minutes)) and not study.main_task_stages, tasks),
        "--noncompliance": (noncompliance and not study.main_task_stages, tasks),
        "--overconfidence": (
            overconfidence and not any(quiz.stage.confidence for quiz in study.quizzes),
            "no quiz of the study asks for confidence",
        ),
    }
    problems = [f"{name}: {why}; leave it out" for name, (wrong, why) in lacking.items() if wrong]
    if problems:
        raise UserError("\n".join(problems))


def check_arms(study: Study, **amounts: Amount) -> None:
    """Refuse amounts by arm that name no arm of the study, or give the control arm an effect.

    Raises:
        UserError: one does; the message names the option.
    """
    arms, control = [arm.id for arm in study.arms], study.control.id
    problems = []
    for name, amount in amounts.items():
        if not isinstance(amount, dict):
            continue
        option = f"--{name.replace('_', '-')}"
        problems += [f"{option}: '{arm}' is not an arm; use: {', '.join(arms)}" for arm in amount if arm not in arms]
        if name.startswith("effect") and amount.get(control):
            problems.append(f"{option}: '{control}' is the control arm, which effects are differences from")
        if name == "dropout" and study.allocation.method == "sequence":
            problems.append(f"{option}: everybody has every arm; give one share for all")
    if problems:
        raise UserError("\n".join(problems))


def refuse_amounts(amounts: Mapping[str, float]) -> None:
    """Refuse what people in a real browser would not do: they walk through the pages and answer as they would anyway.

    Raises:
        UserError: one is not 0; the message names the option.
    """
    given = [name for name, amount in amounts.items() if amount]
    if given:
        why = "people in a browser do not follow it; leave it or --browser out"
        raise UserError("\n".join(f"--{name}: {why}" for name in given))


def check_second(study: Study, score: Amount, minutes: Amount) -> None:
    """Refuse effects of second treatments that the study does not have, and amounts that are not numbers."""
    named = {"--second-effect-score": score, "--second-effect-minutes": minutes}
    treatments = [each.id for each in study.second_decision.treatments]
    problems = []
    for name, amount in named.items():
        if not all(math.isfinite(each) for each in _each(amount)):
            problems.append(f"{name}: not an effect; give a finite number")
        elif any(_each(amount)) and not treatments:
            problems.append(f"{name}: the study has no [second_decision]; leave it out")
        elif isinstance(amount, dict) and (unknown := sorted(set(amount) - set(treatments[1:]))):
            problems.append(f"{name}: '{unknown[0]}' adds nothing here; use one of: {', '.join(treatments[1:])}")
    if problems:
        raise UserError("\n".join(problems))


def _each(amount: Amount) -> list[float]:
    """Return one number for all arms, or those of each arm."""
    return list(amount.values()) if isinstance(amount, dict) else [amount]
