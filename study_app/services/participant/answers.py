"""Answers to surveys and quizzes: saved as given, scored on the server, pages without a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.quiz.answer_log import FORM_KINDS, Draft
from study_app.domain.quiz.answering import AnswerFault, Unanswerable, fault_of, response_to
from study_app.domain.quiz.items import Bank, Item
from study_app.domain.study.sections import Question
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.editing.logged_texts import form_of
from study_app.services.participant.flow import ParticipantFlow, check_not_paused
from study_app.services.participant.handing_in import bank_of, draft_of, pages_of, shown_fields
from study_app.services.participant.interviewing.state import interview_at
from study_app.services.position import AtStage, Ended, OnStage, Position
from study_app.services.retrying import retried


@dataclass(frozen=True)
class ShownPage:
    """What a page shows at the moment of its press on Continue."""

    page: str
    seq: int
    """The last event of the page that the screen contains."""
    stage: str
    step: int
    shown: Mapping[str, Any]
    """Field -> what stands in it."""


@dataclass(frozen=True)
class Handed:
    """What became of a press on Continue."""

    accepted: bool
    faults: Mapping[str, AnswerFault] = field(default_factory=dict)
    """What has to be answered or corrected first, by question."""
    behind: bool = False
    """Events before the press are not stored yet: send them and ask again."""
    differs: bool = False
    """The log gives something else than the screen shows: say what stands there, and ask again."""


class Answers:
    """What participants answer on surveys, the eligibility form and quizzes."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow) -> None:
        self.context = context
        self.flow = flow

    # -- what a page shows ---------------------------------------------------------------------------------------------

    def page(self, place: AtStage) -> tuple[Bank, tuple[Item, ...], int]:
        """Return the bank, the items of the participant's current page, and the number of pages."""
        pages = pages_of(self.context, place)
        return bank_of(self.context, place), pages[place.participant.step], len(pages)

    def drafts(self, place: AtStage) -> Mapping[str, Any]:
        """Return what stands in the fields of the page at which the participant is, by question or item."""
        with self.context.registry.begin(write=False) as unit:
            return form_of(unit, place.participant.id, place.stage.id, place.participant.step).values

    def draft(self, participant_id: str, stage: str, step: int) -> Draft:
        """Return a form as its events make it so far."""
        with self.context.registry.begin(write=False) as unit:
            return draft_of(unit, participant_id, stage, step)

    # -- handing in ----------------------------------------------------------------------------------------------------

    @retried
    def submit(self, participant_id: str, screen: ShownPage) -> Handed:
        """Hand in what stands on a page's screen and go on; there is no way back.

        A second press, or one of a page whose time is up, changes nothing. Nothing is handed in but what the log gives
        and the screen shows.

        Raises:
            Superseded: another page has taken over.
            NotAllowed: the participant is not at a form.
        """
        with self.context.registry.begin() as unit:
            place = self._at(unit, participant_id)
            stage = place.stage
            # A second click, whose first has moved the participant on: answered as a success, for what it asked for has
            # happened.
            if stage is None or (stage.id, place.participant.step) != (screen.stage, screen.step):
                return Handed(True)
            check_not_paused(place)
            if stage.kind not in FORM_KINDS or not isinstance(place, OnStage):
                raise NotAllowed("this part of the study has no answers to hand in")
            self.flow.check_page(unit, place, screen.page)
            # What is handed in comes from the log: were the last keystrokes still under way, the answer would lack
            # them.
            if unit.acknowledged(participant_id, screen.page) < screen.seq:
                return Handed(False, behind=True)
            draft = draft_of(unit, participant_id, stage.id, screen.step)
            asked = self._asked(unit, place)
            names = shown_fields(self.context, place) if asked is None else tuple(each.id for each in asked)
            # Log and screen are two records of one form; handing in what only one of them has would make the other a
            # lie.
            if draft.page != screen.page or _differ(names, draft.values, screen.shown):
                return Handed(False, differs=True)
            faults = self.faults(stage.asked if asked is None else asked, draft.values)
            if faults:
                return Handed(False, faults)
            self.flow.hand_in(unit, place, draft.values)
            return Handed(True)

    def _asked(self, unit: UnitOfWork, place: AtStage) -> tuple[Question, ...] | None:
        """Return what a page of an interview asks; None of every other form."""
        if place.stage.kind != "interview":
            return None
        return interview_at(self.context, unit, place).form(place.participant.step)

    def faults(self, asked: Sequence[Question], shown: Mapping[str, Any]) -> dict[str, AnswerFault]:
        """Return what keeps a form from being handed in, by question; a quiz is handed in with gaps, too."""
        found = {question.id: fault_of(question, shown.get(question.id)) for question in asked}
        return {name: fault for name, fault in found.items() if fault is not None}

    @retried
    def submit_survey(self, participant_id: str, stage_id: str, given: Mapping[str, Any]) -> Position:
        """Hand in a survey or eligibility form that no browser showed; a second submit changes nothing.

        Raises:
            NotAllowed: a required answer is missing, or one is none.
        """
        with self.context.registry.begin() as unit:
            place = self._at(unit, participant_id)
            if (
                isinstance(place, Ended)
                or place.stage.id != stage_id
                or place.stage.kind not in ("survey", "eligibility")
            ):
                return place
            faults = self.faults(place.stage.asked, given)
            if faults:
                raise NotAllowed("; ".join(f"{name}: {fault.code}" for name, fault in faults.items()))
            self.flow.hand_in(unit, place, given)
            return self._at(unit, participant_id)

    @retried
    def submit_page(self, participant_id: str, stage_id: str, step: int, given: Mapping[str, Any]) -> Position:
        """Hand in a page of a quiz that no browser showed; where the participant is past it, nothing changes.

        Raises:
            NotAllowed: a response is none.
        """
        with self.context.registry.begin() as unit:
            place = self._at(unit, participant_id)
            if isinstance(place, Ended) or place.stage.kind != "quiz":
                return place
            if (place.stage.id, place.participant.step) != (stage_id, step):
                return place
            for item in self.page(place)[1]:
                try:
                    response_to(item, given.get(item.id))
                except Unanswerable as problem:
                    raise NotAllowed(f"{item.id}: {problem}") from None
            self.flow.hand_in(unit, place, given)
            return self._at(unit, participant_id)

    def _at(self, unit: UnitOfWork, participant_id: str) -> Position:
        return self.flow.arrive(unit, unit.known_participant(participant_id))


def _differ(names: Sequence[str], draft: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    return any(draft.get(name) != shown.get(name) and not _both_blank(draft, shown, name) for name in names)


def _both_blank(draft: Mapping[str, Any], shown: Mapping[str, Any], name: str) -> bool:
    """Return whether a field is blank on both sides: never touched, it is absent on one and empty on the other."""
    return draft.get(name) in (None, "", [], {}) and shown.get(name) in (None, "", [], {})
