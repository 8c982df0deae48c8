"""Where a test lies: in the folder of what it tests, so that a newcomer finds it; shared code lies in tests/support."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from support.paths import ROOT

TESTS = ROOT / "tests"
WHOLE = {"docs", "layers", "trial"}
"""Tests of everything together: the documentation, the structure of the code, a trial in a browser."""


def package(folder: Path) -> Path:
    """The folder of source code that a folder of tests mirrors."""
    below = folder.relative_to(TESTS)
    return ROOT / below if below.parts[0] == "analysis" else ROOT / "study_app" / below


def folders_with_tests() -> list[Path]:
    return sorted({path.parent for path in TESTS.rglob("test_*.py")})


def imported(path: Path) -> set[str]:
    """Names of the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or ""}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("folder", folders_with_tests(), ids=lambda folder: str(folder.relative_to(TESTS)))
def test_a_folder_of_tests_mirrors_a_folder_of_the_code(folder):
    if folder.relative_to(TESTS).parts[0] not in WHOLE:
        assert (package(folder) / "__init__.py").is_file(), f"no such folder as {package(folder).relative_to(ROOT)}"


def test_every_part_with_code_has_tests():
    """The scripts of the analysis are the steps by hand; tests of the pipeline compare them with it."""
    homes = (ROOT / "study_app", ROOT / "study_app" / "services", ROOT / "analysis")
    parts = [path for home in homes for path in home.iterdir() if {*path.glob("*.py")} - {path / "__init__.py"}]
    tested = {package(folder) for folder in folders_with_tests() if folder.relative_to(TESTS).parts[0] not in WHOLE}
    untested = [part for part in parts if not any(folder.is_relative_to(part) for folder in tested)]
    assert [str(part.relative_to(ROOT)) for part in untested] == ["analysis/scripts"]


def test_code_that_folders_share_lies_in_support():
    helpers = {
        path.stem: path.parent
        for path in TESTS.rglob("*.py")
        if path.name not in ("conftest.py", "__init__.py")
        if not path.is_relative_to(TESTS / "support")
    }
    # Only files with a line that may import one of them are parsed.
    line = re.compile(rf"\b(?:from|import)\b.*\b(?:{'|'.join(map(re.escape, helpers))})\b")
    borrowed = [
        f"{path.relative_to(TESTS)} imports {name}"
        for path in TESTS.rglob("*.py")
        if line.search(path.read_text(encoding="utf-8"))
        for name in imported(path) & helpers.keys()
        if path.parent != helpers[name]
    ]
    assert borrowed == []


def test_no_two_files_of_tests_have_one_name():
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
