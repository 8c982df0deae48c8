"""The page's look at the conversation: steps are read where there can be some, and nowhere else."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import Walker, open_app


@contextmanager
def parameters_sent():
    """Every parameter of the statements that are executed meanwhile."""
    found: list[object] = []

    def note(_connection, _cursor, _statement, parameters, _context, _many):
        found.extend(parameters.values() if isinstance(parameters, dict) else parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def shown(app, participant_id):
    kept = app.help.turns(participant_id)
    with app.context.registry.begin(write=False) as unit:
        person = unit.known_participant(participant_id)
    with parameters_sent() as sent:
        steps = app.help.actions_in(person, kept)
    return kept, steps, "agent_proposed" in sent


@pytest.mark.parametrize("agent", [True, False])
def test_the_log_is_read_for_steps_only_where_the_assistant_acts(tmp_path, agent):
    if agent:
        app, walker = agent_walker(tmp_path, HandClock())
        AgentPage(walker, lambda _: "approve").ask()
    else:
        clock = HandClock()
        app = open_app(tmp_path, clock)
        walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(20)) if w.arm == "ai").begin_tasks()
        walker.ask("What is a nursery?")
    kept, steps, read = shown(app, walker.id)
    app.close()
    assert len(kept) == 1
    assert read == bool(steps) == agent
