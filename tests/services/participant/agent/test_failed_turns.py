"""A turn of an agent that fails gives back what it lost, and not the time in which the person decided."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import open_app

from study_app.clock import SystemClock
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.treatments import ReplyBrokenOff, ReplyEnd, TextDelta
from study_app.domain.events import saying
from study_app.domain.events.server import AgentDecided, AgentProposed, Outage
from study_app.domain.records import Turn

DECIDING, FAILING = 1.5, 0.3


class Moved(SystemClock):
    """A clock that runs, and can be set on."""

    ahead = timedelta()

    def now(self):
        return super().now() + self.ahead

    def advance(self, **span) -> None:
        self.ahead += timedelta(**span)


class Failing:
    """An assistant that asks the person something, and fails at its next step."""

    id = "failing"

    async def reply(self, request) -> AsyncIterator[TextDelta | ReplyEnd]:
        yield ReplyEnd("failing", "0")

    async def step(self, request: AgentRequest) -> AsyncIterator[TextDelta | ToolCall | ReplyEnd]:
        if request.steps:
            await asyncio.sleep(FAILING)
            raise ReplyBrokenOff("overloaded", "too many people ask", end=ReplyEnd("failing", "0", 30, 7))
        yield ToolCall("ask", {"question": "Which of the two?"})
        yield ReplyEnd("failing", "0", 10, 5)


def outages(app, walker) -> list[Outage]:
    with app.context.registry.begin(write=False) as unit:
        return [outage for _, outage in saying(unit.events_of(walker.id, (Outage.kind,)), Outage)]


def test_the_time_in_which_a_person_decided_is_not_given_back_where_the_agent_fails_afterwards(tmp_path, monkeypatch):
    app, walker = agent_walker(tmp_path, Moved(), "each")
    edition = app.context.edition

    def failing(name):
        found = edition(name)
        found.assistants.update(dict.fromkeys(found.assistants, Failing()))
        return found

    monkeypatch.setattr(app.context, "edition", failing, raising=False)
    # Its person thinks in real time here.
    monkeypatch.setattr(walker.clock, "advance", lambda **span: None)
    before = app.session.where(walker.id).deadline_at

    def decide(frame) -> str:
        time.sleep(DECIDING)
        return "The first."

    AgentPage(walker, decide).ask()
    (turn,) = app.help.turns(walker.id)
    (outage,) = outages(app, walker)
    assert turn.error == outage.cause == "overloaded"
    # What the step had used that broke off is billed beside the one before it.
    assert (turn.input_tokens, turn.output_tokens) == (40, 12)
    assert outage.seconds is not None
    # A millisecond is what moments are kept to.
    assert outage.seconds >= FAILING - 0.01
    assert outage.seconds < turn.total_seconds
    with app.context.registry.begin(write=False) as unit:
        decided = [event for event, _ in saying(unit.events_of(walker.id, (AgentDecided.kind,)), AgentDecided)]
        [failed] = [event for event, _ in saying(unit.events_of(walker.id, (Outage.kind,)), Outage)]
    assert outage.seconds <= (failed.server_time - decided[-1].server_time).total_seconds() + 0.01
    moved = (app.session.where(walker.id).deadline_at - before).total_seconds()
    assert abs(moved - outage.seconds) < 0.01
    app.close()


def test_of_a_turn_whose_server_is_gone_the_time_since_its_last_step_is_given_back(tmp_path):
    clock = HandClock()
    app, walker = agent_walker(tmp_path, clock, "each")
    turn = Turn(
        "lost", walker.id, walker.task, "embedded", "full", "m", "1", "please", "", "x = 1", app.context.now()
    )  # fmt: skip
    with app.context.registry.begin() as unit:
        unit.add_turn(turn)
    for seconds, said in (
        (5, AgentProposed(action_id="a1", turn_id="lost", task=walker.task, step=1, tool="run", input={},
                          base_sha256="", waits=True, input_tokens=800, output_tokens=30)),
        (600, AgentDecided(action_id="a1", decision="approve", seconds=600.0)),
    ):  # fmt: skip
        clock.advance(seconds=seconds)
        with app.context.registry.begin() as unit:
            unit.record(walker.id, "tasks", clock.now(), said)
    app.close()
    clock.advance(seconds=40)
    later = open_app(tmp_path, clock, tmp_path / "study.toml")
    with later.context.registry.begin(write=False) as unit:
        before = unit.visit(walker.id, "tasks").deadline_at
    later.help.close_interrupted(walker.id)
    assert [(each.turn_id, each.seconds) for each in outages(later, walker)] == [("lost", 40.0)]
    (lost,) = later.help.turns(walker.id)
    assert (lost.input_tokens, lost.output_tokens) == (800, 30)
    assert (later.session.where(walker.id).deadline_at - before).total_seconds() == 40
    later.close()
