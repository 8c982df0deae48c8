"""Tones by people: text by text, blind, and never of a reply that would tell arms apart."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed
from study_app.domain.study.sequential.sections import SecondDecision, SecondTreatment
from study_app.services.researcher.blind_codes.tones import ToneCodes


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("tone"))
    made.turns = [made.ask(made.someone_in("ai"), "trio_timer", text, "No rush.") for text in ("thanks", "ugh")]
    yield made
    made.close()


def test_texts_are_coded_one_by_one_and_counted(trial):
    codes = ToneCodes(trial.app.context)
    waiting = codes.waiting("eva", "preview")
    assert sorted(each.text for each in waiting) == ["No rush.", "No rush.", "thanks", "ugh"]
    assert {each.name for each in waiting} == {name for turn in trial.turns for name in (turn, f"{turn}#reply")}
    codes.code("eva", f"{trial.turns[0]}#reply", "calm")
    codes.code("finn", f"{trial.turns[0]}#reply", "neutral")
    codes.code("finn", f"{trial.turns[0]}#reply", "calm")
    assert len(codes.waiting("eva", "preview")) == 3
    assert codes.counts("preview") == (1, 1, {"calm": 2})


@pytest.mark.parametrize(
    ("who", "name", "tone"), [("rules", "0", "calm"), ("eva", "no text", "calm"), ("eva", "0", "sad")]
)
def test_a_tone_that_cannot_be_given_is_refused(trial, who, name, tone):
    with pytest.raises(NotAllowed):
        ToneCodes(trial.app.context).code(who, trial.turns[0] if name == "0" else name, tone)


def test_replies_are_not_handed_out_where_arms_have_different_assistants(trial, monkeypatch):
    study = trial.app.context.study
    arms = tuple(arm.model_copy(update={"assistant": f"assistants/{arm.id}.toml"}) for arm in study.arms)
    monkeypatch.setattr(trial.app.context, "study", study.model_copy(update={"arms": arms}))
    assert {each.name for each in ToneCodes(trial.app.context).waiting("gus", "preview")} == set(trial.turns)


def test_replies_are_not_handed_out_where_second_treatments_have_other_assistants(trial, monkeypatch):
    study = trial.app.context.study
    decision = SecondDecision(
        stage=study.stages[-2].id, treatments=(SecondTreatment(id="more", assistant="another"), SecondTreatment(id="b"))
    )
    monkeypatch.setattr(trial.app.context, "study", study.model_copy(update={"second_decision": decision}))
    assert {each.name for each in ToneCodes(trial.app.context).waiting("hana", "preview")} == set(trial.turns)


def test_replies_are_not_handed_out_where_the_arms_of_an_earlier_version_have_different_assistants(trial, monkeypatch):
    context = trial.app.context
    arms = tuple(arm.model_copy(update={"assistant": f"assistants/{arm.id}.toml"}) for arm in context.study.arms)
    earlier = context.study.model_copy(update={"arms": arms})
    assert {each.name for each in ToneCodes(context).waiting("ida", "preview")} > set(trial.turns)
    monkeypatch.setattr(context, "versions_met", lambda _unit: [earlier, context.study])
    assert {each.name for each in ToneCodes(context).waiting("ida", "preview")} == set(trial.turns)
