"""A participant's session: where they are, what their pages send, how they leave."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from study_app.domain.edits import ReplayMismatch, apply_event
from study_app.domain.errors import Malformed, NotAllowed, StudyError
from study_app.domain.events import BROWSER_KINDS, SERVER_PAGE, Batch, BrowserEvent
from study_app.domain.ledger import LedgerRow
from study_app.domain.participant import Document, Participant
from study_app.domain.timing import LATE_GRACE
from study_app.ports import Unit
from study_app.services.enrol import check_token, owner_of_token
from study_app.services.way import Way
from study_app.services.world import Place, World

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """The answer to a batch of events."""

    ack: int
    place: Place
    superseded: bool
    """Another page owns the attempt now."""
    stage_before: str = ""
    """Where the participant was when the batch came."""


class Session:
    """Everything a page may do besides working and answering."""

    def __init__(self, world: World, way: Way) -> None:
        self.world = world
        self.way = way

    def where(self, participant_id: str) -> Place:
        """Where the participant is; opens the stage if it has no page of its own before it."""
        with self.world.registry.begin() as unit:
            return self.way.arrive(unit, self._get(unit, participant_id))

    def peek(self, participant_id: str) -> Place:
        """Where the participant is, without opening anything."""
        with self.world.registry.begin() as unit:
            return self.way.place(unit, self._get(unit, participant_id))

    def begin_stage(self, participant_id: str, stage_id: str) -> Place:
        """From the page before a timed stage into it: its clock starts. A second click changes nothing."""
        with self.world.registry.begin() as unit:
            place = self.way.place(unit, self._get(unit, participant_id))
            if place.stage is not None and place.stage.id == stage_id:
                self.way.open_stage(unit, place)
            return self.way.place(unit, self._get(unit, participant_id))

    def continue_(
        self, participant_id: str, stage_id: str, kinds: tuple[str, ...] = ("instructions", "device")
    ) -> Place:
        """On from a stage that only shows something."""
        with self.world.registry.begin() as unit:
            place = self.way.arrive(unit, self._get(unit, participant_id))
            if place.stage is not None and place.stage.id == stage_id and place.stage.kind in kinds:
                self.way.advance(unit, place)
            return self.way.arrive(unit, self._get(unit, participant_id))

    def consent(self, participant_id: str, agreed: bool) -> Place:
        """The answer to the consent page."""
        with self.world.registry.begin() as unit:
            place = self.way.arrive(unit, self._get(unit, participant_id))
            if place.stage is not None and place.stage.kind == "consent":
                if agreed and self.way.enrol_consenting(unit, place):
                    unit.record(participant_id, "consented", place.stage.id, place.now, {})
                elif not agreed and self.way.leave(unit, place, "declined", "participant"):
                    unit.record(participant_id, "declined", place.stage.id, place.now, {})
            return self.way.arrive(unit, self._get(unit, participant_id))

    def withdraw(self, participant_id: str, withdraw_data: bool) -> Place:
        """Leave the study, and take the data along if wished; the ledger's row stays, its payload goes."""
        with self.world.registry.begin() as unit:
            place = self.way.place(unit, self._get(unit, participant_id))
            if self.way.leave(unit, place, "withdrawn", "withdrawal"):
                unit.record(participant_id, "withdrew", place.participant.stage, place.now, {})
            if withdraw_data:
                self.erase(unit, participant_id, "participant")
            return self.way.place(unit, self._get(unit, participant_id))

    def erase(self, unit: Unit, participant_id: str, who: str) -> None:
        """Erase everything a participant wrote."""
        participant = self._get(unit, participant_id)
        if participant.data_withdrawn:
            return
        unit.erase_payloads(participant_id)
        for row in map(LedgerRow.parse, unit.allocations(participant.kind)):
            if row.participant_id == participant_id:
                unit.erase_allocation(row.allocation_index, participant.kind, row.erase().record())
        unit.touch(participant_id, data_withdrawn=True)
        unit.record(participant_id, "data_withdrawn", participant.stage, self.world.now(), {"who": who})

    # -- pages and their events ----------------------------------------------------------------------------------------

    def take_over(self, participant_id: str, page: str) -> Ingested:
        """Make this page the owner of the attempt; the page before it hears so at its next request."""
        with self.world.registry.begin() as unit:
            participant = self._get(unit, participant_id)
            place = self.way.place(unit, participant)
            if participant.page != page:
                if participant.page is not None:
                    payload = {"page": participant.page, "by": page}
                    unit.record(participant_id, "page_superseded", place.participant.stage, place.now, payload)
                unit.record(participant_id, "page_opened", place.participant.stage, place.now, {"page": page})
                unit.touch(participant_id, page=page, last_seen_at=place.now)
            return Ingested(unit.acknowledged(participant_id, page), place, superseded=False)

    def ingest(self, participant_id: str, batch: Batch) -> Ingested:
        """Store a batch of a page's events, each once, and let the edits among them change the saved text.

        Events are stored whatever the stage, so that none is lost; only edits made in time and by the page that the
        text belongs to change it.

        Raises:
            Malformed: an event of a kind that only the server writes, or that nobody knows.
        """
        _check_kinds(batch)
        with self.world.registry.begin() as unit:
            return self._store(unit, self._get(unit, participant_id), batch)

    def submit(self, token: str | None, batch: Batch) -> Future[Ingested]:
        """As `ingest`, for whoever this cookie belongs to, in a transaction shared with other pages' batches.

        The future is done once the batch is stored for good. It raises as `ingest` and as `Enrol.identify` do.

        Raises:
            UnknownParticipant: there is no cookie.
        """
        check_token(token)

        def work(unit: Unit) -> Ingested:
            participant = owner_of_token(self.world, unit, token)
            _check_kinds(batch)
            return self._store(unit, participant, batch)

        return self.world.registry.submit(work)

    def _store(self, unit: Unit, participant: Participant, batch: Batch) -> Ingested:
        now = self.world.now()
        place = self.way.place(unit, participant)
        stored = unit.store_batch(participant.id, batch.page, participant.stage, now, batch.events)
        _check_arm(place, batch)
        if self._in_time(participant, place):
            self._apply(unit, participant, batch.page, stored.fresh)
        else:
            self._note_late(unit, participant, batch.page, stored.fresh)
        unit.touch(participant.id, last_seen_at=now)
        owner = place.participant.page in (None, batch.page)
        return Ingested(stored.ack, place, superseded=not owner, stage_before=participant.stage)

    def _in_time(self, before: Participant, place: Place) -> bool:
        if before.stage != place.participant.stage:
            return False
        return place.deadline_at is None or place.now <= place.deadline_at + LATE_GRACE

    def _apply(self, unit: Unit, participant: Participant, page: str, events: tuple[BrowserEvent, ...]) -> None:
        by_task: dict[str, list[BrowserEvent]] = {}
        for event in events:
            if event.kind in ("load", "edit") and isinstance(event.payload.get("task"), str):
                by_task.setdefault(event.payload["task"], []).append(event)
        for task, edits in by_task.items():
            self._apply_to(unit, participant, page, task, edits)

    def _apply_to(self, unit: Unit, participant: Participant, page: str, task: str, edits: list[BrowserEvent]) -> None:
        saved = unit.document(participant.id, task)
        saved_page = unit.document_page(participant.id, task)
        text = saved.text if saved is not None and saved_page == page else None
        try:
            for edit in edits:
                text = apply_event(text, edit.kind, edit.payload)
        except (ReplayMismatch, StudyError) as error:
            # The log keeps the events as they came; verify lists the mismatch. The saved text stays what it was.
            log.warning("participant %s, task %s: %s", participant.id, task, error)
            self._note_unapplied(unit, participant, page, task, "mismatch")
            return
        if text is not None:
            unit.save_document(Document(participant.id, task, text, "saved"), page)

    def _note_late(self, unit: Unit, participant: Participant, page: str, events: tuple[BrowserEvent, ...]) -> None:
        """Say in the log which texts got edits that came too late to count."""
        tasks = {event.payload.get("task") for event in events if event.kind in ("load", "edit")}
        for task in sorted(task for task in tasks if isinstance(task, str)):
            self._note_unapplied(unit, participant, page, task, "late")

    def _note_unapplied(self, unit: Unit, participant: Participant, page: str, task: str, why: str) -> None:
        """The server's own word that a page's edits do not give the text any more; once for each page and task."""
        noted = unit.latest(participant.id, SERVER_PAGE, ["edits_unapplied"]).get("edits_unapplied")
        if noted is None or (noted.payload.get("page"), noted.payload.get("task")) != (page, task):
            payload = {"page": page, "task": task, "why": why}
            unit.record(participant.id, "edits_unapplied", participant.stage, self.world.now(), payload)

    def document(self, participant_id: str, task: str) -> Document | None:
        """The saved text of a task."""
        with self.world.registry.begin(write=False) as unit:
            return unit.document(participant_id, task)

    # -- the sweeper ---------------------------------------------------------------------------------------------------

    def sweep(self) -> int:
        """End every stage whose time is up, whether or not a tab is open; returns how many."""
        with self.world.registry.begin(write=False) as unit:
            late = unit.overdue(self.world.now())
        for visit in late:
            with self.world.registry.begin() as unit:
                participant = unit.participant(visit.participant_id)
                if participant is not None:
                    self.way.place(unit, participant)
        return len(late)

    def _get(self, unit: Unit, participant_id: str) -> Participant:
        participant = unit.participant(participant_id)
        if participant is None:
            raise NotAllowed("this participant is not known")
        return participant


def _check_kinds(batch: Batch) -> None:
    strange = sorted({event.kind for event in batch.events} - BROWSER_KINDS)
    if strange:
        raise Malformed(f"'{strange[0]}' is no kind of event that a page sends")


def _check_arm(place: Place, batch: Batch) -> None:
    """Refuse events that only a reply can cause where the participant's arm has no assistant."""
    if any(event.tells_of_reply for event in batch.events) and not place.study.has_assistant(place.participant.arm):
        raise Malformed("an event tells of a reply, and this participant has no assistant")


def as_state(ingested: Ingested) -> dict[str, Any]:
    """What the hot routes tell a page about where it stands."""
    place = ingested.place
    deadline_at = place.deadline_at
    return {
        "ack": ingested.ack,
        "now_ms": round(place.now.timestamp() * 1000),
        "deadline_ms": round(deadline_at.timestamp() * 1000) if deadline_at else None,
        "stage": place.participant.stage,
        "step": place.participant.step,
    }
