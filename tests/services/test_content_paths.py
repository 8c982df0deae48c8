"""A study's hash follows from its content, wherever that lies, and from nothing of the machine."""

from __future__ import annotations

import shutil

from quiz_study import ROOT, study_text
from typer.testing import CliRunner

from study_app.cli import app
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.domain.study.study import protocol_hash

BANK = ROOT / "quizzes" / "sortedcontainers"


def library(folder, bank: str) -> FolderLibrary:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text(study_text(bank=bank))
    return FolderLibrary(read_study(path), folder, str(path))


def test_the_hash_is_the_same_in_another_folder(tmp_path):
    found = set()
    for place in ("here", "there"):
        shutil.copytree(BANK, tmp_path / place / "bank")
        opened = library(tmp_path / place, "bank")
        found.add(protocol_hash(opened.study, dict(opened.materials())))
    assert len(found) == 1


def test_every_file_of_two_folders_elsewhere_is_in_the_hash(tmp_path):
    for name in ("one", "two"):
        shutil.copytree(BANK, tmp_path / name)
    opened = library(tmp_path / "study", str(tmp_path / "one"))
    text = study_text(bank=str(tmp_path / "one")).replace(str(tmp_path / "one"), str(tmp_path / "two"), 1)
    (tmp_path / "study" / "study.toml").write_text(text)
    both = FolderLibrary(read_study(tmp_path / "study" / "study.toml"), tmp_path / "study", "study.toml")
    assert len(both.materials()) == 2 * len(opened.materials())


def test_check_warns_of_an_absolute_path_and_names_its_key(tmp_path):
    library(tmp_path, str(BANK))
    found = CliRunner().invoke(app, ["check", str(tmp_path / "study.toml")])
    assert found.exit_code == 0, found.output
    assert f"stages.pretest.bank: {BANK} is an absolute path" in found.output
