"""The second decision of drawn people: the study's rule over what they answered, and its scheme for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.pipeline.power.second_decisions import drawn_treatments
from study_app.domain.study.study import Study
from study_app.rehearsal.drawn_people import DrawnPerson
from study_app.simulation.second_truth import AllocatedWalk, realised_regimes, realised_treatments, realised_within_arms
from study_app.simulation.summary import Realised

Truth = dict[str, dict[str, float]]


def decide_again(study: Study, people: Sequence[DrawnPerson], rng: np.random.Generator) -> None:
    """Decide on everybody who comes to the second decision, in order of allocation.

    Args:
        study: with a second decision.
        people: allocated.
        rng: where chance comes from.
    """
    second = study.second_decision
    for person in people:
        person.respond(second)
    again = [person for person in people if person.responded is False]
    drawn = drawn_treatments(study, [person.arm_id or "" for person in again], rng)
    for person, treatment in zip(again, drawn, strict=True):
        person.walk.second = treatment


def truth_of_second(study: Study, people: Sequence[DrawnPerson]) -> Truth:
    """Return what was true of second treatments and regimes among drawn people; empty in a study with one decision."""
    if not study.second_decision:
        return {}
    tasks, quiz = study.main_task_stages, study.main_quiz
    found = [
        AllocatedWalk(
            person.walk,
            person.arm_id or "",
            person.responded,
            quiz is not None and person.share_done(quiz) >= 1,
            all(person.share_done(stage) >= 1 for stage in tasks),
        )
        for person in people
    ]
    return as_truth(
        realised_treatments(study, found), realised_within_arms(study, found), realised_regimes(study, found)
    )


def as_truth(*effects: Mapping[str, Realised]) -> Truth:
    """Return realised effects by name, with what there is of score and minutes."""
    return {name: measured(effect) for some in effects for name, effect in some.items()}


def measured(effect: Realised) -> dict[str, float]:
    """Return what there is of score and minutes."""
    values: dict[str, Any] = {"score": effect.score, "minutes": effect.minutes}
    return {name: value for name, value in values.items() if value is not None}
