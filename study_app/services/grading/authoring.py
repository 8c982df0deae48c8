"""What authors of task packs need: try a program as a participant would, and check a pack before anybody meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from study_app.domain.errors import Problem, ProblemsFound, SandboxUnavailable
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import CheckResult, Grade, Program
from study_app.ports import Sandbox
from study_app.services.grading.grading import expected_of, grade
from study_app.services.grading.proofs.packs import proof_problems
from study_app.services.grading.proofs.variants import variant_problems

_INSTALL = "correct the import name, or name the package in the study's requirements and run study setup"
LoadPack = Callable[[Path], TaskPack]
"""Reads a pack's folder; raises ProblemsFound."""


def try_program(
    sandbox: Sandbox, pack: TaskPack, code: str, *, run_only: bool = False, seed: int | None = None
) -> dict[str, Any]:
    """Run a file as a participant's program and grade it, as `study try` reports it.

    Args:
        sandbox: runs the programs.
        pack: the task whose packages, limits and checks apply.
        code: the file's text.
        run_only: leave the grading out.
        seed: for the scheduler, and for the hidden inputs; None draws it.

    Returns:
        `stdout`, `stderr`, `exit_status`, `ended_by`, `wall_seconds`, `isolation`, `scheduler_seed`, `error_type`,
        `error_message`, `error_line`, and unless `run_only` also `checks`, `visible_only_pass`, `run_seed`,
        `regraded_on_real_clock`, `review`, `inconclusive` (why a check has no verdict), `repeats`.

    Raises:
        SandboxUnavailable: programs cannot be run.
    """
    result = sandbox.run(pack.program(code, seed=seed))
    if result.ended_by == "infrastructure":
        raise SandboxUnavailable("the program could not be run; run it again")
    shown: dict[str, Any] = {
        key: getattr(result, key)
        for key in ("stdout", "stderr", "exit_status", "ended_by", "wall_seconds", "isolation", "scheduler_seed")
    }
    shown |= {key: getattr(result, key) for key in ("error_type", "error_message", "error_line")}
    if run_only:
        return shown
    graded = grade(sandbox, pack, code, run_seed=seed)
    # A program that fails as the reference does would pass; an author who tries one must see that before participants
    # do.
    raised = _raised_by_reference(sandbox, pack, graded.run_seed)
    checks = tuple(_not_proven(check, raised.get(check.name)) for check in graded.checks)
    return shown | describe(replace(graded, checks=checks))


def _raised_by_reference(sandbox: Sandbox, pack: TaskPack, run_seed: int) -> dict[str, str]:
    """Check -> exception of the reference solution, where the check does not state that one is expected."""
    found = {}
    for check in pack.checks:
        if check.expect is None and check.case is not None:
            expected = expected_of(sandbox, pack, check, run_seed=run_seed)
            if expected is not None and expected.error is not None:
                found[check.name] = expected.error
    return found


def _not_proven(check: CheckResult, error: str | None) -> CheckResult:
    """Return a check's result.

    Not a pass where all that the program does is to raise what the reference solution raises.
    """
    if error is None:
        return check
    message = f"the reference solution raises {error}; correct it, or state that by expect=Observation(error=...)"
    return replace(check, passed=False, message=message)


def describe(graded: Grade) -> dict[str, Any]:
    """Return a grade as JSON."""
    return {
        "checks": [
            {"name": check.name, "visible": check.visible, "passed": check.passed, "message": check.message}
            for check in graded.checks
        ],
        "visible_only_pass": graded.visible_only_pass,
        "run_seed": graded.run_seed,
        "regraded_on_real_clock": graded.regraded_on_real_clock,
        "review": list(graded.review),
        "inconclusive": graded.inconclusive,
        "repeats": graded.repeats,
    }


def check_pack(sandbox: Sandbox, folder: Path, load: LoadPack) -> list[Problem]:
    """Return everything wrong with a pack: its files, then its programs.

    The reference solution has to pass every check on the counted clock; the starter has to fail one it can see; each
    wrong program has to fail its hidden check and the visible example that this check varies. A variant is proven as
    `proofs.variants` says.

    Args:
        sandbox: runs the programs.
        folder: the pack, as the user named it.
        load: reads it.

    Returns:
        The problems, none where the pack is fit for use.
    """
    try:
        pack = load(folder)
    except ProblemsFound as found:
        return list(found.problems)
    absent = package_problems(sandbox, pack.settings.packages, str(folder / "task.toml"))
    if absent:
        return absent
    try:
        if pack.twin is None:
            return _of_task(sandbox, pack)
        return [*_of_starter(sandbox, pack), *variant_problems(sandbox, pack, _of_task(sandbox, pack.twin))]
    except SandboxUnavailable as error:
        return [
            Problem(str(folder), "", f"its programs could not be run ({error})", "see study doctor, then check again")
        ]


def _of_task(sandbox: Sandbox, pack: TaskPack) -> list[Problem]:
    """Return what is wrong with the programs of a task that can be done."""
    problems = _of_solution(sandbox, pack)
    # Without a right solution there is nothing that a wrong program could differ from.
    return [*problems, *_of_starter(sandbox, pack), *([] if problems else proof_problems(sandbox, pack))]


def package_problems(sandbox: Sandbox, packages: Sequence[str], file: str) -> list[Problem]:
    """Return the packages that programs in the sandbox cannot import.

    Args:
        sandbox: imports them.
        packages: import names.
        file: where they are named, for the message.
    """
    return [] if sandbox.isolation().level == "off" else taught_problems(sandbox, {file: packages})


def taught_problems(sandbox: Sandbox, taught: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Return the packages of packs and banks that programs in the sandbox cannot import.

    Args:
        sandbox: imports them.
        taught: file that names them -> import names.
    """
    failures: dict[str, str | None] = {}
    for name in (name for packages in taught.values() for name in packages):
        if name not in failures:
            failures[name] = _import_failure(sandbox, name)
    return [
        _not_importable(file, name, why)
        for file, packages in taught.items()
        for name in packages
        if (why := failures[name]) is not None
    ]


def _not_importable(file: str, name: str, why: str) -> Problem:
    return Problem(file, "packages", f"found {name!r}, which programs cannot import ({why})", _INSTALL)


def _import_failure(sandbox: Sandbox, name: str) -> str | None:
    try:
        result = sandbox.run(Program(f"import {name}\n", (name,)))
    except SandboxUnavailable as error:
        return str(error).partition(";")[0]
    if result.exit_status == 0 and result.ended_by == "exit":
        return None
    return f"{result.error_type}: {result.error_message}" if result.error_type else f"ended by {result.ended_by}"


def _of_solution(sandbox: Sandbox, pack: TaskPack) -> list[Problem]:
    file = str(Path(pack.folder) / "solution.py")
    # As a participant runs it, before any check: a check calls one function, and a solution whose last lines fail would
    # still pass.
    plain = sandbox.run(pack.program(pack.solution, seed=0))
    problems = []
    if plain.exit_status != 0 or plain.ended_by != "exit":
        what = f"does not run to its end ({plain.error_type or plain.ended_by}: {plain.error_message or 'no message'})"
        problems.append(Problem(file, f"line {plain.error_line or '?'}", what, "correct the reference solution"))
    problems += _of_reference(sandbox, pack, file)
    if problems:
        return problems
    graded = grade(sandbox, pack, pack.solution, run_seed=0)
    if graded.inconclusive is not None:
        # The machine is at fault, not the pack.
        return [Problem(file, "", f"could not be timed ({graded.inconclusive})", "check again when it is less busy")]
    failed = [check for check in graded.checks if check.passed is False]
    return [
        Problem(file, check.name, f"fails its own check {check.message}".strip(), "correct the solution or the check")
        for check in failed
    ]


def _of_reference(sandbox: Sandbox, pack: TaskPack, file: str) -> list[Problem]:
    """Return checks in which the reference solution raises: every program that fails alike would pass them."""
    problems = []
    for check in pack.checks:
        try:
            expected = expected_of(sandbox, pack, check)
        except SandboxUnavailable as error:
            problems.append(Problem(file, check.name, str(error), "correct the reference solution"))
            continue
        stated = check.expect is not None
        if expected is not None and expected.error is not None and not stated:
            remedy = "correct it, or state the exception by expect=Observation(error=...)"
            problems.append(Problem(file, check.name, f"raises {expected.error}", remedy))
    return problems


def _of_starter(sandbox: Sandbox, pack: TaskPack) -> list[Problem]:
    file = str(Path(pack.folder) / "starter.py")
    graded = grade(sandbox, pack, pack.starter, clock="virtual", run_seed=0)
    problems = []
    if graded.error_type in ("SyntaxError", "IndentationError"):
        what = f"is not valid Python (line {graded.error_line})"
        problems.append(Problem(file, "", what, "correct it: participants start from it"))
    if all(check.passed for check in graded.checks if check.visible):
        what = "passes every visible check before any work is done"
        problems.append(Problem(file, "", what, "take the answer out of the starter, or show a check that it fails"))
    return problems
