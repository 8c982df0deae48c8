"""The people of one simulation: they live side by side on one clock, and what came of it is known."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from study_app.domain.allocation import options
from study_app.domain.records import Participant
from study_app.domain.study.rehearsal.section import by_arm
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.participant_status import current_status
from study_app.simulation.behaviour.profiles import ClusterLevels, Rates, draw_person
from study_app.simulation.clock import arrivals
from study_app.simulation.grading import Grader
from study_app.simulation.participant import Pause, Resume, SimulatedParticipant, SimulationSetting
from study_app.simulation.second_truth import (
    AllocatedWalk,
    realised_regimes,
    realised_treatments,
    realised_within_arms,
)
from study_app.simulation.summary import Realised

GRADE_EVERY = 8
"""Participants between two gradings beside the simulation."""


def cluster_of(study: Study, number: int, seed: str) -> tuple[str, ClusterLevels | None]:
    """Label and levels of a person's cluster where allocation reads labels; people come in classes."""
    if "label" not in study.allocation.variables:
        return "", None
    label = f"class {number // study.rehearsal.cluster_size + 1}"
    rng = Random(f"{seed}:{label}")
    return label, ClusterLevels(rng.gauss(0, 1), rng.gauss(0, 1)) if study.allocation.method == "cluster" else None


@dataclass
class _Life:
    """One participant under way."""

    walk: SimulatedParticipant
    steps: Iterator[Pause]
    leaves_after: float | None
    """Seconds of presence; None while nothing makes them leave."""
    asks_arm: bool
    """Whether it depends on the arm, which is not known yet."""
    present: float = 0.0


class Crowd:
    """Everybody of one simulation, each with a place in the queue for the clock."""

    def __init__(self, setting: SimulationSetting, count: int, rates: Rates, progress: Callable[[int], None]) -> None:
        self.setting = setting
        self._progress = progress
        self._rates = rates
        self._grader = Grader(setting.app)
        # A generator for each person and purpose: that one draws a number more shifts nothing of the others.
        rng = Random(f"{setting.seed}:crowd")
        moments = arrivals(count, rng, setting.clock.at)
        self.walks = [self._walk(number, rates) for number in range(count)]
        self._queue = [(moment, number) for number, moment in enumerate(moments)]
        self._lives: dict[int, _Life] = {}
        self._done = 0

    def _walk(self, number: int, rates: Rates) -> SimulatedParticipant:
        setting = self.setting
        label, levels = cluster_of(setting.app.study, number, setting.seed)
        rng = Random(f"{setting.seed}:{number}:person")
        person = draw_person(number, rng, setting.scales, rates, cluster=levels)
        return SimulatedParticipant(setting, person, Random(f"{setting.seed}:{number}:way"), label)

    def live(self) -> None:
        """Let everybody live through the study."""
        # One event queue and one clock: people overlap as they do in a trial, and allocation sees them in order of
        # arrival.
        heapq.heapify(self._queue)
        while self._queue:
            moment, number = heapq.heappop(self._queue)
            self.setting.clock.at = moment
            following = self._step(self._life(number), moment)
            if following is not None:
                heapq.heappush(self._queue, (following, number))
                continue
            # A life holds the person's programs and pages; kept, thousands of them would fill the memory.
            del self._lives[number]
            self._done += 1
            self._progress(self._done)
            if self._done % GRADE_EVERY == 0:
                self._grader.start()
        self._grader.finish()

    def _life(self, number: int) -> _Life:
        if number not in self._lives:
            walk = self.walks[number]
            arms = [arm.id for arm in self.setting.app.study.arms]
            # Who would leave in every arm can leave before allocation; the rest depends on an arm that is not known
            # yet.
            least, person = self._rates.least(arms), walk.person
            leaves_after = person.leaves_at * walk.planned_seconds() if person.leaves < least else None
            undecided = leaves_after is None and any(person.leaves < by_arm(self._rates.dropout, arm) for arm in arms)
            self._lives[number] = _Life(walk, walk.steps(), leaves_after, undecided)
        return self._lives[number]

    def _decide(self, life: _Life) -> None:
        """Where dropout differs by arm, draw the moment from what is left of the way once the arm is known."""
        arm = life.walk.arm_id()
        if arm is None:
            return
        life.asks_arm = False
        person = life.walk.person
        if person.leaves < by_arm(self._rates.dropout, arm):
            # Of what is left and not of the whole way, or some would have to leave before the moment at which they are
            # allocated.
            left = max(life.walk.planned_seconds() - life.present, 0.0)
            life.leaves_after = life.present + person.leaves_at * left

    def _step(self, life: _Life, now: datetime) -> datetime | None:
        """Do what comes next; returns when the participant's turn is again, None when they are done."""
        pause = next(life.steps, None)
        if pause is None:
            return None
        # Waiting between sessions is not presence, so no one leaves because of a long interval.
        if isinstance(pause, Resume):
            return max(pause.at, now)
        if life.asks_arm:
            self._decide(life)
        life.present += pause
        late = life.present - life.leaves_after if life.leaves_after is not None else -1.0
        if late < 0:
            return now + timedelta(seconds=pause)
        life.leaves_after, life.steps = None, life.walk.leave()
        return now + timedelta(seconds=max(pause - late, 0.0))

    # -- what came of it -----------------------------------------------------------------------------------------------

    def outcome(self, unit: UnitOfWork) -> tuple[dict[str, int], dict[str, int], dict[str, Realised]]:
        """Allocated by arm, statuses, realised effects by arm."""
        context, study = self.setting.app.context, self.setting.app.study
        found = self._found(unit)
        counts = Counter(person.arm for _, person in found)
        # By the simulation's last moment, so that the count does not hang on today's date.
        statuses = Counter(current_status(context, person) for _, person in found)
        realised = {
            arm.id: self._realised(unit, study, arm.id, found) for arm in study.arms if arm.id != study.control.id
        }
        given = options(study.allocation, study.arms)
        return {option.id: counts[option.id] for option in given}, dict(sorted(statuses.items())), realised

    def outcome_of_second(self, unit: UnitOfWork) -> dict[str, dict[str, Realised]]:
        """Return what a summary says of a second decision; empty in a study with one decision."""
        study = self.setting.app.study
        if not study.second_decision:
            return {}
        people = [
            AllocatedWalk(
                walk,
                person.arm,
                person.responded,
                _finished(unit, study, person, "quiz"),
                _finished(unit, study, person, "tasks"),
            )
            for walk, person in self._found(unit)
            if person.arm is not None
        ]
        return {
            "second_treatments": realised_treatments(study, people),
            "second_within_arms": realised_within_arms(study, people),
            "regimes": realised_regimes(study, people),
        }

    def _found(self, unit: UnitOfWork) -> list[tuple[SimulatedParticipant, Participant]]:
        """Everybody who entered, with what is stored of them; a walk knows its second treatment from then on."""
        found = [(walk, person) for walk in self.walks if (person := unit.participant(walk.participant_id)) is not None]
        for walk, person in found:
            walk.second = person.second_treatment or ""
        return found

    def _realised(
        self, unit: UnitOfWork, study: Study, arm_id: str, found: list[tuple[SimulatedParticipant, Participant]]
    ) -> Realised:
        arm = study.arm(arm_id)
        allocated = [(walk, person) for walk, person in found if person.arm is not None]
        score = [walk.score_difference(arm) for walk, person in allocated if _finished(unit, study, person, "quiz")]
        minutes = [
            walk.minutes_difference(arm) if _finished(unit, study, person, "tasks") else 0.0
            for walk, person in allocated
        ]
        scales = self.setting.scales
        return Realised(_mean(score) if scales.quiz_max else None, _mean(minutes) if scales.cap else None)


def _finished(unit: UnitOfWork, study: Study, person: Participant, kind: str) -> bool:
    """Return whether the person came to the end of the main quiz, or of the last main task."""
    stages = study.main_task_stages[-1:] if kind == "tasks" else [study.main_quiz] if study.main_quiz else []
    visits = [unit.visit(person.id, stage.id) for stage in stages]
    stayed = person.status == "completed"
    return stayed or any(visit is not None and visit.ended_by == "participant" for visit in visits)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
