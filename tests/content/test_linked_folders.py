"""A link to a folder inside a pack or bank is refused before real participants: its files are in no hash."""

from __future__ import annotations

import shutil

from support.trials.quiz_study import keyed_bank, written

from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.services.researcher.fitness import fitness_problems


def problems(path) -> list[str]:
    study = read_study(path)
    library = FolderLibrary(study, path.resolve().parent, str(path))
    library.open()
    return [str(each) for each in fitness_problems(study, library, str(path)) if "link to a folder" in each.what]


def test_check_launch_and_amend_refuse_a_linked_folder_and_take_other_links(tmp_path):
    bank = tmp_path / keyed_bank(tmp_path)
    path = written(tmp_path, bank="keyed")
    # A whole bank, or one file of it, may be a link: what they lead to is hashed.
    elsewhere = tmp_path / "elsewhere"
    shutil.move(str(bank), str(elsewhere))
    bank.symlink_to(elsewhere)
    head = elsewhere / "bank.toml"
    shutil.move(str(head), str(tmp_path / "head.toml"))
    head.symlink_to(tmp_path / "head.toml")
    # Nor do links count where no file does, as in an environment of Python.
    (elsewhere / ".venv" / "lib").mkdir(parents=True)
    (elsewhere / ".venv" / "lib64").symlink_to("lib")
    (elsewhere / ".cache").symlink_to("items")
    assert problems(path) == []
    shutil.move(str(elsewhere / "keys"), str(tmp_path / "keys"))
    (elsewhere / "keys").symlink_to(tmp_path / "keys")
    [said] = problems(path)
    assert said.startswith("keyed/keys: ")
