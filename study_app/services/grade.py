"""Grades programs: every check in fresh processes that know only their input, every verdict in this one.

The counted result comes from the real clock, by stamps that this process put on the output. The virtual clock answers
at once, for visible examples and simulated participants; where it cannot be trusted the check is repeated in real time.
"""

from __future__ import annotations

import ast
import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from study_app.domain.checks import Case, Check, Mismatch, Observation
from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks import CheckResult, Grade, RunClock, RunResult, TaskPack
from study_app.ports import Sandbox
from study_app.services.observe import observe

_LONGEST_CAUSE = 1000
SEEDS = 3
"""Scheduler seeds under which a check of a concurrent program must hold."""
_VIRTUAL_WORKERS, _REAL_WORKERS = 8, 64
_REVIEWED = {"os", "sys", "ctypes", "gc", "inspect", "importlib", "builtins", "signal", "socket", "_thread", "atexit"}


@dataclass(frozen=True, eq=False)
class _Job:
    """One program to run for a check."""

    check: Check
    case: Case
    seed: int
    clock: RunClock


class _References:
    """What the reference solution did for a case: the same for everybody, so kept."""

    def __init__(self, size: int = 4096) -> None:
        self._kept: OrderedDict[str, Observation] = OrderedDict()
        self._lock = threading.Lock()
        self._size = size

    def of(self, sandbox: Sandbox, pack: TaskPack, case: Case) -> Observation:
        """The expected observation.

        Raises:
            SandboxUnavailable: the reference solution did not come to an end.
        """
        material = json.dumps([pack.solution, pack.packages, case.as_call("", pack.settings.runner)], sort_keys=True)
        key = hashlib.sha256(material.encode()).hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        seen, result = observe(sandbox, pack, pack.solution, case, seed=0, clock=pack.settings.clock)
        if seen.missing is not None:
            raise SandboxUnavailable(f"the reference solution of {pack.id} failed on {case}: {seen.missing}")
        with self._lock:
            self._kept[key] = seen
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return seen


_references = _References()


def grade(
    sandbox: Sandbox,
    pack: TaskPack,
    code: str,
    *,
    clock: RunClock = "real",
    seeds: int | None = None,
    run_seed: int | None = None,
    executor: Executor | None = None,
) -> Grade:
    """Grade a program by all checks of its pack.

    Args:
        sandbox: runs the programs.
        pack: the task.
        code: the participant's program.
        clock: `real` for results that count; `virtual` for simulated participants (where the pack allows it).
        seeds: scheduler seeds per check; None for three in real time and one by the virtual clock. One is enough where
            nothing is concurrent, and used there.
        run_seed: hidden inputs and scheduler seeds are drawn from it; None draws it.
        executor: runs the programs' waiting; by default threads of this call's own.

    Returns:
        The verdict, check by check.

    Raises:
        SandboxUnavailable: programs could not be run; the participant is not to blame and nothing is decided.
    """
    seeds = seeds or (SEEDS if clock == "real" else 1)
    return _grade(sandbox, pack, pack.checks, code, clock, seeds, run_seed, executor)


def expected_of(sandbox: Sandbox, pack: TaskPack, check: Check, *, run_seed: int = 0) -> Observation | None:
    """What a check expects: as its author states it, else as the reference solution does it; None for source checks.

    Raises:
        SandboxUnavailable: the reference solution did not come to an end.
    """
    case = check.drawn(run_seed)
    if case is None:
        return None
    stated = check.stated(case)
    return stated if stated is not None else _references.of(sandbox, pack, case)


def run_visible(
    sandbox: Sandbox, pack: TaskPack, code: str, *, run_seed: int = 0, executor: Executor | None = None
) -> Grade:
    """Try the visible examples only, at once (by the virtual clock where the pack allows it).

    Raises:
        SandboxUnavailable: programs could not be run.
    """
    return _grade(sandbox, pack, pack.examples, code, "virtual", SEEDS, run_seed, executor)


def _grade(
    sandbox: Sandbox,
    pack: TaskPack,
    checks: Sequence[Check],
    code: str,
    clock: RunClock,
    seeds: int,
    run_seed: int | None,
    executor: Executor | None,
) -> Grade:
    run_seed = secrets.randbits(31) if run_seed is None else run_seed
    seeds = seeds if pack.settings.runner != "none" else 1
    scheduler_seeds = tuple(Random(f"{run_seed}:scheduler").sample(range(2**31), seeds))
    used: RunClock = "virtual" if clock == "virtual" and pack.settings.clock == "virtual" else "real"
    jobs = [
        _Job(check, case, seed, used)
        for check in checks
        if (case := check.drawn(run_seed)) is not None
        for seed in scheduler_seeds
    ]
    grader = _Grader(sandbox, pack, code, executor)
    verdicts = grader.judge(jobs)
    results = [_result(check, code, verdicts) for check in checks]
    error = next((verdict.result for verdict in verdicts if verdict.wrong and verdict.result.error_type), None)
    return Grade(
        checks=tuple(results),
        clock=clock,
        run_seed=run_seed,
        scheduler_seeds=scheduler_seeds,
        isolation=sandbox.isolation().level,
        regraded_on_real_clock=grader.regraded,
        error_type=error.error_type if error else None,
        error_message=error.error_message if error else None,
        error_line=error.error_line if error else None,
        review=review(code),
    )


@dataclass(frozen=True)
class _Verdict:
    job: _Job
    wrong: str | None
    result: RunResult


class _Grader:
    """Runs the jobs of one grading side by side and judges them."""

    def __init__(self, sandbox: Sandbox, pack: TaskPack, code: str, executor: Executor | None) -> None:
        self.sandbox, self.pack, self.code, self.executor = sandbox, pack, code, executor
        self.regraded = False

    def judge(self, jobs: list[_Job]) -> list[_Verdict]:
        """A verdict for each job that had to be run, in order.

        By the virtual clock the first scheduler seed goes ahead: where it shows blocking or threads, all is done again
        in real time.
        """
        one_each = list({id(job.check): job for job in jobs}.values())
        references = zip(one_each, self._all(self._expected, one_each), strict=True)
        by_check = {id(job.check): expected for job, expected in references}
        expected = {job: by_check[id(job.check)] for job in jobs}
        seen = self._seen(jobs, expected)
        jobs = [job for job in jobs if job in seen]
        late = [job for job in jobs if self._perhaps_late(job, expected[job], seen[job][0])]
        seen |= zip(late, self._all(self._run_in_real_time, late), strict=True)
        return [_Verdict(job, _wrong(job.check, expected[job], seen[job][0]), seen[job][1]) for job in jobs]

    def _seen(self, jobs: list[_Job], expected: dict[_Job, Observation]) -> dict[_Job, tuple[Observation, RunResult]]:
        virtual = [job for job in jobs if job.clock == "virtual"]
        first = [job for job in virtual if job.seed == virtual[0].seed]
        seen = dict(zip(first, self._all(self._run, first), strict=True))
        if not any(observation.suspicious for observation, _ in seen.values()):
            # A check that fails under one scheduler seed has failed: the others are for those that hold so far.
            failed = {id(job.check) for job in first if _wrong(job.check, expected[job], seen[job][0])}
            rest = [job for job in jobs if job not in seen and id(job.check) not in failed]
            seen |= zip(rest, self._all(self._run, rest), strict=True)
            if not any(observation.suspicious for observation, _ in seen.values()):
                return seen
        self.regraded = True
        return dict(zip(jobs, self._all(self._run_in_real_time, jobs), strict=True))

    def _all(self, function: Callable[[_Job], Any], jobs: list[_Job]) -> list[Any]:
        if self.executor is not None or not jobs:
            return list(self.executor.map(function, jobs)) if self.executor else []
        waiting = any(job.clock == "real" for job in jobs) or function == self._run_in_real_time
        with ThreadPoolExecutor(min(len(jobs), _REAL_WORKERS if waiting else _VIRTUAL_WORKERS)) as pool:
            return list(pool.map(function, jobs))

    def _run_in_real_time(self, job: _Job) -> tuple[Observation, RunResult]:
        return self._run(replace(job, clock="real"))

    def _expected(self, job: _Job) -> Observation:
        stated = job.check.stated(job.case)
        return stated if stated is not None else _references.of(self.sandbox, self.pack, job.case)

    def _run(self, job: _Job) -> tuple[Observation, RunResult]:
        return observe(self.sandbox, self.pack, self.code, job.case, seed=job.seed, clock=job.clock)

    def _perhaps_late(self, job: _Job, expected: Observation, seen: Observation) -> bool:
        """Whether only the moments are wrong in real time: a busy machine gets a second chance."""
        if (job.clock == "virtual" and not self.regraded) or seen.missing or _wrong(job.check, expected, seen) is None:
            return False
        return _wrong(job.check, expected, _with_times_of(expected, seen)) is None


def _with_times_of(expected: Observation, seen: Observation) -> Observation:
    moments = [line.seconds for line in expected.lines] + [line.seconds for line in seen.lines[len(expected.lines) :]]
    lines = tuple(replace(line, seconds=moment) for line, moment in zip(seen.lines, moments, strict=False))
    return replace(seen, lines=lines, seconds=expected.seconds)


def _wrong(check: Check, expected: Observation, seen: Observation) -> str | None:
    if seen.missing is not None:
        return seen.missing
    try:
        return check.compare(expected, seen)
    except RecursionError:
        return "the result is nested too deeply to compare"


def _result(check: Check, code: str, verdicts: Sequence[_Verdict]) -> CheckResult:
    if check.source is not None:
        wrong = _look(check, code)
        return CheckResult(check.name, check.visible, wrong is None, (wrong or "") if check.visible else "")
    mine = [verdict for verdict in verdicts if verdict.job.check is check]
    failed = next((verdict for verdict in mine if verdict.wrong), None)
    if failed is None or not check.visible:
        return CheckResult(check.name, check.visible, failed is None)
    return _explain(check, failed)


def _explain(check: Check, verdict: _Verdict) -> CheckResult:
    """A failed example in words and in parts."""
    wrong, call, cause = verdict.wrong or "", str(verdict.job.case), _cause(verdict)
    message = f"{call}: {wrong}" + (f" ({cause})" if cause and cause != wrong else "")
    parts = (wrong.expected, wrong.seen) if isinstance(wrong, Mismatch) else ("", "")
    return CheckResult(check.name, True, False, message, call, *parts, cause)


def _cause(verdict: _Verdict) -> str:
    result = verdict.result
    if result.error_type is None:
        return (verdict.wrong or "") if result.ended_by != "exit" else ""
    where = f" in line {result.error_line}" if result.error_line else ""
    return f"{result.error_type}{where}: {(result.error_message or '')[:_LONGEST_CAUSE]}"


def _look(check: Check, code: str) -> str | None:
    assert check.source is not None
    tree = _parse(code)
    return check.source(tree) if tree is not None else "the program is not valid Python"


def _parse(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError, UnicodeError):
        return None


def review(code: str) -> tuple[str, ...]:
    """What of a program a person may want to look at: imports that honest solutions do not need."""
    tree = _parse(code)
    if tree is None:
        return ()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Name) and node.id == "__import__":
            found.add("importlib")
    return tuple(sorted(found & _REVIEWED))
