"""Makes one graded call in a process of its own and says what was seen, by the parent's clock wherever it counts."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from study_app.domain.checks import Case, Line, Observation, Opaque, decode
from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks import Program, RunClock, RunResult, TaskPack
from study_app.ports import Sandbox

_LONGEST_STEP = 0.25
"""Seconds that one step of a task may take before it counts as blocking the loop."""


def observe(
    sandbox: Sandbox, pack: TaskPack, code: str, case: Case, *, seed: int, clock: RunClock
) -> tuple[Observation, RunResult]:
    """Run one call in a process of its own and say what was seen.

    Args:
        sandbox: runs it.
        pack: whose packages, limits and runner apply.
        code: the program; it gets the call, never what is expected.
        case: the call.
        seed: for the scheduler.
        clock: `virtual` only for packs that allow it.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    call = case.as_call(secrets.token_hex(8), pack.settings.runner)
    result = sandbox.run(Program(code, pack.packages, pack.limits, seed, clock, call))
    if result.ended_by == "infrastructure":
        raise SandboxUnavailable("a program could not be run while grading; grade again")
    return _observation(result, clock), result


def _observation(result: RunResult, clock: RunClock) -> Observation:
    seen = result.observation or {}
    reported = seen.get("reported")
    if result.ended_by != "exit" or not isinstance(reported, dict):
        return Observation(missing=_why_nothing(result))
    if seen.get("forged"):
        return Observation(missing="the program imitates the marks by which a call is timed")
    stamped = [line for line in result.lines[seen["first_line"] : seen["last_line"]] if line.stream == "stdout"]
    started, ended = seen["started"], seen["ended"]
    if clock == "virtual":
        lines, seconds = _virtual_lines(reported, [line.text for line in stamped]), _number(reported.get("seconds"))
    else:
        lines = [Line(line.text, line.seconds - started) for line in stamped]
        seconds = ended - started if ended is not None and started is not None else None
    error = reported.get("error")
    return Observation(
        value=_value(reported.get("value")),
        lines=tuple(lines),
        error=error if isinstance(error, str) else None,
        seconds=seconds,
        suspicious=clock == "virtual" and _suspicious(reported),
    )


def _value(encoded: Any) -> Any:
    try:
        return decode(encoded)
    except RecursionError:
        return Opaque("too deep")


def _virtual_lines(reported: dict[str, Any], texts: list[str]) -> list[Line]:
    """Lines by the virtual clock, in the parent's cleaned text where the two lists agree in length."""
    rows = reported.get("lines")
    try:
        lines = [Line(str(text), float(moment)) for moment, text in rows or ()]
    except (TypeError, ValueError):
        return []
    if len(lines) == len(texts):
        return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
    return lines


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _suspicious(reported: dict[str, Any]) -> bool:
    blocked, step = _number(reported.get("blocked_seconds")), _number(reported.get("longest_step"))
    return bool(reported.get("threads")) or (blocked or 0) > 0 or (step or 0) > _LONGEST_STEP


def _why_nothing(result: RunResult) -> str:
    if result.ended_by != "exit":
        lines = result.stderr.strip().splitlines()
        return lines[-1] if lines else f"the program was stopped ({result.ended_by})"
    return "the program ended before the call was finished"
