"""Stop ends a turn of an agent wherever it is: after the end nothing of it is stored, and no program of it goes on."""

from __future__ import annotations

import threading
import time

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker

from study_app.domain.events import saying
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed, TurnEnded
from study_app.services.participant.agent.working import AgentWork, TaskOver

ENDLESS = "while True:\n    pass\n"


def log_of(app, walker):
    with app.context.registry.begin(write=False) as unit:
        return unit.events_of(walker.id, (AgentProposed.kind, AgentDecided.kind, AgentActed.kind, TurnEnded.kind))


def turn_is_over(app, walker):
    with app.context.registry.begin(write=False) as unit:
        return all(turn.complete for turn in unit.turns(walker.id))


@pytest.mark.parametrize(
    "place", ["_propose", *(pytest.param(name, marks=pytest.mark.slow) for name in ("_look", "_run", "_note"))]
)
def test_nothing_is_stored_by_a_step_that_was_on_its_way_when_stop_was_pressed(tmp_path, monkeypatch, place):
    app, walker = agent_walker(tmp_path, HandClock(), "each" if place == "_look" else "none")
    real, outcome = getattr(AgentWork, place), []

    def late(self, *given):
        if outcome or (place == "_propose" and not given[0].steps):
            return real(self, *given)
        # From here on the turn is another thread's, which Stop does not reach.
        app.help.stop(walker.id, page.turn_id)
        while not turn_is_over(app, walker):
            time.sleep(0.01)
        outcome.append("on its way")
        try:
            return real(self, *given)
        except TaskOver:
            outcome.append("too late")
            raise

    page = AgentPage(walker, lambda _: "approve")
    monkeypatch.setattr(AgentWork, place, late)
    page.ask()
    assert outcome == ["on its way", "too late"]
    events = log_of(app, walker)
    assert [details.stopped for _, details in saying(events, TurnEnded)] == [True]
    assert events[-1].kind == TurnEnded.kind
    steps = [details.action_id for _, details in saying(events, AgentProposed)]
    assert {details.action_id for _, details in saying(events, AgentDecided)} == set(steps)
    app.close()


def test_a_program_that_an_agent_runs_ends_with_the_turn(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "none")
    walker.replace_all(ENDLESS)

    def runs():
        with app.context.registry.begin(write=False) as unit:
            return [run for run in unit.runs(walker.id) if run.kind == "agent"]

    def stop_it():
        while not runs():
            time.sleep(0.01)
        app.help.stop(walker.id, page.turn_id)

    page, stopping = AgentPage(walker, lambda _: "approve"), threading.Thread(target=stop_it)
    stopping.start()
    page.ask()
    stopping.join()
    app.close()
    (run,) = runs()
    assert (run.ended_by, run.error_type) == ("cancelled", None)
    assert log_of(app, walker)[-1].kind == TurnEnded.kind
