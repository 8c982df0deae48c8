"""Proves that the hidden checks of a task pack ask for nothing that its visible examples do not show.

Each hidden check names the visible example that it varies and a wrong program that lacks the behaviour. The wrong
program must fail the hidden check whatever is drawn, and the visible example too: else participants whose program is
wrong in this way would see nothing but green. Besides, variants of the reference solution that leave one thing out
must not pass every example and fail a hidden check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from study_app.domain.errors import Problem, SandboxUnavailable
from study_app.domain.tasks.checks import Check
from study_app.domain.tasks.omissions import omissions
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import CheckResult
from study_app.ports import Sandbox
from study_app.services.grading.grading import grade

DRAWS = (0, 1, 2)
"""Grading seeds under each of which a wrong program must fail."""


def proof_problems(sandbox: Sandbox, pack: TaskPack) -> list[Problem]:
    """Return what is not proven about the hidden checks of a pack.

    Args:
        sandbox: runs the wrong programs, by the virtual clock where the pack allows it.
        pack: the task.

    Raises:
        SandboxUnavailable: programs cannot be run.
    """
    problems = [problem for check in pack.hidden for problem in _declared(pack, check)]
    problems += [_needless(pack, check) for check in pack.examples if check.varies or check.wrong]
    named = {check.wrong for check in pack.hidden}
    problems += [
        Problem(_wrong_file(pack, name), "", "no hidden check names this program", "name it by wrong=, or delete it")
        for name in pack.wrong
        if name not in named
    ]
    problems += _omitted(sandbox, pack)
    for name, code in pack.wrong.items():
        proven = [check for check in pack.hidden if check.wrong == name and check.varies in _visible_names(pack)]
        problems += _shown(sandbox, pack, name, code, proven) if proven else []
    return problems


def _declared(pack: TaskPack, check: Check) -> Iterator[Problem]:
    file, key = str(Path(pack.folder) / "checks.py"), f"CHECKS: {check.name}"
    visible = _visible_names(pack)
    if not check.varies:
        what = "does not say which visible example it varies"
        yield Problem(file, key, what, f"add varies= with one of {_listed(visible)}; show an example if none fits")
    elif check.varies not in visible:
        what = f"varies {check.varies!r}, which is not a visible check"
        yield Problem(file, key, what, f"use one of {_listed(visible)}, or make that check visible")
    if not check.wrong:
        what = "ships no wrong program that fails it"
        yield Problem(file, key, what, 'write wrong/NAME.py without this behaviour and add wrong="NAME"')
    elif check.wrong not in pack.wrong:
        what = f"names the wrong program {check.wrong!r}, but there is no wrong/{check.wrong}.py"
        yield Problem(file, key, what, "add the file, or correct the name")


def _needless(pack: TaskPack, check: Check) -> Problem:
    file, key = str(Path(pack.folder) / "checks.py"), f"CHECKS: {check.name}"
    return Problem(file, key, "is visible, and has varies= or wrong=", "remove them; they belong to hidden checks")


def _shown(sandbox: Sandbox, pack: TaskPack, name: str, code: str, checks: Sequence[Check]) -> Iterator[Problem]:
    """Problems of one wrong program: it passes what it should fail, or fails whatever there is."""
    file = _wrong_file(pack, name)
    examples = _verdicts(sandbox, pack, pack.examples, code, DRAWS[0])
    # A check of what the program uses looks at what other calls did, so it needs their company.
    company = pack.examples if any(check.source for check in checks) else ()
    by_draw = [_verdicts(sandbox, pack, [*checks, *company], code, run_seed) for run_seed in DRAWS]
    for check in checks:
        passed = [seed for seed, verdicts in zip(DRAWS, by_draw, strict=True) if verdicts[check.name].passed]
        if passed:
            what = f"passes the hidden check {check.name!r} (grading seed {passed[0]}), which it should fail"
            yield Problem(
                file, check.name, what, "make the program wrong in this, or let the check draw calls that show it"
            )
        elif examples[check.varies].passed:
            what = f"fails {check.name!r} but passes {check.varies!r}, the visible example that this check varies"
            remedy = "show an example that this program fails, so that participants can see and try the behaviour"
            yield Problem(file, check.name, what, remedy)
    varied = {check.varies for check in checks}
    others = [check.name for check in pack.examples if check.case is not None and check.name not in varied]
    if others and not any(examples[name].passed for name in others):
        what = "fails every visible example, so it says nothing about the checks that name it"
        yield Problem(file, "", what, "write a program that is right but for one behaviour")


def _omitted(sandbox: Sandbox, pack: TaskPack) -> Iterator[Problem]:
    """Parts that the reference solution can do without as far as the examples show, and hidden checks ask for."""
    try:
        variants = omissions(pack.solution, pack.starter)
    except (SyntaxError, ValueError, RecursionError):
        return
    for variant in variants:
        # The examples alone first: for a variant that fails one of them nothing hidden has to be run.
        if not all(
            verdict.passed for verdict in _verdicts(sandbox, pack, pack.examples, variant.code, DRAWS[0]).values()
        ):
            continue
        failed = [
            verdict.name
            # With the examples, at whose calls a check of what the program uses looks, too.
            for verdict in _verdicts(sandbox, pack, [*pack.hidden, *pack.examples], variant.code, DRAWS[0]).values()
            if not (verdict.visible or verdict.passed)
        ]
        if failed:
            what = f"without {variant.what} it passes every visible example and fails the hidden check {failed[0]!r}"
            remedy = "show an example that fails without this, so that participants can see and try the behaviour"
            yield Problem(str(Path(pack.folder) / "solution.py"), f"line {variant.line}", what, remedy)


def _verdicts(
    sandbox: Sandbox, pack: TaskPack, checks: Sequence[Check], code: str, run_seed: int
) -> dict[str, CheckResult]:
    graded = grade(sandbox, replace(pack, checks=tuple(checks)), code, clock="virtual", seeds=1, run_seed=run_seed)
    if graded.inconclusive:
        raise SandboxUnavailable(f"the machine is too busy: {graded.inconclusive}")
    return {verdict.name: verdict for verdict in graded.checks}


def _visible_names(pack: TaskPack) -> list[str]:
    return [check.name for check in pack.examples]


def _wrong_file(pack: TaskPack, name: str) -> str:
    return str(Path(pack.folder) / "wrong" / f"{name}.py")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
