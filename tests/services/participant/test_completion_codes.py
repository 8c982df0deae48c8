"""Completion codes are in no dataset, and every participant still gets the code of their version."""

from __future__ import annotations

import json

import pytest
from support.trials.console_trial import ROOT, Trial

from study_app.bootstrap import start
from study_app.content.study_file import read_study
from study_app.dataset.schema.versions import read_version
from study_app.dataset.verification import verify
from study_app.domain.study.study import canonical_json
from study_app.services.researcher.exporting.datasets import DatasetRequest

FIRST, SECOND = "C0FFEE11", "C0FFEE22"


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    made.close()
    text = made.study_file.read_text()
    made.study_file.write_text(text.replace("TRIO-DONE", FIRST))
    made.app = start(made.settings, clock=made.clock)
    made.app.lifecycle.launch()
    yield made
    made.close()


def code_of(trial: Trial, who: str) -> str:
    return trial.app.session.peek(who).study.recruitment.codes.completed


def test_no_file_of_a_dataset_holds_a_completion_code_and_it_verifies(trial, tmp_path):
    trial.enter()
    out = tmp_path / "dataset"
    trial.app.datasets.write(out, DatasetRequest(identified=True), who="cli", via="command line")
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert FIRST.encode() not in path.read_bytes(), path
    report = verify(out)
    assert report.ok, report.lines()


def test_who_began_before_an_amendment_keeps_the_code_of_then(trial):
    early = trial.enter()
    trial.close()
    trial.study_file.write_text(trial.study_file.read_text().replace(FIRST, SECOND))
    trial.app = start(trial.settings, clock=trial.clock, changed_ok=True)
    trial.app.lifecycle.amend("another code")
    late = trial.enter()
    assert (code_of(trial, early), code_of(trial, late)) == (FIRST, SECOND)


def test_a_version_that_was_stored_with_its_codes_is_still_read():
    study = read_study(ROOT / "study.toml")
    old = canonical_json(study.model_dump(mode="json", by_alias=True))
    assert read_version(old) == study
    new = json.loads(study.canonical())
    assert new["recruitment"]["codes"].startswith("scrypt:")
    assert read_version(study.canonical()).arms == study.arms


def test_other_codes_and_another_study_give_another_text():
    study = read_study(ROOT / "study.toml")
    codes = study.recruitment.codes
    changed = codes.model_copy(update={"declined": codes.declined + "X"})
    other = study.model_copy(update={"recruitment": study.recruitment.model_copy(update={"codes": changed})})
    digests = {json.loads(each.canonical())["recruitment"]["codes"] for each in (study, other)}
    digests.add(json.loads(study.model_copy(update={"id": "another"}).canonical())["recruitment"]["codes"])
    assert len(digests) == 3
