"""One participant's way, from the welcome click to the completion code: waits between calls of the services."""

from __future__ import annotations

import asyncio
import math
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
from study_app.simulation.behaviour.interviews import Interviewee, planted
from study_app.simulation.behaviour.profiles import ArmEffects, Effects, Scales, SimulatedPerson
from study_app.simulation.behaviour.quiz import Levels, Sheet, all_levels, fill_in
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
    effects: ArmEffects
    seed: str
    overconfidence: float = 0.0
    """Mean confidence beside quiz items minus mean share of their points."""
    known: dict[tuple[str, str | None], Levels] = field(default_factory=dict)
    """Bank and form -> ways to answer its items, found once for everybody."""


@dataclass
class SimulatedParticipant:
    """A person on their way."""

    setting: SimulationSetting
    person: SimulatedPerson
    rng: Random
    cluster: str = ""
    """Label of the person's cluster; empty where allocation reads no label."""
    participant_id: str = ""
    second: str = ""
    """The second treatment that this person got; empty for who responded, and before it is known."""
    _tasks_done: int = field(default=0, init=False)
    _sheets: dict[tuple[str, str, str], Sheet] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.app, self.clock = self.setting.app, self.setting.clock
        # Browsers' clocks are off by some tenths of a second, and what the dataset makes of them must bear that.
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
            elif isinstance(place, OnStage):
                yield from self._stay(place)
            place = self.app.session.where(self.participant_id)

    def enter(self) -> None:
        """Click Start."""
        with self.setting.ids.entering():
            entry = EntryRequest(label=self.cluster)
            self.participant_id = self.app.enrol.enter(entry, kind="simulated").participant.id

    def arm_id(self) -> str | None:
        """Return the arm that this person was allocated to, if they were."""
        with self.app.context.registry.begin(write=False) as unit:
            person = unit.participant(self.participant_id)
        return person.arm if person is not None else None

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
        """Return about how long all stages will take, waiting between sessions left out."""
        return sum(self.seconds_on(stage) for stage in self.setting.app.study.stages)

    def seconds_on(self, stage: Stage) -> float:
        """Return about how long one stage will take."""
        if stage.kind == "tasks":
            cap = self.setting.scales.cap
            pace = self.person.base_minutes / cap if stage.main and cap else 0.45
            return 60 * (stage.minutes or 0.0) * min(max(pace, 0.05), 1.0)
        if stage.kind == "interview":
            return 240.0
        if stage.kind == "quiz":
            return 60 * (stage.minutes or 0.0) * QUIZ_SHARE[0]
        return 15 + len(stage.asked) * sum(SECONDS_PER_QUESTION) / 2

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
            "interview": self._interview,
        }
        yield from stages[place.stage.kind](place, place.stage)

    def _consent(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        yield self._skimming(stage.body)
        self.app.session.consent(self.participant_id, True)

    def _survey(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        expected = self.setting.scales.expected.answers
        given = answers(stage, self.person, self._uses_other_ai(place.arm), self.rng, expected)
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
        self._note_second(place)
        minutes = self.minutes(place.arm, self.shift(stage), self.second if self._after_second(stage) else "")
        yield from job.do(place, stage, minutes / setting.scales.cap if setting.scales.cap else 0.5)
        self._tasks_done += len(stage.packs) if stage.main else 0
        if "warmup_passed" in place.study.allocation.variables and not stage.main:
            self.app.grading.grade_pending()

    def _quiz(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        bank, _, _ = self.app.answers.page(place)
        items = bank.items_of(stage.form or None)
        treatment = self._treatment(place, stage)
        self._note_second(place)
        sheet = self.sheet(stage, treatment)
        seconds = 60 * (stage.minutes or 0.0) * min(max(self.rng.gauss(*QUIZ_SHARE), 0.12), 0.9)
        sure = self._confidence(stage, treatment)
        tab = self._tab()
        for step, page in enumerate(bank.pages_of(stage.form or None)):
            written = {item.id for item in page if not item.options}
            shown = {i.id: _in_box(sheet[i.id]) if i.id in written else sheet[i.id] for i in page}
            starters = {item.id: item.starter for item in page if item.starter}
            shown |= {confidence_field(i.id): sure[i.id] for i in page if i.id in sure}
            share = seconds * len(page) / len(items)
            yield from fill_in_form(tab, stage.id, step, share, shown, starters)

    def _interview(self, place: OnStage, stage: Stage) -> Iterator[Pause]:
        seed = f"{self.setting.seed}:{self.person.number}:{stage.id}"
        themes = planted(seed, self.received(place.arm))
        yield from Interviewee(self.app.interviews, self._tab(), Random(f"{seed}:talk"), themes).talk(stage.id)

    def _confidence(self, stage: Stage, arm: StudyArm | None) -> dict[str, int]:
        """Percent by item, where the quiz asks for it."""
        if not stage.confidence:
            return {}
        filled = self.filled(stage, arm)
        answered = {name: share for name, share in filled.shares.items() if filled.responses[name] is not None}
        rng = Random(f"{self.setting.seed}:{self.person.number}:{stage.id}:confidence")
        return stated_confidence(answered, self.setting.overconfidence, rng)

    def sheet(self, stage: Stage, arm: StudyArm | None) -> dict[str, Response]:
        """Return what this person answers on a quiz in that arm."""
        return self.filled(stage, arm).responses

    def score_difference(self, arm: StudyArm) -> float:
        """Points in that arm minus those in the control arm, as the items allow; of a sequence the mean of its periods.

        A second treatment is the one that the person got: who responds hangs on no arm here.
        """
        study = self.app.study
        quizzes = [quiz.stage for quiz in study.quizzes if quiz.stage.id in outcome_quizzes(study)]
        differences = [self.filled(quiz, arm).points - self.filled(quiz, study.control).points for quiz in quizzes]
        return sum(differences) / len(differences) if differences else 0.0

    def minutes_difference(self, arm: StudyArm) -> float:
        """Return the time outcome in that arm minus that in the control arm; of a sequence the mean of its periods."""
        shifts = [self.shift(stage) for stage in self.app.study.main_task_stages] or [0.0]
        control = self.app.study.control
        return sum(self.time(arm, shift) - self.time(control, shift) for shift in shifts) / len(shifts)

    def time(self, arm: StudyArm | None, shift: float = 0.0, second: str | None = None) -> float:
        """Return the time outcome over the tasks before and behind a second decision; else the same as `minutes`.

        `second`: the second treatment; None takes the person's own.
        """
        given = self.second if second is None else second
        before = self.minutes(arm, shift)
        if not given:
            return before
        share = self._share_behind()
        return (1 - share) * before + share * self.minutes(arm, shift, given)

    def shift(self, stage: Stage) -> float:
        """Return by how many minutes a period of a sequence differs from the person's others; 0 in other designs."""
        if self.app.study.allocation.method != "sequence" or not stage.main:
            return 0.0
        rng = Random(f"{self.setting.seed}:{self.person.number}:{stage.id}:pace")
        scales = self.setting.scales
        return rng.gauss(0, math.sqrt(scales.within) * scales.expected.minutes.sd * scales.cap)

    def minutes(self, arm: StudyArm | None, shift: float = 0.0, second: str = "") -> float:
        """Return the time outcome that this person would have in that arm, with a second treatment all along."""
        setting = self.setting
        share = self._share_behind() if second else 0.0
        # A part of the tasks is left when it is decided: the stated minutes have to come from there.
        more = self._added(second).minutes / share if share else 0.0
        return self.person.minutes(self.received(arm), setting.effects.of(arm), setting.scales, shift + more)

    def most_of(self, stage: Stage) -> float:
        """Return the points that can be had on a quiz."""
        items = self.app.context.content.bank(stage.bank).items_of(stage.form or None)
        return float(sum(item.points for item in items))

    def filled(self, stage: Stage, arm: StudyArm | None, second: str | None = None) -> Sheet:
        """Return this person's answers and points on a quiz in that arm.

        `second`: the second treatment; None takes the person's own.
        """
        given = (self.second if second is None else second) if self._after_second(stage) else ""
        # Untreated people answer alike in every arm, so the difference of potential outcomes is exactly 0 for them.
        key = (stage.id, arm.id if arm is not None and self.received(arm) else "", given)
        if key not in self._sheets:
            content = self.app.context.content
            items = content.bank(stage.bank).items_of(stage.form or None)
            # The same draws in every arm: potential outcomes differ by the effect alone and not by chance.
            seed = f"{self.setting.seed}:{self.person.number}:{stage.id}"
            most = sum(item.points for item in items)
            target = self._target(stage, arm, given, most, Random(f"{seed}:level"))
            keys, quiz = content.keys(stage.bank), (stage.bank, stage.form)
            if quiz not in self.setting.known:
                self.setting.known[quiz] = all_levels(items, keys)
            self._sheets[key] = fill_in(items, keys, target, seed, self.setting.known[quiz])
        return self._sheets[key]

    def _target(self, stage: Stage, arm: StudyArm | None, second: str, most: float, rng: Random) -> float:
        """Points aimed at on a quiz; effects act where the outcome is measured and nowhere else."""
        setting, study = self.setting, self.app.study
        if stage.id in outcome_quizzes(study):
            more = self._added(second).score
            if study.allocation.method == "sequence":
                more += self.person.period_points(setting.scales, rng)
            points = self.person.score(self.received(arm), setting.effects.of(arm), setting.scales, more)
            return points / (setting.scales.quiz_max or 1.0) * most
        baseline = next(quiz.role for quiz in study.quizzes if quiz.stage.id == stage.id) == "baseline"
        return self.person.other_score(baseline, most, setting.scales, rng)

    def _treatment(self, place: OnStage, stage: Stage) -> StudyArm | None:
        """Return the arm whose effect a quiz shows: in a sequence that of the period which the quiz closes."""
        study, quizzes = place.study, place.study.period_quizzes
        if study.allocation.method != "sequence" or stage not in quizzes or place.participant.arm is None:
            return place.arm
        return study.arm(place.participant.arm, study.period_stages[quizzes.index(stage)])

    # -- the second treatment ------------------------------------------------------------------------------------------

    def _note_second(self, place: OnStage) -> None:
        self.second = place.participant.second_treatment or ""

    def _after_second(self, stage: Stage) -> bool:
        return self.app.study.after_second_decision(stage)

    def _share_behind(self) -> float:
        """Return the part of the main tasks' time that comes behind the second decision."""
        stages = self.app.study.main_task_stages
        total = sum(stage.minutes or 0.0 for stage in stages)
        return sum(stage.minutes or 0.0 for stage in stages if self._after_second(stage)) / total if total else 0.0

    def _added(self, second: str) -> Effects:
        """Return what a second treatment adds: nothing for who leaves the assistant alone that it brings."""
        found = self.setting.effects.second.get(second, Effects())
        brings = bool(second) and bool(self.app.study.second_decision.treatment(second).assistant)
        return Effects() if brings and self.person.never_ai else found

    # -- the arm -------------------------------------------------------------------------------------------------------

    def received(self, arm: StudyArm | None) -> bool:
        """Return whether the effects act on this person in that arm."""
        control = self.app.study.control
        if arm is None:
            return False
        return self.person.receives(arm.id != control.id, arm.assistant is not None)

    def _uses_other_ai(self, arm: StudyArm | None) -> bool:
        return arm is not None and arm.assistant is None and self.person.always_ai


def _in_box(value: Any) -> Any:
    """Return an answer as it is written."""
    return None if value is None else Written(value)
