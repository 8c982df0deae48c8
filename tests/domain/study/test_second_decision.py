"""A second decision in the study file: who responds, what they meet, and with which designs it does not go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from study_app.dataset.schema.versions import read_version
from study_app.domain.allocation import decision_seed, draws
from study_app.domain.conditions import StageCondition
from study_app.domain.ledger.commitment import commitment_of
from study_app.domain.records import Participant
from study_app.domain.study.study import Study

STUDY = {
    "schema": "study/1",
    "id": "again",
    "title": "Randomised again",
    "arms": [
        {"id": "plain", "control": True, "instructions": "Go."},
        {"id": "tips", "assistant": "hints", "instructions": "Ask."},
    ],
    "assistants": {"hints": {"file": "assistants/hints.toml"}, "full": {"file": "assistants/full.toml"}},
    "allocation": {"method": "permuted_blocks"},
    "second_decision": {
        "stage": "later",
        "responds": 'halfway_points >= 3 and known == "yes"',
        "treatments": [
            {"id": "stay"},
            {"id": "more", "assistant": "full", "weight": 2},
            {"id": "less", "assistant": ""},
        ],
    },
    "stages": [
        {"id": "consent", "kind": "consent"},
        {
            "id": "about",
            "kind": "survey",
            "questions": [
                {
                    "id": "known",
                    "kind": "choice",
                    "prompt": "?",
                    "options": [{"value": "yes", "label": "y"}, {"value": "no", "label": "n"}],
                }
            ],
        },
        {"id": "tasks", "kind": "tasks", "assistant": True, "minutes": 9, "packs": ["tasks/one"]},
        {"id": "halfway", "kind": "quiz", "role": "other", "bank": "quizzes/one", "minutes": 5},
        {"id": "later", "kind": "tasks", "assistant": True, "minutes": 9, "packs": ["tasks/two"]},
        {"id": "quiz", "kind": "quiz", "bank": "quizzes/two", "minutes": 9},
        {"id": "debrief", "kind": "debrief"},
    ],
    "analysis": {"primary": ["quiz_points"], "outcomes": [{"id": "quiz_points", "kind": "bounded"}]},
}  # fmt: skip


def study(**second) -> Study:
    return Study.model_validate(STUDY | {"second_decision": STUDY["second_decision"] | second})


def refused(raw) -> str:
    with pytest.raises(ValidationError) as error:
        Study.model_validate(raw)
    return str(error.value)


@given(points=st.one_of(st.none(), st.integers(0, 9)), known=st.sampled_from([None, "yes", "no"]))
def test_who_responded_follows_from_the_rule_and_what_is_unknown_does_not_meet_it(points, known):
    responded = study().second_decision.responded({"halfway_points": points, "known": known})
    assert responded == (points is not None and points >= 3 and known == "yes")


def test_a_second_treatment_changes_what_it_names_from_its_stage_on():
    made = study()
    before, after = made.stage("tasks"), made.stage("later")
    assert [made.arm("tips/more", stage).assistant for stage in (before, after)] == ["hints", "full"]
    assert made.arm("tips/stay", after) == made.arm("tips", after)
    assert made.arm("tips/less", after).assistant is None
    promised = study(treatments=[{"id": "stay"}, {"id": "more", "pledge": "I ask.", "instructions": "Ask more."}])
    met = promised.arm("tips/more", after)
    assert (met.pledge, met.instructions, met.assistant) == ("I ask.", "Ask more.", "hints")
    assert (made.arm("plain/more", after).id, made.arm("plain/more", after).instructions) == ("plain", "Go.")
    assert not made.has_assistant("plain/stay")
    assert made.has_assistant("plain/more")


def test_weights_are_shares():
    second = study().second_decision
    assert [second.probability(name) for name in ("stay", "more", "less", "other")] == [0.25, 0.5, 0.25, None]
    assert study().probability("tips") == 0.5


def test_a_label_is_what_people_read():
    first, other = study(
        treatments=[{"id": "go_on"}, {"id": "more", "label": "With more", "pledge": "I ask."}]
    ).second_decision.treatments
    assert (first.title, other.title) == ("go on", "With more")


def test_a_participant_is_allocated_to_both_decisions():
    person = Participant("p", "real", "h", "in_progress", "later", 0, None, None)  # type: ignore[arg-type]
    assert person.allocated is None
    once = Participant(**vars(person) | {"arm": "tips"})
    assert once.allocated == "tips"
    assert Participant(**vars(once) | {"second_treatment": "more"}).allocated == "tips/more"


def test_the_commitment_covers_the_second_decision_and_its_draws_are_others():
    seed = bytes(32)
    assert commitment_of(seed, study()) != commitment_of(seed, study(method="simple"))
    assert draws(decision_seed(seed, 2), 1) != draws(seed, 1)
    assert decision_seed(seed, 1) == seed


def test_a_study_without_one_has_no_key_of_it():
    plain = Study.model_validate({key: value for key, value in STUDY.items() if key != "second_decision"})
    assert "second_decision" not in plain.published()
    assert read_version(study().canonical()).second_decision == study().second_decision


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stage": "tasks"}, "'tasks' is not after the first allocation"),
        ({"stage": "quiz"}, "a stage of kind quiz is the same for every treatment"),
        ({"stage": "nowhere"}, "'nowhere' is not a stage"),
        ({"stage": ""}, "no stage is named"),
        ({"responds": ""}, "there is no rule"),
        ({"responds": "halfway_points >="}, "a number or a text in quotation marks was expected"),
        ({"responds": "quiz_points >= 3"}, "'quiz_points' is not known before 'later'"),
        ({"responds": 'halfway_points == "much"'}, "'halfway_points' is a number"),
        ({"responds": 'known == "perhaps"'}, "'perhaps' is not an answer to 'known'"),
        ({"responds": "__import__('os').system('true')"}, "cannot be read"),
        ({"treatments": [{"id": "stay"}]}, "found 1; name at least two treatments"),
        ({"treatments": [{"id": "stay"}, {"id": "same"}]}, "they do not differ"),
        ({"treatments": [{"id": "stay"}, {"id": "stay", "assistant": "full"}]}, "'stay' is declared twice"),
        ({"treatments": [{"id": "stay"}, {"id": "more", "assistant": "none"}]}, "'none' is not declared"),
        ({"block_sizes": [3]}, "3 is not a multiple of 4"),
        ({"block_sizes": [4], "method": "simple"}, "method 'simple' does not use it"),
    ],
)
def test_what_cannot_be_decided_is_refused(changes, said):
    assert said in refused(STUDY | {"second_decision": STUDY["second_decision"] | changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allocation": {"method": "sequence"}}, "a crossover gives everybody every arm in turn"),
        ({"allocation": {"method": "cluster", "cluster": "label"}}, "people of a cluster share an arm"),
        ({"arms": STUDY["arms"][:1]}, "with one arm there is no first randomisation"),
        (
            {"arms": [STUDY["arms"][0], STUDY["arms"][1] | {"variants": {"one": "tasks/one_variant"}}]},
            "impossible variants belong to one arm throughout",
        ),
        (
            {
                "arms": [],
                "factors": [{"id": "help", "levels": {"none": {}, "some": {"assistant": "hints"}}}],
                "arms_from": {"factors": ["help"]},
            },
            "arms made from factors have one treatment throughout",
        ),
    ],
)
def test_designs_that_it_does_not_go_with_are_refused(changes, said):
    raw = STUDY | changes
    if not raw["arms"]:
        from study_app.domain.study.factorial.cells import with_cells

        raw = with_cells({key: value for key, value in raw.items() if key != "arms"})
    assert said in refused(raw)


def test_an_outcome_before_the_decision_is_refused():
    stages = [stage | ({"role": "main"} if stage["id"] == "halfway" else {}) for stage in STUDY["stages"]]
    assert "the main quiz comes before the second decision" in refused(STUDY | {"stages": stages})


def test_a_response_rule_is_read_and_never_run():
    with pytest.raises(ValueError, match="comparison was expected"):
        StageCondition("open('secret')")
