"""What models answer about a trial: asked the same of each, kept as documentation, in no table."""

from __future__ import annotations

import json

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider
from support.trials.commands import study
from support.trials.export_world import real_study

from study_app.services.operation.models.interviewing import NOTICE, QUESTIONS, ModelTranscript, transcripts_page

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


@pytest.mark.parametrize("treatment", ["", "other"])
def test_an_assistant_without_a_model_is_not_asked(tmp_path, treatment):
    real_study(tmp_path)
    database = {"STUDY_DATABASE_URL": f"sqlite:///{tmp_path}/study.db"}
    named = ["--treatment", treatment] if treatment else []
    shown = study("interview-model", "study.toml", *named, cwd=tmp_path, expect=2, **database)
    assert "ANTHROPIC_API_KEY" in shown.stderr


def test_dates_are_left_out_of_a_dataset_for_everybody():
    made = ModelTranscript("full", MODEL, "abc", "closed", NOW.isoformat(), (("Why?", "Because\n\nso"),))
    assert "2026-01-05" in transcripts_page([made])
    assert "2026-01-05" not in transcripts_page([made], moments=False)
    assert "> Because\n>\n> so" in transcripts_page([made])
