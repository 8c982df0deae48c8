"""The directory appears whole or not at all, and nothing of anybody's is overwritten."""

from __future__ import annotations

import errno

import pytest
from support.trials.export_world import trial

from study_app.dataset.writing.citation import Cited
from study_app.dataset.writing.documents import description
from study_app.dataset.writing.files import whole_directory
from study_app.domain.errors import InfrastructureError, UserError
from study_app.domain.study.release import Release
from study_app.services.researcher.exporting.export import export


def test_an_earlier_export_is_replaced(tmp_path):
    out = tmp_path / "dataset"
    export(trial().app.context, out)
    before = (out / "manifest.json").stat().st_ino
    export(trial().app.context, out)
    assert (out / "manifest.json").stat().st_ino != before
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_an_affiliation_makes_no_author(tmp_path):
    study = trial().app.context.study.model_copy(update={"researchers": "Dr A, University X; B. Cee\n"})
    assert [one["name"] for one in description(Cited(study, Release(), "2026-01-05"), {})["author"]] == [
        "Dr A, University X",
        "B. Cee",
    ]


def test_an_empty_folder_is_taken(tmp_path):
    export(trial().app.context, tmp_path)
    assert (tmp_path / "manifest.json").is_file()


@pytest.mark.parametrize("with_manifest", [False, True])
def test_a_folder_that_holds_anything_else_is_refused_and_stays(tmp_path, with_manifest):
    out = tmp_path / "dataset"
    if with_manifest:
        export(trial().app.context, out)
    (out / "results").mkdir(parents=True)
    (out / "results" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="results/mine.txt"):
        export(trial().app.context, out)
    assert (out / "results" / "mine.txt").read_text() == "mine"


def test_a_file_of_the_name_is_refused(tmp_path):
    (tmp_path / "dataset").write_text("mine")
    with pytest.raises(UserError, match="name a folder"):
        export(trial().app.context, tmp_path / "dataset")


def test_a_place_that_cannot_be_written_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another place"):
        export(trial().app.context, tmp_path / "file" / "dataset")


def fill_the_disk(out):
    with whole_directory(out) as folder:
        (folder / "part").write_text("part")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_earlier_export_and_nothing_half_written(tmp_path):
    out = tmp_path / "dataset"
    export(trial().app.context, out)
    with pytest.raises(InfrastructureError, match="free some space"):
        fill_the_disk(out)
    assert (out / "manifest.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(UserError, match="ods"):
        export(trial().app.context, tmp_path / "dataset", fmt="ods")
