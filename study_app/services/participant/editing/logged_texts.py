"""A participant's text and form as the log of edits gives them, for a page that shows them again.

The table `documents` holds the same, so that each batch of edits need not replay those before it. No digest covers
that table. What is handed in from it verify compares with the log; what it would show again would enter the log as
the page's own words, so it is replayed here first, and the log's text counts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from study_app.domain.editing.edits import apply_event
from study_app.domain.events import ERASED, Event, saying
from study_app.domain.events.browser import AnswerEvent, Edit, EventRefused, Load, TextEvent
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import AnswersHandedIn, EditsUnapplied, PageOpened
from study_app.domain.quiz.answer_log import ANSWER_KINDS, Draft, applied
from study_app.domain.records import Document
from study_app.ports import UnitOfWork

log = logging.getLogger(__name__)

_TEXT_KINDS = {Load.kind, Edit.kind, EventRefused.kind}


def text_of(unit: UnitOfWork, participant_id: str, task: str) -> Document | None:
    """Return the text of a task; where the log gives another one than the table, the log's.

    A text whose edits came too late, did not fit or were erased is not in the log any more: the table's is returned.
    """
    stored = unit.document(participant_id, task)
    if stored is None and unit.known_participant(participant_id).kind != "real":
        return None
    found = _replayed(unit, participant_id, task)
    if found is None or (stored is not None and stored.text == found):
        return stored
    log.error("the stored text of a task is not what its edits give: the log's counts", extra={"task": task})
    return Document(participant_id, task, found, "saved")


def _replayed(unit: UnitOfWork, participant_id: str, task: str) -> str | None:
    """Return what the newest page's edits give; None where the log does not say."""
    of_task = [
        (event, details)
        for event, details in saying(unit.events_of(participant_id, _TEXT_KINDS), TextEvent)
        # No further than without a gap: what lies behind one has not been applied by the server either.
        if details.task == task and event.seq <= unit.acknowledged(participant_id, event.page)
    ]
    noted = [
        each
        for _, each in saying(unit.events_of(participant_id, {EditsUnapplied.kind}), EditsUnapplied)
        if each.task == task
    ]
    # A page that another had replaced by then took the text over from none.
    refused = {each.page for each in noted if each.why == "superseded"}
    loads = [event for event, details in of_task if isinstance(details, Load) and event.page not in refused]
    if not loads:
        return None
    page = loads[-1].page
    if any(each.page == page and each.why != "mismatch" for each in noted):
        return None
    text: str | None = None
    for event, details in sorted(of_task, key=lambda pair: pair[0].seq):
        if event.page == page:
            try:
                text = apply_event(text, details)
            except ReplayMismatch:
                # Not known until the page says again what it shows.
                text = None
    return text


def form_of(unit: UnitOfWork, participant_id: str, stage: str, step: int) -> Draft:
    """Return what stands in the fields of a form; where the log gives something else than the table, the log's."""
    stored = unit.draft(participant_id, stage, step) or Draft()
    events = unit.events_of(participant_id, ANSWER_KINDS | {AnswersHandedIn.kind}, stage)
    opened = saying(unit.events_of(participant_id, {PageOpened.kind}), PageOpened)
    found = _form(unit, events, [each.page for _, each in opened], (stage, step))
    if found is None or dict(found.values) == dict(stored.values):
        return stored
    log.error("a stored form is not what its events give: the log's counts", extra={"stage": stage})
    return found


def _form(unit: UnitOfWork, events: Iterable[Event], pages: list[str], place: tuple[str, int]) -> Draft | None:
    draft, at = Draft(), 0
    known: dict[str, int] = {}
    for event in events:
        details = event.details
        if isinstance(details, AnswersHandedIn):
            # Handed in by a deadline it stays the form of late events, which may still change it.
            at = details.page + (details.by != "deadline")
            continue
        if event.payload == ERASED:
            return None
        if event.page not in known:
            known[event.page] = unit.acknowledged(event.participant_id, event.page)
        here = isinstance(details, AnswerEvent) and details.place == place and at == place[1]
        if event.seq > known[event.page] or not here:
            continue
        try:
            draft = applied(draft, event.page, details, pages)
        except ReplayMismatch:
            return None
    return draft
