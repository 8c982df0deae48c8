"""The tables of interviews are there, with their columns and types, in every dataset of a study that has one."""

from __future__ import annotations

import json

from support import psychds_rules
from support.clock import HandClock
from support.trials.export_world import open_app
from support.trials.interview_study import write_interview_study

from study_app.dataset.schema import INTERVIEW_TURNS, INTERVIEWS
from study_app.dataset.schema.file_names import table_path
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export


def test_a_study_with_an_interview_exports_its_tables_empty_and_typed(tmp_path):
    app = open_app(tmp_path, HandClock(), write_interview_study(tmp_path))
    export(app.context, tmp_path / "out", include_preview=True)
    app.close()
    topics = ["quality_start", "quality_hard", "quality_more"]
    for table, more in ((INTERVIEWS, topics), (INTERVIEW_TURNS, [])):
        file = tmp_path / "out" / table_path("talk", table.name, "csv")
        (header,) = file.read_text().splitlines()
        assert header.split(",") == [*table.names, *more]
        described = json.loads(file.with_suffix(".json").read_text())
        assert [each["name"] for each in described["variableMeasured"]] == header.split(",")
    assert psychds_rules.errors(tmp_path / "out") == []
    assert [str(each) for each in verify(tmp_path / "out").findings] == []
