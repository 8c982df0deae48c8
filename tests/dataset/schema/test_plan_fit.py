"""Which session fixes what is measured."""

from __future__ import annotations

from pathlib import Path

from study_app.content.study_file import read_study
from study_app.dataset.schema.plan_fit import waves_of_columns

ROOT = Path(__file__).parents[3]


def test_whatever_is_measured_at_main_tasks_of_a_later_session_belongs_to_that_session():
    study = read_study(ROOT / "examples/pre_post_retention/study.toml")
    first, later = study.stages[0].session, study.sessions[1].id
    assert not {"active_minutes", "task_minutes", "queries"} & set(waves_of_columns(study))
    moved = tuple(
        stage.model_copy(update={"session": later}) if stage.kind == "tasks" and stage.main else stage
        for stage in study.stages
    )
    waves = waves_of_columns(study.model_copy(update={"stages": moved}))
    for column in ("task_minutes", "active_minutes", "pasted_chars_outside", "errors", "queries"):
        assert waves[column] == 2, column
    # Said of everyone who is there, and no outcome.
    assert "received" not in waves
    assert first != later
