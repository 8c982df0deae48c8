"""Which stages and questions a participant meets, and whether anything of a study is for some only."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.branching import branches, met
from study_app.domain.study.study import Study

ASKED = {"id": "felt", "kind": "scale", "prompt": "?", "low": 0, "high": 7}


def study(question: dict[str, Any] | None = None, **stage: Any) -> Study:
    again = ASKED | {"id": "again"} | (question or {})
    return Study.model_validate(
        {
            "schema": "study/1", "id": "branches", "title": "Branches", "allocation": {"method": "simple"},
            "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
            "stages": [
                {"id": "consent", "kind": "consent"},
                {"id": "more", "kind": "survey", "questions": [ASKED | {"id": "years"}]},
                {"id": "instructions", "kind": "instructions"},
                {"id": "then", "kind": "survey", "questions": [ASKED, again]} | stage,
                {"id": "debrief", "kind": "debrief"},
            ],
        }
    )  # fmt: skip


FOR_SOME = [
    ({}, {"arms": ["plain"]}),
    ({}, {"when": "years > 2"}),
    ({"arms": ["plain"]}, {}),
    ({"when": "years > 2"}, {}),
]


@pytest.mark.parametrize(("question", "stage"), FOR_SOME)
def test_an_arm_or_a_condition_of_one_stage_or_question_makes_a_study_branch(question, stage):
    assert branches(study(question, **stage))
    assert not branches(study())


def shown(of: Study, arm: str | None, years: int, current: str = "") -> list[str]:
    """The last survey's questions as a person meets them; none where its stage is left out."""
    found = met(of, arm, {"years": years}, current)
    return [question.id for stage in found.stages if stage.id == "then" for question in stage.questions]


BOTH, FIRST, NEITHER = ["felt", "again"], ["felt"], []


@pytest.mark.parametrize(
    ("question", "stage", "arm", "years", "found"),
    [
        ({}, {}, "other", 0, BOTH),
        *((*FOR_SOME[0], *case) for case in (("plain", 0, BOTH), ("other", 0, NEITHER), (None, 0, BOTH))),
        *((*FOR_SOME[1], *case) for case in (("plain", 3, BOTH), ("plain", 2, NEITHER), (None, 2, NEITHER))),
        *((*FOR_SOME[2], *case) for case in (("plain", 0, BOTH), ("other", 0, FIRST), (None, 0, BOTH))),
        *((*FOR_SOME[3], *case) for case in (("plain", 3, BOTH), ("plain", 2, FIRST), (None, 2, FIRST))),
    ],
)
def test_people_meet_what_is_for_their_arm_and_whose_condition_holds(question, stage, arm, years, found):
    assert shown(study(question, **stage), arm, years) == found


def test_the_stage_where_a_person_is_stays_and_the_others_go_by_their_conditions():
    later = study(when="years > 2")
    assert shown(later, "plain", 0, current="then") == BOTH
    assert shown(later, "plain", 0, current="more") == NEITHER
    # A survey without a question that applies is left out, unless the person is there.
    empty = study({"arms": ["plain"]}, questions=[ASKED | {"arms": ["plain"]}])
    assert [stage.id for stage in met(empty, "other", {}).stages] == ["consent", "more", "instructions", "debrief"]
    assert "then" in [stage.id for stage in met(empty, "other", {}, "then").stages]
