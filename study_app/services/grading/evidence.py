"""Runs the calls of one grading: by the virtual clock, in real time beside a control, and again alone where need be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from study_app.domain.tasks.checks import Case, Check, side_by_side
from study_app.domain.tasks.packs import TaskPack
from study_app.ports import Sandbox
from study_app.services.grading.observation import Attempt, How, observe
from study_app.services.grading.references import Expected
from study_app.services.grading.verdicts import Judgement, judge_in_real_time, judge_made_twice, late

REPEATS = 5
"""Times that a call which the machine disturbed is made again, alone."""
_SPARE_VIRTUALLY, _SPARE_REALLY = 4.0, 12.0
"""Seconds beyond what a right program waits and may compute: it may wait before its call, too, which only real time
shows."""
LONGEST_SECONDS = 300.0
"""For which calls of one program are repeated; the others wait for their gradings meanwhile."""
_CONFIRMATIONS = 2
"""Attempts that have to agree that a call is wrong in real time only."""
_MOST_OVER = 3
"""Repeats alone that a limit ends; what ran into one among others is taken to do so again after these."""
_VIRTUAL_WORKERS, _REAL_WORKERS = 24, 64
ALONE = threading.Lock()
"""Held by a run that must have this server to itself."""

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class RealTimeCall:
    """One call to judge in real time."""

    check: Check
    case: Case
    expected: Expected
    seed: int
    proven: bool
    """The virtual clock found it right."""
    twice: bool = False
    """The case is one call made twice at the same time, to see whether it takes longer than once."""


@dataclass(frozen=True)
class CallOutcome:
    """What all attempts at one call came to."""

    judgement: Judgement
    attempt: Attempt
    """The last one."""
    repeats: int
    """Attempts after the first."""


def made_twice(jobs: Iterable[RealTimeCall]) -> list[RealTimeCall]:
    """For each function the longest of the calls, to be made twice at the same time in one nursery.

    A function that blocks the event loop takes twice as long then, whatever it reports of itself. Left out are calls
    whose arguments are objects of the prelude, which two calls would share, and functions whose reference blocks.
    """
    longest: dict[str, RealTimeCall] = {}
    for job in jobs:
        shares = job.case.beside or "$name" in repr((job.case.args, job.case.kwargs))
        before = longest.get(job.case.function)
        if not (shares or job.expected.blocks or not job.check.timed):
            longest[job.case.function] = max(
                before or job, job, key=lambda one: one.expected.observation.seconds or 0.0
            )
    return [replace(job, case=side_by_side(job.case, job.case), twice=True) for job in longest.values()]


class CallRuns:
    """Makes the calls of one program.

    Args:
        sandbox: runs them.
        pack: the task.
        code: the program.
        executor: runs their waiting; None for threads of each batch's own.
    """

    def __init__(self, sandbox: Sandbox, pack: TaskPack, code: str, executor: Executor | None) -> None:
        self.sandbox, self.pack, self.code, self.executor = sandbox, pack, code, executor
        self._over: list[Judgement] = []
        """What was certain of repeats alone that a limit ended."""
        self._until = time.monotonic() + LONGEST_SECONDS
        self._gave_up = False
        """A call stayed open after all its repeats: there is no verdict, whatever the others come to."""

    def side_by_side(self, function: Callable[[Given], Found], given: Iterable[Given], *, waits: bool) -> list[Found]:
        """Call a function for each of the given, at the same time; `waits` where most of its time is waiting."""
        wanted = list(given)
        if not wanted or self.executor is not None:
            return list(self.executor.map(function, wanted)) if self.executor else []
        if len(wanted) == 1:
            return [function(wanted[0])]
        with ThreadPoolExecutor(min(len(wanted), _REAL_WORKERS if waits else _VIRTUAL_WORKERS)) as pool:
            return list(pool.map(function, wanted))

    def virtually(self, case: Case, expected: Expected, seed: int) -> Attempt:
        """Make a call by the virtual clock."""
        longest = self.pack.limits.cpu_seconds + _SPARE_VIRTUALLY
        how = How(seed, "virtual", report_bytes=expected.report_bytes, longest=longest)
        return observe(self.sandbox, self.pack, self.code, case, how)

    def in_real_time(self, jobs: list[RealTimeCall], *, controlled: bool) -> list[CallOutcome]:
        """Make calls in real time until each is settled.

        All are made at once. One that the machine disturbed, and one that is wrong by its moments alone, is made
        again, alone on this server, until it is right or its being wrong is confirmed by a control that was on time.
        """
        if not controlled:
            return [self._uncontrolled(job, attempt) for job, attempt in self._batch(jobs, 0, controlled=False)]
        first = [(job, attempt, [self._judge(job, attempt)]) for job, attempt in self._batch(jobs, 0, controlled=True)]
        # Where the control was on time, being wrong is confirmed for all at once.
        doubtful = [one for one in first if one[2][0].wrong and not one[2][0].open and not _decided(one[2])]
        for (_, _, history), (job, attempt) in zip(
            doubtful, self._batch([job for job, _, _ in doubtful], 1, controlled=True), strict=True
        ):
            history.append(self._judge(job, attempt))
        # Calls made twice go first: what a function's blocking has decided already need not be repeated alone.
        settled = {
            id(one[0]): CallOutcome(Judgement(), one[1], 0) if _wrong_already(one[0], first) else self._settle(*one)
            for one in first
            if one[0].twice
        }
        blocking = {
            job.case.function: found.judgement
            for job in jobs
            if job.twice and (found := settled[id(job)]).judgement.wrong and not found.judgement.open
        }
        for job, attempt, history in first:
            if not job.twice:
                known = blocking.get(job.case.function) if job.check.timed else None
                settled[id(job)] = (
                    self._settle(job, attempt, history)
                    if known is None or _decided(history)
                    else CallOutcome(known, attempt, len(history) - 1)
                )
        return [settled[id(job)] for job in jobs]

    def _batch(self, jobs: list[RealTimeCall], number: int, *, controlled: bool) -> list[tuple[RealTimeCall, Attempt]]:
        attempts = self.side_by_side(lambda job: self._attempt(job, number, controlled), jobs, waits=True)
        return list(zip(jobs, attempts, strict=True))

    def _attempt(self, job: RealTimeCall, number: int, controlled: bool) -> Attempt:
        seconds = job.expected.observation.seconds
        # By a check that times nothing a slow program is right, too.
        longest = None
        if job.check.timed and seconds is not None:
            longest = seconds + job.check.tolerance + self.pack.limits.cpu_seconds + _SPARE_REALLY
        how = How(job.seed, "real", controlled, number, job.expected.report_bytes, longest)
        return observe(self.sandbox, self.pack, self.code, job.case, how)

    def _judge(self, job: RealTimeCall, attempt: Attempt) -> Judgement:
        expected = job.expected
        if job.twice:
            return judge_made_twice(job.check, expected.observation, attempt)
        return judge_in_real_time(
            job.check, expected.observation, attempt, proven=job.proven, may_block=expected.blocks
        )

    def _settle(self, job: RealTimeCall, attempt: Attempt, history: list[Judgement]) -> CallOutcome:
        """Repeat a call alone until it is decided; a program that runs into its limits each time is not waited for."""
        while not _decided(history) and len(history) <= REPEATS and not self._gave_up:
            # A program that loops for ever would otherwise hold the lock for its whole limit at every call, and
            # everybody's grading with it.
            if attempt.ran_over and len(self._over) >= _MOST_OVER:
                return CallOutcome(self._over[-1], attempt, len(history) - 1)
            if time.monotonic() > self._until:
                history.append(replace(history[-1], open=history[-1].open or late(attempt.lag or 0.0)))
                break
            # Beside 60 other calls this one would be late again for the same reason. The lock is the whole server's,
            # not this grading's.
            with ALONE:
                attempt = self._attempt(job, len(history), True)
            history.append(self._judge(job, attempt))
            if attempt.ran_over and _confirmed(history[-1:]):
                self._over.append(history[-1])
        # One check without a verdict leaves the program without one, so that the other repeats would change nothing.
        self._gave_up |= _outcome(history).open is not None
        return CallOutcome(_outcome(history), attempt, len(history) - 1)

    def _uncontrolled(self, job: RealTimeCall, attempt: Attempt) -> CallOutcome:
        """For instant answers, which count for nothing: a second look where the first was wrong."""
        judgement = self._judge(job, attempt)
        if judgement.passed or not job.check.timed or attempt.ran_over:
            return CallOutcome(judgement, attempt, 0)
        attempt = self._attempt(job, 1, controlled=False)
        return CallOutcome(self._judge(job, attempt), attempt, 1)


def _wrong_already(twice: RealTimeCall, made: list[tuple[RealTimeCall, Attempt, list[Judgement]]]) -> bool:
    """Return whether each call that a call made twice could show to block is certainly wrong without it."""
    function = twice.case.function
    return all(
        _confirmed(history)
        for job, _, history in made
        if not job.twice and job.case.function == function and job.check.timed
    )


def _decided(history: list[Judgement]) -> bool:
    return history[-1].passed or _confirmed(history)


def _confirmed(history: list[Judgement]) -> bool:
    """Return whether it is certain that the call is wrong."""
    # What is open says that the machine was late; it speaks neither for nor against the program.
    certain = [one for one in history if one.wrong is not None and one.open is None]
    return len(certain) >= _CONFIRMATIONS or any(one.firm for one in certain)


def _outcome(history: list[Judgement]) -> Judgement:
    # Right once in real time is right: a machine can make a program late, and never early. What confirms that it is
    # wrong is the last attempt, too, for none is made after it.
    if _decided(history):
        return history[-1]
    return next((one for one in reversed(history) if one.open is not None), history[-1])
