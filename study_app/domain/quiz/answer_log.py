"""The fields of a form as its events make them: replaying the log gives what stood on the screen.

Four kinds of events carry `stage` and `step` (the page of a quiz, 0 elsewhere); all but the first carry `field` too:

- `answers_shown`: a browser page shows the form from now on; edits by pages shown before are kept and change nothing.
- `answer_load`: `value` stands in the field as the page shows it.
- `answer_set`: a choice, `value`.
- `answer_edit`: `changes` of a text, as in `edits`.

An erased event (`events.ERASED`) changes nothing: its field was empty when it was handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study_app.domain.editing.edits import apply_event
from study_app.domain.events import SERVER_PAGE, Erased, Event
from study_app.domain.events.browser import AnswerEdit, AnswerEvent, AnswerLoad, AnswerSet, AnswersShown, FieldPlace
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.details import EventDetails
from study_app.domain.events.server import AnswersHandedIn, PageOpened, StageReopened

FORM_KINDS = ("quiz", "survey", "eligibility", "interview")
"""Stages whose pages are forms."""


ANSWER_KINDS = frozenset(each.kind for each in (AnswersShown, AnswerLoad, AnswerSet, AnswerEdit))
CHANGE_KINDS = frozenset(each.kind for each in (AnswerSet, AnswerEdit))


@dataclass(frozen=True)
class Draft:
    """What stands in the fields of one form now."""

    page: str = ""
    """The browser page that shows it; empty before the first."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Field -> what stands in it; a field that was never touched is absent."""


def applied(draft: Draft, page: str, details: EventDetails, pages: Sequence[str] = ()) -> Draft:
    """Return the form after one event of a page.

    Args:
        draft: the form before.
        page: who sent the event.
        details: of the event.
        pages: the participant's browser pages in the order in which they took the attempt over.

    Raises:
        ReplayMismatch: an edit does not fit the text that it is said to change.
    """
    if isinstance(details, AnswersShown):
        return Draft(page, draft.values) if may_show(draft.page, page, pages) else draft
    if page != draft.page:
        return draft
    match details:
        case AnswerEdit(field=name):
            return Draft(page, {**draft.values, name: apply_event(draft.values.get(name) or "", details)})
        case AnswerSet(field=name, value=value) | AnswerLoad(field=name, value=value):
            return Draft(page, {**draft.values, name: value})
    return draft


def may_show(shown: str, page: str, pages: Sequence[str]) -> bool:
    """Whether a page takes a form or a text over from the one that shows it: no older page, however late it comes.

    Args:
        shown: the page that shows it; empty where none does.
        page: the page that takes it over.
        pages: those that were opened, in that order.
    """
    if shown in ("", page):
        return True
    return page in pages and (shown not in pages or pages.index(page) > pages.index(shown))


@dataclass
class Replayed:
    """One form as the log gives it."""

    draft: Draft = field(default_factory=Draft)
    shown: bool = False
    """Whether the log knows of a page that showed it."""
    broken: set[str] = field(default_factory=set)
    """Fields with an edit that does not fit."""
    handed_in_by: str = ""
    """`participant` or `deadline` once handed in."""


def replay_forms(events: Iterable[Event]) -> dict[FieldPlace, Replayed]:
    """Return every form of one participant as their events make it, in the order in which the server stored them.

    Once handed in by the participant a form stays as it is; one that a deadline handed in takes the events in that
    were sent in time and `arrived_late`.
    """
    replaying = _Replaying()
    for event in events:
        replaying.take(event)
    return replaying.forms


class _Replaying:
    def __init__(self) -> None:
        self.forms: dict[FieldPlace, Replayed] = {}
        self.pages: list[str] = []
        self.erased: set[str] = set()
        """Stages with erased events: late edits there may refer to what is not in the log any more."""
        self._steps: dict[str, int] = {}
        """Stage -> the page at which the participant is."""
        self._next: dict[str, int] = {}
        self._ahead: dict[str, dict[int, Event]] = {}

    def take(self, event: Event) -> None:
        if event.page == SERVER_PAGE:
            self._server(event)
            return
        # What was stored ahead of a gap counts once the gap is filled.
        ahead = self._ahead.setdefault(event.page, {})
        ahead[event.seq] = event
        while (following := ahead.pop(self._next.get(event.page, 1), None)) is not None:
            self._next[event.page] = following.seq + 1
            self._apply(following)

    def _server(self, event: Event) -> None:
        match event.details:
            case PageOpened(page=page):
                self.pages.append(page)
            case AnswersHandedIn(page=step, by=by):
                self.forms.setdefault((event.stage, step), Replayed()).handed_in_by = by
                # A deadline leaves the participant on this page, so that late edits of it, sent in time, still count.
                self._steps[event.stage] = step if by == "deadline" else step + 1
            case StageReopened():
                place = (event.stage, self._steps.get(event.stage, 0))
                self.forms.setdefault(place, Replayed()).handed_in_by = ""

    def _apply(self, event: Event) -> None:
        details = event.details
        if event.kind in ANSWER_KINDS and isinstance(details, Erased):
            self.erased.add(event.stage)
        if not isinstance(details, AnswerEvent):
            return
        place = (details.stage, details.step)
        form = self.forms.setdefault(place, Replayed())
        here = event.stage == place[0] and self._steps.get(place[0], 0) == place[1]
        if not here or (form.handed_in_by and not self._late(form, event)):
            return
        form.shown = form.shown or isinstance(details, AnswersShown)
        try:
            form.draft = applied(form.draft, event.page, details, self.pages)
        except ReplayMismatch:
            if not (event.arrived_late and event.stage in self.erased):
                form.broken.add(str(details.field))

    def _late(self, form: Replayed, event: Event) -> bool:
        return form.handed_in_by == "deadline" and event.arrived_late
