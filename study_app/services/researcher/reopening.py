"""Reopening a stage that its deadline ended wrongly, as a wrong clock or a failure of the server does."""

from __future__ import annotations

from datetime import timedelta

from study_app.domain.errors import NotAllowed, present
from study_app.domain.events import saying
from study_app.domain.events.server import (
    AnswersHandedIn,
    InterviewClosed,
    Outage,
    RunStarted,
    StageReopened,
    TaskShown,
    TaskSubmitted,
    TurnStarted,
)
from study_app.domain.records import AuditEntry, Participant, Visit
from study_app.domain.study.study import Stage, Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.times import in_given_time
from study_app.services.participant_status import is_locked
from study_app.services.places import gave_up_place, lock_ledger, place_for
from study_app.services.reasons import add_act, require_reason
from study_app.services.researcher.judging.late_changes import is_judged

REOPENED = "reopen stage"
"""What the audit log calls it."""
WORK = frozenset(each.kind for each in (AnswersHandedIn, RunStarted, TaskSubmitted, TurnStarted))
"""Events after which a stage cannot be taken back any more."""


class Reopening:
    """Lets participants go on with a stage; recorded with its reason, blind to arm."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def reopen(self, participant_id: str, stage_id: str, minutes: float, reason: str, who: str) -> None:
        """Take a participant back to a stage that its deadline ended; they have so many minutes left.

        Raises:
            NotAllowed: no reason, no such participant, or the stage cannot be reopened; the message says why.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = unit.participant(participant_id)
            if person is None:
                raise NotAllowed(f"there is no participant {participant_id}")
            # As an erasure does, before the locks of who judges.
            person = unit.hold(person)
            study = self.context.study_of(unit, person)
            stage, visit = _ended_stage(self.context, unit, study, person, stage_id)
            _check_minutes(stage, minutes)
            _check_distress(unit, person, stage)
            _check_not_judged(unit, person, stage)
            _check_next(unit, study, person, stage)
            # Before places are counted: a newcomer in between could take the last place as well.
            lock_ledger(unit, person)
            if gave_up_place(self.context, person) and not place_for(self.context, unit, person):
                raise NotAllowed("others have taken the place that this participant's silence freed; the study is full")
            now = self.context.now()
            until = now + timedelta(minutes=minutes)
            # From the old deadline on and not from now: by an outage of this length verify and the measures explain the
            # new one. A person whose stage goes on unseen by the researcher loses nothing that they were given.
            seconds = max((until - present(visit.deadline_at, "the stage's deadline")).total_seconds(), 0.0)
            # Only from where the person was read to be; their browser may have gone on since the console showed them.
            if visit.ended_at is None:
                moved = unit.extend_visit(person.id, stage.id, timedelta(seconds=seconds))
            else:
                step = _step(unit, person, stage)
                moved = unit.move(person, stage=stage.id, step=step, opens_at=None, last_seen_at=now)
                moved = moved and unit.reopen_visit(person.id, stage.id, until)
            if not moved:
                raise NotAllowed("the participant has moved on meanwhile; look again")
            unit.record(person.id, stage.id, now, StageReopened(minutes=minutes))
            unit.record(person.id, stage.id, now, Outage(cause="reopened", seconds=seconds))
            detail = {"participant_id": person.id, "stage": stage.id, "minutes": minutes}
            add_act(unit, AuditEntry(now, who, REOPENED, reason, detail), [person.id])


def reopenable(study: Study, person: Participant, *, shown_past: bool = False) -> Stage | None:
    """Return the stage before the one that a participant is on, where it had a deadline.

    Args:
        study: the version that they met.
        person: the participant.
        shown_past: they are shown at the next stage, for their own goes on in time that only some arms are given back.
    """
    if person.over:
        return None
    if shown_past:
        return study.stage(person.stage)
    before = [stage for stage in study.stages if study.next_stage(stage.id) == study.stage(person.stage)]
    return before[0] if before and before[0].minutes else None


def _ended_stage(
    context: StudyContext, unit: UnitOfWork, study: Study, person: Participant, stage_id: str
) -> tuple[Stage, Visit]:
    going_on = in_given_time(context, unit, study, person)
    stage = reopenable(study, person, shown_past=going_on)
    if stage is None or stage.id != stage_id:
        raise NotAllowed(f"only the stage that the participant was on last, if it had a deadline, can be reopened: "
                         f"'{stage_id}' is not it")  # fmt: skip
    visit = unit.visit(person.id, stage.id)
    by_deadline = visit is not None and (visit.ended_by == "deadline" or going_on)
    if visit is None or not by_deadline or visit.deadline_at is None:
        raise NotAllowed(f"the stage '{stage.id}' was not ended by its deadline")
    if is_locked(context, unit, study, stage, person):
        raise NotAllowed(f"what participants gave on '{stage.id}' is analysed with its arms; nothing of it changes")
    allocation = study.allocation_stage
    if person.arm is not None and allocation is not None and study.stages.index(stage) < study.stages.index(allocation):
        raise NotAllowed("the participant has been allocated since; what came before is their baseline")
    return stage, visit


def _check_minutes(stage: Stage, minutes: float) -> None:
    if not 0 < minutes <= (stage.minutes or 0):
        raise NotAllowed(f"give more than 0 and at most {stage.minutes:g} minutes, the limit of '{stage.id}'")


def _check_distress(unit: UnitOfWork, person: Participant, stage: Stage) -> None:
    """Refuse an interview that ended in distress: its questions do not go on."""
    closings = unit.events_of(person.id, {InterviewClosed.kind}, stage.id)
    if any(closed.ended_by == "distress" for _, closed in saying(closings, InterviewClosed)):
        raise NotAllowed(f"the interview '{stage.id}' ended in distress; its questions do not go on")


def _check_not_judged(unit: UnitOfWork, person: Participant, stage: Stage) -> None:
    # Under the locks of who judges: a rating that is being made would be of the text before.
    unit.lock("judgements")
    unit.lock("themes")
    if is_judged(unit, person, stage):
        raise NotAllowed(
            f"what the participant gave on '{stage.id}' has been rated or coded; it does not change any more"
        )


def _check_next(unit: UnitOfWork, study: Study, person: Participant, stage: Stage) -> None:
    """Check that the next stage has not begun in earnest: its clock has not run, and nothing was done there."""
    following = present(study.next_stage(stage.id), "the stage that follows")
    visit = unit.visit(person.id, following.id)
    begun = visit is not None and visit.deadline_at is not None
    worked = unit.events_of(person.id, WORK, following.id)
    if begun or worked or any(answer.stage == following.id for answer in unit.answers(person.id)):
        raise NotAllowed(f"the participant has begun the next stage, '{following.id}'")


def _step(unit: UnitOfWork, person: Participant, stage: Stage) -> int:
    """Return the task or page where the participant was."""
    if stage.kind == "tasks":
        shown = unit.events_of(person.id, {TaskShown.kind}, stage.id)
        return max((task.index for _, task in saying(shown, TaskShown)), default=0)
    # The page that the deadline cut off, and not the one after it: it handed in what stood there.
    handed_in = unit.events_of(person.id, {AnswersHandedIn.kind}, stage.id)
    return next((page.page for _, page in reversed(list(saying(handed_in, AnswersHandedIn)))), 0)
