"""Submitting a task: a second click is none, and where a visible example fails the participant confirms."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from study_app.domain.errors import Conflict, InfrastructureError, Malformed, NotAllowed
from study_app.domain.events.server import ReportedImpossible
from study_app.domain.records import InProgress
from study_app.domain.sentences import REFUSALS
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.examples import verdicts_of
from study_app.services.grading.queue import accepts_isolation
from study_app.services.grading.submissions import take_submission
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.programs.taking import check_code, on_task
from study_app.services.participant.runs import ProgramRuns
from study_app.services.position import AtStage, OnStage
from study_app.services.retrying import insisting, retried

log = logging.getLogger(__name__)
MOST_REASON = 2000
"""Characters of the reason why a task cannot be done."""
DOUBLE_CLICK = timedelta(seconds=2)
"""Within which the same program for the next task is a second click on the same button."""


@dataclass(frozen=True)
class Submitted:
    """What became of a press on Submit."""

    accepted: bool
    checks: tuple[dict[str, Any], ...] = ()
    """Visible examples that fail, where the participant has to confirm."""


class SubmissionInProgress(NotAllowed):
    """The examples are tried on one program of a participant at a time."""


class TaskSubmission:
    """Submits programs of participants, each of which ends its task."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow, runs: ProgramRuns) -> None:
        self.context = context
        self.flow = flow
        self.runs = runs
        self._at_work: set[str] = set()

    def is_at(self, work: InProgress) -> bool:
        """Return whether this server tries the examples on what was submitted."""
        return work.work in self._at_work

    def submit(
        self,
        participant_id: str,
        code: str,
        page: str | None = None,
        seq: int | None = None,
        confirm: bool = False,
        task: str | None = None,
        impossible: str | None = None,
    ) -> Submitted:
        """End the current task with this code; where a visible example fails, only on confirmation.

        `impossible` is why it cannot be done as described: then no confirmation is asked for.

        `task` is the task that the page shows; where the participant is past it already, nothing happens. Without it,
        the same program as for the task before is taken as a second click if it comes within moments.

        Raises:
            NotAllowed: not on a task, or another page has taken over; the study does not offer this way out.
            Malformed: no reason, or one that is too long.
            TooLong: the code.
            SubmissionInProgress: the examples are still tried on what was submitted before.
        """
        check_code(code)
        place, launched, repeated = self._found(participant_id, page, code if task is None else None)
        reason = _reason_of(place, impossible)
        if repeated or (task is not None and task != place.task):
            return Submitted(True)
        if not confirm and reason is None:
            failing = self._failing_examples(place, code, launched=launched)
            if failing:
                return Submitted(False, failing)
        # A run of the same program would go on and print into a task that is over.
        self.runs.stop(participant_id)
        return self._accept(place, code, page, seq, reason)

    @retried
    def _found(self, participant_id: str, page: str | None, code: str | None) -> tuple[OnStage, bool, bool]:
        """Return where the participant is, whether the study is launched, and whether they have just submitted this."""
        with self.context.registry.begin() as unit:
            place = on_task(self.flow, unit, participant_id, page)
            repeated = code is not None and _just_submitted(unit, place, code)
            return place, self.context.state(unit) != "draft", repeated

    @retried
    def _accept(self, place: AtStage, code: str, page: str | None, seq: int | None, reason: str | None) -> Submitted:
        with self.context.registry.begin() as unit:
            there = on_task(self.flow, unit, place.participant.id, page)
            if (there.task, there.participant.step) != (place.task, place.participant.step):
                return Submitted(True)
            run = take_submission(self.context, unit, there, code, page, seq)
            if reason is not None:
                said = ReportedImpossible(task=there.task, run_id=run.id, reason=reason)
                unit.record(run.participant_id, run.stage, there.now, said)
            last = there.participant.step + 1 >= len(there.stage.packs)
            moved = self.flow.advance(unit, there) if last else self.flow.next_step(unit, there)
            if not moved:
                raise NotAllowed(REFUSALS("submitted"))
        return Submitted(True)

    @contextmanager
    def _alone(self, participant_id: str) -> Iterator[None]:
        """Keep a participant from having examples tried on several programs at once, at whichever servers."""
        work = self.context.replicas.mine(participant_id, "submission", secrets.token_hex(8))
        self._at_work.add(work.work)
        try:
            if not self._taken(work):
                raise SubmissionInProgress(REFUSALS("being_submitted"))
            try:
                yield
            finally:
                self._let_go(work)
        finally:
            self._at_work.discard(work.work)

    @retried
    def _taken(self, work: InProgress) -> bool:
        try:
            with self.context.registry.begin() as unit:
                return self.context.replicas.take(unit, work)
        except Conflict:
            # Nothing of it was stored: it is tried again under the same name.
            raise
        except InfrastructureError:
            # Of a commit whose connection is cut no one knows whether it was stored.
            self.context.replicas.give_up(work)
            raise

    def _let_go(self, work: InProgress) -> None:
        try:
            self._end(work)
        except InfrastructureError as error:
            # Else the participant could submit nothing for as long as this server lives.
            self.context.replicas.give_up(work)
            log.warning("the end of a Submit could not be noted", exc_info=error)

    @insisting
    def _end(self, work: InProgress) -> None:
        with self.context.registry.begin() as unit:
            unit.end_work(work)

    def _failing_examples(self, place: AtStage, code: str, *, launched: bool) -> tuple[dict[str, Any], ...]:
        # Where nothing may run, the program is kept and waits to be graded, as one whose examples pass.
        if not accepts_isolation(self.context, launched=launched):
            return ()
        pack = self.context.content_of(place.participant).pack(place.pack)
        with self._alone(place.participant.id), self.runs.taking_place():
            checks = verdicts_of(self.context.sandbox, pack, code)
        return tuple(check.shown() for check in checks if not check.passed)


def _reason_of(place: AtStage, impossible: str | None) -> str | None:
    """Return why a task cannot be done, as it is kept; None where the participant does not say that.

    Raises:
        NotAllowed: the study does not offer this way out.
        Malformed: it is empty or too long.
    """
    if impossible is None:
        return None
    if not place.study.offers_exit:
        raise NotAllowed(REFUSALS("no_exit"))
    if not 0 < len(reason := impossible.strip()) <= MOST_REASON:
        raise Malformed(REFUSALS("reason", most=MOST_REASON))
    return reason


def _just_submitted(unit: UnitOfWork, place: AtStage, code: str) -> bool:
    """Return whether this very program has ended the task before this one a moment ago."""
    submitted = [run for run in unit.runs(place.participant.id) if run.kind == "submission"]
    if not submitted or submitted[-1].code != code or submitted[-1].task == place.task:
        return False
    return place.now - submitted[-1].started_at < DOUBLE_CLICK
