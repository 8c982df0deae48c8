"""What models answer about a trial: asked the same of each, kept as documentation, in no table."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.commands import study
from support.trials.export_world import ids, real_study
from support.trials.replayed_study import opened, replayed_study

from study_app.bootstrap import start
from study_app.domain.assistants.treatments import AssistantRequest, ReplyEnd, TextDelta
from study_app.domain.errors import InfrastructureError
from study_app.domain.study.sequential.sections import SecondDecision, SecondTreatment
from study_app.services.operation.models.interviewing import (
    NOTICE,
    QUESTIONS,
    ModelTranscript,
    interview_models,
    kept_transcripts,
    transcripts_page,
)
from study_app.services.spending import spent_usd
from study_app.settings import Settings


class Model:
    """Answers every second question with words, and by another model than the others."""

    id = "claude"

    def __init__(self, name: str) -> None:
        self.name = name

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        spoken = len(request.history) % 2 == 1
        if spoken:
            yield TextDelta(f"I am {self.name}.")
        yield ReplyEnd("other" if spoken else "one", "v1")


NOW = HandClock().now()


def test_a_transcript_leaves_with_an_export_as_documentation_and_in_no_table(tmp_path):
    real_study(tmp_path)
    serving = FakeProvider()
    given = {"STUDY_DATABASE_URL": f"sqlite:///{tmp_path}/study.db", **serving.environment}
    asked = study("interview-model", "study.toml", "--json", cwd=tmp_path, **given)
    (made,) = json.loads(asked.stdout)
    assert (made["treatment"], made["model"], made["state"]) == ("full", MODEL, "draft")
    assert [question for question, _ in made["turns"]] == list(QUESTIONS)
    assert serving.messages == len(QUESTIONS)
    study("export", "study.toml", "--out", "data", cwd=tmp_path, **given)
    serving.close()
    page = (tmp_path / "data" / "documentation" / "model_interviews.md").read_text(encoding="utf-8")
    assert NOTICE in page
    assert page.count("> A nursery holds tasks.") == len(QUESTIONS)
    tables = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "data" / "data").glob("*.csv"))
    assert "A nursery holds tasks." not in tables
    study("verify", "data", cwd=tmp_path)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("treatment", ["", "other"])
def test_an_assistant_without_a_model_is_not_asked(tmp_path, treatment):
    real_study(tmp_path)
    database = {"STUDY_DATABASE_URL": f"sqlite:///{tmp_path}/study.db"}
    named = ["--treatment", treatment] if treatment else []
    shown = study("interview-model", "study.toml", *named, cwd=tmp_path, expect=2, **database)
    assert "ANTHROPIC_API_KEY" in shown.stderr


def test_what_a_recording_says_in_a_models_place_is_not_kept_as_the_models_words(tmp_path):
    serving = FakeProvider()
    app = opened(replayed_study(tmp_path), HandClock(), serving)
    app.lifecycle.launch()
    app.model_watch.look("server")
    serving.models[MODEL] = described(lifecycle="retired")
    with pytest.raises(InfrastructureError, match="a recording answers in its place"):
        interview_models(app.context, app.model_watch.assistants(), "cli")
    with app.context.registry.begin(write=False) as unit:
        assert kept_transcripts(unit) == []
        assert spent_usd(unit, app.library, "real") == 0
    app.close()
    serving.close()


def test_a_model_of_the_second_decision_is_asked_and_empty_replies_and_other_models_are_not_hidden(tmp_path):
    hints = '[assistants.hints]\nfile = "assistants/hints.toml"\n\n[assistants.full]\n'
    path = real_study(tmp_path, **{"[assistants.full]\n": hints})
    settings = Settings(path, f"sqlite:///{tmp_path}/study.db", tmp_path / "var", environment={})
    app = start(settings, clock=HandClock(), ids=ids())
    again = SecondDecision(
        stage="tasks", treatments=(SecondTreatment(id="stay"), SecondTreatment(id="more", assistant="hints"))
    )
    app.context.study = app.study.model_copy(update={"second_decision": again})
    answering = {name: Model(name) for name in ("full", "hints")}
    made = interview_models(app.context, answering, "test")
    assert [each.treatment for each in made] == ["full", "hints"]
    assert {each.model for each in made} == {"one, other"}
    assert [reply for _, reply in made[1].turns][:3] == ["(an empty reply)", "I am hints.", "(an empty reply)"]
    app.close()


def test_dates_are_left_out_of_a_dataset_for_everybody():
    made = ModelTranscript("full", MODEL, "abc", "closed", NOW.isoformat(), (("Why?", "Because\n\nso"),))
    assert "2026-01-05" in transcripts_page([made])
    assert "2026-01-05" not in transcripts_page([made], moments=False)
    assert "> Because\n>\n> so" in transcripts_page([made])
