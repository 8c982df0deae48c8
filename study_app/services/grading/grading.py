"""Grades programs: every check in fresh processes that know only their input, every verdict in this one.

What counts is decided by the virtual clock where the pack allows it, then held against real time: see `grading`.
Instant answers (visible examples) and simulated participants are judged by the virtual clock alone, unless it cannot be
trusted.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from random import Random

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.checks import Case, Check, Observation
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import Grade, RunClock
from study_app.ports import Sandbox
from study_app.services.grading.check_verdicts import CheckVerdict, in_real_time, ran_over, result_of, worse
from study_app.services.grading.evidence import CallRuns, RealTimeCall, made_twice
from study_app.services.grading.observation import Attempt, How, alike, observe_series
from study_app.services.grading.references import Expected, References, TooBusy
from study_app.services.grading.text import (
    called_names,
    inspect_text,
    names_wanted,
    suspicious_imports,
)
from study_app.services.grading.verdicts import wrong

SEEDS = 3
"""Scheduler seeds under which a check of a concurrent program must hold."""

_references = References()


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
        seeds: scheduler seeds per check; None for three where the result counts, else one. One is enough where nothing
            is concurrent, and used there.
        run_seed: hidden inputs and scheduler seeds are drawn from it; None draws it.
        executor: runs the programs' waiting; by default threads of this call's own.

    Returns:
        The verdict, check by check; `inconclusive` where the machine was too busy for one.

    Raises:
        SandboxUnavailable: programs could not be run; the participant is not to blame and nothing is decided.
    """
    seeds = seeds or (SEEDS if clock == "real" else 1)
    grading = _Grading(sandbox, pack, code, clock, executor, counts=True)
    return grading.of(pack.checks, seeds, run_seed)


def expected_of(sandbox: Sandbox, pack: TaskPack, check: Check, *, run_seed: int = 0) -> Observation | None:
    """Return what a check expects: as its author states it, else as the reference solution does it.

    None for source checks.

    Raises:
        SandboxUnavailable: the reference solution did not come to an end, or could not be timed.
    """
    case = check.drawn(run_seed)
    if case is None:
        return None
    try:
        return _references.expected(sandbox, pack, check, case).observation
    except TooBusy as busy:
        raise SandboxUnavailable(str(busy)) from None


def run_visible(
    sandbox: Sandbox, pack: TaskPack, code: str, *, run_seed: int = 0, executor: Executor | None = None
) -> Grade:
    """Try the visible examples only, at once (by the virtual clock where the pack allows it).

    Raises:
        SandboxUnavailable: programs could not be run.
    """
    grading = _Grading(sandbox, pack, code, "virtual", executor, counts=False)
    return grading.of(pack.examples, SEEDS, run_seed)


class _Grading:
    """One grading of one program.

    Args:
        counts: real time is held against a control; instant answers do without.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        pack: TaskPack,
        code: str,
        clock: RunClock,
        executor: Executor | None,
        *,
        counts: bool,
    ) -> None:
        self.sandbox, self.pack, self.code, self.clock, self.counts = sandbox, pack, code, clock, counts
        self.runs = CallRuns(sandbox, pack, code, executor)
        self.virtual = pack.settings.clock == "virtual"
        self.regraded = False

    def of(self, checks: Sequence[Check], seeds: int, run_seed: int | None) -> Grade:
        """Judge the checks."""
        run_seed = secrets.randbits(31) if run_seed is None else run_seed
        # Nothing is scheduled without a runner: more seeds would repeat the same run.
        seeds = seeds if self.pack.settings.runner != "none" else 1
        # From the grading's own seed, so that a verdict can be repeated; three orders of tasks, for a race may show
        # under one of them only.
        scheduler = tuple(Random(f"{run_seed}:scheduler").sample(range(2**31), seeds))
        # What a person may look at belongs to what counts; an instant answer does without.
        found = inspect_text(self.sandbox, self.pack, self.code, scheduler[0]) if self.counts else None
        calls = [(check, case) for check in checks if (case := check.drawn(run_seed)) is not None]
        verdicts, called = self._verdicts_and_names(checks, calls, scheduler)
        results = [result_of(check, verdicts.get(id(check)), self.code, called) for check in checks]
        error = next((v.result for v in verdicts.values() if v.wrong and v.result and v.result.error_type), None)
        return Grade(
            checks=tuple(results),
            clock=self.clock,
            run_seed=run_seed,
            scheduler_seeds=scheduler,
            isolation=self.sandbox.isolation().level,
            regraded_on_real_clock=self.regraded,
            error_type=error.error_type if error else None,
            error_message=error.error_message if error else None,
            error_line=error.error_line if error else None,
            review=suspicious_imports(found) if found else (),
            inconclusive=next((verdict.open for verdict in verdicts.values() if verdict.open), None),
            repeats=sum(verdict.repeats for verdict in verdicts.values()) if self.counts else 0,
        )

    def _verdicts_and_names(
        self, checks: Sequence[Check], calls: list[tuple[Check, Case]], seeds: Sequence[int]
    ) -> tuple[dict[int, CheckVerdict], frozenset[str]]:
        """Return the calls' verdicts, and which names the program calls; for an instant answer found side by side."""
        if self.counts or not names_wanted(checks):
            verdicts = self._calls(calls, seeds)
            reached = [one for one in calls if not ran_over(verdicts[id(one[0])])]
            return verdicts, self._called(checks, reached, seeds[0])
        with ThreadPoolExecutor(1) as pool:
            called = pool.submit(self._called, checks, calls, seeds[0])
            return self._calls(calls, seeds), called.result()

    def _called(self, checks: Sequence[Check], calls: list[tuple[Check, Case]], seed: int) -> frozenset[str]:
        wanted = names_wanted(checks)
        if not wanted:
            return frozenset()
        how = How(seed, "virtual" if self.virtual else "real")
        return called_names(self.sandbox, self.pack, self.code, wanted, [case for _, case in calls], how)

    def _calls(self, calls: list[tuple[Check, Case]], seeds: Sequence[int]) -> dict[int, CheckVerdict]:
        """Return a verdict for each check that makes a call, by the check's identity."""
        references = self.runs.side_by_side(lambda one: self._expected(*one), calls, waits=not self.virtual)
        expected = {id(check): found for (check, _), found in zip(calls, references, strict=True)}
        verdicts = {key: CheckVerdict(open=str(busy)) for key, busy in expected.items() if isinstance(busy, TooBusy)}
        known = {key: found for key, found in expected.items() if isinstance(found, Expected)}
        calls = [one for one in calls if id(one[0]) in known]
        if not self.virtual:
            jobs = [RealTimeCall(check, case, known[id(check)], seed, False) for check, case in calls for seed in seeds]
            return verdicts | self._really(jobs)
        verdicts |= self._virtually(calls, known, seeds)
        jobs = [
            RealTimeCall(check, case, known[id(check)], seeds[0], id(check) not in self._suspicious)
            for check, case in calls
            if self._needs_real_time(check, verdicts[id(check)])
        ]
        really = self._really(jobs)
        return verdicts | really

    def _expected(self, check: Check, case: Case) -> Expected | TooBusy:
        try:
            return _references.expected(self.sandbox, self.pack, check, case)
        except TooBusy as busy:
            return busy

    def _before_any_call(
        self, calls: list[tuple[Check, Case]], expected: dict[int, Expected], seed: int, first: Attempt
    ) -> dict[int, CheckVerdict]:
        """Return the verdicts of a program that a limit ends before it comes to any call; none of any other.

        `first` is what came of the first call by the virtual clock.

        It would take its whole time for each call; one in real time shows that the virtual clock is not the reason.
        """
        if not first.never_called:
            return {}
        check, case = calls[0]
        self.regraded = True
        job = RealTimeCall(check, case, expected[id(check)], seed, False)
        [found] = self.runs.in_real_time([job], controlled=self.counts)
        certain = found.judgement.wrong is not None and found.judgement.open is None
        if not (certain and found.attempt.never_called):
            return {}
        return {id(one): replace(in_real_time(job, found), case=case, repeats=0) for one, case in calls}

    def _virtually(
        self, calls: list[tuple[Check, Case]], expected: dict[int, Expected], seeds: Sequence[int]
    ) -> dict[int, CheckVerdict]:
        """By the virtual clock, the first scheduler seed ahead: what fails under it need not run under the others."""
        self._suspicious: set[int] = set()
        verdicts = {} if self.counts else self._at_once(calls, expected, seeds)
        waiting = [one for one in calls if id(one[0]) not in verdicts]
        # One call ahead of the others: they need not be made where it shows that none is reached.
        ahead = [self.runs.virtually(case, expected[id(check)], seeds[0]) for check, case in waiting[:1]]
        if ahead and (early := self._before_any_call(waiting, expected, seeds[0], ahead[0])):
            return verdicts | early
        for batch in (seeds[:1], seeds[1:]):
            jobs = [(check, case, seed) for check, case in waiting for seed in batch]
            attempts = ahead + self.runs.side_by_side(
                lambda job: self.runs.virtually(job[1], expected[id(job[0])], job[2]), jobs[len(ahead) :], waits=False
            )
            ahead = []
            for (check, case, _), attempt in zip(jobs, attempts, strict=True):
                self._take(check, case, expected[id(check)].observation, attempt, verdicts)
            waiting = [one for one in waiting if self._holds_so_far(one[0], verdicts)]
        return verdicts

    def _at_once(
        self, calls: list[tuple[Check, Case]], expected: dict[int, Expected], seeds: Sequence[int]
    ) -> dict[int, CheckVerdict]:
        """Return what all calls made in one process settle.

        Those that are right, functions that do the same at each, and a program that a limit ends before any of them.

        A call that failed after others may have failed because of them; it is left for its own process.
        """
        jobs = [(check, case, seed) for seed in seeds for check, case in calls]
        if not jobs:
            return {}
        series = observe_series(self.sandbox, self.pack, self.code, [job[1:] for job in jobs])
        if series.stuck is not None:
            return self._without_stuck(jobs[series.stuck][0], series.made[0], calls, expected, seeds)
        by_function: dict[str, list[Attempt]] = {}
        by_check: dict[int, list[Attempt]] = {}
        for (check, case, _), attempt in zip(jobs, series.made, strict=False):
            by_function.setdefault(case.function, []).append(attempt)
            by_check.setdefault(id(check), []).append(attempt)
        verdicts = {}
        for check, case in calls:
            made = by_check.get(id(check), [])
            found = [wrong(check, expected[id(check)].observation, attempt.seen) for attempt in made]
            right = not any(found) and not any(attempt.seen.suspicious for attempt in made)
            never = any(attempt.seen.missing for attempt in made)
            if len(made) == len(seeds) and (right or never or alike(by_function[case.function])):
                verdicts[id(check)] = CheckVerdict(found[0], case=case, result=made[0].result)
        return verdicts

    def _without_stuck(
        self,
        stuck: Check,
        attempt: Attempt,
        calls: list[tuple[Check, Case]],
        expected: dict[int, Expected],
        seeds: Sequence[int],
    ) -> dict[int, CheckVerdict]:
        """Return what the other calls settle, beside the verdict of one that does not end."""
        others = [one for one in calls if one[0] is not stuck]
        case = next(case for check, case in calls if check is stuck)
        fault = wrong(stuck, expected[id(stuck)].observation, attempt.seen)
        return {
            id(stuck): CheckVerdict(fault, case=case, result=attempt.result),
            **self._at_once(others, expected, seeds),
        }

    def _take(
        self, check: Check, case: Case, expected: Observation, attempt: Attempt, verdicts: dict[int, CheckVerdict]
    ) -> None:
        if attempt.seen.suspicious:
            self._suspicious.add(id(check))
        before = verdicts.get(id(check))
        if before is None or before.wrong is None:
            verdicts[id(check)] = CheckVerdict(wrong(check, expected, attempt.seen), case=case, result=attempt.result)

    def _holds_so_far(self, check: Check, verdicts: dict[int, CheckVerdict]) -> bool:
        return verdicts[id(check)].wrong is None and id(check) not in self._suspicious

    def _needs_real_time(self, check: Check, verdict: CheckVerdict) -> bool:
        """Return where the virtual clock cannot be trusted, and where a report it rests on could be forged."""
        if id(check) in self._suspicious:
            self.regraded = True
            return True
        # What is wrong by the virtual clock is wrong; what is right rests on a report that the program could forge,
        # where times count.
        return self.clock == "real" and check.timed and verdict.wrong is None

    def _really(self, jobs: list[RealTimeCall]) -> dict[int, CheckVerdict]:
        """Verdicts of calls made in real time; a function that is found to block fails every timed check of it."""
        twice = made_twice(jobs) if self.counts and self.pack.settings.runner != "none" else []
        settled = self.runs.in_real_time([*jobs, *twice], controlled=self.counts)
        verdicts: dict[int, CheckVerdict] = {}
        # The calls made twice stand behind the others, and are taken up below.
        for job, found in zip(jobs, settled, strict=False):
            verdicts[id(job.check)] = worse(verdicts.get(id(job.check)), in_real_time(job, found))
        for job, found in zip(twice, settled[len(jobs) :], strict=True):
            verdicts[id(job.check)] = worse(verdicts[id(job.check)], in_real_time(job, found))
            for other in jobs:
                if other.case.function == job.case.function and other.check.timed and not found.judgement.passed:
                    verdicts[id(other.check)] = worse(
                        verdicts[id(other.check)], in_real_time(other, replace(found, repeats=0))
                    )
        return verdicts


__all__ = ["SEEDS", "expected_of", "grade", "run_visible"]
