"""The minutes after which an assistant opens and closes are minutes in which the participant could work."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app

from study_app.services.participant.chatting.questions import BudgetSpent


@pytest.fixture
def walker(tmp_path, monkeypatch):
    """A person at the main tasks whose assistant opens after five minutes for ten."""
    clock = HandClock()
    app = open_app(tmp_path, clock)
    while True:
        person = Walker(app, clock).to_tasks(solve=False).begin_tasks()
        if person.arm == "ai":
            break
    for name, spec in app.context.content.specs.items():
        limits = spec.limits.model_copy(update={"minutes": 10.0})
        monkeypatch.setitem(
            app.context.content.specs, name, spec.model_copy(update={"opens_after_minutes": 5.0, "limits": limits})
        )
    yield person
    app.close()


def refusal(person: Walker) -> str:
    """Why no question is answered now; empty where one is."""

    async def asked() -> None:
        reply = await person.app.help.ask(person.id, "What is a nursery?", person.page, person.text, person.seq)
        async for _ in reply.text:
            pass

    try:
        asyncio.run(asked())
    except BudgetSpent as spent:
        return spent.message_key.removeprefix("assistant.limit.")
    return ""


def test_the_page_opens_the_assistant_at_the_moment_at_which_the_server_answers(walker):
    walker.clock.advance(minutes=1)
    walker.app.acts.pause(walker.id, "the fire alarm rang", "anna")
    walker.clock.advance(minutes=20)
    walker.app.acts.resume(walker.id, "all clear", "anna")
    walker.app.acts.extend(walker.id, 30, "a slow start", "anna")
    opens = walker.app.help.opens_at(walker.app.session.where(walker.id))
    # Four minutes of work are left before it opens, whatever a pause has taken and a researcher has given.
    assert opens == walker.clock.now() + timedelta(minutes=4)
    walker.clock.advance(seconds=239)
    assert refusal(walker) == "not_open_yet"
    walker.clock.advance(seconds=1)
    assert refusal(walker) == ""


def test_time_that_a_researcher_gives_is_worked_in_and_moves_neither_opening_nor_end(walker):
    assert refusal(walker) == "not_open_yet"
    walker.app.acts.extend(walker.id, 30, "a slow start", "anna")
    walker.clock.advance(minutes=6)
    assert refusal(walker) == ""
    walker.clock.advance(minutes=10)
    assert refusal(walker) == "minutes"


def test_time_for_which_the_clock_stood_still_counts_for_neither(walker):
    walker.clock.advance(minutes=6)
    assert refusal(walker) == ""
    walker.app.acts.pause(walker.id, "the fire alarm rang", "anna")
    walker.clock.advance(minutes=60)
    walker.app.acts.resume(walker.id, "all clear", "anna")
    walker.clock.advance(minutes=6)
    assert refusal(walker) == ""
    walker.clock.advance(minutes=4)
    assert refusal(walker) == "minutes"
