"""A few simulated participants in a real browser, against their own server: everything is clicked and typed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from study_app.bootstrap import fresh_id
from study_app.clock import SystemClock
from study_app.dataset.measures.interviews.rows import turn_field
from study_app.domain.allocation.options import DECISION_MARK, options
from study_app.domain.errors import InfrastructureError, UserError
from study_app.domain.quiz.confidence import confidence_field
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.scoring import Response
from study_app.domain.study.study import Question, Stage, Study
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant_status import current_status
from study_app.services.position import BeforeStage, Ended, OnStage, Position, Waiting
from study_app.settings import Settings
from study_app.simulation.behaviour.confidence import stated_confidence
from study_app.simulation.behaviour.interviews import SHORT_ANSWERS
from study_app.simulation.behaviour.profiles import Rates, SimulatedPerson, draw_person
from study_app.simulation.behaviour.quiz import fill_in
from study_app.simulation.behaviour.surveys import answers
from study_app.simulation.behaviour.tasks import drawn_ending
from study_app.simulation.browser_parts import chromium, click_if_there, fresh_page, served, settle
from study_app.simulation.browser_room import RoomVisitor
from study_app.simulation.population.crowd import cluster_of
from study_app.simulation.simulation import open_for_simulation, scales_of
from study_app.simulation.summary import SimulationSummary

COOKIE = "study_participant"
PATIENCE = 180.0
"""Seconds to wait for the server to start, or for a page to do what was clicked."""
_POLL = 0.1
_ONWARD = '[data-act="begin"], [data-act="continue"]'
"""What pages call their ways on, whatever the words on the buttons; likewise `data-value` names an option."""


def simulate_in_browser(settings: Settings, *, participants: int, seed: int) -> SimulationSummary:
    """Serve the study on a free port and walk participants through it in Chromium, one after the other.

    They are enrolled as simulated, so nothing of them counts as real; times are those of the machine.

    Args:
        settings: as for `serve`; the port is chosen here.
        participants: how many.
        seed: of what they answer.

    Raises:
        UserError: Playwright or a browser is missing.
        InfrastructureError: the server did not start, or a page did not do what was clicked.
    """
    if participants < 1:
        raise UserError(f"--participants: {participants} is not a number of participants; give a whole number from 1")
    began = time.perf_counter()
    app = open_for_simulation(settings, seed)
    app.context.clock, app.context.fresh_id = SystemClock(), fresh_id
    ids: list[str] = []
    try:
        with served(settings, PATIENCE) as url, chromium(PATIENCE) as context:
            for number in range(participants):
                person = draw_person(number, Random(f"{seed}:{number}:person"), scales_of(app), Rates())
                label, _ = cluster_of(app.study, number, str(seed))
                admitted = app.enrol.enter(EntryRequest(label=label), kind="simulated")
                ids.append(admitted.participant.id)
                page = fresh_page(context, url, (COOKIE, admitted.token))
                Visitor(app, page, ids[-1], person, Random(f"{seed}:{number}:way")).walk(url)
                page.close()
        app.grading.grade_pending()
        app.scoring.score_pending()
        with app.context.registry.begin(write=False) as unit:
            found = [each for name in ids if (each := unit.participant(name)) is not None]
        statuses = Counter(current_status(app.context, each) for each in found)
        counted = allocated(app.study, [each.arm for each in found])
        return SimulationSummary(participants, seed, counted, dict(statuses), {}, time.perf_counter() - began)
    finally:
        app.close()


def allocated(study: Study, given: Sequence[str | None]) -> dict[str, int]:
    """Return how many people each arm, or each order of a crossover, was given to, whatever a second decision drew."""
    counts = Counter((each or "").partition(DECISION_MARK)[0] for each in given)
    return {option.id: counts[option.id] for option in options(study.allocation, study.arms)}


class Visitor:
    """One participant at one browser page, looking at the database to know what the page must show."""

    def __init__(self, app: Any, page: Any, participant_id: str, person: SimulatedPerson, rng: Random) -> None:
        self.app, self.page, self.participant_id, self.person, self.rng = app, page, participant_id, person, rng
        self.room = RoomVisitor(page, rng, PATIENCE)

    def walk(self, url: str) -> None:
        """From the first page to the completion code."""
        self.page.goto(url)
        stages: dict[str, Callable[[OnStage, Stage], None]] = {
            "consent": lambda place, stage: self._press('[data-act="agree"]'),
            "eligibility": self._survey,
            "survey": self._survey,
            "device": lambda place, stage: self._press(_ONWARD),
            "instructions": self._instructions,
            "tasks": self._task,
            "quiz": self._quiz,
            "interview": self._interview,
        }
        while not isinstance(place := self._place(), Ended):
            if isinstance(place, Waiting):
                return
            if isinstance(place, BeforeStage):
                self._press(_ONWARD)
            elif isinstance(place, OnStage):
                stages[place.stage.kind](place, place.stage)
            self._wait_to_leave(_where(place))
        # With a code, or with the button that leads back to the panel.
        self.page.locator(".code-box").first.wait_for()

    def _place(self) -> Position:
        place: Position = self.app.session.peek(self.participant_id)
        return place

    def _wait_to_leave(self, there: tuple[str, str, int]) -> None:
        end = time.monotonic() + PATIENCE
        while _where(self._place()) == there:
            if time.monotonic() > end:
                raise InfrastructureError(
                    f"stage '{there[1]}', step {there[2] + 1}: the page did not go on within {PATIENCE:.0f} s; "
                    "study serve shows the same page to a person"
                )
            self.room.go_on()
            time.sleep(_POLL)

    def _press(self, what: str) -> None:
        settle(self.page)
        self.page.locator(what).first.click()

    def _hand_in(self) -> None:
        self._press('[data-act="hand_in"]')

    # -- stages --------------------------------------------------------------------------------------------------------

    def _survey(self, place: OnStage, stage: Stage) -> None:
        given = answers(stage, self.person, False, self.rng, self.app.study.rehearsal.answers)
        for question in stage.asked:
            if given[question.id] is not None:
                self._answer(question, given[question.id])
        self._hand_in()

    def _interview(self, place: OnStage, stage: Stage) -> None:
        """Answer one page: the question, or the rating of the summary."""
        # The page before looks alike, and stays until this one is drawn.
        if place.participant.step:
            self.page.locator(f'[data-field="{turn_field(place.participant.step)}"]').wait_for(state="detached")
        self.page.locator('.sa-form-interview [data-act="hand_in"]').wait_for()
        box = self.page.locator(f'[data-field="{turn_field(place.participant.step + 1)}"]')
        if box.count():
            box.get_by_role("textbox").fill(self.rng.choice(SHORT_ANSWERS))
        self._hand_in()

    def _field(self, name: str) -> Any:
        field = self.page.locator(f'[data-field="{name}"]')
        field.wait_for()
        return field

    def _answer(self, question: Question, value: Any) -> None:
        field = self._field(question.id)
        if question.kind in ("choice", "multiple", "scale", "ranking"):
            _choose(field, value if isinstance(value, list) else [value])
        elif question.kind == "matrix":
            for row in question.rows:
                _choose(field.locator(f'[data-row="{row.id}"]'), [value[row.id]])
        elif question.kind == "slider":
            field.locator("input[type=range]").fill(str(value))
        else:
            field.get_by_role("textbox").fill(str(value))

    def _instructions(self, place: OnStage, stage: Stage) -> None:
        settle(self.page)
        self.page.locator(_ONWARD).first.wait_for()
        if place.arm is not None and place.arm.pledge:
            self.page.locator('[data-act="pledge"]').click()
        self._press(_ONWARD)

    def _task(self, place: OnStage, stage: Stage) -> None:
        pack = self.app.context.content.pack(place.pack)
        editor = self.page.locator(f'[data-task="{place.task}"] .cm-content')
        editor.wait_for()
        if place.assistant is not None and not self.person.never_ai and self._opened(place.assistant):
            self.room.ask("How do I begin?")
        ending = drawn_ending(place, pack, self.rng)
        program = pack.hack if ending == "hack" else pack.solution
        self.room.write(editor, program)
        self.room.press("run")
        self.page.locator(".sa-checks li").first.wait_for(state="attached")
        if ending == "report":
            self.room.give_up()
        else:
            self.room.press("submit")

    def _opened(self, assistant: str) -> bool:
        """Return whether an assistant takes messages from the start."""
        return not self.app.context.content.specs[assistant].opens_after_minutes

    def _quiz(self, place: OnStage, stage: Stage) -> None:
        bank, items, _ = self.app.answers.page(place)
        everything = bank.items_of(stage.form or None)
        self._field(items[0].id)
        keys = self.app.context.content.keys(stage.bank)
        share = self.person.base_score / (scales_of(self.app).quiz_max or 1.0)
        sheet = fill_in(everything, keys, share * bank.points, f"{self.participant_id}:{stage.id}")
        sure = stated_confidence(sheet.shares, 0.0, self.rng) if stage.confidence else {}
        for item in items:
            if sheet.responses[item.id] is None:
                continue
            self._respond(item, sheet.responses[item.id])
            if item.id in sure:
                _choose(self._field(confidence_field(item.id)), [sure[item.id]])
        self._hand_in()
        self._leave_gaps(place)

    def _respond(self, item: Item, response: Response) -> None:
        field = self._field(item.id)
        if isinstance(response, str) and not item.options:
            field.get_by_role("textbox").click()
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(response)
            return
        _choose(field, [response] if isinstance(response, str) else list(response or ()))

    def _leave_gaps(self, place: OnStage) -> None:
        """Where something is left out the page asks once."""
        anyway = self.page.locator('[data-act="anyway"]')
        end = time.monotonic() + PATIENCE
        while _where(self._place()) == _where(place) and time.monotonic() < end:
            if anyway.is_visible():
                click_if_there(anyway)
            time.sleep(_POLL)


def _choose(field: Any, values: list[Any]) -> None:
    """Press the options of these values, wherever they stand."""
    for value in values:
        field.locator(f'[data-value="{value}"]').first.click()


def _where(place: Position) -> tuple[str, str, int]:
    return place.screen, place.participant.stage, place.participant.step
