"""A participant's session: where they are, what their pages send, how they leave."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from study_app.domain.errors import Conflict, Malformed, NotAllowed
from study_app.domain.events import Batch, BrowserEvent
from study_app.domain.events.server import Consented, Declined, PageOpened, PageSuperseded, Withdrew
from study_app.domain.records import Document, Participant
from study_app.domain.study.study import Stage
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.messages import message_for
from study_app.services.participant.agent.actions import acts
from study_app.services.participant.agent.decisions import decide
from study_app.services.participant.editing.batches import Ingested, check_arm, check_kinds, elsewhere
from study_app.services.participant.editing.late_events import apply_events, cleaned, late_events, take_late
from study_app.services.participant.editing.logged_texts import text_of
from study_app.services.participant.enrolment import check_token, owner_of_token
from study_app.services.participant.erasing import erase
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.probing.closing import interrupt_by_work
from study_app.services.position import AtStage, Ended, OnStage, Paused, Position, Waiting
from study_app.services.retrying import retried

log = logging.getLogger(__name__)


class ParticipantSession:
    """Everything a page may do besides working and answering."""

    def __init__(
        self, context: StudyContext, flow: ParticipantFlow, decided: Callable[[str], None] = lambda _: None
    ) -> None:
        """Make the session; `decided` is called with a participant once a decision on their agent's step is kept."""
        self.context = context
        self.flow = flow
        self._decided = decided

    @retried
    def where(self, participant_id: str) -> Position:
        """Return where the participant is; opens the stage if it has no page before it."""
        with self.context.registry.begin() as unit:
            return self.flow.arrive(unit, self._get(unit, participant_id))

    @retried
    def peek(self, participant_id: str) -> Position:
        """Return where the participant is, without opening anything."""
        with self.context.registry.begin() as unit:
            return self.flow.place(unit, self._get(unit, participant_id))

    def message(self, participant_id: str) -> str:
        """Return what researchers show this participant above their pages."""
        with self.context.registry.begin(write=False) as unit:
            return message_for(unit, participant_id)

    def expired_before(self, place: Position) -> Stage | None:
        """Return the stage just before this place, if it ended because its time was up: the page says so once."""
        if place.participant.step or place.participant.status not in ("in_progress", "completed"):
            return None
        stages = place.study.stages
        index = stages.index(place.stage) if place.stage is not None else len(stages)
        before = next((stage for stage in reversed(stages[:index]) if stage.kind != "debrief"), None)
        if before is None or before.minutes is None:
            return None
        with self.context.registry.begin(write=False) as unit:
            visit = unit.visit(place.participant.id, before.id)
        return before if visit is not None and visit.ended_by == "deadline" else None

    def act(
        self, participant_id: str, stage_id: str, act: str, *, pledged: bool = False, erase: bool = False
    ) -> Position:
        """Return what a button of a page without answers does.

        Pressed again, or on a page left long ago, it changes nothing.

        Args:
            participant_id: who pressed it.
            stage_id: the stage whose page it stood on.
            act: `agree`, `disagree`, `begin`, `continue`, `leave`, or at the end `take_back`, which deletes the data.
            pledged: the arm's promise was ticked.
            erase: on leaving, delete the data as well.

        Raises:
            Malformed: another act.
            NotAllowed: the promise is missing, or the part is not open.
        """
        place = self.peek(participant_id)
        if act == "leave":
            return self.withdraw(participant_id, erase)
        if act == "take_back" and isinstance(place, Ended):
            return self.withdraw(participant_id, withdraw_data=pledged)
        if isinstance(place, Ended | Paused) or place.stage.id != stage_id:
            return place
        if act in ("agree", "disagree"):
            return self.consent(participant_id, act == "agree")
        if act == "begin":
            return self.begin_stage(participant_id, stage_id)
        if act == "continue":
            promised = isinstance(place, OnStage) and place.stage.kind == "instructions" and place.arm is not None
            if promised and place.arm is not None and place.arm.pledge and not pledged:
                raise NotAllowed("tick the promise on this page first")
            return self.continue_(participant_id, stage_id)
        raise Malformed(f"act: '{act}' is not known; use agree, disagree, begin, continue, leave or take_back")

    @retried
    def begin_stage(self, participant_id: str, stage_id: str) -> Position:
        """From the page before a timed stage into it: its clock starts. A second click changes nothing."""
        with self.context.registry.begin() as unit:
            place = self.flow.place(unit, self._get(unit, participant_id))
            if place.stage is not None and place.stage.id == stage_id:
                self.flow.open_stage(unit, place)
            return self.flow.place(unit, self._get(unit, participant_id))

    @retried
    def continue_(
        self, participant_id: str, stage_id: str, kinds: tuple[str, ...] = ("instructions", "device")
    ) -> Position:
        """On from a stage that only shows something."""
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, self._get(unit, participant_id))
            if isinstance(place, Waiting):
                self.flow.open_now(unit, place.participant)
            elif isinstance(place, AtStage) and place.stage.id == stage_id and place.stage.kind in kinds:
                self.flow.advance(unit, place)
            return self.flow.arrive(unit, self._get(unit, participant_id))

    @retried
    def consent(self, participant_id: str, agreed: bool) -> Position:
        """Return the answer to the consent page."""
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, self._get(unit, participant_id))
            if isinstance(place, AtStage) and place.stage.kind == "consent":
                if agreed and self.flow.enrol_consenting(unit, place):
                    unit.record(participant_id, place.stage.id, place.now, Consented())
                elif not agreed and self.flow.leave(unit, place, "declined", "participant"):
                    unit.record(participant_id, place.stage.id, place.now, Declined())
            return self.flow.arrive(unit, self._get(unit, participant_id))

    @retried
    def withdraw(self, participant_id: str, withdraw_data: bool) -> Position:
        """Leave the study, and take the data along if wished; the ledger's row stays, its payload goes."""
        with self.context.registry.begin() as unit:
            return self.withdraw_in(unit, participant_id, withdraw_data)

    def withdraw_in(self, unit: UnitOfWork, participant_id: str, withdraw_data: bool) -> Position:
        """As `withdraw`, within a transaction."""
        place = self.flow.place(unit, self._get(unit, participant_id))
        if isinstance(place, AtStage):
            if not self.flow.leave(unit, place, "withdrawn", "withdrawal"):
                raise Conflict("the participant has gone on at this moment, in another window; try again")
            unit.record(participant_id, place.participant.stage, place.now, Withdrew())
        if withdraw_data:
            self.erase(unit, participant_id, "participant")
        return self.flow.place(unit, self._get(unit, participant_id))

    def erase(self, unit: UnitOfWork, participant_id: str, who: str) -> None:
        """Erase everything a participant wrote."""
        erase(self.context, unit, self._get(unit, participant_id), who)

    # -- pages and their events ----------------------------------------------------------------------------------------

    @retried
    def take_over(self, participant_id: str, page: str, mono_ms: float | None = None) -> Ingested:
        """Make this page the owner of the attempt; the page before it hears so at its next request.

        `mono_ms` is the page's monotonic clock as it asked: with the server's time it anchors every event of the page.
        """
        with self.context.registry.begin() as unit:
            return self.take_over_in(unit, participant_id, page, mono_ms)

    def take_over_in(self, unit: UnitOfWork, participant_id: str, page: str, mono_ms: float | None = None) -> Ingested:
        """As `take_over`, within a transaction."""
        participant = unit.hold(self._get(unit, participant_id))
        place = self.flow.place(unit, participant)
        if participant.page != page:
            if participant.page is not None:
                replaced = PageSuperseded(page=participant.page, by=page)
                unit.record(participant_id, place.participant.stage, place.now, replaced)
            opened = PageOpened(page=page, mono_ms=mono_ms or 0.0)
            unit.record(participant_id, place.participant.stage, place.now, opened)
            unit.touch(participant_id, page=page, last_seen_at=place.now)
        return Ingested(unit.acknowledged(participant_id, page), place, superseded=False)

    @retried
    def ingest(self, participant_id: str, batch: Batch) -> Ingested:
        """Store a batch of a page's events, each once, and let the edits among them change the saved text.

        Events are stored whatever the stage, so that none is lost; only edits made in time and by the page that the
        text belongs to change it.

        Raises:
            Malformed: an event of a kind that only the server writes, or an unknown kind.
        """
        check_kinds(batch)
        with self.context.registry.begin() as unit:
            ingested = self.ingest_in(unit, self._get(unit, participant_id), batch)
        self.tell(ingested)
        return ingested

    def tell(self, ingested: Ingested) -> None:
        """Wake the agent whose step a stored batch decides; after the commit."""
        if ingested.decided:
            self._decided(ingested.place.participant.id)

    def submit(self, token: str | None, batch: Batch, drawn_for: str = "") -> Future[Ingested]:
        """As `ingest`, for the participant of this cookie, in a transaction shared with other pages' batches.

        The future is done once the batch is stored for good. It raises as `ingest` and as `Enrol.identify` do.

        Raises:
            UnknownParticipant: there is no cookie.
        """
        check_token(token)

        def work(unit: UnitOfWork) -> Ingested:
            participant = owner_of_token(self.context, unit, token, drawn_for)
            check_kinds(batch)
            return self.ingest_in(unit, participant, batch)

        stored = self.context.registry.submit(work)
        stored.add_done_callback(
            lambda done: None if done.cancelled() or done.exception() else self.tell(done.result())
        )
        return stored

    def ingest_in(self, unit: UnitOfWork, participant: Participant, batch: Batch) -> Ingested:
        """As `ingest`, within a transaction; `tell` is for after it."""
        # Held before the first look: a deadline that passes meanwhile waits, and hands in what this batch says as well.
        participant = unit.hold(participant)
        place = self.flow.place(unit, participant)
        now = place.now
        events: Sequence[BrowserEvent] = batch.events
        late = None
        moved = place.participant.stage != participant.stage
        task = place.task if isinstance(place, AtStage) and place.stage.kind == "tasks" else None
        form = (place.participant.stage, place.participant.step)
        if moved or participant.data_withdrawn or any(elsewhere(form, task, event) for event in events):
            # Asked only where something lies elsewhere: nearly every batch is of the form or text that is open.
            late = late_events(self.context, unit, participant, batch, now)
            events = cleaned(unit, place.participant, events, late)
        stages = None if late is None else late.stages
        # Whatever the stage is: the log is what was typed, also where it changes nothing any more.
        stored = unit.store_batch(participant.id, batch.page, participant.stage, now, events, stages)
        check_arm(place, batch)
        decided = lost = False
        if not moved:
            here = [event for event in stored.fresh if not elsewhere(form, task, event)]
            # Before the edits change the text: a step holds for the program that it was proposed for.
            decided = acts(place, self.context) and decide(unit, place, batch.page, here)
            lost = apply_events(unit, place, batch.page, here)
            if isinstance(place, AtStage):
                interrupt_by_work(unit, place, here)
        if late is not None:
            over = [event for event in stored.fresh if moved or elsewhere(form, task, event)]
            take_late(self.context, unit, place, batch.page, late, over)
        if stored.new:
            # As an export reads it in the log: a batch that was stored before tells nothing new.
            unit.touch(participant.id, last_seen_at=now)
        owner = place.participant.page in (None, batch.page)
        before = participant.stage
        return Ingested(stored.ack, place, superseded=not owner, stage_before=before, decided=decided, lost=lost)

    def document(self, participant_id: str, task: str) -> Document | None:
        """Return the saved text of a task."""
        with self.context.registry.begin(write=False) as unit:
            return text_of(unit, participant_id, task)

    # -- the sweeper ---------------------------------------------------------------------------------------------------

    def sweep(self, *, simulated: bool = False) -> int:
        """End every stage whose time is up, whether or not a tab is open; returns how many.

        Simulated participants live by their own clock: only their simulation ends their stages (`simulated`).
        """
        with self.context.registry.begin(write=False) as unit:
            late = unit.overdue(self.context.now(), simulated=simulated)
        for visit in late:
            try:
                with self.context.registry.begin() as unit:
                    participant = unit.participant(visit.participant_id)
                    if participant is not None:
                        self.flow.place(unit, participant)
            except Exception:
                # Whatever one participant's pages sent, the others' deadlines are kept.
                log.exception("the end of a participant's stage failed; it is tried again")
        self.context.registry.forget_erased()
        return len(late)

    def _get(self, unit: UnitOfWork, participant_id: str) -> Participant:
        return unit.known_participant(participant_id)
