"""Each command of the tutorial works, in its order, on what the commands before it left."""

from __future__ import annotations

import re
import shlex

import pytest
from support.paths import ROOT
from support.server import StudyServer
from typer.testing import CliRunner

from study_app.cli import app

PAGE = ROOT / "docs" / "tutorial" / "first_trial.md"


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.slow
def test_the_commands_of_the_tutorial_lead_to_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDY_DATABASE_URL", f"sqlite:///{tmp_path}/study.db")
    for program, verb, *arguments in commands():
        assert program == "study"
        if verb == "serve":
            (tmp_path / "served").mkdir()
            StudyServer(tmp_path / "served", tmp_path / arguments[0], arguments=tuple(arguments[1:])).start().stop()
            continue
        done = CliRunner().invoke(app, [verb, *arguments])
        assert done.exit_code == 0, (verb, done.output)
    report = (tmp_path / "results" / "report.html").read_text(encoding="utf-8")
    assert "SIMULATED" in report.upper()


def test_every_picture_of_the_tutorial_is_there():
    named = re.findall(r"\]\((images/[^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert named
    assert all((PAGE.parent / name).is_file() for name in named)
