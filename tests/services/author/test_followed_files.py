"""Which files an author's server follows: all that a study's hash covers, and what installs its packages."""

from __future__ import annotations

import pytest
from support.made_wheel import wheel
from support.paths import ROOT
from typer.testing import CliRunner

from study_app.bootstrap import follow_files, open_library, start
from study_app.cli import app
from study_app.content.watched import written
from study_app.domain.tasks.programs import Program
from study_app.settings import Settings


def command(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output


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


def test_an_author_s_server_goes_on_with_packages_once_they_are_set_up(tmp_path, monkeypatch):
    for tool in ("UV", "PIP"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(tmp_path))
    wheel(tmp_path)
    study = tmp_path / "study" / "study.toml"
    command("new", study.parent, "--library", "tea-pot==1.0")
    running = start(Settings(study_file=study, database=f"sqlite:///{tmp_path}/study.db", var=tmp_path / "var"))
    files = follow_files(running).files

    def imported() -> str:
        program = Program("import teapot\nprint(teapot.VERSION)\n", ("teapot",))
        return running.context.sandbox.run(program).stdout.strip()

    def looked_at_again() -> None:
        while not files.look():
            pass

    try:
        assert imported() == "1.0"
        wheel(tmp_path, "2.0")
        (study.parent / "requirements.txt").write_text("tea-pot==2.0\n")
        looked_at_again()
        (problem,) = files.problems
        assert (problem.file, problem.key, problem.remedy) == (str(study), "requirements", f"run study setup {study}")
        assert imported() == "1.0", "the last version that could be used goes on"

        command("setup", study)
        looked_at_again()
        assert files.problems == ()
        assert imported() == "2.0"
        assert running.context.package_versions()["tea-pot"] == "2.0"

        (pack,) = study.parent.glob("tasks/*/task.toml")
        pack.write_text(pack.read_text().replace('["teapot"]', '["teapot", "tee"]'))
        looked_at_again()
        (problem,) = files.problems
        assert (problem.file, problem.key, problem.what) == (
            str(pack),
            "packages",
            "found 'tee', which is not installed",
        )
    finally:
        running.close()
