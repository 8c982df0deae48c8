"""Claude as a coder of tone, over HTTP: one text at a time, replies as they came, failures, and a batch under way."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from support.providers.loopback_batches import LoopbackBatches, succeeded
from support.trials.commands import study
from support.trials.console_trial import Trial

from study_app.assistant.coders.tones import ClaudeToneCoder
from study_app.clock import SystemClock
from study_app.domain.errors import AssistantUnavailable, NotAllowed, UserError
from study_app.domain.interaction.tone import CLAUDE, KEPT_REPLY, VERSION
from study_app.services.operation.held_acts import hold_acts
from study_app.services.researcher.blind_codes.tone_batches import ToneBatches


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    made.who = made.someone_in("ai")
    made.turns = [made.ask(made.who, "trio_timer", text, "No rush.") for text in ("thanks", "ugh")]
    yield made
    made.close()


def by_words(params):
    """The coder that the tests play."""
    text = json.loads(params["messages"][0]["content"])["text"]
    return succeeded(json.dumps({"tone": {"thanks": "polite", "ugh": "frustrated"}.get(text, "calm")}))


def coded(trial, provider, chosen=""):
    coder = ClaudeToneCoder(provider.environment)
    return ToneBatches(trial.app.context).by_batch(coder, "preview", seconds=0.0, pause=lambda _: None, chosen=chosen)


def put_back(trial):
    """As a restore of a backup that was made before the batch was sent."""
    with trial.app.context.registry.begin() as unit:
        unit.set_meta_value("tone_batch:preview", None)
        hold_acts(unit, (SystemClock().now() - timedelta(minutes=1)).isoformat())


def test_a_batch_that_a_restored_database_does_not_know_is_taken_or_sent_anew_by_a_person_s_word(trial):
    with LoopbackBatches(by_words, looks=2) as provider:
        assert coded(trial, provider)["state"] == "running"
        put_back(trial)
        with pytest.raises(
            NotAllowed, match=r"the provider has msgbatch_1\. Take .* --batch ID .* the 4 that wait anew"
        ):
            coded(trial, provider)
        with pytest.raises(NotAllowed, match="has no batch 'msgbatch_7'"):
            coded(trial, provider, "msgbatch_7")
        done = coded(trial, provider, "msgbatch_1")
        assert (done["batch"], done["coded"], done["left"], len(provider.batches)) == ("msgbatch_1", 4, 0, 1)
        # What comes later asks for no word: what was taken is known, and nothing else is there.
        trial.ask(trial.who, "trio_timer", "ugh", "No rush.")
        assert (coded(trial, provider)["state"], len(provider.batches)) == ("running", 2)
        put_back(trial)
        with pytest.raises(NotAllowed, match=r"the provider has msgbatch_2\."):
            coded(trial, provider)
        assert coded(trial, provider, "new")["state"] == "running"
        done = coded(trial, provider)
        assert (done["batch"], done["coded"]) == ("msgbatch_3", 2)
        assert coded(trial, provider)["state"] == "nothing to code"


def ratings(trial, rubric):
    with trial.app.context.registry.begin(write=False) as unit:
        return {r.object: r.value for r in unit.ratings() if (r.rater, r.rubric) == (CLAUDE, rubric)}


def test_each_text_goes_out_alone_and_tones_come_back_with_each_reply_as_it_came(trial):
    with LoopbackBatches(by_words, looks=3) as provider:
        assert coded(trial, provider)["state"] == "running"
        done = coded(trial, provider)
        assert (done["state"], done["coded"], done["left"]) == ("done", 4, 0)
        assert coded(trial, provider)["state"] == "nothing to code"
        (body,) = provider.bodies
    assert [set(json.loads(each["params"]["messages"][0]["content"])) for each in body["requests"]] == [{"text"}] * 4
    first, second = trial.turns
    assert ratings(trial, VERSION) == {
        f"turn:{first}": "polite",
        f"turn:{second}": "frustrated",
        f"turn:{first}#reply": "calm",
        f"turn:{second}#reply": "calm",
    }
    kept = json.loads(ratings(trial, KEPT_REPLY)[f"turn:{first}"])
    assert (kept["batch"], kept["type"]) == ("msgbatch_1", "succeeded")


BAD = [
    succeeded('{"tone": "calm"}', "refusal"),
    succeeded('{"tone": "sad"}'),
    succeeded('{"tone": ["calm"]}'),
    succeeded("Calm."),
    {"type": "expired"},
    7,
]


def test_replies_that_are_no_tone_are_kept_give_no_code_and_are_asked_for_anew(trial):
    with LoopbackBatches(by_words) as provider:
        for bad in BAD:
            provider.result = lambda _, bad=bad: bad
            done = coded(trial, provider)
            assert (done["coded"], done["unreadable"], done["left"]) == (0, 4, 4), bad
            assert ratings(trial, VERSION) == {}
            assert len(ratings(trial, KEPT_REPLY)) == 4
        provider.result = by_words
        assert coded(trial, provider)["coded"] == 4


def test_a_provider_that_fails_is_named_and_nothing_is_sent_twice(trial):
    with LoopbackBatches(by_words) as provider:
        provider.status = {("GET", "look"): 529}
        with pytest.raises(AssistantUnavailable, match="what is there is kept"):
            coded(trial, provider)
        provider.status = {}
        assert coded(trial, provider)["coded"] == 4
        assert len(provider.batches) == 1
    with pytest.raises(UserError, match="ANTHROPIC_API_KEY: is not set"):
        ClaudeToneCoder({})


@pytest.mark.slow
def test_the_command_says_what_it_coded(trial):
    with LoopbackBatches(by_words) as provider:
        given = ("--study", "study.toml", "--database", trial.settings.database, "--of", "preview", "--json")
        said = study("code", "tones", *given, cwd=trial.folder, **provider.environment)
        assert json.loads(said.stdout)["coded"] == 4
