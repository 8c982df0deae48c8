"""The judgement of one graded call: pure functions of what was expected, what was seen and how late the machine was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from study_app.domain.tasks.checks import Check, Line, Observation
from study_app.domain.tasks.sentences import sentence
from study_app.services.grading.observation import Attempt

QUIET = 0.05
"""Seconds that a control may be late on a machine that is taken as undisturbed; a third of what a moment may differ."""
OWN_LIMITS = ("cpu", "memory", "output")
"""Ends of a run that say nothing about the machine: what is counted there is the program's alone."""
CLEARLY = 4.0
"""A deviation of more than the tolerance and this many times the control's lateness is not the machine's."""


@dataclass(frozen=True)
class Judgement:
    """What one attempt says about a check."""

    wrong: str | None = None
    """What is wrong, None where nothing is."""
    open: str | None = None
    """Why the attempt decides nothing, None where it does."""
    firm: bool = False
    """It is wrong whatever the moments were: no second attempt is needed to be sure."""

    @property
    def passed(self) -> bool:
        """Nothing is wrong, and that is certain."""
        return self.wrong is None and self.open is None


def wrong(check: Check, expected: Observation, seen: Observation) -> str | None:
    """Return what is wrong with what was seen, whatever the reason; None where nothing is."""
    if seen.missing is not None:
        return seen.missing
    try:
        return check.compare(expected, seen)
    except RecursionError:
        return sentence("too_deep")


def judge_in_real_time(
    check: Check, expected: Observation, attempt: Attempt, *, proven: bool, may_block: bool = False
) -> Judgement:
    """Judge one call that was made in real time.

    Args:
        check: what is judged.
        expected: what the reference solution did.
        attempt: what was seen, and how late the control next to it was.
        proven: the virtual clock found the call right, so that real time only has to agree.
        may_block: the reference solution blocks its event loop, too.
    """
    found = _wrong_in_real_time(check, expected, attempt.seen, may_block)
    if found is None:
        return Judgement()
    # A busy machine makes a program wait and not compute: processor time, memory and output are counted for it alone.
    if attempt.result.ended_by in OWN_LIMITS:
        return Judgement(found, firm=True)
    lag = attempt.lag or 0.0
    excess = _excess(check, expected, attempt, may_block)
    if not check.timed and excess is None:
        return Judgement(found, firm=True)
    if proven and excess is not None and excess <= lag:
        return Judgement()  # No later than the machine itself.
    clearly = excess is not None and excess > CLEARLY * lag
    if lag > QUIET and not clearly:
        return Judgement(found, late(lag))
    return Judgement(found, firm=not proven and (excess is None or attempt.ran_over))


def judge_made_twice(check: Check, expected: Observation, attempt: Attempt) -> Judgement:
    """Judge a call that was made twice at the same time: only how long the two took together.

    Two calls may disturb each other by what the program keeps in global names, so their lines and results say nothing.

    Args:
        check: what is judged.
        expected: what the reference solution did once.
        attempt: the two calls in one process.
    """
    seen, usual = attempt.seen, expected.seconds
    took = attempt.result.wall_seconds if attempt.result.ended_by == "time" else seen.seconds
    if took is None or usual is None or took - usual <= check.tolerance:
        return Judgement()
    excess, lag = took - usual - check.tolerance, attempt.lag or 0.0
    if excess <= lag:
        return Judgement()
    found = sentence("blocks_twice", seen=f"{took:.1f}", expected=f"{usual:.1f}")
    doubtful = lag > QUIET and excess <= CLEARLY * lag
    return Judgement(found, late(lag) if doubtful else None, firm=attempt.ran_over and not doubtful)


def _wrong_in_real_time(check: Check, expected: Observation, seen: Observation, may_block: bool) -> str | None:
    found = wrong(check, expected, seen)
    if found is None and check.timed and not may_block and seen.stalled > check.tolerance:
        return sentence("blocks", seconds=f"{seen.stalled:.1f}")
    return found


def _excess(check: Check, expected: Observation, attempt: Attempt, may_block: bool) -> float | None:
    """Seconds beyond the tolerance by which moments differ, where nothing but moments does; else None."""
    seen = attempt.seen
    if attempt.result.ended_by == "time":
        return attempt.result.wall_seconds - (expected.seconds or 0.0) - check.tolerance
    if seen.missing is not None or wrong(check, expected, with_times_of(expected, seen)) is not None:
        return None
    differences = [abs(got.seconds - want) for got, want in zip(seen.lines, _moments(expected, seen), strict=False)]
    if expected.seconds is not None and seen.seconds is not None:
        differences.append(abs(seen.seconds - expected.seconds))
    if not may_block:
        differences.append(seen.stalled)
    return max(differences, default=0.0) - check.tolerance


def _moments(expected: Observation, seen: Observation) -> list[float]:
    rest = seen.lines[len(expected.lines) :]
    return [line.seconds for line in (*expected.lines, *rest)]


def with_times_of(expected: Observation, seen: Observation) -> Observation:
    """Return what was seen, as if each moment had been the expected one."""
    pairs = zip(seen.lines, _moments(expected, seen), strict=False)
    lines: tuple[Line, ...] = tuple(replace(line, seconds=moment) for line, moment in pairs)
    return replace(seen, lines=lines, seconds=expected.seconds)


def late(lag: float) -> str:
    """Return why an attempt decides nothing."""
    return sentence("busy", seconds=f"{lag:.2f}")
