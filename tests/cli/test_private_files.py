"""No other account of the machine can read what a study keeps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support.trials.console_trial import Trial
from support.trials.small_study import write_study
from support.warm_processes import run_study

from study_app.private_files import OTHERS, files_of, open_to_others
from study_app.services.researcher.exporting.datasets import DatasetRequest


def study(*arguments: object, cwd: Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STUDY_", "ANTHROPIC_"))}
    done = run_study(arguments, cwd=cwd, environment=environment, umask=0o022)
    assert done.returncode == expect, done.stderr + done.stdout
    return done


@pytest.fixture
def loose_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_database_companions_keys_and_exports_are_for_their_owner_only(tmp_path, loose_umask):
    trial = Trial(tmp_path, launched=True)
    trial.enter()
    out = tmp_path / "dataset"
    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    files = files_of(trial.settings.database, trial.settings.var)
    assert {path.name for path in files} >= {"study.db", "study.db-wal", "var", "seal.key"}
    assert open_to_others([*files, out]) == []
    trial.close()


def test_what_was_open_to_others_is_closed_at_the_next_start(tmp_path, loose_umask):
    trial = Trial(tmp_path)
    trial.close()
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var").chmod(0o755)
    (tmp_path / "study.db").chmod(0o644)
    from study_app.bootstrap import start

    app = start(trial.settings, clock=trial.clock)
    assert open_to_others(files_of(trial.settings.database, trial.settings.var)) == []
    app.close()


def test_a_command_makes_private_files_whatever_the_shells_umask(tmp_path, loose_umask):
    write_study(tmp_path)
    study("export", "study.toml", "--out", "dataset", cwd=tmp_path, expect=2)
    study("simulate", "study.toml", "--participants", 1, cwd=tmp_path)
    study("export", "study.toml", "--out", "dataset", "--include-simulated", cwd=tmp_path)
    made = [path for path in tmp_path.rglob("*") if path.name != "study.toml"]
    assert made
    assert [path for path in made if path.stat().st_mode & OTHERS] == []
