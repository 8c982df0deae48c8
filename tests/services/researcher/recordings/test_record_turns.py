"""Turns of a trial as a recording: when it may be made, and what it must not hold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed
from study_app.domain.records import Turn
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.recordings.record_turns import record_turns


@pytest.fixture
def draft(tmp_path):
    made = Trial(tmp_path, entry="open")
    yield made
    made.close()


def entered(trial: Trial, label: str = "") -> str:
    return trial.app.enrol.enter(EntryRequest(label=label)).participant.id


def lines(found) -> list[dict]:
    return [json.loads(line) for line in found.content.decode().splitlines()]


def changed(trial: Trial, turn_id: str, **values) -> None:
    with trial.app.context.registry.begin() as unit:
        turn: Turn = next(each for each in unit.turns() if each.id == turn_id)
        unit.update_turn(replace(turn, **values))


def test_whole_replies_are_recorded_in_an_order_that_is_nobodys(draft):
    ann, ben = entered(draft), entered(draft)
    draft.ask(ben, "trio_users", "What is a nursery?", "B1")
    draft.ask(ann, "trio_users", "what is  a Nursery?", "A1")
    draft.ask(ben, "trio_users", "What is a nursery?", "B2")
    draft.ask(ann, "trio_timer", "And a scope?", "A2")
    found = record_turns(draft.app.context, "cli", "preview")
    assert [line["reply"] for line in lines(found)] == ["A2", "B1", "A1", "B2"]
    assert (found.treatment, found.turns, found.questions) == ("full", 4, 3)
    allowed = {"message", "reply", "task", "model", "prompt_version", "input_tokens", "output_tokens", "parameters"}
    assert all(set(line) <= allowed for line in lines(found))
    assert record_turns(draft.app.context, "cli", "preview").sha256 == found.sha256


def test_what_did_not_end_as_a_whole_reply_is_left_out_and_counted(draft):
    who = entered(draft)
    kept = draft.ask(who, "trio_users", "One", "Yes.")
    for number, values in enumerate(
        (
            {"error": "timeout"},
            {"stopped_by_participant": True},
            {"reply": " "},
            {"assistant": "recorded", "parameters": {"recorded_match": "none"}},
            {"assistant": "recorded", "parameters": {"recorded_match": "near", "recorded_nearness": 0.7}},
        )
    ):
        changed(draft, draft.ask(who, "trio_users", f"Question {number}", "Half"), **values)
    changed(draft, kept, parameters={"recorded_match": "exact", "notes": "x", "persona": "kind"})
    found = record_turns(draft.app.context, "cli", "preview")
    assert lines(found)[0]["parameters"] == {"notes": "x"}
    assert found.turns == 1
    assert found.left_out == {
        "failed": 1, "stopped": 1, "without a whole reply": 1, "answered by no recording": 1,
        "answered by the reply to a near question": 1,
    }  # fmt: skip


def test_the_turns_of_one_persona_are_recorded_and_several_are_not_mixed(draft):
    who = entered(draft)
    for number, persona in enumerate(("warm", "matter_of_fact", None)):
        turn = draft.ask(who, "trio_users", f"Question {number}", f"Said {persona}.")
        changed(draft, turn, parameters={} if persona is None else {"persona": persona})
    context = draft.app.context
    with pytest.raises(NotAllowed, match=r"several personas \(matter_of_fact, none, warm\); choose one by --persona"):
        record_turns(context, "cli", "preview")
    with pytest.raises(NotAllowed, match="did not speak as 'kind'"):
        record_turns(context, "cli", "preview", persona="kind")
    for persona, said in (("warm", "Said warm."), ("none", "Said None.")):
        found = record_turns(context, "cli", "preview", persona=persona)
        assert [line["reply"] for line in lines(found)] == [said]


def test_no_identity_of_anybody_is_in_a_recording(draft):
    ann, ben = entered(draft, "Ann Example"), entered(draft, "ben@example.org")
    message = (
        f"I am ann example ({ann}), pid 5f0c1a2b3c4d5e6f70819203; {ben} sits here. ann@uni.example or +44 20 7946 0958?"
    )
    draft.ask(ann, "trio_users", message, f"Dear Ann Example ({ann}), write to ann@uni.example, not {ben.upper()}.")
    draft.ask(ann, "trio_users", "And then?", "I will mail ann@uni.example. `@decorated` stays, `a @ b.T` too.")
    draft.ask(ben, "trio_users", "What does @decorated do?", "Yes.")
    found = record_turns(draft.app.context, "cli", "preview")
    text = found.content.decode().casefold()
    for gone in (ann, ben, "ann example", "ann@", "uni.example", "5f0c1a2b3c4d5e6f70819203", "7946"):
        assert gone.casefold() not in text, gone
    assert "`@decorated` stays, `a @ b.t` too." in text
    assert "what does @decorated do?" in text
    assert found.changed == 2


def test_a_launched_trial_is_not_recorded_and_a_closed_one_tells_no_arm(tmp_path):
    trial = Trial(tmp_path, launched=True)
    try:
        who = trial.enter("ann@example.org")
        trial.ask(who, "trio_users", "What is a nursery?", "A block.")
        for kind in ("real", "simulated", "preview"):
            with pytest.raises(NotAllowed, match="close it first"):
                record_turns(trial.app.context, "cli", kind)
        trial.app.lifecycle.close("enough")
        found = record_turns(trial.app.context, "cli", "real")
        assert found.turns == 1
        for arm in trial.app.study.arms:
            assert f'"{arm.id}"' not in found.content.decode()
        with trial.app.context.registry.begin(write=False) as unit:
            (entry,) = [entry for entry in unit.audit() if entry.what == "record"]
        assert entry.detail == {"kind": "real", "sha256": found.sha256}
    finally:
        trial.close()


def test_a_sealed_trial_whose_arms_have_different_assistants_is_recorded_once_unsealed(tmp_path):
    arm = """
[[arms]]
id = "hinted"
label = "Hints"
assistant = "hints"

[assistants.hints]
file = "assistants/hints.toml"
"""
    trial = Trial(tmp_path, launched=True, extra=arm, block_sizes="[3, 6]")
    try:
        who = trial.enter("ann")
        trial.ask(who, "trio_users", "What is a nursery?", "A block.")
        changed(trial, trial.ask(who, "trio_users", "Another", "Hint."), treatment="hints")
        trial.app.lifecycle.close("enough")
        with pytest.raises(NotAllowed, match="unseal it first"):
            record_turns(trial.app.context, "cli", "real", "full")
        trial.clock.advance(hours=25)
        trial.app.lifecycle.unseal("analysis")
        with pytest.raises(NotAllowed, match="choose one by --treatment"):
            record_turns(trial.app.context, "cli", "real")
        assert [line["reply"] for line in lines(record_turns(trial.app.context, "cli", "real", "full"))] == ["A block."]
        with pytest.raises(NotAllowed, match="asked was full, hints"):
            record_turns(trial.app.context, "cli", "real", "tutor")
    finally:
        trial.close()


def test_without_turns_the_refusal_says_whose_may_be_meant(draft):
    with pytest.raises(NotAllowed, match="--of simulated, --of preview"):
        record_turns(draft.app.context, "cli", "real")
