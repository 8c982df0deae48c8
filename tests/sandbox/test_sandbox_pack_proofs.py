"""Hidden checks vary what visible examples show, and `study check` proves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from study_app.content.task_packs import load_pack
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.authoring import check_pack
from study_app.services.grading.grading import grade
from study_app.services.grading.proofs.packs import proof_problems

ROOT = Path(__file__).resolve().parents[2]
TASKS = [folder for folder in sorted((ROOT / "tasks").iterdir()) if (folder / "task.toml").is_file()]
PACKS = [folder.name for folder in TASKS if load_pack(folder).twin is None]
"""Of variants other things are proven; see test_variant_proofs.py."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def changed(tmp_path: Path, name: str, *changes: tuple[str, str, str]) -> Path:
    """A copy of a shipped pack with texts of some files exchanged."""
    folder = tmp_path / name
    shutil.copytree(ROOT / "tasks" / name, folder)
    for file, old, new in changes:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
    return folder


def problems(sandbox: LocalSandbox, folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/") for problem in proof_problems(sandbox, load_pack(folder))]


@pytest.mark.parametrize("name", PACKS)
def test_each_hidden_check_of_a_shipped_pack_names_its_example_and_a_wrong_program(name):
    pack = load_pack(ROOT / "tasks" / name)
    visible = {check.name for check in pack.examples}
    assert all(check.varies in visible and check.wrong in pack.wrong for check in pack.hidden)


LIMIT_IGNORED = (
    """    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timer, count, interval)
            nursery.start_soon(delayed_greeting, name, delay)
    if scope.cancelled_caught:
        print("time is up")
        return False
""",
    """    async with trio.open_nursery() as nursery:
        nursery.start_soon(timer, count, interval)
        nursery.start_soon(delayed_greeting, name, delay)
""",
)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "example"),
    [
        ("trio_timer", *LIMIT_IGNORED, "time is up: the limit stops the timer"),
        ("trio_users", "(UserNotFound, ConnectionError)", "UserNotFound", "the connection is lost"),
        ("warmup", ", default=0)", ")", "an empty list gives the smallest sign"),
    ],
)
def test_a_program_that_lacks_a_required_behaviour_fails_an_example_of_it(sandbox, name, right, wrong, example):
    pack = load_pack(ROOT / "tasks" / name)
    assert right in pack.solution
    graded = grade(sandbox, pack, pack.solution.replace(right, wrong), clock="virtual", run_seed=4)
    assert example in {check.name for check in graded.checks if not check.passed}
    assert not graded.visible_only_pass


def test_a_behaviour_that_no_example_shows_is_found(sandbox, tmp_path):
    """The fault of old: hidden checks ask for the limit, and no visible example ever reaches it."""
    folder = changed(
        tmp_path,
        "trio_timer",
        ("checks.py", 'call("together", 5, 0.4, "Ada", 0.6, 1.0)', 'call("together", 2, 0.4, "Ada", 0.6, 2.0)'),
        ("checks.py", 'call("together", 2, 0.3, "Ada", 1.5, 1.0)', 'call("together", 2, 0.3, "Ada", 0.5, 2.0)'),
    )
    found = problems(sandbox, folder)
    assert [line for line in found if line.startswith("wrong/no_limit.py: the limit stops the timer: fails 'the limit")]
    assert [line for line in found if "passes 'time is up: the limit stops the greeting', the visible" in line]
    assert [line for line in found if line.startswith("solution.py: line 16: without `with trio.move_on_after(limit)`")]
    assert all("show an example that" in line for line in found)


def test_an_example_taken_away_is_missed_by_the_check_that_varies_it(sandbox, tmp_path):
    folder = changed(tmp_path, "trio_users", ("checks.py", "    example(BROKEN, [5, 6, 1]),\n", ""))
    [one, two] = problems(sandbox, folder)
    assert one.startswith("checks.py: CHECKS: the connection is lost for some: varies 'the connection is lost'")
    assert "which is not a visible check; use one of 'two users who exist'" in one
    assert "missing and lost together" in two


def test_what_the_author_did_not_declare_is_found_by_leaving_parts_of_the_solution_out(sandbox, tmp_path):
    """The hidden checks name an example and a wrong program that fail for another reason."""
    folder = changed(
        tmp_path,
        "trio_users",
        ("checks.py", "    example(BROKEN, [5, 6, 1]),\n    example(FAILURES, [2, 5]),\n", ""),
        ("checks.py", 'BROKEN, "only_missing"', 'MISSING, "one_failure_stops_all"'),
        ("checks.py", 'BROKEN, "one_', 'MISSING, "one_'),
        ("checks.py", 'FAILURES, "', 'MISSING, "'),
    )
    (folder / "wrong" / "only_missing.py").unlink()
    [line] = problems(sandbox, folder)
    assert line.startswith("solution.py: line 26: without catching ConnectionError it passes every visible example and")
    assert "fails the hidden check 'the connection is lost for some'; show an example that fails without this" in line


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("checks.py", ", varies=varies", "")], "CHECKS: any words: does not say which visible example it varies"),
        ([("checks.py", ", wrong=wrong", "")], "CHECKS: any words: ships no wrong program that fails it"),
        (
            [("checks.py", '"no_padding"', '"other"')],
            "CHECKS: any words: names the wrong program 'other', but there is",
        ),
        ([("checks.py", '"no_padding"', '"other"')], "wrong/no_padding.py: no hidden check names this program"),
        (
            [("checks.py", "visible=True, compare=SAME)", 'visible=True, compare=SAME, varies="x")')],
            "CHECKS: frames three words: is visible, and has varies= or wrong=",
        ),
        (
            [("wrong/no_padding.py", "| {word} |", "| {word.ljust(width)} |")],
            "wrong/no_padding.py: any words: passes the hidden check 'any words' (grading seed 0), which it should",
        ),
        (
            [("wrong/no_padding.py", "def sign", "def label")],
            "wrong/no_padding.py: fails every visible example, so it says nothing",
        ),
    ],
)
@pytest.mark.slow
def test_what_is_not_proven_about_hidden_checks_is_said(sandbox, tmp_path, changes, expected):
    found = problems(sandbox, changed(tmp_path, "warmup", *changes))
    assert any(line.removeprefix("checks.py: ").startswith(expected) for line in found), found


def test_a_package_that_programs_cannot_import_is_named(sandbox, tmp_path):
    folder = changed(tmp_path, "warmup", ("task.toml", "packages = []", 'packages = ["json", "no_such_thing"]'))
    [problem] = check_pack(sandbox, folder, load_pack)
    assert str(problem).startswith(f"{folder}/task.toml: packages: found 'no_such_thing', which programs cannot import")
    assert "name the package in the study's requirements and run study setup" in problem.remedy
