"""A whole simulation: people arrive, live side by side on one clock, and the realised effect is known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from study_app.assistant.notes import NotesAssistant, notes_in_folder
from study_app.bootstrap import App, start
from study_app.domain.errors import ProblemsFound
from study_app.settings import Settings
from study_app.simulation.batched_database import BatchedRegistry
from study_app.simulation.behaviour.profiles import Amount, ArmEffects, Rates, Scales, effects_of
from study_app.simulation.cached_sandbox import Memory, RepeatingSandbox
from study_app.simulation.clock import START, SimulationClock, next_monday
from study_app.simulation.ids import SeededIds
from study_app.simulation.paced_assistant import ReplyLoop, paced
from study_app.simulation.participant import SimulationSetting
from study_app.simulation.population.amounts import check_amounts, check_arms, check_second, check_used
from study_app.simulation.population.crowd import Crowd
from study_app.simulation.summary import SimulationSummary

KEY = "ANTHROPIC_API_KEY"
PERIODS_DIFFER = 0.25
"""Share of the variance of the minutes that lies between the periods of one person, in a sequence of treatments."""


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
    check_amounts(participants, effect_score, effect_minutes, noncompliance, dropout, overconfidence)
    check_arms(app.study, effect_score=effect_score, effect_minutes=effect_minutes, dropout=dropout)
    check_used(app.study, effect_score, effect_minutes, noncompliance, overconfidence)
    check_second(app.study, second_effect_score, second_effect_minutes)
    began = time.perf_counter()
    # Two simulations on one database would live by two clocks that know nothing of each other: the second waits.
    with (
        app.context.registry.alone("simulation"),
        _simulated_context(app, seed, memory) as setting,
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


@contextmanager
def _simulated_context(app: App, seed: int, memory: Memory | None) -> Iterator[SimulationSetting]:
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
    sequence = app.study.allocation.method == "sequence"
    periods = len(app.study.main_task_stages) if sequence else 1
    within = PERIODS_DIFFER if sequence else 0.0
    return Scales(points, app.study.task_limit / max(periods, 1), app.study.rehearsal, within)
