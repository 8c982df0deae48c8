"""A folder of a dataset is replaced as a whole, and never where it holds what no export has written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from study_app.dataset.writing.files import keep_private, whole_directory
from study_app.domain.errors import UserError

LISTED = {"files": [{"path": "tables/runs.csv"}], "other_files": [{"path": "README.md"}]}


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_json", ".json").replace("_csv", ".csv").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def held(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def export(out: Path) -> None:
    with whole_directory(out) as fresh:
        put(fresh, new_csv="new")


@pytest.mark.parametrize(
    "before",
    [
        None,
        {},
        {"manifest_json": json.dumps(LISTED)},
        {"manifest_json": json.dumps(LISTED), "tables__runs_csv": "old", "README_md": "old"},
    ],
    ids=["nothing", "an empty folder", "a manifest alone", "an export"],
)
def test_a_new_or_empty_folder_and_an_earlier_export_are_replaced_as_a_whole(tmp_path, before):
    out = tmp_path / "deep" / "out"
    if before is not None:
        out.mkdir(parents=True)
        put(out, **before)
    export(out)
    assert held(out) == {"new.csv": "new"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("before", "named"),
    [
        ({"thesis_md": "mine"}, "thesis.md"),
        ({"manifest_json": json.dumps(LISTED), "README_md": "old", "thesis_md": "mine"}, "thesis.md"),
        ({"manifest_json": json.dumps(LISTED), "tables__mine_csv": "mine"}, "tables/mine.csv"),
        # A manifest that lists nothing, or is none of ours, says of nothing that it was exported.
        ({"manifest_json": "{}"}, "manifest.json"),
        ({"manifest_json": "[]", "README_md": "old"}, "README.md"),
        ({"manifest_json": "no JSON"}, "manifest.json"),
        ({"manifest_json": json.dumps({"files": [{"name": "a"}]})}, "manifest.json"),
    ],
)
def test_a_folder_with_a_file_that_no_export_has_written_stays_as_it_is(tmp_path, before, named):
    out = tmp_path / "out"
    put(out, **before)
    kept = held(out)
    with pytest.raises(UserError, match=f"the folder holds {named}, which no export has written"):
        export(out)
    assert held(out) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_of_that_name_stays(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="there is a file of this name"):
        export(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def break_off(out: Path) -> None:
    with whole_directory(out) as fresh:
        put(fresh, new_csv="half")
        raise ZeroDivisionError


def test_an_error_while_it_is_written_leaves_what_was_there(tmp_path):
    out = tmp_path / "out"
    put(out, manifest_json=json.dumps(LISTED), README_md="old")
    kept = held(out)
    with pytest.raises(ZeroDivisionError):
        break_off(out)
    assert held(out) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_private_is_for_its_owner_alone(tmp_path):
    out = tmp_path / "out"
    put(out, README_md="mine", tables__runs_csv="mine")
    for path in (out, *out.rglob("*")):
        path.chmod(0o777)
    keep_private(out)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"out": 0o700, "out/README.md": 0o600, "out/tables": 0o700, "out/tables/runs.csv": 0o600}
