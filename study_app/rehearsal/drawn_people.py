"""Participants whose outcomes are drawn and not lived through: one row each, as an export would have it.

They are the people of `study simulate`: the same seed and number give the same skill, answers and quiz sheets. What is
left out is the way there (typing, runs, replies), so that a trial takes milliseconds in place of minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from study_app.bootstrap import App
from study_app.dataset.measures.baseline import derived_scores
from study_app.domain.allocation import order_of
from study_app.domain.branching import read_condition
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.quiz_roles import TOTALS
from study_app.domain.study.rehearsal.section import Scenario, by_arm
from study_app.domain.study.sequential.sections import SecondDecision
from study_app.domain.study.study import Question, Stage, Study, StudyArm
from study_app.simulation.behaviour.profiles import ArmEffects, Rates, draw_person, effects_of
from study_app.simulation.behaviour.surveys import answers
from study_app.simulation.behaviour.tasks import GIVING_UP, warmup_share
from study_app.simulation.clock import SimulationClock
from study_app.simulation.ids import SeededIds
from study_app.simulation.participant import SimulatedParticipant, SimulationSetting
from study_app.simulation.population.crowd import cluster_of
from study_app.simulation.simulation import scales_of

MINUTE = 60.0


def drawable(study: Study) -> set[str]:
    """Return the columns of the participants table that can be drawn without living through the study."""
    asked = {question.id for stage in study.stages for question in stage.asked}
    scores = {score.id for stage in study.stages for score in stage.scores}
    quizzes = {f"{stage.id}_{end}" for stage in study.stages if stage.kind == "quiz" for end in TOTALS}
    times = {"task_minutes", "task_completed", "completion_minutes", "completion_event"}
    main = {f"quiz_{end}" for end in TOTALS} if study.main_quiz is not None else set()
    warmup = {"warmup_minutes", "warmup_passed"}
    return asked | scores | quizzes | times | main | warmup | {"label", "cluster_id"}


def refuse_what_is_not_drawn(study: Study, needed: Iterable[str], where: str) -> None:
    """Refuse a plan that needs columns which only a lived trial has.

    Raises:
        ProblemsFound: each column by name.
    """
    known = drawable(study)
    problems = [
        Problem(where, "analysis", f"'{name}' is not drawn at the level outcomes", "rehearse at --level services")
        for name in dict.fromkeys(needed)
        if name and name not in known
    ]
    if problems:
        raise ProblemsFound(problems)


@dataclass
class DrawnPerson:
    """One participant of a trial at the level of outcomes."""

    walk: SimulatedParticipant
    study: Study
    rates: Rates
    ends: dict[str, float] = field(default_factory=dict)
    """Stage -> seconds from the entry to its end."""
    given: dict[str, Any] = field(default_factory=dict)
    """Answers to questions, and derived scores."""
    arm_id: str | None = None
    responded: bool | None = None
    """None: they did not come to a second decision."""
    leaves_after: float | None = None
    """Seconds from the entry; None: they stay."""

    def __post_init__(self) -> None:
        total = 0.0
        for stage in self.study.stages:
            total += self.walk.seconds_on(stage)
            self.ends[stage.id] = total
        self.total = total
        # No one has an arm yet: until the allocation people leave at the rate that all arms share, and `allocate`
        # compares the same draw with the rate of the arm.
        if self.walk.person.leaves < self.rates.least(arm.id for arm in self.study.arms):
            self.leaves_after = self.walk.person.leaves_at * total
        self._answer([stage for stage in self.study.stages if not stage.exit], None)

    def _answer(self, stages: Sequence[Stage], arm: StudyArm | None) -> None:
        expected = self.study.rehearsal.answers
        person = self.walk.person
        admits = arm is not None and arm.assistant is None and person.always_ai
        for stage in stages:
            given = answers(stage, person, admits, self.walk.rng, expected)
            self.given |= given | derived_scores(stage, given)

    # -- allocation ----------------------------------------------------------------------------------------------------

    def reaches_allocation(self) -> bool:
        """Return whether they are still there when arms are drawn."""
        stage = self.study.allocation_stage
        return stage is not None and (self.leaves_after is None or self.leaves_after >= self._before(stage))

    def profile(self) -> dict[str, Any]:
        """Return what the allocation scheme knows of them."""
        known = self.given | self._before_allocation() | {"label": self.walk.cluster}
        return {name: known[name] for name in self.study.allocation.variables}

    def allocate(self, arm_id: str) -> None:
        """Take an arm, or an order of arms, and with it what depends on it: when they leave, what they answer."""
        self.arm_id = arm_id
        person, stage = self.walk.person, self.study.allocation_stage
        if self.leaves_after is None and stage is not None and person.leaves < by_arm(self.rates.dropout, arm_id):
            begun = self._before(stage)
            self.leaves_after = begun + person.leaves_at * max(self.total - begun, 0.0)
        self._answer([each for each in self.study.stages if each.exit], self._arm())

    def respond(self, second: SecondDecision) -> None:
        """Note whether they responded to the first treatment, where they came to the second decision."""
        if self.leaves_after is None or self.leaves_after >= self._before(self.study.stage(second.stage)):
            self.responded = second.responded(self._questions() | self._quizzes())

    def _arm(self) -> StudyArm | None:
        return self.study.arm(self.arm_id) if self.arm_id is not None else None

    # -- what came of it -----------------------------------------------------------------------------------------------

    @property
    def erased(self) -> bool:
        """Whether they left and took their data along."""
        return self.leaves_after is not None and self.walk.person.withdraws and self.walk.person.erases

    @property
    def status(self) -> str:
        """The status that an export would give."""
        if self.leaves_after is None:
            return "completed"
        return "withdrawn" if self.walk.person.withdraws else "abandoned"

    @property
    def minutes_present(self) -> float:
        """Minutes from the entry to the end, waiting between sessions left out."""
        return (self.total if self.leaves_after is None else min(self.leaves_after, self.total)) / MINUTE

    def share_done(self, stage: Stage) -> float:
        """Return the share of a stage that they stayed for."""
        if self.leaves_after is None:
            return 1.0
        start, end = self._before(stage), self.ends[stage.id]
        return min(max((self.leaves_after - start) / max(end - start, 1e-9), 0.0), 1.0)

    def _before(self, stage: Stage) -> float:
        at = self.study.stages.index(stage)
        return self.ends[self.study.stages[at - 1].id] if at else 0.0

    def row(self) -> dict[str, Any]:
        """Return the columns of the participants table that are drawn; None where an export has an empty cell."""
        found = self._questions() | self._before_allocation() | self._quizzes() | self._times()
        return dict.fromkeys(found) if self.erased else found

    def _questions(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for stage in self.study.stages:
            there = self.share_done(stage) >= 1 and self._meets(stage, found)
            asked = {question.id for question in stage.asked if there and self._meets(question, found)}
            for question in stage.asked:
                found[question.id] = self.given.get(question.id) if question.id in asked else None
            found |= derived_scores(stage, {name: found[name] for name in asked})
        return found

    def _meets(self, part: Stage | Question, answers: Mapping[str, Any]) -> bool:
        """Return whether a stage or question is for this person, by the arm and by earlier answers."""
        arms = set(order_of(self.arm_id)) if self.arm_id is not None else set()
        if part.arms and not arms & set(part.arms):
            return False
        return not part.when or read_condition(part.when)(answers)

    def _before_allocation(self) -> dict[str, Any]:
        found: dict[str, Any] = {"warmup_minutes": None, "warmup_passed": None}
        for stage in self.study.stages:
            if stage.kind == "tasks" and not stage.main and self.share_done(stage) >= 1:
                share = warmup_share(self.walk.person)
                found |= {"warmup_minutes": share * (stage.minutes or 0.0), "warmup_passed": 1}
        for quiz in self.study.quizzes:
            if quiz.role == "baseline":
                found |= self._quiz(quiz.stage, quiz.stage.id)
        return found

    def _quizzes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for quiz in self.study.quizzes:
            found |= self._quiz(quiz.stage, quiz.stage.id)
        main = self.study.main_quiz
        return found | (self._quiz(main, "quiz") if main is not None else {})

    def _quiz(self, stage: Stage, name: str) -> dict[str, Any]:
        """Return a quiz's totals; of a quiz that was left half-way, the share of its points that the time allows."""
        done = self.share_done(stage)
        if done <= 0:
            return {f"{name}_{end}": None for end in TOTALS}
        sheet, most = self.walk.filled(stage, self._arm()), self.walk.most_of(stage)
        points = sheet.points if done >= 1 else sheet.points * done
        return {f"{name}_points": points, f"{name}_max": most, f"{name}_score": points / most if most else None}

    def _times(self) -> dict[str, Any]:
        cap = self.walk.setting.scales.cap
        if not cap:
            return {}
        minutes = self.walk.time(self._arm())
        stayed = all(self.share_done(stage) >= 1 for stage in self.study.counted_task_stages)
        # Of two parts of the tasks the slower one decides whether the person gets done in time.
        slowest = max(minutes, self.walk.minutes(self._arm(), second=self.walk.second))
        done = stayed and slowest < cap and not self.walk.person.gives_up
        shown = self.walk.rng.uniform(*GIVING_UP) * cap if self.walk.person.gives_up else minutes
        return {
            "task_minutes": min(shown, cap) if stayed else cap,
            "task_completed": int(done),
            "completion_minutes": minutes if done else cap,
            "completion_event": int(done),
        }

    def periods(self) -> Iterator[dict[str, Any]]:
        """Yield a row of the table `periods` for each period that they began."""
        quizzes = self.study.period_quizzes
        cap = self.walk.setting.scales.cap
        order = order_of(self.arm_id or "")
        for number, (stage, treatment) in enumerate(zip(self.study.period_stages, order, strict=True)):
            arm, done = self.study.arm(treatment), self.share_done(stage)
            if done <= 0 or self.erased:
                continue
            minutes = self.walk.minutes(arm, self.walk.shift(stage)) if done >= 1 else cap
            completed = done >= 1 and minutes < cap and not self.walk.person.gives_up
            row = {"period": number + 1, "treatment": treatment, "stage": stage.id, "minutes": minutes}
            row |= {"completed": int(completed), "completion_minutes": minutes if completed else cap}
            quiz = quizzes[number] if number < len(quizzes) else None
            opened = quiz is not None and self.share_done(quiz) > 0
            points = self.walk.filled(quiz, arm).points if quiz is not None and opened else None
            yield row | {"points": points}

    def truth(self) -> dict[str, dict[str, float]]:
        """Return each arm's effect on this person: quiz points and minutes, as `study simulate` counts."""
        others = [arm for arm in self.study.arms if arm.id != self.study.control.id]
        found: dict[str, dict[str, float]] = {}
        quiz, tasks = self.study.main_quiz, self.study.main_task_stages
        for arm in others:
            found[arm.id] = {}
            if quiz is not None and self.share_done(quiz) >= 1:
                found[arm.id]["score"] = self.walk.score_difference(arm)
            if tasks:
                stayed = all(self.share_done(stage) >= 1 for stage in tasks)
                found[arm.id]["minutes"] = self.walk.minutes_difference(arm) if stayed else 0.0
        return found


def draw_people(app: App, scenario: Scenario, count: int, seed: str) -> list[DrawnPerson]:
    """Return the people of a trial, in order of arrival.

    Args:
        app: the study and its content; nothing is written to its database.
        scenario: effects and rates.
        count: how many enter the study.
        seed: of everything about them, as `study simulate` takes it.
    """
    scales = scales_of(app)
    rates = Rates(scenario.noncompliance, scenario.dropout)
    effects: ArmEffects = effects_of(
        app.study,
        scenario.effect_score,
        scenario.effect_minutes,
        scenario.second_effect_score,
        scenario.second_effect_minutes,
    )
    setting = SimulationSetting(app, SimulationClock(), SeededIds(seed), None, scales, effects, seed)
    people = []
    for number in range(count):
        label, levels = cluster_of(app.study, number, seed)
        person = draw_person(number, Random(f"{seed}:{number}:person"), scales, rates, cluster=levels)
        walk = SimulatedParticipant(setting, person, Random(f"{seed}:{number}:way"), label)
        people.append(DrawnPerson(walk, app.study, rates))
    return people


def mean_truth(people: Sequence[DrawnPerson]) -> dict[str, dict[str, float]]:
    """Return the mean effect of each arm among the people who were allocated."""
    sums: dict[str, dict[str, list[float]]] = {}
    for person in people:
        for arm, effects in person.truth().items():
            for name, value in effects.items():
                sums.setdefault(arm, {}).setdefault(name, []).append(value)
    return {arm: {name: sum(v) / len(v) for name, v in found.items()} for arm, found in sums.items()}


__all__ = ["DrawnPerson", "draw_people", "drawable", "mean_truth", "refuse_what_is_not_drawn"]
