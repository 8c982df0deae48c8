"""What a [rehearsal] table says of questions, arms and treatments has to be of the study that it stands in."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.study.rehearsal.problems import rehearsal_problems
from study_app.domain.study.rehearsal.section import Rehearsal
from study_app.domain.study.sections import Stage, StudyArm

ROLES = [{"value": "dev", "label": "a"}, {"value": "sci", "label": "b"}]
QUESTIONS = [
    {"id": "role", "kind": "choice", "prompt": "?", "options": ROLES, "eligible": ["dev"]},
    {"id": "hobby", "kind": "choice", "prompt": "?", "options": ROLES},
    {"id": "years", "kind": "scale", "prompt": "?", "low": 0, "high": 7},
    {"id": "age", "kind": "number", "prompt": "?"},
    {"id": "why", "kind": "text", "prompt": "?"},
]
STAGE = Stage.model_validate({"id": "more", "kind": "survey", "questions": QUESTIONS})
# The control is not the first arm.
ARMS = [StudyArm(id="other"), StudyArm(id="plain", control=True)]
DROPOUT = {"id": "leaving", "dropout": {"plain": 0.1}}


def problems(
    *, sequence: bool = False, clustered: bool = False, treatments: tuple[str, ...] = (), **table: Any
) -> list[str]:
    expected = Rehearsal.model_validate(table)
    return rehearsal_problems(expected, [STAGE], ARMS, sequence=sequence, clustered=clustered, treatments=treatments)


@pytest.mark.parametrize(("icc", "clustered", "count"), [(0.5, True, 1), (0.3, True, 0), (0.5, False, 0)])
def test_skill_and_cluster_together_are_at_most_the_whole_variance(icc, clustered, count):
    found = problems(clustered=clustered, icc=icc, quiz={"mean": 0.5, "sd": 0.2, "skill": 0.8})
    assert [line[:22] for line in found] == ["rehearsal.quiz.skill: "] * count


@pytest.mark.parametrize(
    ("name", "expected", "said"),
    [
        ("role", {"shares": {"dev": 1}}, ""),
        # A share of 0 says what would be so without it.
        ("role", {"shares": {"dev": 1, "sci": 0}}, ""),
        ("role", {"shares": {"dev": 1, "sci": 1}}, "'sci' keeps people out"),
        ("hobby", {"shares": {"dev": 1, "sci": 1}}, ""),
        ("hobby", {"shares": {"dev": 1, "ops": 1}}, "'ops' is not an option; use: dev, sci"),
        ("hobby", {"mean": 1, "sd": 1}, "the question is of kind choice; mean and sd belong to a number"),
        ("years", {"mean": 0, "sd": 1}, ""),
        ("years", {"mean": 7, "sd": 1}, ""),
        ("years", {"mean": 7.5, "sd": 1}, "the mean 7.5 lies outside of the question's range (0 to 7)"),
        ("years", {"mean": -0.5, "sd": 1}, "the mean -0.5 lies outside of the question's range (0 to 7)"),
        ("years", {"shares": {"1": 1}}, "the question is of kind scale; shares belong to a choice"),
        ("age", {"mean": 500, "sd": 1}, ""),
        ("why", {"mean": 1, "sd": 1}, "the question is of kind text; mean and sd belong to a number"),
        ("fun", {"mean": 1, "sd": 1}, "the study asks no question of this id; use one of: role, hobby,"),
    ],
)
def test_an_expected_answer_fits_its_question(name, expected, said):
    found = problems(answers={name: expected})
    assert len(found) == bool(said)
    assert all(line.startswith(f"rehearsal.answers.{name}: {said}") for line in found)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"variants": {"reports": {"plain": 0.5}, "hacks": {"other": 0.5}}}, []),
        ({"variants": {"reports": {"third": 0.5}}}, ["rehearsal.variants.reports: 'third' is not an arm"]),
        ({"variants": {"hacks": {"third": 0.5}}}, ["rehearsal.variants.hacks: 'third' is not an arm"]),
        ({"affect": {"valence": {"plain": [6, 5]}}}, []),
        ({"affect": {"valence": {"third": [6, 5]}}}, ["rehearsal.affect: 'third' is not an arm"]),
        ({"scenarios": [{"id": "x", "dropout": {"third": 0.1}}]}, ["rehearsal.scenarios.x: 'third' is not an arm"]),
        ({"scenarios": [{"id": "x", "effect_score": {"other": -4}}]}, []),
        (
            {"scenarios": [{"id": "x", "effect_score": {"plain": -4}, "effect_minutes": {"plain": 1}}]},
            ["rehearsal.scenarios.x: effect_score: 'plain' is the control arm",
             "rehearsal.scenarios.x: effect_minutes: 'plain' is the control arm"],
        ),
        ({"scenarios": [{"id": "x", "effect_score": {"plain": 0}}]}, []),
        (
            {"scenarios": [{"id": "x", "second_effect_score": 1}]},
            ["rehearsal.scenarios.x: second_effect_score: the study has no [second_decision]"],
        ),
    ],
)  # fmt: skip
def test_arms_are_named_as_the_study_names_them_and_effects_are_differences_from_the_control(table, said):
    found = problems(**table)
    assert [line[: len(start)] for line, start in zip(found, said, strict=True)] == said


def test_people_who_have_every_arm_do_not_leave_by_arm():
    assert problems(scenarios=[DROPOUT]) == []
    (line,) = problems(sequence=True, scenarios=[DROPOUT])
    assert line.startswith("rehearsal.scenarios.leaving: dropout: everybody has every arm")
    assert problems(sequence=True, scenarios=[{"id": "leaving", "dropout": 0.1}]) == []


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (1.5, []),
        ({"more": 1.5}, []),
        ({"tutor": 1.5}, ["'tutor' is not a second treatment; use one of: more, most"]),
        ({"same": 1.5}, ["'same' is listed first, and effects are differences from it; leave it out"]),
    ],
)
def test_effects_of_second_treatments_are_differences_from_the_first_one_listed(effects, said):
    scenario = {"id": "x", "second_effect_minutes": effects}
    found = problems(treatments=("same", "more", "most"), scenarios=[scenario])
    assert found == [f"rehearsal.scenarios.x: second_effect_minutes: {each}" for each in said]


def test_what_a_cluster_shares_of_the_times_is_held_to_the_same_limit():
    (found,) = problems(clustered=True, minutes_icc=0.5, minutes={"mean": 0.5, "sd": 0.2, "skill": -0.8})
    assert found.startswith("rehearsal.minutes.skill: -0.8 leaves no room for minutes_icc = 0.5")
