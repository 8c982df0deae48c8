"""What one check of a program came to, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.errors import InfrastructureError
from study_app.domain.tasks.checks import Case, Check, Mismatch
from study_app.domain.tasks.programs import CheckResult, RunResult
from study_app.domain.tasks.sentences import sentence
from study_app.services.grading.evidence import CallOutcome, RealTimeCall
from study_app.services.grading.observation import LIMITS
from study_app.services.grading.text import judge_source

_LONGEST_CAUSE = 1000


@dataclass(frozen=True)
class CheckVerdict:
    """What one check came to."""

    wrong: str | None = None
    open: str | None = None
    case: Case | None = None
    result: RunResult | None = None
    repeats: int = 0


def in_real_time(job: RealTimeCall, settled: CallOutcome) -> CheckVerdict:
    """Return what a call that was made in real time came to."""
    judgement = settled.judgement
    return CheckVerdict(judgement.wrong, judgement.open, job.case, settled.attempt.result, settled.repeats)


def ran_over(verdict: CheckVerdict) -> bool:
    """Return whether a limit ended the call."""
    return verdict.result is not None and verdict.result.ended_by in LIMITS


def worse(one: CheckVerdict | None, other: CheckVerdict) -> CheckVerdict:
    """Return the worse of two scheduler seeds: certainly wrong before not judged before right."""
    if one is None:
        return other
    # Certain before open: one seed under which a program is certainly wrong decides, whatever the machine did under
    # another.
    worst = min(one, other, key=lambda verdict: (not (verdict.wrong and not verdict.open), not verdict.open))
    return CheckVerdict(worst.wrong, worst.open, worst.case, worst.result, one.repeats + other.repeats)


def result_of(check: Check, verdict: CheckVerdict | None, code: str, called: frozenset[str]) -> CheckResult:
    """Return what participants and researchers get of a check; a check of the source needs no verdict of a call."""
    if check.source is not None:
        fault = judge_source(check.source, code, called)
        return CheckResult(check.name, check.visible, fault is None, (fault or "") if check.visible else "")
    if verdict is None:
        raise InfrastructureError(f"check {check.name} has no verdict")
    if verdict.open:
        return CheckResult(check.name, check.visible, None, verdict.open if check.visible else "")
    if verdict.wrong is None or not check.visible:
        # Of a hidden check participants and assistant learn nothing but its result: a message would show its input.
        return CheckResult(check.name, check.visible, verdict.wrong is None)
    return _explain(check, verdict)


def _explain(check: Check, verdict: CheckVerdict) -> CheckResult:
    """Return a failed example as a sentence and in parts."""
    wrong, call, cause = verdict.wrong or "", str(verdict.case), _cause(verdict)
    message = f"{call}: {wrong}" + (f" ({cause})" if cause and cause != wrong else "")
    parts = (wrong.expected, wrong.seen) if isinstance(wrong, Mismatch) else ("", "")
    return CheckResult(check.name, True, False, message, call, *parts, cause)


def _cause(verdict: CheckVerdict) -> str:
    result = verdict.result
    if result is None:
        return ""
    if result.error_type is None:
        return (verdict.wrong or "") if result.ended_by != "exit" else ""
    message = (result.error_message or "")[:_LONGEST_CAUSE]
    if not result.error_line:
        return f"{result.error_type}: {message}"
    return sentence("cause_in_line", error=result.error_type, n=result.error_line, message=message)
