"""The packages that a study brings: hashed, installed next to it, found by every command, recorded with versions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.made_wheel import wheel
from typer.testing import CliRunner

from study_app.bootstrap import library_versions, open_library, start
from study_app.cli import app
from study_app.content.requirements import Requirements, other_files_problems
from study_app.domain.study.study import protocol_hash
from study_app.services.operation.package_watch import changed_packages, note_changed_packages
from study_app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CHECKS = """
from study_app.domain.checks import Check, Same, call
VALUE = Same(lines=False, duration=False)
CHECKS = [
    Check("pour(3)", call("pour", 3), visible=True, compare=VALUE),
    Check("any", lambda rng: call("pour", rng.randint(4, 9)), compare=VALUE, varies="pour(3)", wrong="one"),
]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The shipped study, whose warm-up teaches the made library."""
    for part in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / part, tmp_path / part)
    pack = tmp_path / "tasks" / "warmup"
    shutil.rmtree(pack)
    (pack / "wrong").mkdir(parents=True)
    head = "import teapot\n\n\ndef pour(n):\n    "
    files = {"starter.py": f"{head}...\n", "solution.py": f"{head}return teapot.cups(n)\n", "checks.py": CHECKS}
    files |= {"wrong/one.py": f"{head}return 1\n", "brief.md": "Pour.\n", "reference.md": "`teapot.cups(n)`\n"}
    files["task.toml"] = 'id = "warmup"\ntitle = "Tea"\npackages = ["teapot"]\nconcepts = ["strings"]\n'
    for name, text in files.items():
        (pack / name).write_text(text)
    (tmp_path / "requirements.txt").write_text(wheel(tmp_path))
    text = (ROOT / "study.toml").read_text()
    (tmp_path / "study.toml").write_text(text.replace('language = "en"', 'requirements = "requirements.txt"', 1))
    return tmp_path / "study.toml"


def study_command(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_a_study_brings_its_packages_from_check_to_registration(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, output = study_command("check", study)
    assert (code, "study setup" in output, "Traceback" in output) == (1, True, False)
    code, output = study_command("try", study.parent / "tasks" / "warmup", study.parent / "tasks/warmup/solution.py")
    assert code == 2
    assert "study setup" in output

    code, output = study_command("setup", study, "--json")
    assert code == 0, output
    assert json.loads(output[output.index("{") :])["versions"] == {"tea-pot": "1.0"}

    code, output = study_command("try", study.parent / "tasks" / "warmup", study.parent / "tasks/warmup/solution.py")
    assert code == 0
    assert "2 of 2 checks pass" in output
    settings = Settings(study_file=study, database=f"sqlite:///{tmp_path}/study.db", var=tmp_path / "var")
    running = start(settings)
    try:
        assert running.context.package_versions()["tea-pot"] == "1.0"
        with running.context.registry.begin() as unit:
            unit.set_meta("study_packages", json.dumps({"tea-pot": "0.9"}))
        output = "tea-pot is 1.0, the study was launched with 0.9"
        assert output in changed_packages(running.context)
        assert output in note_changed_packages(running.context)
        note_changed_packages(running.context)
        with running.context.registry.begin(write=False) as unit:
            noted = [entry for entry in unit.audit() if entry.what == "packages_changed"]
        assert len(noted) == 1, "what has not changed since is not recorded again"
    finally:
        running.close()


def test_the_requirements_are_part_of_the_protocol(study):
    def hashed() -> str:
        library = open_library(study)
        return protocol_hash(library.study, dict(library.materials()))

    before = hashed()
    file = study.parent / "requirements.txt"
    file.write_text(file.read_text() + "# another\n")
    assert hashed() != before
    file.unlink()
    code, output = study_command("check", study)
    assert code == 1
    assert "requirements.txt cannot be read" in output


def test_a_change_of_the_requirements_makes_another_folder_and_leaves_the_first(study):
    assert study_command("setup", study)[0] == 0
    first = open_library(study).requirements
    file = study.parent / "requirements.txt"
    file.write_text(wheel(study.parent, "2.0"))
    second = open_library(study).requirements
    assert first.installed
    assert not second.installed
    assert study_command("setup", study)[0] == 0
    assert (first.versions(), second.versions()) == ({"tea-pot": "1.0"}, {"tea-pot": "2.0"})
    assert library_versions(open_library(study))["tea-pot"] == "2.0"


def test_what_cannot_be_installed_leaves_nothing_and_says_what_the_installer_said(study):
    (study.parent / "requirements.txt").write_text("./there_is_no_such.whl\n")
    code, output = study_command("setup", study)
    assert (code, "no_such" in output, "Traceback" in output) == (1, True, False)
    assert [path.name for path in (study.parent / ".packages").iterdir()] == [".gitignore"]


@pytest.mark.parametrize(
    ("line", "open_version"),
    [
        ("networkx==3.6.1", False),
        ("networkx", True),
        ("networkx>=3", True),
        ("polars[all] == 1.2  # pinned", False),
        ("numpy==2.*", True),
        ("tea @ https://example.org/tea.whl", False),
        ("./tea_pot-1.0-py3-none-any.whl", False),
        ("--no-deps", False),
        ("# a comment", False),
        ("tqdm==4 ; python_version > '3.10'", False),
        ("tqdm==4 --hash=sha256:00", False),
    ],
)
def test_a_line_that_leaves_the_version_open_is_named(line, open_version):
    assert bool(Requirements(Path("requirements.txt"), f"{line}\n").unpinned) is open_version


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("-r base.txt", True),
        ("-rbase.txt", True),
        ("--requirement=base.txt", True),
        ("-c pins.txt  # which", True),
        ("-e ./own", True),
        ("./own", True),
        ("own @ file:own/", True),
        ("networkx==3.6.1", False),
        ("--index-url https://example.org/simple", False),
        ("--extra-index-url https://example.org/simple", False),
        ("tea @ https://example.org/tea.whl", False),
        ("./tea_pot-1.0-py3-none-any.whl", False),
    ],
)
def test_lines_that_take_packages_from_other_files_are_refused(tmp_path, line, refused):
    (tmp_path / "own").mkdir()
    requirements = Requirements(tmp_path / "requirements.txt", f"trio==0.33.0\n{line}\n")
    found = other_files_problems(requirements, "study.toml")
    assert [each.key for each in found] == ["requirements: requirements.txt"] * refused
    assert requirements.local_files == ([line] if line.startswith("./tea") else [])
