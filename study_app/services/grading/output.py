"""Runs programs whose output counts: what the wall limit ended is run again, alone, before it decides anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import Program, RunLimits, RunResult
from study_app.ports import Sandbox
from study_app.services.grading.evidence import ALONE, REPEATS
from study_app.services.grading.verdicts import CLEARLY, QUIET, late

LIMITS = RunLimits(wall_seconds=10.0)
LONGER = 6.0
"""Times the wall limit that a repetition has: long enough for a busy machine, so that the CPU limit decides."""
_NO_CONTROL = "the run came to its wall limit and no control process ran with it"


@dataclass(frozen=True)
class Output:
    """What a program printed, or why it is not known."""

    text: str
    repeats: int
    """Runs after the first."""
    open: str | None = None
    """Why nothing is decided, None where it is."""


def output_of(sandbox: Sandbox, program: Program) -> Output:
    """Run a program and give its standard output.

    A run that its wall limit ended is made again, alone on this server, with a longer limit and a control process.
    It counts as the program's doing where the control was on time, or was late by far less than the program.

    Args:
        sandbox: runs it.
        program: what is run; its wall limit is that of the first run.

    Raises:
        SandboxUnavailable: it could not be run.
    """
    result = _output_of(sandbox, program)
    if result.ended_by != "time":
        return Output(result.stdout, 0)
    limits = replace(program.limits, wall_seconds=LONGER * program.limits.wall_seconds)
    patient = replace(program, limits=limits, controlled=True)
    for number in range(1, REPEATS + 1):
        with ALONE:
            result = _output_of(sandbox, patient)
        if result.ended_by != "time" or _by_itself(result):
            return Output(result.stdout, number)
    reason = _NO_CONTROL if result.lag_seconds is None else late(result.lag_seconds)
    return Output("", REPEATS, reason)


def quiz_program(code: str, packages: Iterable[str]) -> Program:
    """Return a program of a bank as it is run wherever its output counts."""
    return Program(code, packages=tuple(packages), limits=LIMITS, seed=1, clock="virtual")


def _by_itself(result: RunResult) -> bool:
    """Return whether the program, and not the machine, took all that time."""
    lag = result.lag_seconds
    return lag is not None and (lag <= QUIET or result.wall_seconds > CLEARLY * lag)


def _output_of(sandbox: Sandbox, program: Program) -> RunResult:
    result = sandbox.run(program)
    if result.ended_by == "infrastructure":
        raise SandboxUnavailable("a program could not be run; it is tried again")
    return result
