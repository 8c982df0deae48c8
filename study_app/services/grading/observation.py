"""Makes one graded call in a separate process and says what was seen, by the parent's clock wherever it counts."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.checks import Case, Line, Observation
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import Program, RunClock, RunResult
from study_app.domain.tasks.reports import REPORT_BYTES, ReportedCall, ReportError, parse_call, parse_series
from study_app.domain.tasks.sentences import sentence
from study_app.domain.tasks.values import same_value
from study_app.ports import Sandbox

LIMITS = ("time", "cpu", "memory", "output")
"""Ends of a run by a limit."""
_LONGEST_STEP = 0.25
"""Seconds that one step of a task may take before it counts as blocking the loop."""
_STUCK_SHARE = 0.8
"""Of the time of a series: a call that took so much of it would have met the limit alone, too."""
_TRUSTED_REPORT_BYTES = 4_000_000
"""Of the reference solution, which its author wrote."""


@dataclass(frozen=True)
class Attempt:
    """One graded call that was made."""

    seen: Observation
    result: RunResult
    size: int = 0
    """Bytes of the report."""

    @property
    def lag(self) -> float | None:
        """How late a control next to it was served at most, in seconds; None where there was none."""
        return self.result.lag_seconds

    @property
    def ran_over(self) -> bool:
        """Whether a limit ended the run."""
        return self.result.ended_by in LIMITS

    @property
    def never_called(self) -> bool:
        """Whether a limit ended the program before it came to its call, so that every other call ends so too."""
        return self.ran_over and (self.result.observation or {}).get("started") is None


@dataclass(frozen=True)
class How:
    """How a call is run."""

    seed: int
    clock: RunClock
    controlled: bool = False
    """With a control next to it, and beats of the call's event loop."""
    attempt: int = 0
    """Which repetition it is."""
    report_bytes: int = REPORT_BYTES
    longest: float | None = None
    """Seconds after which it is ended, where that is earlier than the pack's own limit."""


def observe(sandbox: Sandbox, pack: TaskPack, code: str, case: Case, how: How) -> Attempt:
    """Run one call in a separate process and say what was seen.

    Args:
        sandbox: runs it.
        pack: whose packages, limits and runner apply.
        code: the program; it gets the call, never what is expected.
        case: the call.
        how: clock (`virtual` only for packs that allow it), seed and watching.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    # A number that no other process knows: a report with another is not from this call.
    call = case.as_call(secrets.token_hex(8), pack.settings.runner)
    if how.controlled:
        call["beats"] = True
    if how.attempt:
        call["attempt"] = how.attempt
    result = run_call(sandbox, pack, code, call, how)
    return Attempt(_observation(result, how.clock), result, _number((result.observation or {}).get("size")))


@dataclass(frozen=True)
class Series:
    """Calls made one after the other in one process."""

    made: list[Attempt]
    """Of the calls in order; fewer than asked for where the program or a limit ended the series."""
    stuck: int | None = None
    """The call at which the limit on computing time ended the series, by itself: it comes first in `made`, alone."""


def observe_series(sandbox: Sandbox, pack: TaskPack, code: str, calls: Sequence[tuple[Case, int]]) -> Series:
    """Make calls one after the other in one process by the virtual clock, and say what was seen.

    Args:
        sandbox: runs the process.
        pack: whose packages, limits and runner apply.
        code: the program.
        calls: each with its scheduler seed.

    Returns:
        What became of the calls. Where the program does not get as far as a call, the same attempt for each.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    asked = [{**case.as_call("", pack.settings.runner), "seed": seed} for case, seed in calls]
    call = {"nonce": secrets.token_hex(8), "series": asked}
    result = run_call(sandbox, pack, code, call, How(calls[0][1], "virtual"))
    raw = (result.observation or {}).get("reported")
    if ended_before_calls(result):
        return Series([Attempt(_observation(result, "real"), result)] * len(calls))
    if (stuck := _stuck(result, len(calls))) is not None:
        return Series([Attempt(_observation(result, "real"), result)], stuck)
    if result.ended_by != "exit" or not isinstance(raw, Mapping):
        return Series([])
    try:
        made = parse_series(raw, len(calls))
    except ReportError:
        return Series([])
    if made is None:
        return Series([Attempt(_observation(result, "virtual"), result)] * len(calls) if result.error_type else [])
    return Series([Attempt(_seen_in_series(one), _with_error(result, one)) for one in made])


def _stuck(result: RunResult, calls: int) -> int | None:
    """Return the call that used up the series' computing time, None where several did or another limit was met."""
    begun = _begun(result)
    if result.ended_by != "cpu" or not 0 < len(begun) <= calls:
        return None
    alone = result.wall_seconds - begun[-1] >= _STUCK_SHARE * result.wall_seconds
    return len(begun) - 1 if alone else None


def _begun(result: RunResult) -> list[float]:
    return (result.observation or {}).get("begun") or []


def alike(attempts: Sequence[Attempt]) -> bool:
    """Return whether a program did the same at every call: it printed nothing and raised or returned the same."""
    first = attempts[0]
    return not any(one.seen.lines or one.seen.suspicious or one.seen.missing for one in attempts) and all(
        one.seen.error == first.seen.error
        and same_value(one.seen.value, first.seen.value)
        and one.seen.seconds == first.seen.seconds
        and one.result.error_message == first.result.error_message
        for one in attempts
    )


def _seen_in_series(reported: ReportedCall) -> Observation:
    lines = tuple(Line(text, moment) for moment, text in reported.lines or ())
    return Observation(reported.value, lines, reported.error, reported.seconds, suspicious=_suspicious(reported))


def _with_error(result: RunResult, reported: ReportedCall) -> RunResult:
    raised = reported.raised
    if raised is None:
        return result
    return replace(result, error_type=raised.type, error_message=raised.message, error_line=raised.line)


def observe_reference(sandbox: Sandbox, pack: TaskPack, case: Case, how: How) -> Attempt:
    """As `observe`, for the reference solution, whose report may be long."""
    return observe(sandbox, pack, pack.solution, case, replace(how, report_bytes=_TRUSTED_REPORT_BYTES))


def run_call(sandbox: Sandbox, pack: TaskPack, code: str, call: dict[str, Any], how: How) -> RunResult:
    """Run a program with a call.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    limits = pack.limits
    if how.longest is not None:
        # Rounded up, so that a right program is never cut short.
        limits = replace(limits, wall_seconds=min(limits.wall_seconds, math.ceil(how.longest)))
    program = Program(
        code, pack.packages, limits, how.seed, how.clock, call, how.report_bytes, controlled=how.controlled
    )
    result = sandbox.run(program)
    if result.ended_by == "infrastructure":
        raise SandboxUnavailable("a program could not be run while grading; grade again")
    return result


def ended_before_calls(result: RunResult) -> bool:
    """Return whether a limit ended a series before its first call: each call alone would end so, too."""
    return result.ended_by in LIMITS and not _begun(result)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def reported_call(result: RunResult) -> ReportedCall | None:
    """Return what the child reported of its call, None where it reported nothing that can be read."""
    raw = (result.observation or {}).get("reported")
    if result.ended_by != "exit" or not isinstance(raw, Mapping):
        return None
    try:
        return parse_call(raw)
    except ReportError:
        return None


def _observation(result: RunResult, clock: RunClock) -> Observation:
    seen = result.observation or {}
    reported = reported_call(result)
    if reported is None:
        # By the virtual clock nothing waits: whether the program or the machine was slow is decided in real time.
        slow = clock == "virtual" and result.ended_by == "time"
        return Observation(missing=_why_nothing(result, str(seen.get("problem", ""))), suspicious=slow)
    if seen.get("forged"):
        return Observation(missing=sentence("imitates"))
    stamped = [line for line in result.lines[seen["first_line"] : seen["last_line"]] if line.stream == "stdout"]
    started, ended = seen["started"], seen["ended"]
    if clock == "virtual":
        lines, seconds = _virtual_lines(reported, [line.text for line in stamped]), reported.seconds
    else:
        lines = [Line(line.text, line.seconds - (started or 0.0)) for line in stamped]
        seconds = ended - started if ended is not None and started is not None else None
    return Observation(
        value=reported.value,
        lines=tuple(lines),
        error=reported.error,
        seconds=seconds,
        # What was never started has not run by any clock.
        suspicious=clock == "virtual" and not (started is None and reported.error) and _suspicious(reported),
        stalled=seen.get("stalled", 0.0),
    )


def _virtual_lines(reported: ReportedCall, texts: list[str]) -> list[Line]:
    """Lines by the virtual clock, in the parent's cleaned text where the two lists agree in length."""
    lines = [Line(text, moment) for moment, text in reported.lines or ()]
    if len(lines) == len(texts):
        return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
    return lines


def _suspicious(reported: ReportedCall) -> bool:
    waits = reported.blocked_seconds > 0 or reported.longest_step > _LONGEST_STEP
    return waits or reported.threads > 0 or reported.clock_reads > 0


def _why_nothing(result: RunResult, problem: str) -> str:
    if result.ended_by != "exit":
        lines = result.stderr.strip().splitlines()
        return lines[-1] if lines else sentence("stopped", why=result.ended_by)
    return problem or sentence("ended_early")
