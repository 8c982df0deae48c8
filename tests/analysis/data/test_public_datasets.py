"""What `study export --public` put together is read as it stands: `[rare]` is an answer there, and no bad cell."""

from __future__ import annotations

import json
import shutil

import pytest
from support.trials.export_world import copy_of, table, trial

from analysis.data.load import load
from study_app.dataset.disclosure.coarsening import RARE
from study_app.dataset.findings import VerifyReport
from study_app.dataset.pooling.pool import pool
from study_app.dataset.reading.dataset import open_dataset
from study_app.domain.errors import ProblemsFound
from study_app.services.researcher.exporting.export import export


def answered(place: int, item: str, value: str | int) -> str:
    """A statement by which another person of the trial answered otherwise."""
    person = trial().people[place]
    return f"UPDATE answers SET response = '{json.dumps(value)}' WHERE participant_id = '{person}' AND item = '{item}'"


ASKED = "async_check_1"


def released(folder, name, k, fmt="csv"):
    """A public dataset of the trial in which two answers are rare, under the id of another study."""
    folder.mkdir(exist_ok=True)
    app = copy_of(trial(), folder, answered(1, ASKED, "blocks"), answered(2, ASKED, "core"))
    export(app.context, folder / name, public=True, k=k, fmt=fmt)
    app.close()
    manifest = json.loads((folder / name / "manifest.json").read_text(encoding="utf-8"))
    (folder / name / "manifest.json").write_text(json.dumps(manifest | {"study_id": name, "commitment": name}))
    return folder / name


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    return [released(folder / "a", "north", 2), released(folder / "b", "south", 3)]


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
@pytest.mark.slow
def test_an_answer_that_was_put_together_with_others_is_read(tmp_path, fmt):
    answers = load(released(tmp_path / "a", "north", 3, fmt)).participants[ASKED]
    assert RARE in set(answers.dropna())


def test_a_value_that_is_neither_left_nor_rare_is_refused_still(sites, tmp_path):
    shutil.copytree(sites[1], tmp_path / "forged")
    (file,) = (tmp_path / "forged" / "data").glob("*_description-participants_data.csv")
    file.write_text(file.read_text(encoding="utf-8").replace(RARE, "[seldom]"), encoding="utf-8")
    with pytest.raises(ProblemsFound, match=r"'\[seldom\]' is not one of"):
        load(tmp_path / "forged")


def test_a_pool_of_public_datasets_has_the_values_that_any_site_left_and_promises_the_least_k(sites, tmp_path):
    summary = pool([str(path) for path in sites], tmp_path / "pool")
    assert any("coarsened to 2 people at north and to 3 at south" in note for note in summary.notes)
    public = json.loads((tmp_path / "pool" / "manifest.json").read_text(encoding="utf-8"))["public"]
    seen = {row[ASKED] for path in sites for row in table(path, "participants") if row[ASKED]}
    assert (public["k"], seen <= set(public["recoded"][ASKED]["levels"])) == (2, True)
    assert "north: Values of fewer than 2" in public["recoded"][ASKED]["method"]
    assert set(load(tmp_path / "pool").participants[ASKED].dropna()) == seen
    read = open_dataset(tmp_path / "pool", VerifyReport("pool")).tables["participants"].column(ASKED)
    assert seen <= set(read.levels)


def test_a_public_dataset_that_does_not_say_what_was_coarsened_is_not_pooled(sites, tmp_path):
    shutil.copytree(sites[1], tmp_path / "cut")
    manifest = json.loads((sites[1] / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "cut" / "manifest.json").write_text(json.dumps(manifest | {"public": {"k": "few"}}))
    with pytest.raises(ProblemsFound, match="does not say what was coarsened"):
        pool([str(sites[0]), str(tmp_path / "cut")], tmp_path / "pool")
