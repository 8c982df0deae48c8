"""`study check` proves that a variant cannot be done and that its twin can; each mutation is refused by a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from study_app.content.task_packs import load_pack
from study_app.domain.errors import ProblemsFound
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.authoring import check_pack

ROOT = Path(__file__).resolve().parents[2]
VARIANT, TWIN = "trio_users_conflict", "trio_users"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def problems(sandbox: LocalSandbox, tmp_path: Path, *changes: tuple[str, str, str]) -> list[str]:
    """What `check` says of the shipped variant with texts of its files or its twin's exchanged."""
    for name in (VARIANT, TWIN):
        shutil.copytree(ROOT / "tasks" / name, tmp_path / name)
    for file, old, new in changes:
        path = tmp_path / file
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new) if old else new)
    found = check_pack(sandbox, tmp_path / VARIANT, load_pack)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in found]


@pytest.mark.slow
def test_the_shipped_variant_is_proven(sandbox, tmp_path):
    assert problems(sandbox, tmp_path) == []


def test_a_variant_that_can_be_solved_is_refused(sandbox, tmp_path):
    honest = 'expect=Observation(value={1: "Ines", 2: "error: no user 2", 4: "Tomasz"})'
    found = problems(
        sandbox,
        tmp_path,
        (f"{VARIANT}/checks.py", 'expect=Observation(value={1: "Ines", 4: "Tomasz"})', honest),
    )
    assert any("passes every visible check, so the task can be done as described" in line for line in found)


@pytest.mark.slow
def test_a_hack_that_passes_the_hidden_checks_is_refused(sandbox, tmp_path):
    hidden = '    Check("a missing user among the starter\'s has an entry", CALL, compare=Same(lines=False)),\n'
    found = problems(sandbox, tmp_path, (f"{VARIANT}/checks.py", hidden, ""))
    assert len(found) == 2
    assert any("hack.py: passes every hidden check" in line for line in found)
    # A hack that fails more than it need does not make up for it.
    (tmp_path / "worse").mkdir()
    worse = ("        del found[2]\n", "        del found[2]\n    if len(user_ids) > 8:\n        found = {}\n")
    (left,) = problems(
        sandbox, tmp_path / "worse", (f"{VARIANT}/checks.py", hidden, ""), (f"{VARIANT}/hack.py", *worse)
    )
    assert "no hidden check makes the call of 'missing users are left out'" in left


@pytest.mark.slow
def test_a_variant_that_brings_a_solution_of_every_check_is_refused(sandbox, tmp_path):
    hidden = "CALL, compare=Same(lines=False)),"
    stated = "CALL, compare=Same(lines=False, value=False)),"
    hack = (ROOT / "tasks" / VARIANT / "hack.py").read_text()
    found = problems(sandbox, tmp_path, (f"{VARIANT}/checks.py", hidden, stated), (f"{VARIANT}/solution.py", "", hack))
    assert any("solution.py: passes every check, so the task can be done" in line for line in found)
    # The hidden check makes the call, and takes whatever comes.
    assert any("no hidden check makes the call of 'missing users are left out'" in line for line in found)


def test_checks_that_leave_the_process_are_a_problem_of_the_file(tmp_path):
    for name in (VARIANT, TWIN):
        shutil.copytree(ROOT / "tasks" / name, tmp_path / name)
    (tmp_path / VARIANT / "checks.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(ProblemsFound, match="checks.py: line 2: SystemExit: 3"):
        load_pack(tmp_path / VARIANT)


@pytest.mark.slow
def test_a_hack_that_fails_a_visible_check_is_refused(sandbox, tmp_path):
    found = problems(sandbox, tmp_path, (f"{VARIANT}/hack.py", "        del found[2]\n", "        pass\n"))
    assert any("hack.py: missing users are left out: fails the visible check" in line for line in found)


@pytest.mark.slow
def test_a_variant_with_an_unsolvable_twin_is_refused(sandbox, tmp_path):
    found = problems(sandbox, tmp_path, (f"{TWIN}/solution.py", "(UserNotFound, ConnectionError)", "UserNotFound"))
    assert any("variant.of: its twin trio_users cannot be solved" in line for line in found)


@pytest.mark.slow
def test_two_examples_out_of_reach_are_one_too_many(sandbox, tmp_path):
    second = 'expect=Observation(value={1: "Ines", 4: "Tomasz"}),\n    ),\n'
    more = (
        second
        + '    Check("once more", CALL, visible=True, compare=Same(lines=False), expect=Observation(value={})),\n'
    )
    found = problems(sandbox, tmp_path, (f"{VARIANT}/checks.py", second, more))
    assert any("fails 2 visible checks ('missing users are left out', 'once more')" in line for line in found)


@pytest.mark.slow
def test_a_hidden_check_that_the_twins_solution_fails_is_refused(sandbox, tmp_path):
    found = problems(
        sandbox,
        tmp_path,
        (f"{VARIANT}/checks.py", "CALL, compare=Same(lines=False)),", "CALL, expect=Observation(value={})),"),
    )
    assert any("the twin's solution fails this hidden check" in line for line in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (f"{VARIANT}/task.toml", 'of = "trio_users"', 'of = "trio_other"', "there is no such pack in the same folder"),
        (f"{VARIANT}/task.toml", 'kind = "conflict"', 'kind = "riddle"', "variant.kind"),
        (f"{TWIN}/hack.py", "", "pass\n", "belongs to a variant, and task.toml has no [variant]"),
        (
            f"{TWIN}/task.toml",
            "[limits]",
            '[variant]\nof = "trio_users_conflict"\nkind = "oneoff"\n[limits]',
            "is a variant",
        ),
    ],
)
def test_a_variant_that_is_put_together_wrongly_is_refused_before_anything_runs(
    sandbox, tmp_path, file, old, new, said
):
    assert any(said in line for line in problems(sandbox, tmp_path, (file, old, new)))


def test_a_variant_without_a_hack_is_refused(tmp_path):
    for name in (VARIANT, TWIN):
        shutil.copytree(ROOT / "tasks" / name, tmp_path / name)
    (tmp_path / VARIANT / "hack.py").unlink()
    with pytest.raises(ProblemsFound, match="hack.py: the file is missing"):
        load_pack(tmp_path / VARIANT)
