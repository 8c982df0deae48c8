"""Interviews of several sites in one pool: what was coded stays with the interview that it is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.trials.export_world import table
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from analysis.data.load import load
from analysis.themes.table import frozen_codebook
from study_app.dataset.pooling.pool import pool
from study_app.dataset.verification import verify
from study_app.domain.themes.codebook import read_codebook
from study_app.domain.themes.marks import interview_of
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.programs import ProgramCoding


def site(folder: Path, name: str, codebook: str = CODEBOOK) -> Path:
    """The dataset of a trial with one interview that rules have coded."""
    folder.mkdir()
    trial = ThemesTrial(folder)
    trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]})
    Codebooks(trial.app.context).freeze("ann", read_codebook(codebook), "two readers agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(trial.app.context).by_rules("preview")
    export(trial.app.context, folder / name, include_preview=True)
    trial.close()
    manifest = folder / name / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8")) | {"study_id": name}))
    return folder / name


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talks")
    sites = [site(folder / name, name) for name in ("north", "south")]
    pool([str(path) for path in sites], folder / "pool")
    return folder / "pool"


def test_codes_name_the_interviews_of_their_site_and_the_codebook_is_found(pooled):
    held = {row["interview_id"] for row in table(pooled, "interviews")}
    assert {name.partition(".")[0] for name in held} == {"north", "south"}
    assert {row["interview_id"] for row in table(pooled, "interview_turns")} == held
    assert {key[0] for row in table(pooled, "ratings") if (key := interview_of(row["object"]))} == held
    asked = [json.loads(row["payload"]) for row in table(pooled, "events") if row["kind"] == "interview_asked"]
    assert {said["interview_id"] for said in asked} == held
    frozen = frozen_codebook(load(pooled).tables["ratings"])
    assert frozen is not None
    assert frozen.book.version == read_codebook(CODEBOOK).version


def test_the_pool_is_what_its_sites_give(pooled):
    assert "file_altered" not in verify(pooled).counts


def test_two_codebooks_are_named_as_what_differs(pooled, tmp_path):
    other = site(tmp_path / "west", "west", CODEBOOK.replace('id = "talk"', 'id = "talk2"', 1))
    summary = pool([str(pooled / "sites" / "north"), str(other)], tmp_path / "pool")
    assert any("different codebooks (talk-" in note and "frozen last" in note for note in summary.notes)
