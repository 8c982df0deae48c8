"""What events do to texts and forms, in time and after a deadline.

At a deadline what stood on the screen counts. Events that arrive up to LATE afterwards count, too, if no event of their
page is missing before them and they happened before the deadline by the page's monotonic clock, which the server
anchored when the page opened. Nothing counts any more once it is locked for the analysis.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from study_app.domain.editing.edits import apply_all
from study_app.domain.errors import StudyError
from study_app.domain.events import ERASED, SERVER_PAGE, Batch, BrowserEvent, Event, EventDetails, saying
from study_app.domain.events.browser import AnswerEvent, AnswersShown, Load, OnForm, TextEvent
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import AnswersHandedIn, EditsUnapplied, PageOpened
from study_app.domain.quiz.answer_log import FORM_KINDS, Draft, applied, may_show
from study_app.domain.records import Document, Participant, Visit
from study_app.domain.timing import LATE
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.submissions import submit_late, submitted_by_deadline
from study_app.services.participant.handing_in import draft_of, hand_in
from study_app.services.participant.interviewing.state import answered_fields
from study_app.services.participant_status import is_locked
from study_app.services.position import AtStage, OnStage, Position

log = logging.getLogger(__name__)

LONGEST_TEXT = 1_000_000
"""UTF-16 units of a participant's text that is kept; what goes beyond stays in the log and changes nothing."""


@dataclass(frozen=True)
class Late:
    """Events of a batch that happened on stages which a deadline has ended since."""

    visits: Mapping[int, Visit]
    """Number of the event -> the visit that it belongs to."""

    @property
    def stages(self) -> dict[int, str]:
        """Number of the event -> the stage."""
        return {seq: visit.stage for seq, visit in self.visits.items()}


Made = TypeVar("Made", str, Draft)


@dataclass(frozen=True)
class Applied(Generic[Made]):
    """What a page's events do to a text or a form."""

    made: Made | None
    """None where nothing changed."""
    lost: bool = False
    """They do not fit what is saved, and no later one says what the page shows."""


# -- in time -----------------------------------------------------------------------------------------------------------


def apply_events(unit: UnitOfWork, place: Position, page: str, events: Sequence[BrowserEvent]) -> bool:
    """Let the edits among events at the participant's place change the text of the task, or the form.

    Returns:
        Whether they do not fit, so that the page has to send its whole text, or all fields of its form.
    """
    participant = place.participant
    lost = False
    edits = [event for event in events if isinstance(event.details, TextEvent) and event.details.task is not None]
    if edits and isinstance(place, AtStage):
        lost = change_document(unit, place, page, place.task, edits).lost
    changes = [event for event in events if isinstance(event.details, AnswerEvent)]
    if changes:
        form = (participant.stage, participant.step)
        lost = change_draft(unit, participant, page, form, changes).lost or lost
    return lost


def change_document(
    unit: UnitOfWork, place: AtStage, page: str, task: str, edits: Sequence[BrowserEvent]
) -> Applied[str]:
    """Apply edits of the page that the text belongs to."""
    participant_id = place.participant.id
    saved = unit.document(participant_id, task, of_page=page)
    if saved is None and not _may_take_over(unit, participant_id, page, task):
        note_unapplied(unit, place, page, task, "superseded")
        return Applied(None)
    text = None if saved is None else saved.text
    details = [edit.details for edit in edits]
    try:
        text = apply_all(text, details, LONGEST_TEXT)
    except (ReplayMismatch, StudyError) as error:
        # The log keeps the events as they came; verify lists the mismatch.
        log.warning("edits that came late cannot be replayed", exc_info=error, extra={"task": task})
        note_unapplied(unit, place, page, task, "mismatch")
        text = _since_loaded(details)
        if text is None:
            # The saved text stays what it was.
            return Applied(None, lost=True)
    if text is not None:
        unit.save_document(Document(participant_id, task, text, "saved"), page)
    return Applied(text)


def _since_loaded(edits: Sequence[EventDetails]) -> str | None:
    """Return the text that the last `load` and the edits after it give; None where there is none, or they do not fit.

    With a whole text a page begins anew, whatever was wrong with the edits before it.
    """
    loads = [at for at, details in enumerate(edits) if isinstance(details, Load)]
    try:
        return apply_all(None, edits[loads[-1] :], LONGEST_TEXT) if loads else None
    except (ReplayMismatch, StudyError):
        return None


def _may_take_over(unit: UnitOfWork, participant_id: str, page: str, task: str) -> bool:
    """Return whether a page may put its text in the place of another's: not where that one was opened after it."""
    owner = unit.document_page(participant_id, task)
    if owner is None:
        return True
    opened = [opening.page for _, opening in _openings(unit, participant_id)]
    # A page of which the log knows no opening is older than none.
    return page not in opened or may_show(owner, page, _last_openings(opened))


def note_unapplied(unit: UnitOfWork, place: Position | AtStage, page: str, task: str, why: str) -> None:
    """Record that a page's edits do not give the text any more; once for each page and task."""
    kind = EditsUnapplied.kind
    noted = unit.latest(place.participant.id, SERVER_PAGE, [kind]).get(kind)
    before = None if noted is None else noted.details
    if not isinstance(before, EditsUnapplied) or (before.page, before.task) != (page, task):
        unapplied = EditsUnapplied(page=page, task=task, why=why)
        unit.record(place.participant.id, place.participant.stage, place.now, unapplied)


def change_draft(
    unit: UnitOfWork, participant: Participant, page: str, form: tuple[str, int], changes: Sequence[BrowserEvent]
) -> Applied[Draft]:
    """Apply changes of fields by the page that shows the form."""
    lost = False
    before = draft = draft_of(unit, participant.id, *form)
    pages = [page]
    if before.page not in ("", page) and any(isinstance(change.details, AnswersShown) for change in changes):
        pages = [opened.page for _, opened in _openings(unit, participant.id)]
    for change in changes:
        try:
            draft = applied(draft, page, change.details, pages)
            lost = lost and not isinstance(change.details, AnswersShown)
        except ReplayMismatch as error:
            log.warning("changes of a form that came late cannot be replayed", exc_info=error)
            lost = True
    if draft == before:
        return Applied(None, lost)
    unit.save_draft(participant.id, *form, draft)
    return Applied(draft, lost)


def _last_openings(pages: Sequence[str]) -> list[str]:
    """Return pages in the order in which they were opened last."""
    return list(dict.fromkeys(reversed(pages)))[::-1]


def _openings(unit: UnitOfWork, participant_id: str) -> list[tuple[Event, PageOpened]]:
    return list(saying(unit.events_of(participant_id, {PageOpened.kind}), PageOpened))


# -- after a deadline --------------------------------------------------------------------------------------------------


def late_events(context: StudyContext, unit: UnitOfWork, participant: Participant, batch: Batch, now: datetime) -> Late:
    """Return which events of a batch happened before a deadline that has passed since, and not long ago."""
    study = context.study_of(unit, participant)
    ended = [
        visit
        for visit in unit.visits(participant.id)
        if visit.ended_by == "deadline"
        and visit.deadline_at is not None
        and now <= visit.deadline_at + LATE
        and not is_locked(context, unit, study, study.stage(visit.stage), participant)
    ]
    if not ended:
        return Late({})
    opening = next((pair for pair in _openings(unit, participant.id) if pair[1].page == batch.page), None)
    if opening is None:
        return Late({})
    taken_over, opened = opening
    # The page's monotonic clock, which no change of the device's time moves; its wall clock may be hours off.
    start = taken_over.server_time - timedelta(milliseconds=_mono(opened.mono_ms))
    found = {}
    for event in batch.events:
        if event.mono_ms is None:
            continue
        at = start + timedelta(milliseconds=_mono(event.mono_ms))
        visit = next((v for v in ended if v.deadline_at is not None and v.started_at <= at < v.deadline_at), None)
        if visit is not None:
            found[event.seq] = visit
    return Late(found)


def _mono(value: float) -> float:
    """Milliseconds of a page's clock, within a month: what a page sends may be any number."""
    return min(max(float(value), 0.0), 2.7e9)


def take_late(
    context: StudyContext, unit: UnitOfWork, place: Position, page: str, late: Late, fresh: Sequence[BrowserEvent]
) -> None:
    """Let late events change what the deadline handed in; `fresh` are events of forms and texts that are over."""
    by_stage: dict[str, list[BrowserEvent]] = {}
    for event in fresh:
        if event.seq in late.visits:
            by_stage.setdefault(late.visits[event.seq].stage, []).append(event)
        elif isinstance(event.details, TextEvent) and event.details.task is not None:
            note_unapplied(unit, place, page, event.details.task, "late")
    visits = {visit.stage: visit for visit in late.visits.values()}
    for name, events in by_stage.items():
        stage = context.met_by(unit, place.participant).stage(name)
        ended_at = visits[name].deadline_at or place.now
        there = OnStage(place.participant, place.study, stage, place.arm, ended_at)
        if stage.kind == "tasks":
            _late_edits(unit, there, page, events, context.now())
        elif stage.kind in FORM_KINDS:
            _late_changes(context, unit, there, page, events)


def _late_edits(unit: UnitOfWork, place: AtStage, page: str, events: Sequence[BrowserEvent], now: datetime) -> None:
    by_task: dict[str, list[BrowserEvent]] = {}
    for event in events:
        if isinstance(event.details, TextEvent) and event.details.task is not None:
            by_task.setdefault(event.details.task, []).append(event)
    for task, edits in by_task.items():
        if not submitted_by_deadline(unit, place, task):
            note_unapplied(unit, place, page, task, "late")
            continue
        text = change_document(unit, place, page, task, edits).made
        if text is not None:
            submit_late(unit, place, task, text, now)


def _late_changes(
    context: StudyContext, unit: UnitOfWork, place: AtStage, page: str, events: Sequence[BrowserEvent]
) -> None:
    handed = [each for _, each in _handed_in(unit, place.participant.id, place.stage.id)]
    if not handed or handed[-1].by != "deadline":
        return
    step = handed[-1].page
    form = (place.stage.id, step)
    changes = [event for event in events if isinstance(event.details, AnswerEvent) and event.details.place == form]
    there = replace(place.participant, stage=place.stage.id, step=step)
    draft = change_draft(unit, there, page, form, changes).made if changes else None
    if draft is not None:
        hand_in(context, unit, replace(place, participant=there), draft.values, "deadline")


def _handed_in(unit: UnitOfWork, participant_id: str, stage: str | None = None) -> list[tuple[Event, AnswersHandedIn]]:
    return list(saying(unit.events_of(participant_id, {AnswersHandedIn.kind}, stage), AnswersHandedIn))


def cleaned(
    unit: UnitOfWork, participant: Participant, events: Sequence[BrowserEvent], late: Late
) -> Sequence[BrowserEvent]:
    """Return the events as they may be stored.

    What came too late from a field that was handed in empty leaves no words.
    """
    if participant.data_withdrawn:
        return [event.saying({}) for event in events]
    # But for the form that is open: one that a deadline handed in and a researcher reopened is being written again.
    handed = {(event.stage, page.page) for event, page in _handed_in(unit, participant.id)}
    handed -= {(participant.stage, participant.step)}
    answered = {(answer.stage, answer.item) for answer in unit.answers(participant.id) if answer.response is not None}
    answered |= answered_fields(unit, participant.id)

    def words(event: BrowserEvent) -> bool:
        details = event.details
        form, name = (details.place, details.field) if isinstance(details, OnForm) else (None, None)
        return form in handed and name is not None and (form[0], name) not in answered and event.seq not in late.visits

    return [event.saying(dict(ERASED)) if words(event) else event for event in events]
