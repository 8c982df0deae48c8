"""Which files an author's server follows: all that a study's hash covers, and what installs its packages."""

from __future__ import annotations

import pytest
from support.paths import ROOT

from study_app.bootstrap import open_library
from study_app.content.watched import written

SHIPPED = [ROOT / "study.toml", *sorted((ROOT / "examples").glob("*/study.toml"))]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_every_file_that_a_study_s_hash_covers_is_followed(file):
    library = open_library(file)
    covered = {(library.root / name).resolve() for name in library.materials()}
    assert covered - {path.resolve() for path in written(file)} == set()


def test_recordings_requirements_and_installed_packages_are_followed(tmp_path):
    file, installed = tmp_path / "study.toml", tmp_path / "env" / ".packages" / "cpython-1" / "installed.json"
    assistant = tmp_path / "assistants" / "tape.toml"
    for path in (assistant, installed):
        path.parent.mkdir(parents=True)
    assistant.write_text('provider = "recorded"\nrecording = "recordings/tape.jsonl"\n')
    file.write_text('requirements = "env/needs.txt"\n[assistants.tape]\nfile = "assistants/tape.toml"\n')
    expected = {file, assistant}
    assert set(written(file)) == expected
    for path in (tmp_path / "recordings" / "tape.jsonl", tmp_path / "env" / "needs.txt", installed):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        expected.add(path)
        assert set(written(file)) == expected
    assistant.write_text("provider = ")
    assert set(written(file)) == expected - {tmp_path / "recordings" / "tape.jsonl"}
