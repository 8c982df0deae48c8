"""Each worked example goes from `check` to `report.html` with simulated people."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.paths import ROOT
from typer.testing import CliRunner

from study_app.cli import app
from study_app.content import schemas
from study_app.content.study_file import read_study
from study_app.domain.study.designs import design_problems, used_by

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/study.toml"))
ALWAYS = "numpy_hints"
"""Walked by default: three arms, and nothing to install."""
PEOPLE = 20


def study(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def marked(name: str) -> object:
    return pytest.param(name, marks=[] if name == ALWAYS else [pytest.mark.slow])


def copied(name: str, folder: Path) -> Path:
    """Return the study file of a copy; two examples use the shipped tasks and quiz, two folders up."""
    shutil.copytree(EXAMPLES / name, folder / "examples" / name, ignore=shutil.ignore_patterns(".packages"))
    for shared in ("tasks", "quizzes", "assistants", "interviews"):
        (folder / shared).symlink_to(ROOT / shared)
    return folder / "examples" / name / "study.toml"


@pytest.mark.parametrize("name", [marked(name) for name in NAMES])
def test_an_example_goes_from_check_to_its_report(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file, database = copied(name, tmp_path), f"sqlite:///{tmp_path}/study.db"
    if read_study(file).requirements:
        study("setup", file)
    study("check", file)
    study("simulate", file, "--participants", PEOPLE, "--seed", 1, "--database", database, "--json")
    study("export", file, "--out", "dataset", "--include-simulated", "--database", database)
    study("verify", "dataset")
    analysed(file, tmp_path)


def analysed(file: Path, folder: Path) -> None:
    """Analyze the dataset: the report warns of nothing but simulated people and few classes."""
    if design_problems(used_by(read_study(file)), "analyze", str(file)):
        return  # The table of designs says so, and check warns.
    study("analyze", "dataset", "--out", "results", "--include-simulated")
    found = json.loads((folder / "results" / "results.json").read_text())
    assert sum(arm["allocated"] for arm in found["flow"]["arms"].values()) > 0
    # Twenty people are few classes, and the report says so.
    known = ("SIMULATED", "PREVIEW", "Few clusters")
    unexpected = [warning for warning in found["warnings"] if not any(word in warning for word in known)]
    assert unexpected == []
    page = (folder / "results" / "report.html").read_text()
    assert "Traceback" not in page
    for package in json.loads((folder / "dataset" / "manifest.json").read_text())["study_packages"]:
        assert package in page


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", NAMES)
def test_people_in_a_real_browser_walk_an_example(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file, database = copied(name, tmp_path), f"sqlite:///{tmp_path}/study.db"
    if read_study(file).requirements:
        study("setup", file)
    walked = ("--participants", PEOPLE, "--seed", 1, "--database", database, "--browser", "--json")
    # In a separate thread: Playwright's loop may hold this one.
    with ThreadPoolExecutor(1) as thread:
        done = json.loads(thread.submit(study, "simulate", file, *walked).result())
    # Who waits for a later session is in progress; all others reached the end.
    later = len(read_study(file).sessions) > 1
    assert done["statuses"] == {"in_progress" if later else "completed": PEOPLE}
    study("export", file, "--out", "dataset", "--include-simulated", "--database", database)
    study("verify", "dataset")
    analysed(file, tmp_path)


def test_the_schemas_beside_the_examples_are_current():
    assert {path.stem: path.read_text() for path in (EXAMPLES / "schemas").glob("*.json")} == schemas.texts()


def test_every_file_of_an_example_names_its_schema():
    for path in sorted(EXAMPLES.rglob("*.toml")):
        # Files of texts have keys by the study's own ids, and so no schema.
        if ".packages" not in path.parts and path.parent.name != "texts":
            first = path.read_text().splitlines()[0]
            assert (path.parent / first.removeprefix("#:schema ")).is_file(), path


def test_the_networkx_trial_takes_fewer_than_400_lines_beside_its_texts():
    """Three arms in German, strata, a pre-test, two tasks, a post-test and a retention quiz."""
    files = [path for path in (EXAMPLES / "networkx_tutor").rglob("*") if path.suffix in (".toml", ".py", ".txt")]
    written = [path for path in files if ".packages" not in path.parts]
    assert sum(len(path.read_text().splitlines()) for path in written) < 400
