"""Where a participant is in the study, and the one function that moves them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from study_app.domain.branching import drawn_orders
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import NotAllowed, Superseded
from study_app.domain.events import saying
from study_app.domain.events.server import (
    Finished,
    NoPlace,
    OrderDrawn,
    PageSuperseded,
    PlaceLost,
    QuotaFull,
    ScreenedOut,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
    StageEnded,
    StageOpened,
    TaskShown,
)
from study_app.domain.quiz.answer_log import FORM_KINDS
from study_app.domain.records import END, NO_PLACE, EndedBy, Participant, Visit
from study_app.domain.sentences import REFUSALS
from study_app.domain.study.study import Stage, Study
from study_app.domain.timing import deadline, overdue
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.submissions import submit_saved
from study_app.services.participant.branching import Branching
from study_app.services.participant.deciding.arms import ArmDecisions
from study_app.services.participant.falling_silent import locked_out
from study_app.services.participant.handing_in import (
    draft_of,
    failed_screeners,
    hand_in,
    items_drawn,
    more_pages,
    past_last_page,
)
from study_app.services.participant.probing.closing import interrupt
from study_app.services.participant_status import closes_at_of, missed
from study_app.services.places import (
    full_quota,
    gave_up_place,
    held_from,
    holds,
    lock_ledger,
    place_for,
    quota_filled_since,
)
from study_app.services.position import AtStage, BeforeStage, Ended, OnStage, Paused, Position, Waiting


class ParticipantFlow:
    """Moves participants from stage to stage; every move and its event are one transaction."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self.branching = Branching(context)
        self.decisions = ArmDecisions(context)

    # -- positions --------------------------------------------------------------------------------------------------

    def place(self, unit: UnitOfWork, participant: Participant) -> Position:
        """Return where the participant is, after ending any stage whose time is up."""
        study = self.context.met_by(unit, participant)
        participant = locked_out(self, unit, participant)
        # Deadlines before anything else: what a late request asks for must meet the stage that the clock says, not the
        # one on its screen.
        participant, visit = self.expire(unit, study, participant)
        study = self.branching.branched(unit, study, participant)
        now = self.context.now()
        participant = self._missed(unit, study, participant, visit)
        # Behind the window: who has missed a session is given no place for it.
        if gave_up_place(self.context, participant):
            participant = self._return(unit, study, participant, visit)
        if participant.over:
            last = study.arm(participant.arm) if participant.arm else None
            return Ended(participant, study, last, now)
        stage = study.stage(participant.stage)
        arm = self.branching.arm(study, participant, stage)
        if participant.opens_at is not None and now < participant.opens_at:
            closes_at = closes_at_of(study, stage, participant)
            return Waiting(participant, study, stage, arm, now, participant.opens_at, closes_at)
        if participant.paused_at is not None:
            return Paused(participant, study, stage, arm, now, participant.paused_at)
        if visit is None and stage.intro:
            return BeforeStage(participant, study, stage, arm, now)
        here = OnStage(participant, study, stage, arm, now, visit.deadline_at if visit else None)
        if past_last_page(self.context, here) and self.advance(unit, here):
            return self.place(unit, self._again(unit, participant))
        return here

    def arrive(self, unit: UnitOfWork, participant: Participant) -> Position:
        """Return where the participant is; the stage is opened unless it has a separate page before it."""
        place = self.place(unit, participant)
        if isinstance(place, OnStage) and place.deadline_at is None:
            self.open_stage(unit, place)
            return self.place(unit, self._again(unit, place.participant))
        return place

    def open_stage(self, unit: UnitOfWork, place: Position) -> None:
        """Begin the visit: the clock of a timed stage starts here. A second call changes nothing."""
        if isinstance(place, Ended | Waiting):
            raise NotAllowed(REFUSALS("not_open"))
        check_not_paused(place)
        stage, participant = place.stage, place.participant
        minutes = None if self.context.clock_stopped(participant.id) else stage.minutes
        visit = Visit(participant.id, stage.id, place.now, deadline(place.now, minutes))
        # The unique key decides: a reload that opens the same stage must not start its clock again.
        if unit.open_visit(visit):
            unit.record(participant.id, stage.id, place.now, StageOpened(minutes=stage.minutes))
            orders = drawn_orders(stage) | items_drawn(self.context, place)
            if orders:
                unit.record(participant.id, stage.id, place.now, OrderDrawn(orders=orders))
            if stage.kind == "tasks":
                unit.record(participant.id, stage.id, place.now, TaskShown(task=_task(stage, 0), index=0))

    def check_page(self, unit: UnitOfWork, place: Position, page: str | None) -> None:
        """Refuse a page that another one of the same participant has replaced, but no page that has yet to open.

        Raises:
            Superseded: the study was continued in another window.
        """
        participant = place.participant
        if page is None or participant.page in (None, page):
            return
        replaced = unit.events_of(participant.id, {PageSuperseded.kind})
        if any(before.page == page for _, before in saying(replaced, PageSuperseded)):
            raise Superseded(REFUSALS("other_window"))

    # -- moving on -----------------------------------------------------------------------------------------------------

    def next_step(self, unit: UnitOfWork, place: AtStage) -> bool:
        """Go to the next task or page of the same stage; False if another request was faster."""
        check_not_paused(place)
        participant, stage = place.participant, place.stage
        moved = unit.move(participant, step=participant.step + 1, last_seen_at=place.now)
        if moved:
            interrupt(unit, place)
        if moved and stage.kind == "tasks":
            following = participant.step + 1
            unit.record(participant.id, stage.id, place.now, TaskShown(task=_task(stage, following), index=following))
        return moved

    def advance(self, unit: UnitOfWork, place: AtStage, ended_by: EndedBy = "participant") -> bool:
        """End the stage and go to the next; allocate on the way where the next differs by arm.

        Returns:
            False if the participant was no longer there: nothing changed.

        Raises:
            SealingKeyMissing, LedgerBroken: no participant can be allocated now; the participant stays where they are.
            NotAllowed: researchers have paused the participant.
        """
        check_not_paused(place)
        stage, study = place.stage, place.study
        following = self.branching.following(unit, place)
        ends_session = following is None or following.kind == "debrief" or following.session != stage.session
        changes: dict[str, Any] = {"step": 0, "last_seen_at": place.now, "opens_at": None}
        if following is None or following.kind == "debrief":
            changes |= {"stage": END, "status": "completed", "finished_at": _finished_at(place)}
        else:
            changes |= {"stage": following.id, "opens_at": self._opens_at(study, following, place)}
            if holds(place.participant, place.now):
                changes |= held_from(self.context, changes["opens_at"] or place.now)
            allocated = self.decisions.allocation(unit, place, following)
            if allocated is None:
                return self.turn_away(unit, place)
            changes |= allocated | self.decisions.second_decision(unit, place, following)
        # Guarded by where the participant was: of two requests that go on from here, one moves and the other changes
        # nothing.
        if not unit.move(place.participant, **changes):
            return False
        interrupt(unit, place)
        unit.end_visit(place.participant.id, stage.id, place.now, ended_by)
        unit.record(place.participant.id, stage.id, place.now, StageEnded(ended_by=ended_by))
        if ends_session:
            done = SessionCompleted(session=stage.session, number=study.wave(stage))
            unit.record(place.participant.id, stage.id, place.now, done)
        if changes["stage"] == END:
            unit.record(place.participant.id, stage.id, place.now, Finished())
        elif changes["opens_at"] is not None:
            opens = changes["opens_at"].isoformat()
            unit.record(place.participant.id, changes["stage"], place.now, SessionScheduled(opens_at=opens))
        return True

    def enrol_consenting(self, unit: UnitOfWork, place: AtStage) -> bool:
        """Reserve a place after consent and go on; without a free place the participation ends here."""
        lock_ledger(unit, place.participant)
        participant = self._again(unit, place.participant)
        if not place_for(self.context, unit, participant):
            self.turn_away(unit, place)
            return False
        place = replace(place, participant=replace(place.participant, **held_from(self.context, place.now)))
        return self.advance(unit, place)

    def turn_away(self, unit: UnitOfWork, place: AtStage) -> bool:
        """Exclude a participant for whom no place is free, whether or not they would have been eligible."""
        full = quota_filled_since(self.context, unit, place.participant)
        if full is not None:
            return self._leave_full(unit, place, full.question)
        refused = {"place": "refused", "exclusion_reason": NO_PLACE}
        if not self.leave(unit, place, "screened_out", "system", refused):
            return False
        unit.record(place.participant.id, place.stage.id, place.now, NoPlace())
        return True

    def leave(
        self,
        unit: UnitOfWork,
        place: AtStage,
        status: str,
        ended_by: EndedBy,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> bool:
        """End the participation early with that status; `more` are further columns of the participant."""
        stage = place.stage
        changes = {"stage": END, "step": 0, "status": status, "finished_at": _finished_at(place), "opens_at": None}
        if not unit.move(place.participant, **changes, **more):
            return False
        interrupt(unit, place)
        if unit.end_visit(place.participant.id, stage.id, place.now, ended_by):
            unit.record(place.participant.id, stage.id, place.now, StageEnded(ended_by=ended_by))
        return True

    def hand_in(self, unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any], by: EndedBy = "participant") -> bool:
        """Keep a form's answers and go on: to the next page, to the next stage, or out of the study.

        At a deadline the rest of a quiz is over, too.

        Returns:
            False if the participant was no longer there: nothing changed.
        """
        check_not_paused(place)
        stage = place.stage
        # Takes the participant's row: a second press waits here, and finds them gone.
        if not unit.move(place.participant, last_seen_at=place.now):
            return False
        # Answers first: an allocation on the way into the next stage looks at them.
        hand_in(self.context, unit, place, shown, by)
        failed = failed_screeners(stage, shown)
        if failed:
            if self.leave(unit, place, "screened_out", "screening"):
                unit.record(place.participant.id, stage.id, place.now, ScreenedOut(questions=tuple(failed)))
            return True
        if self._meets_full_quota(unit, place, shown):
            return True
        if by == "participant" and more_pages(self.context, unit, place):
            return self.next_step(unit, place)
        return self.advance(unit, place, by)

    def _meets_full_quota(self, unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any]) -> bool:
        """Turn away a participant whose answers meet a quota that others have filled; return whether it did."""
        asked = {question.id for question in place.stage.asked}
        if not asked & {quota.question for quota in self.context.study.recruitment.quotas}:
            return False
        lock_ledger(unit, place.participant)
        full = full_quota(self.context, unit, place.participant, shown)
        return full is not None and self._leave_full(unit, place, full.question)

    def _leave_full(self, unit: UnitOfWork, place: AtStage, question: str) -> bool:
        """Let a participant leave whose answer to this question meets a quota that others have filled."""
        if not self.leave(unit, place, "screened_out", "screening", {"place": "refused"}):
            return False
        unit.record(place.participant.id, place.stage.id, place.now, QuotaFull(question=question))
        return True

    def _opens_at(self, study: Study, following: Stage, place: AtStage) -> datetime | None:
        days = study.delay_before(following)
        return place.now + timedelta(days=days) if days else None

    def _missed(self, unit: UnitOfWork, study: Study, participant: Participant, visit: Visit | None) -> Participant:
        """Return the participant, who has left if they come to a session after its window."""
        if participant.over or len(study.sessions) < 2:
            return participant
        stage = study.stage(participant.stage)
        paused = participant.paused_at is not None
        if paused or visit is not None or not missed(study, participant, self.context.now()):
            return participant
        place = OnStage(participant, study, stage, self.branching.arm(study, participant, stage), self.context.now())
        if self.leave(unit, place, "abandoned", "system"):
            unit.record(participant.id, stage.id, place.now, SessionMissed(session=stage.session))
        return self._again(unit, participant)

    def open_now(self, unit: UnitOfWork, participant: Participant) -> bool:
        """Open the next session for a preview without waiting for its day; False for anybody else."""
        place = self.place(unit, participant)
        if participant.kind != "preview" or not isinstance(place, Waiting):
            return False
        return unit.move(place.participant, opens_at=place.now, last_seen_at=place.now)

    def _return(self, unit: UnitOfWork, study: Study, participant: Participant, visit: Visit | None) -> Participant:
        """Let a participant go on whose place has been free for others, if it still is."""
        lock_ledger(unit, participant)
        participant = self._again(unit, participant)
        if not gave_up_place(self.context, participant):
            return participant
        now = self.context.now()
        stage = study.stage(participant.stage)
        place = OnStage(participant, study, stage, None, now, visit.deadline_at if visit else None)
        if place_for(self.context, unit, participant):
            renewed = held_from(self.context, now) if participant.arm is None else {}
            unit.touch(participant.id, last_seen_at=now, **renewed)
        elif participant.arm is None:
            self.turn_away(unit, place)
        elif self.leave(unit, place, "abandoned", "system", {"place": "refused"}):
            unit.record(participant.id, stage.id, now, PlaceLost())
        return self._again(unit, participant)

    # -- deadlines -----------------------------------------------------------------------------------------------------

    def expire(self, unit: UnitOfWork, study: Study, participant: Participant) -> tuple[Participant, Visit | None]:
        """End every stage whose time is up; return the participant then, and their visit of the stage they are on."""
        # A loop, for the next stage may have been opened at the deadline of this one and be over as well.
        while not participant.over:
            visit = unit.visit(participant.id, participant.stage)
            open_visit = visit is not None and visit.ended_at is None and participant.paused_at is None
            if visit is None or not open_visit or not overdue(visit.deadline_at, self.context.now()):
                return participant, visit
            held = unit.hold(participant)
            if held != participant or unit.visit(participant.id, participant.stage) != visit:
                # They wrote something, went on, or got more time while this waited: it is looked at anew.
                participant = held
                continue
            self.end_overdue(unit, study, participant, visit)
            participant = self._again(unit, participant)
        return participant, None

    def end_overdue(self, unit: UnitOfWork, study: Study, participant: Participant, visit: Visit) -> None:
        """End a stage whose time is up, at its deadline; the current task's saved text becomes its submission."""
        # The deadline and not the moment of the sweep: how often a server looks must not decide about anybody's time.
        ended_at = visit.deadline_at or self.context.now()
        study = self.branching.branched(unit, study, participant)
        stage = study.stage(visit.stage)
        arm = self.branching.arm(study, participant, stage)
        place = OnStage(participant, study, stage, arm, ended_at, ended_at)
        # Beyond the last page nothing is left to hand in.
        if stage.kind in FORM_KINDS and not past_last_page(self.context, place):
            self.hand_in(unit, place, draft_of(unit, participant.id, stage.id, participant.step).values, "deadline")
        elif self.advance(unit, place, "deadline") and stage.kind == "tasks":
            submit_saved(self.context, unit, place)

    def _again(self, unit: UnitOfWork, participant: Participant) -> Participant:
        return unit.known_participant(participant.id)


def check_not_paused(place: Position | AtStage) -> None:
    """Refuse to go on while researchers have paused the participant; what they wrote stays where it is.

    Raises:
        NotAllowed: they have.
    """
    if isinstance(place, Paused):
        raise NotAllowed(REFUSALS("paused"))


def _finished_at(place: AtStage) -> datetime:
    """Now, but no earlier than the allocation, which another server's clock may have put a little later."""
    return max(place.now, place.participant.allocated_at or place.now)


def _task(stage: Stage, index: int) -> str:
    return name_of(stage.packs[index])
