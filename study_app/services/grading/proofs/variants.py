"""Proves that a variant cannot be done as described, and that its twin can.

The twin's solution must pass all hidden checks of the variant and fail exactly one visible one, the one that asks for
what cannot be had. The hack must pass every visible check and fail a hidden one: so the examples can be satisfied, but
not by doing the task. A hidden check makes the call of that example as well, so that no program passes both; and a
solution that the variant brings must not pass them all. The twin must be sound, so that the
two differ in nothing but this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from study_app.domain.errors import Problem, SandboxUnavailable, present
from study_app.domain.tasks.checks import Check, Observation
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import CheckResult
from study_app.ports import Sandbox
from study_app.services.grading.grading import expected_of, grade
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
    problems = [problem for solved, _ in by_draw[:1] for problem in _of_examples(sandbox, pack, solved)]
    problems += _of_hidden(pack, [solved for solved, _ in by_draw])
    problems += _of_own_solution(sandbox, pack)
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


def _of_examples(sandbox: Sandbox, pack: TaskPack, solved: Sequence[CheckResult]) -> Iterator[Problem]:
    failed = [check.name for check in solved if check.visible and not check.passed]
    if not failed:
        what = "the twin's solution passes every visible check, so the task can be done as described"
        yield Problem(_file(pack, "checks.py"), "CHECKS", what, "add the one visible check that cannot be met")
    elif len(failed) > 1:
        listed = ", ".join(map(repr, failed))
        what = f"the twin's solution fails {len(failed)} visible checks ({listed}); exactly one may be out of reach"
        yield Problem(_file(pack, "checks.py"), "CHECKS", what, "leave one of them, and correct the others")
    elif not _asked_hidden(sandbox, pack, failed[0]):
        what = (
            f"no hidden check makes the call of {failed[0]!r}, the example that cannot be met, and refuses what it "
            "wants: a program that treats this one call in another way would pass every check"
        )
        remedy = "hide a check with the same call that asks for the task as described"
        yield Problem(_file(pack, "checks.py"), "CHECKS", what, remedy)


def _asked_hidden(sandbox: Sandbox, pack: TaskPack, name: str) -> bool:
    """Return whether a hidden check makes the very call of an example and refuses what the example wants of it.

    An example of the source makes no call.
    """
    example = next(check for check in pack.examples if check.name == name)
    if example.case is None:
        return True
    wanted = present(expected_of(sandbox, pack, example), "what an example with a call expects")
    same = [
        check
        for check in pack.hidden
        if check.case is not None and all(check.drawn(seed) == example.drawn(seed) for seed in DRAWS)
    ]
    return any(
        _exclude(example, wanted, check, present(expected_of(sandbox, pack, check), "what a check with a call expects"))
        for check in same
    )


def _exclude(example: Check, wanted: Observation, check: Check, honest: Observation) -> bool:
    """Return whether an example and a hidden check of one call exclude each other.

    What the example leaves open is as an honest program has it; if both take that, one program can pass both.
    """
    parts = [field.name for field in fields(wanted) if getattr(wanted, field.name) != field.default]
    met = replace(honest, **{name: getattr(wanted, name) for name in parts})
    return bool(check.compare(honest, met) or example.compare(wanted, met))


def _of_hidden(pack: TaskPack, by_draw: Sequence[Sequence[CheckResult]]) -> Iterator[Problem]:
    failed = dict.fromkeys(check.name for solved in by_draw for check in solved if not (check.visible or check.passed))
    for name in failed:
        what = "the twin's solution fails this hidden check, so an honest program would count as wrong"
        yield Problem(_file(pack, "checks.py"), f"CHECKS: {name}", what, "let hidden checks ask for the task alone")


def _of_own_solution(sandbox: Sandbox, pack: TaskPack) -> Iterator[Problem]:
    """Yield a problem where the solution that the variant brings, for what checks expect, is a way to do the task."""
    if pack.solution == present(pack.twin, "the twin of a variant").solution:
        return
    if all(check.passed for run_seed in DRAWS for check in _graded(sandbox, pack, pack.solution, run_seed)):
        what = "passes every check, so the task can be done as described"
        yield Problem(_file(pack, "solution.py"), "", what, "leave the file out, and let the twin's solution say it")


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
