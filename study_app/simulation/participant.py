"""One participant's way, from the welcome click to the completion code: waits between calls of the services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from study_app.bootstrap import App
from study_app.domain.errors import present
from study_app.domain.quiz.confidence import confidence_field
from study_app.domain.quiz.scoring import Response
from study_app.domain.study.study import Stage, Study, StudyArm
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.position import BeforeStage, Ended, OnStage, Waiting
from study_app.simulation.behaviour.browser_tab import Tab
from study_app.simulation.behaviour.confidence import stated_confidence
from study_app.simulation.behaviour.forms import Written, fill_in_form
from study_app.simulation.behaviour.profiles import Effects, Scales, SimulatedPerson
from study_app.simulation.behaviour.quiz import Sheet, fill_in
from study_app.simulation.behaviour.surveys import answers
from study_app.simulation.behaviour.tasks import TaskStageWork
from study_app.simulation.clock import SimulationClock
from study_app.simulation.ids import SeededIds

READING_SPEED = 20.0
"""Characters a second of what is skimmed before a click."""
QUIZ_SHARE = (0.48, 0.12)
"""Mean and standard deviation of the share of a quiz's time that people take."""
SECONDS_PER_QUESTION = (3.0, 14.0)


def outcome_quizzes(study: Study) -> frozenset[str]:
    """Return the quizzes that effects act on: the main one; in a sequence of treatments the quiz of each period."""
    if study.allocation.method == "sequence" and study.period_quizzes:
        return frozenset(stage.id for stage in study.period_quizzes)
    return frozenset({study.main_quiz.id}) if study.main_quiz is not None else frozenset()


@dataclass(frozen=True)
class Resume:
    """The participant does nothing until then."""

    at: datetime


Pause = float | Resume


@dataclass
class SimulationSetting:
    """What all participants of a simulation share."""

    app: App
    clock: SimulationClock
    ids: SeededIds
    loop: asyncio.Runner | None
    """Where the assistant's replies are awaited."""
    scales: Scales
    effects: Effects
    seed: str
    overconfidence: float = 0.0
    """Mean confidence beside quiz items minus mean share of their points."""


@dataclass
class SimulatedParticipant:
    """A person on their way."""

    setting: SimulationSetting
    person: SimulatedPerson
    rng: Random
    cluster: str = ""
    """Label of the person's cluster; empty where allocation reads no label."""
    participant_id: str = ""
    _tasks_done: int = field(default=0, init=False)
    _sheets: dict[tuple[str, bool], Sheet] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.app, self.clock = self.setting.app, self.setting.clock
        self._skew = timedelta(milliseconds=round(self.rng.gauss(0, 400)))

    def steps(self) -> Iterator[Pause]:
        """Live through the study; yields seconds to wait."""
        self.enter()
        place = self.app.session.where(self.participant_id)
        while not isinstance(place, Ended):
            if isinstance(place, Waiting):
                window = (place.closes_at - place.opens_at) / timedelta(hours=1) if place.closes_at else 10.0
                yield Resume(place.opens_at + timedelta(hours=self.rng.uniform(0.2, 10) * min(window / 10, 1.0)))
            elif isinstance(place, BeforeStage):
                yield self._skimming(place.stage.intro)
                self.app.session.begin_stage(self.participant_id, place.stage.id)
            else:
                yield from self._stay(place)
            place = self.app.session.where(self.participant_id)

    def enter(self) -> None:
        """Click Start."""
        with self.setting.ids.entering():
            entry = EntryRequest(label=self.cluster)
            self.participant_id = self.app.enrol.enter(entry, kind="simulated").participant.id

    def leave(self) -> Iterator[Pause]:
        """Go before the end: by the button, or by closing the window, whereupon the server ends what is timed."""
        place = self.app.session.peek(self.participant_id)
        consented = place.stage is None or place.stage.kind != "consent"
        if self.person.withdraws and consented:
            self.app.session.withdraw(self.participant_id, self.person.erases)
        elif place.deadline_at is not None:
            yield Resume(place.deadline_at + timedelta(seconds=5))
            self.app.session.sweep(simulated=True)

    def planned_seconds(self) -> float:
        """About how long the whole way will take, waiting between sessions left out."""
        total = 0.0
        for stage in self.setting.app.study.stages:
            if stage.kind == "tasks":
                pace = (
                    self.person.base_minutes / self.setting.scales.cap
                    if stage.main and self.setting.scales.cap
                    else 0.45
                )
                total += 60 * (stage.minutes or 0.0) * min(max(pace, 0.05), 1.0)
            elif stage.kind == "quiz":
                total += 60 * (stage.minutes or 0.0) * QUIZ_SHARE[0]
            else:
                total += 15 + len(stage.asked) * sum(SECONDS_PER_QUESTION) / 2
        return total

    # -- stages --------------------------------------------------------------------------------------------------------

    def _stay(self, place: OnStage) -> Iterator[Pause]:
        stages: dict[str, Callable[[OnStage, Stage], Iterator[Pause]]] = {
            "consent": self._consent,
            "eligibility": self._survey,
            "survey": self._survey,
            "device": self._continue,
            "instructions": self._continue,
            "tasks": self._tasks,
            "quiz": self._quiz,
        }
        yield from stages[place.stage.kind](place, place.stage)

    def _consent(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        yield self._skimming(stage.body)
        self.app.session.consent(self.participant_id, True)

    def _survey(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        given = answers(stage, self.person, self._uses_other_ai(place.arm), self.rng)
        yield self._skimming(stage.body)
        seconds = sum(self.rng.uniform(*SECONDS_PER_QUESTION) for _ in stage.asked)
        written = {q.id for q in stage.asked if q.kind in ("text", "number")}
        shown = {name: _in_box(value) if name in written else value for name, value in given.items()}
        yield from fill_in_form(self._tab(), stage.id, 0, seconds, shown)

    def _tab(self) -> Tab:
        tab = Tab(self.app, self.clock, self.participant_id, self.rng, self._skew)
        tab.open()
        return tab

    def _continue(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        shown = place.arm.instructions + place.arm.pledge if place.arm and stage.kind == "instructions" else ""
        yield self._skimming(stage.body + shown)
        self.app.session.continue_(self.participant_id, stage.id)

    def _skimming(self, text: str) -> float:
        return round(self.rng.uniform(4, 15) + len(text) / READING_SPEED * self.rng.uniform(0.5, 1.5), 3)

    # -- tasks and quizzes ---------------------------------------------------------------------------------------------

    def _tasks(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        setting = self.setting
        job = TaskStageWork(
            app=self.app,
            clock=self.clock,
            loop=present(setting.loop, "the event loop of the simulation"),
            person=self.person,
            participant_id=self.participant_id,
            rng=self.rng,
            skew=self._skew,
            earlier=self._tasks_done,
        )
        received = self.received(place.arm)
        minutes = self.person.minutes(received, setting.effects, setting.scales)
        yield from job.do(place, stage, minutes / setting.scales.cap if setting.scales.cap else 0.5)
        self._tasks_done += len(stage.packs) if stage.main else 0
        if "warmup_passed" in place.study.allocation.variables and not stage.main:
            self.app.grading.grade_pending()

    def _quiz(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        bank, _, _ = self.app.answers.page(place)
        items = bank.items_of(stage.form or None)
        sheet = self.sheet(stage, self.received(self._treatment(place, stage)))
        seconds = 60 * (stage.minutes or 0.0) * min(max(self.rng.gauss(*QUIZ_SHARE), 0.12), 0.9)
        sure = self._confidence(stage, self.received(self._treatment(place, stage)))
        tab = self._tab()
        for step, page in enumerate(bank.pages_of(stage.form or None)):
            written = {item.id for item in page if not item.options}
            shown = {i.id: _in_box(sheet[i.id]) if i.id in written else sheet[i.id] for i in page}
            starters = {item.id: item.starter for item in page if item.starter}
            shown |= {confidence_field(i.id): sure[i.id] for i in page if i.id in sure}
            share = seconds * len(page) / len(items)
            yield from fill_in_form(tab, stage.id, step, share, shown, starters)

    def _confidence(self, stage: Stage, received: bool) -> dict[str, int]:
        """Percent by item, where the quiz asks for it."""
        if not stage.confidence:
            return {}
        filled = self._filled(stage, received)
        answered = {name: share for name, share in filled.shares.items() if filled.responses[name] is not None}
        rng = Random(f"{self.setting.seed}:{self.person.number}:{stage.id}:confidence")
        return stated_confidence(answered, self.setting.overconfidence, rng)

    def sheet(self, stage: Stage, received: bool) -> dict[str, Response]:
        """Return what this person answers on a quiz, with or without having received the treatment."""
        return self._filled(stage, received).responses

    def score_difference(self, arm: StudyArm) -> float:
        """Points of the main quiz in that arm minus those in the control arm, as the items allow."""
        quiz = self.app.study.main_quiz
        if quiz is None:
            return 0.0
        treated, control = (self._filled(quiz, self.received(each)).points for each in (arm, self.app.study.control))
        return treated - control

    def minutes_difference(self, arm: StudyArm) -> float:
        """Return the time outcome in that arm minus that in the control arm."""
        setting = self.setting
        treated, control = (
            self.person.minutes(self.received(each), setting.effects, setting.scales)
            for each in (arm, self.app.study.control)
        )
        return treated - control

    def _filled(self, stage: Stage, received: bool) -> Sheet:
        key = (stage.id, received)
        if key not in self._sheets:
            content = self.app.world.content
            items = content.bank(stage.bank).items_of(stage.form or None)
            seed = f"{self.setting.seed}:{self.person.number}:{stage.id}"
            target = self._target(stage, received, sum(item.points for item in items), Random(f"{seed}:level"))
            self._sheets[key] = fill_in(items, content.keys(stage.bank), target, seed)
        return self._sheets[key]

    def _target(self, stage: Stage, received: bool, most: float, rng: Random) -> float:
        """Points aimed at on a quiz; effects act where the outcome is measured and nowhere else."""
        setting, study = self.setting, self.app.study
        if stage.id in outcome_quizzes(study):
            share = self.person.score(received, setting.effects, setting.scales) / (setting.scales.quiz_max or 1.0)
            return share * most
        baseline = next(quiz.role for quiz in study.quizzes if quiz.stage.id == stage.id) == "baseline"
        return self.person.other_score(baseline, most, setting.scales, rng)

    def _treatment(self, place: OnStage, stage: Stage) -> StudyArm | None:
        """Return the arm whose effect a quiz shows: in a sequence that of the period which the quiz closes."""
        study, quizzes = place.study, place.study.period_quizzes
        if study.allocation.method != "sequence" or stage not in quizzes or place.participant.arm is None:
            return place.arm
        return study.arm(place.participant.arm, study.period_stages[quizzes.index(stage)])

    # -- the arm -------------------------------------------------------------------------------------------------------

    def received(self, arm: StudyArm | None) -> bool:
        """Whether the effects act on this person in that arm."""
        control = self.app.study.control
        if arm is None:
            return False
        return self.person.receives(arm.id != control.id, arm.assistant is not None)

    def _uses_other_ai(self, arm: StudyArm | None) -> bool:
        return arm is not None and arm.assistant is None and self.person.always_ai


def _in_box(value: Any) -> Any:
    """Return an answer as it is written."""
    return None if value is None else Written(value)
