"""What may be graded now and what came of it: no submission keeps another from its verdict."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry, RunRecord
from study_app.domain.tasks.programs import Grade, Isolation, RunClock
from study_app.services.context import StudyContext

log = logging.getLogger(__name__)

_LONGEST_REASON = 500
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=2)


class Pauses:
    """When a submission that could not be graded is tried again: later each time.

    Args:
        now: the present moment.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._next: dict[str, tuple[datetime, timedelta]] = {}

    def due(self, run_id: str) -> bool:
        """Return whether its turn has come."""
        return run_id not in self._next or self._next[run_id][0] <= self._now()

    def failed(self, run_id: str) -> None:
        """Note that it could not be graded for lack of something of ours."""
        before = self._next.get(run_id)
        # Doubled, for a sandbox that is down is down for all; bounded, so that its return is noticed within minutes.
        pause = _FIRST_PAUSE if before is None else min(2 * before[1], _LONGEST_PAUSE)
        self._next[run_id] = (self._now() + pause, pause)

    def done(self, run_id: str) -> None:
        """Note that it has been graded."""
        self._next.pop(run_id, None)


def accepts_isolation(context: StudyContext, *, launched: bool) -> bool:
    """Return whether programs may be run as this machine isolates them now.

    Args:
        context: the study.
        launched: whether real participants take part; a draft may run on any machine that runs programs at all.
    """
    level = accepted_level(context.sandbox.isolation())
    if level == "weak":
        return not launched or context.study.sandbox.allow_weak_isolation
    return level != "off"


def accepted_level(isolation: Isolation) -> str:
    """Return the level as the study file's policy speaks of it: off, weak or good."""
    return isolation.level if isolation.level in ("off", "weak") else "good"


def quarantine(context: StudyContext, run: RunRecord, error: BaseException, reason: str = "") -> None:
    """Put aside a submission whose grading failed: shown with its reason on the console, until it is retried."""
    reason = (reason or f"{type(error).__name__}: {error}")[:_LONGEST_REASON]
    log.error("the grading of a submission failed", exc_info=error, extra={"submission": run.id})
    with context.registry.begin() as unit:
        unit.hold(unit.known_participant(run.participant_id))
        # Late edits may have changed the program in the meantime: then it waits for its own grading, and is not written
        # over with the one that failed.
        if any(now.id == run.id and now.code == run.code for now in unit.ungraded()):
            unit.update_run(replace(run, grading="failed", grading_reason=reason))


def without_verdict(context: StudyContext) -> list[RunRecord]:
    """Submissions that were graded to no verdict, oldest first."""
    with context.registry.begin(write=False) as unit:
        return [run for run in unit.remarkable() if run.grading is not None]


def with_review(context: StudyContext) -> list[RunRecord]:
    """Submissions whose imports a person may want to look at, oldest first."""
    with context.registry.begin(write=False) as unit:
        return [run for run in unit.remarkable() if run.review]


def retry(context: StudyContext, run_id: str, who: str) -> None:
    """Let a submission without a verdict be graded again; recorded in the audit log.

    Raises:
        NotAllowed: it has a verdict, or there is no such submission.
    """

    def found() -> RunRecord:
        run = next((one for one in unit.remarkable() if one.id == run_id and one.grading is not None), None)
        if run is None:
            raise NotAllowed("this submission is not one without a verdict; reload the page")
        return run

    with context.registry.begin() as unit:
        unit.hold(unit.known_participant(found().participant_id))
        # Again: edits that were just being stored may have changed the program, which then waits for its own grading.
        run = found()
        # Nothing else is reset: a verdict that comes of it replaces all of the rest.
        unit.update_run(replace(run, grading=None, grading_reason=None))
        detail = {"run_id": run_id, "reason": run.grading_reason or ""}
        unit.add_audit(AuditEntry(context.now(), who, "retry grading", "", detail))


def with_verdict(run: RunRecord, verdict: Grade) -> RunRecord:
    """Return the submission with its checks; without a verdict where the machine was too busy for one."""
    run = replace(run, repeats=verdict.repeats, review=";".join(verdict.review), isolation=verdict.isolation)
    if verdict.inconclusive is not None:
        return replace(run, grading="inconclusive", grading_reason=verdict.inconclusive)
    checks = [{"name": c.name, "visible": c.visible, "passed": c.passed} for c in verdict.checks]
    return replace(
        run,
        ended_by="exit",
        checks=checks,
        visible_only_pass=verdict.visible_only_pass,
        error_type=verdict.error_type,
        error_message=verdict.error_message,
        error_line=verdict.error_line,
        grading=None,
        grading_reason=None,
        scheduler_seed=verdict.scheduler_seeds[0] if verdict.scheduler_seeds else None,
    )


def seed_of(run: RunRecord, clock: RunClock) -> int:
    """Return the seed of a run's hidden inputs.

    They differ from run to run, and the same run is always graded alike.

    Simulated participants (virtual clock) hand in a few hundred different programs, many of them often: their inputs
    follow from the program, so that equal programs are graded by equal runs, each of which is needed once.
    """
    if clock == "virtual":
        return int.from_bytes(hashlib.sha256(f"{run.task}:{run.code}".encode()).digest()[:7], "big")
    # Seven bytes stay below 2^63, which columns and generators of any library take.
    return int.from_bytes(run.id.encode()[-7:], "big")
