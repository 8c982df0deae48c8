"""Proves that a variant cannot be done as described, and that its twin can.

The twin's solution must pass all hidden checks of the variant and fail exactly one visible one, the one that asks for
what cannot be had. The hack must pass every visible check and fail a hidden one: so the examples can be satisfied, but
not by doing the task. The twin must be sound, so that the two differ in nothing but this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from study_app.domain.errors import Problem, SandboxUnavailable, present
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import CheckResult
from study_app.ports import Sandbox
from study_app.services.grading.grading import grade
from study_app.services.grading.proofs.packs import DRAWS

_KEY = "variant.of"


def variant_problems(sandbox: Sandbox, pack: TaskPack, of_twin: Sequence[Problem]) -> list[Problem]:
    """Return what is not proven of a variant.

    Args:
        sandbox: runs the twin's solution and the hack.
        pack: the variant.
        of_twin: what is wrong with the twin, by the proofs of any other pack.

    Raises:
        SandboxUnavailable: programs cannot be run.
    """
    if of_twin:
        twin = present(pack.twin, "the twin of a variant")
        what = f"its twin {twin.id} cannot be solved or is not sound ({of_twin[0]})"
        return [Problem(_file(pack, "task.toml"), _KEY, what, "correct the twin: only then the variant says anything")]
    by_draw = [_verdicts(sandbox, pack, run_seed) for run_seed in DRAWS]
    problems = [problem for solved, _ in by_draw[:1] for problem in _of_examples(pack, solved)]
    problems += _of_hidden(pack, [solved for solved, _ in by_draw])
    return [*problems, *_of_hack(pack, [hacked for _, hacked in by_draw])]


def _verdicts(
    sandbox: Sandbox, pack: TaskPack, run_seed: int
) -> tuple[tuple[CheckResult, ...], tuple[CheckResult, ...]]:
    """Return the verdicts on the twin's solution and on the hack, for one draw of the hidden checks."""
    twin = present(pack.twin, "the twin of a variant")
    return _graded(sandbox, pack, twin.solution, run_seed), _graded(sandbox, pack, pack.hack, run_seed)


def _graded(sandbox: Sandbox, pack: TaskPack, code: str, run_seed: int) -> tuple[CheckResult, ...]:
    graded = grade(sandbox, pack, code, clock="virtual", seeds=1, run_seed=run_seed)
    if graded.inconclusive:
        raise SandboxUnavailable(f"the machine is too busy: {graded.inconclusive}")
    return graded.checks


def _of_examples(pack: TaskPack, solved: Sequence[CheckResult]) -> Iterator[Problem]:
    failed = [check.name for check in solved if check.visible and not check.passed]
    if not failed:
        what = "the twin's solution passes every visible check, so the task can be done as described"
        yield Problem(_file(pack, "checks.py"), "CHECKS", what, "add the one visible check that cannot be met")
    elif len(failed) > 1:
        listed = ", ".join(map(repr, failed))
        what = f"the twin's solution fails {len(failed)} visible checks ({listed}); exactly one may be out of reach"
        yield Problem(_file(pack, "checks.py"), "CHECKS", what, "leave one of them, and correct the others")


def _of_hidden(pack: TaskPack, by_draw: Sequence[Sequence[CheckResult]]) -> Iterator[Problem]:
    failed = dict.fromkeys(check.name for solved in by_draw for check in solved if not (check.visible or check.passed))
    for name in failed:
        what = "the twin's solution fails this hidden check, so an honest program would count as wrong"
        yield Problem(_file(pack, "checks.py"), f"CHECKS: {name}", what, "let hidden checks ask for the task alone")


def _of_hack(pack: TaskPack, by_draw: Sequence[Sequence[CheckResult]]) -> Iterator[Problem]:
    file = _file(pack, "hack.py")
    seen = dict.fromkeys(check.name for hacked in by_draw for check in hacked if check.visible and not check.passed)
    for name in seen:
        what = f"fails the visible check {name!r}, so it does not show that the examples can be satisfied at all"
        yield Problem(file, name, what, "write a hack that passes every visible check")
    if any(all(check.passed for check in hacked if not check.visible) for hacked in by_draw):
        what = "passes every hidden check, so the task can be done after all, or the hidden checks miss hacks"
        yield Problem(file, "", what, "write a hack that does not do the task, or hide a check that it fails")


def _file(pack: TaskPack, name: str) -> str:
    return str(Path(pack.folder) / name)
