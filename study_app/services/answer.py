"""Answers to surveys and quizzes: saved as given, scored on the server, pages without a way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.items import Bank, Item
from study_app.domain.participant import Answer
from study_app.domain.protocol import Question, Stage
from study_app.domain.scoring import response_problem
from study_app.ports import Unit
from study_app.services.way import Way
from study_app.services.world import Place, World

LONGEST_TEXT = 10_000


class Answers:
    """What participants answer on surveys, the eligibility form and quizzes."""

    def __init__(self, world: World, way: Way) -> None:
        self.world = world
        self.way = way

    # -- surveys and eligibility ---------------------------------------------------------------------------------------

    def missing(self, stage: Stage, given: Mapping[str, Any]) -> list[Question]:
        """Required questions without an answer."""
        return [
            question for question in stage.questions if question.required and given.get(question.id) in (None, "", [])
        ]

    def drafts(self, participant_id: str, stage_id: str) -> dict[str, Any]:
        """What was answered on a stage so far, by question or item."""
        with self.world.registry.begin(write=False) as unit:
            kept = [answer for answer in unit.answers(participant_id) if answer.stage == stage_id]
        return {answer.item: json.loads(answer.response) for answer in kept}

    def save_draft(self, participant_id: str, question_id: str, value: Any) -> bool:
        """Keep an answer of the current survey as it stands; False if the survey is over or the answer is none."""
        with self.world.registry.begin() as unit:
            place = self._at(unit, participant_id)
            questions = place.stage.questions if place.stage is not None else ()
            question = next((question for question in questions if question.id == question_id), None)
            if question is None or question_problem(question, {question.id: value}):
                return False
            self._save(unit, place, question, value)
            return True

    def submit_survey(self, participant_id: str, stage_id: str, given: Mapping[str, Any]) -> Place:
        """Save all answers of a survey or eligibility form and go on; a second submit changes nothing.

        Raises:
            NotAllowed: a required answer is missing, or one is not among the choices.
        """
        with self.world.registry.begin() as unit:
            place = self._at(unit, participant_id)
            stage = place.stage
            if stage is None or stage.id != stage_id or stage.kind not in ("survey", "eligibility"):
                return place
            problems = [problem for question in stage.questions if (problem := question_problem(question, given))]
            if problems:
                raise NotAllowed("; ".join(problems))
            for question in stage.questions:
                self._save(unit, place, question, given.get(question.id))
            payload = {"items": [question.id for question in stage.questions]}
            unit.record(participant_id, "answered", stage.id, place.now, payload)
            self._leave_survey(unit, place, given)
            return self._at(unit, participant_id)

    def _leave_survey(self, unit: Unit, place: Place, given: Mapping[str, Any]) -> None:
        assert place.stage is not None
        failed = [q.id for q in place.stage.questions if q.eligible and given.get(q.id) not in q.eligible]
        if place.stage.kind == "eligibility" and failed:
            if self.way.leave(unit, place, "screened_out", "screening"):
                unit.record(place.participant.id, "screened_out", place.stage.id, place.now, {"questions": failed})
            return
        self.way.advance(unit, place)

    def _save(self, unit: Unit, place: Place, question: Question, value: Any) -> None:
        assert place.stage is not None
        if value in (None, "", []):
            return
        points = None if question.correct is None else float(value == question.correct)
        unit.save_answer(
            Answer(
                place.participant.id,
                place.stage.id,
                question.id,
                json.dumps(value),
                points=points,
                max_points=None if points is None else 1.0,
                scored_by=None if points is None else "key",
                saved_at=place.now,
            )
        )

    # -- quizzes -------------------------------------------------------------------------------------------------------

    def page(self, place: Place) -> tuple[Bank, tuple[Item, ...], int]:
        """The bank, the items of the participant's current page, and the number of pages."""
        bank = self._bank(place)
        pages = bank.pages_of(self._form(place))
        return bank, pages[place.participant.step], len(pages)

    def save_item(self, participant_id: str, item_id: str, response: Any, seconds: float | None = None) -> bool:
        """Keep an answer of the current page as it stands; False if the page is over."""
        with self.world.registry.begin() as unit:
            place = self._at(unit, participant_id)
            if place.stage is None or place.stage.kind != "quiz":
                return False
            bank, items, _ = self.page(place)
            item = next((item for item in items if item.id == item_id), None)
            if item is None:
                return False
            problem = response_problem(item, response)
            if problem:
                raise NotAllowed(f"{item.id}: {problem}")
            unit.save_answer(self._answer(place, bank, item, response, seconds))
            return True

    def submit_page(self, participant_id: str, stage_id: str, step: int, given: Mapping[str, Any]) -> Place:
        """Save a page's answers and go on, to the next page or out of the quiz; there is no way back.

        `step` is the page that was shown; where the participant is past it, nothing changes. `given` maps item ids to
        responses.
        """
        with self.world.registry.begin() as unit:
            place = self._at(unit, participant_id)
            stage = place.stage
            if stage is None or stage.kind != "quiz" or stage.id != stage_id or place.participant.step != step:
                return place
            bank, items, pages = self.page(place)
            seconds = self._seconds_on_page(unit, place)
            for item in items:
                problem = response_problem(item, given.get(item.id))
                if problem:
                    raise NotAllowed(f"{item.id}: {problem}")
                unit.save_answer(self._answer(place, bank, item, given.get(item.id), seconds))
            payload = {"items": [item.id for item in items], "page": step}
            unit.record(participant_id, "answered", stage.id, place.now, payload)
            if step + 1 < pages:
                self.way.next_step(unit, place)
            else:
                self.way.advance(unit, place)
            return self._at(unit, participant_id)

    def _answer(self, place: Place, bank: Bank, item: Item, response: Any, seconds: float | None) -> Answer:
        assert place.stage is not None
        return Answer(
            place.participant.id,
            place.stage.id,
            item.id,
            json.dumps(response),
            bank=bank.id,
            form=bank.form(self._form(place)).id,
            max_points=item.points,
            seconds=seconds,
            saved_at=place.now,
        )

    def _seconds_on_page(self, unit: Unit, place: Place) -> float | None:
        """Since the page before was submitted, or the quiz was opened."""
        assert place.stage is not None
        visit = unit.visit(place.participant.id, place.stage.id)
        here = {item.id for item in self.page(place)[1]}
        earlier = [
            answer.saved_at
            for answer in unit.answers(place.participant.id)
            if answer.stage == place.stage.id and answer.item not in here and answer.saved_at
        ]
        start = max(earlier, default=visit.started_at if visit else place.now)
        return (place.now - start).total_seconds()

    def _at(self, unit: Unit, participant_id: str) -> Place:
        participant = unit.participant(participant_id)
        if participant is None:
            raise NotAllowed("this participant is not known")
        return self.way.arrive(unit, participant)

    def _bank(self, place: Place) -> Bank:
        assert place.stage is not None
        return self.world.content.bank(place.stage.bank)

    def _form(self, place: Place) -> str | None:
        assert place.stage is not None
        return place.stage.form or None


def question_problem(question: Question, given: Mapping[str, Any]) -> str | None:
    """Why an answer cannot be taken, or None where it can."""
    value = given.get(question.id)
    if value in (None, "", []):
        return f"please answer: {question.prompt}" if question.required else None
    allowed = [option.value for option in question.options]
    if question.kind == "choice" and value not in allowed:
        return f"{question.id}: not one of the choices"
    if question.kind == "multiple" and not (isinstance(value, list) and set(value) <= set(allowed)):
        return f"{question.id}: not among the choices"
    if question.kind in ("scale", "number"):
        return _number_problem(question, value)
    if question.kind == "text" and (not isinstance(value, str) or len(value) > LONGEST_TEXT):
        return f"{question.id}: a text of at most {LONGEST_TEXT} characters is expected"
    return None


def _number_problem(question: Question, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{question.id}: a number is expected"
    if question.low is not None and value < question.low:
        return f"{question.id}: at least {question.low} is expected"
    if question.high is not None and value > question.high:
        return f"{question.id}: at most {question.high} is expected"
    return None
