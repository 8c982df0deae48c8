"""Datasets of earlier versions lack columns that were added since: they are verified and analysed all the same."""

from __future__ import annotations

import json
import shutil

import pytest
from support.trials.earlier_versions import without
from support.trials.quiz_study import keyed_bank, simulated, written

from analysis.cli import analyze
from study_app.dataset.schema.tables import ADDED_LATER
from study_app.dataset.verification import verify


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier")
    written(folder, bank=keyed_bank(folder))
    _, dataset = simulated(folder, participants=6)
    for table in ("visits", "answers"):
        without(dataset, table, ADDED_LATER[table])
    return dataset


def test_columns_that_an_earlier_version_did_not_write_are_named_and_no_finding(earlier):
    report = verify(earlier)
    # What is left tells that these tables were rewritten after an export by this version.
    assert {finding.name for finding in report.findings} <= {"record_altered", "manifest_signature", "export_unsigned"}
    said = "\n".join(report.lines())
    assert "visits by an earlier version (the manifest says" in said
    assert "wrote no paused_seconds: paused time counts as 0" in said


def test_a_dataset_of_an_earlier_version_is_analysed(earlier, tmp_path):
    analyze(earlier, tmp_path / "out", include_simulated=True)
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert next(row for row in found["estimates"] if row["role"] == "primary")["estimate"] is not None


def test_any_other_column_that_is_missing_is_still_a_finding(earlier, tmp_path):
    shutil.copytree(earlier, tmp_path / "data")
    without(tmp_path / "data", "visits", ("ended_by",))
    assert "wrong_columns" in {finding.name for finding in verify(tmp_path / "data").findings}
