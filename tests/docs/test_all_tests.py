"""`make test-all` goes on where it stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import test_all as all_tests  # noqa: E402

TESTS = """
from pathlib import Path

HERE = Path(__file__).parent


def noted(name):
    with (HERE / "log").open("a") as file:
        file.write(name + " ")


def test_first():
    noted("first")


def test_second():
    noted("second")
    assert (HERE / "repaired").exists()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tmp_path / "tests" / "domain"
    made.mkdir(parents=True)
    (made / "test_two.py").write_text(TESTS)
    monkeypatch.setattr(all_tests, "ROOT", tmp_path)
    monkeypatch.setattr(all_tests, "RESULTS", tmp_path / "build")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return made


@pytest.mark.slow
def test_a_part_that_failed_runs_only_what_has_not_passed_at_this_commit(folder):
    assert all_tests.run("domain", "a")["status"] == 1
    (folder / "repaired").touch()
    assert all_tests.run("domain", "a")["status"] == 0
    assert all_tests.run("domain", "a")["status"] == 0
    assert sorted((folder / "log").read_text().split()) == ["first", "second", "second"]
    assert all_tests.run("domain", "b")["status"] == 0
    assert sorted((folder / "log").read_text().split()) == ["first", "first", "second", "second", "second"]


def test_every_folder_of_tests_belongs_to_a_part():
    listed = [folder for part in all_tests.PARTS for folder in all_tests.folders_of(part)]
    folders = {f"tests/{path.name}" for path in (ROOT / "tests").iterdir() if any(path.rglob("test_*.py"))}
    assert sorted(listed) == sorted(folders)


def test_an_unknown_part_is_refused_with_the_list(capsys):
    assert all_tests.main(["nothing"]) == 2
    assert "the parts are domain, sandbox" in capsys.readouterr().err
