"""A version's files as they were kept: what its participants go on with, wherever its files lay."""

from __future__ import annotations

import shutil

import pytest
from support.trials.persona_study import VOICES, voiced

from study_app.content.kept_library import KeptLibrary
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound


def named(folder, absolute: bool):
    """The study with its personas in a folder beside its own, by a relative path or an absolute one."""
    path = voiced(folder / "study")
    outside = shutil.move(folder / "study" / "personas", folder / "personas")
    text = path.read_text(encoding="utf-8")
    for name in VOICES:
        there = f"{outside}/{name}.toml" if absolute else f"../personas/{name}.toml"
        text = text.replace(f"personas/{name}.toml", there)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("absolute", [False, True])
def test_personas_outside_the_study_s_folder_stay_as_they_were_kept(tmp_path, absolute):
    (tmp_path / "study").mkdir()
    path = named(tmp_path, absolute)
    library = FolderLibrary(read_study(path), path.parent, str(path))
    before = library.personas
    files = {name: library.at(name).read_bytes() for name in library.materials()}
    for name in VOICES:
        file = tmp_path / "personas" / f"{name}.toml"
        file.write_text(file.read_text(encoding="utf-8").replace("id = ", "# another\nid = ") + "\n# amended\n")
    (tmp_path / "personas" / f"{VOICES[0]}.toml").unlink()
    kept = KeptLibrary(library.study, tmp_path / "kept", files)
    kept.open()
    assert kept.personas == before


def test_a_plan_that_no_stage_names_any_more_and_that_is_gone_is_a_problem_of_the_study(tmp_path):
    """An earlier version that came back from a dataset asks for it."""
    path = voiced(tmp_path)
    with pytest.raises(ProblemsFound, match="interviews/gone.toml cannot be read"):
        FolderLibrary(read_study(path), path.parent, str(path)).plan("interviews/gone.toml")
