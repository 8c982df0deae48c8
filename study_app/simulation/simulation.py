"""A whole simulation: people arrive, live side by side on one clock, and the realised effect is known."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from study_app.assistant.notes import NotesAssistant, notes_in_folder
from study_app.bootstrap import App, start
from study_app.domain.allocation import options
from study_app.domain.errors import ProblemsFound, UserError
from study_app.domain.records import Participant
from study_app.domain.study.rehearsal.section import by_arm
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.participant_status import current_status
from study_app.settings import Settings
from study_app.simulation.batched_database import BatchedRegistry
from study_app.simulation.behaviour.profiles import Amount, ArmEffects, Rates, Scales, draw_person, effects_of
from study_app.simulation.cached_sandbox import Memory, RepeatingSandbox
from study_app.simulation.clock import START, SimulationClock, arrivals, next_monday
from study_app.simulation.grading import Grader
from study_app.simulation.ids import SeededIds
from study_app.simulation.paced_assistant import ReplyLoop, paced
from study_app.simulation.participant import Pause, Resume, SimulatedParticipant, SimulationSetting
from study_app.simulation.second_truth import (
    AllocatedWalk,
    realised_regimes,
    realised_treatments,
    realised_within_arms,
)
from study_app.simulation.summary import Realised, SimulationSummary

KEY = "ANTHROPIC_API_KEY"
GRADE_EVERY = 8
"""Participants between two gradings beside the simulation."""


def open_for_simulation(settings: Settings, seed: int) -> App:
    """Open a study for `simulate`; no simulated participant ever writes to a paid assistant.

    Args:
        settings: as for any command.
        seed: of the simulation; `simulate` is given the same.

    Raises:
        ProblemsFound, NotAllowed, InfrastructureError: as `bootstrap.start`.
    """
    # Without its key Claude cannot be asked, whatever a mistake further down would do: no key, no cost.
    environment = {name: value for name, value in settings.environment.items() if name != KEY}
    try:
        return _start(settings, environment, seed)
    except ProblemsFound as found:
        if not any(problem.key == "assistant_policy.require" for problem in found.problems):
            raise
    # The study insists on Claude: an unused key lets it start.
    return _start(settings, environment | {KEY: "simulated"}, seed)


def _start(settings: Settings, environment: Mapping[str, str], seed: int) -> App:
    return start(
        replace(settings, environment=environment),
        clock=SimulationClock(),
        ids=SeededIds(str(seed)),
        grading_clock="virtual",
        seconds_per_word=0,
    )


def simulate(
    app: App,
    *,
    participants: int,
    seed: int,
    effect_score: Amount = 0.0,
    effect_minutes: Amount = 0.0,
    second_effect_score: Amount = 0.0,
    second_effect_minutes: Amount = 0.0,
    noncompliance: float = 0.0,
    dropout: Amount = 0.0,
    overconfidence: float = 0.0,
    progress: Callable[[int], None] | None = None,
    memory: Memory | None = None,
) -> SimulationSummary:
    """Enrol simulated participants through the real services, on the ledger of simulated participants.

    The same seed, study and version on a fresh database give the same data apart from measured durations. Where
    simulated participants are there already, others join them, from the Monday after.

    Args:
        app: the study; clock, identifiers, sandbox and assistants are the simulation's own meanwhile.
        participants: how many are enrolled.
        seed: of behaviour, identifiers and clock; allocation does not depend on it.
        effect_score: points of the main quiz that receiving the treatment adds, before clipping to 0 and its most;
            one number for every arm but the control, or numbers by arm.
        effect_minutes: minutes that it adds to the time outcome, before clipping to the limit; likewise.
        second_effect_score: points that a second treatment adds for people who did not respond, one number for each
            but the first listed, or numbers by treatment; on top of what their arm adds.
        second_effect_minutes: minutes that it adds to the time outcome, on the tasks behind the decision; likewise.
        noncompliance: share in the control arm that uses other AI, and share in an arm with an assistant that does
            not ask; the effects act on those who receive the treatment.
        dropout: share that leaves at a random moment; or shares by arm, which act from allocation on.
        overconfidence: mean confidence beside quiz items minus mean share of their points, before clipping.
        progress: called with the number done.
        memory: of what programs did in earlier simulations of this process, so that none is run again.

    Raises:
        UserError: an argument is out of range; the message names the option.
        InfrastructureError: database or sandbox failed.
    """
    _check(participants, effect_score, effect_minutes, noncompliance, dropout, overconfidence)
    _check_used(app.study, effect_score, effect_minutes, noncompliance, overconfidence)
    _check_second(app.study, second_effect_score, second_effect_minutes)
    began = time.perf_counter()
    # Two simulations on one database would live by two clocks that know nothing of each other: the second waits.
    with (
        app.context.registry.alone("simulation"),
        _simulated_world(app, seed, memory) as setting,
        asyncio.Runner(loop_factory=ReplyLoop) as loop,
    ):
        effects = effects_of(app.study, effect_score, effect_minutes, second_effect_score, second_effect_minutes)
        setting = replace(setting, loop=loop, effects=effects, overconfidence=overconfidence)
        crowd = Crowd(setting, participants, Rates(noncompliance, dropout), progress or (lambda done: None))
        crowd.live()
        with app.context.registry.begin() as unit:
            arms, statuses, realised = crowd.outcome(unit)
            second = crowd.outcome_of_second(unit)
    seconds = time.perf_counter() - began
    return SimulationSummary(participants, seed, arms, statuses, realised, seconds, **second)


def seed_of_people(seed: int, earlier: int = 0) -> str:
    """Return what the people of a simulation are drawn from.

    Args:
        seed: of the simulation.
        earlier: simulated people who are in the database already.
    """
    return f"{seed}:{earlier}"


def _check(
    participants: int, score: Amount, minutes: Amount, noncompliance: float, dropout: Amount, overconfidence: float
) -> None:
    problems = []
    if participants < 1:
        problems.append(f"--participants: {participants} is not a number of participants; give a whole number from 1")
    for name, effect in [("--effect-score", each) for each in _each(score)] + [
        ("--effect-minutes", each) for each in _each(minutes)
    ]:
        if not math.isfinite(effect):
            problems.append(f"{name}: {effect} is not an effect; give a finite number")
    for name, share in [("--noncompliance", noncompliance), *(("--dropout", each) for each in _each(dropout))]:
        if not 0 <= share <= 1:
            problems.append(f"{name}: {share:g} is not a share; give a number from 0 to 1")
    if not -1 <= overconfidence <= 1:
        problems.append(f"--overconfidence: {overconfidence:g} is not a difference of shares; give one from -1 to 1")
    if problems:
        raise UserError("\n".join(problems))


def _check_used(study: Study, score: Amount, minutes: Amount, noncompliance: float, overconfidence: float) -> None:
    """Refuse what nothing of the study takes: the data would look as if it had been put in."""
    tasks = "the study has no main tasks"
    lacking = {
        "--effect-score": (any(_each(score)) and study.main_quiz is None, "the study has no main quiz"),
        "--effect-minutes": (any(_each(minutes)) and not study.main_task_stages, tasks),
        "--noncompliance": (noncompliance and not study.main_task_stages, tasks),
        "--overconfidence": (
            overconfidence and not any(quiz.stage.confidence for quiz in study.quizzes),
            "no quiz of the study asks for confidence",
        ),
    }
    problems = [f"{name}: {why}; leave it out" for name, (wrong, why) in lacking.items() if wrong]
    if problems:
        raise UserError("\n".join(problems))


def _check_second(study: Study, score: Amount, minutes: Amount) -> None:
    named = {"--second-effect-score": score, "--second-effect-minutes": minutes}
    treatments = [each.id for each in study.second_decision.treatments]
    problems = []
    for name, amount in named.items():
        if not all(math.isfinite(each) for each in _each(amount)):
            problems.append(f"{name}: not an effect; give a finite number")
        elif any(_each(amount)) and not treatments:
            problems.append(f"{name}: the study has no [second_decision]; leave it out")
        elif isinstance(amount, dict) and (unknown := sorted(set(amount) - set(treatments[1:]))):
            problems.append(f"{name}: '{unknown[0]}' adds nothing here; use one of: {', '.join(treatments[1:])}")
    if problems:
        raise UserError("\n".join(problems))


def _each(amount: Amount) -> list[float]:
    """Return one number for all arms, or those of each arm."""
    return list(amount.values()) if isinstance(amount, dict) else [amount]


@contextmanager
def _simulated_world(app: App, seed: int, memory: Memory | None) -> Iterator[SimulationSetting]:
    """Provide the app with the simulation's clock, identifiers, sandbox, assistants and batches of transactions."""
    context = app.context
    names = ("registry", "clock", "sandbox", "assistants", "fresh_id", "grading_clock")
    before = {name: getattr(context, name) for name in names}
    with context.registry.begin(write=False) as unit:
        earlier = [person for person in unit.participants() if person.kind == "simulated"]
    # People of an earlier simulation are over by then, so the second one never moves the database's time backwards.
    clock = SimulationClock(max([START, *(next_monday(person.last_seen_at) for person in earlier)]))
    batches = BatchedRegistry(context.registry)
    text = seed_of_people(seed, len(earlier))
    ids = SeededIds(text)
    context.registry, context.clock, context.fresh_id = batches, clock, ids
    context.sandbox, context.grading_clock = RepeatingSandbox(context.sandbox, memory), "virtual"
    context.assistants = {
        # Replies come from the notes of the packs, which cost nothing and say the same every time.
        name: paced(assistant if assistant.id != "claude" else _notes(app, name))
        for name, assistant in context.assistants.items()
    }
    try:
        yield SimulationSetting(app, clock, ids, None, scales_of(app), ArmEffects({}), text)
    finally:
        # The app is used after a simulation (export, further simulations), so all that was exchanged goes back.
        for name, value in before.items():
            setattr(context, name, value)
        batches.close()


def _notes(app: App, name: str) -> NotesAssistant:
    root = app.library.root
    return NotesAssistant(
        app.library.specs[name], load_notes=lambda pack: notes_in_folder(str(root / pack)), seconds_per_word=0
    )


def scales_of(app: App) -> Scales:
    """Return what the study's outcomes are measured on: points of its main quiz, minutes of its main tasks."""
    quiz, points = app.study.main_quiz, 0.0
    if quiz is not None:
        items = app.context.content.bank(quiz.bank).items_of(quiz.form or None)
        points = sum(item.points for item in items)
    # Each period of a sequence has its own time.
    periods = len(app.study.main_task_stages) if app.study.allocation.method == "sequence" else 1
    return Scales(points, app.study.task_limit / max(periods, 1), app.study.rehearsal)


def cluster_of(study: Study, number: int, seed: str) -> tuple[str, float | None]:
    """Label and level of a person's cluster where allocation reads labels; people come in classes."""
    if "label" not in study.allocation.variables:
        return "", None
    label = f"class {number // study.rehearsal.cluster_size + 1}"
    level = Random(f"{seed}:{label}").gauss(0, 1) if study.allocation.method == "cluster" else None
    return label, level


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
        label, level = cluster_of(setting.app.study, number, setting.seed)
        rng = Random(f"{setting.seed}:{number}:person")
        person = draw_person(number, rng, setting.scales, rates, cluster=level)
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
    """Whether the person came to the end of the main quiz, or of the last main task."""
    stages = study.main_task_stages[-1:] if kind == "tasks" else [study.main_quiz] if study.main_quiz else []
    visits = [unit.visit(person.id, stage.id) for stage in stages]
    stayed = person.status == "completed"
    return stayed or any(visit is not None and visit.ended_by == "participant" for visit in visits)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
