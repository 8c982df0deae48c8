"""A reply that is cut is counted: what the provider said that it read, and what had come of the reply."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.clock import HandClock
from support.providers.messages_api import Answer, event, serving, start, stop, words
from support.trials.agent_study import agent_walker
from support.trials.export_world import Walker, open_app, real_study

from study_app.assistant.claude import ClaudeAssistant
from study_app.domain.assistants.budget import ESTIMATED_INPUT, ESTIMATED_OUTPUT, estimated_tokens
from study_app.services.spending import costs_by_model, usage

READ = 2500
SAID = "Await trio.sleep there."
ARGUMENTS = json.dumps({"old": "x" * 300, "new": "y" * 300})


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """Ask once of a provider that answers so, do something at the first piece, and return the turn as stored."""
    opened = []

    def begin(agent=False, **settings):
        if agent:
            app, walker = agent_walker(tmp_path, HandClock(), **settings)
        else:
            app = open_app(tmp_path, HandClock(), real_study(tmp_path))
            walker = next(w for w in (Walker(app, app.context.clock).to_tasks() for _ in range(8)) if w.arm == "ai")
            walker.begin_tasks()
        opened.append(app)
        edition = app.context.edition

        def ask(*answers, at_first=None):
            async def scene():
                async with serving(*answers) as api:

                    def claude(name):
                        found = edition(name)
                        for id, spec in found.content.specs.items():
                            found.assistants[id] = ClaudeAssistant(spec, api_key="sk-x", base_url=api.url)
                        return found

                    monkeypatch.setattr(app.context, "edition", claude, raising=False)
                    asked = await app.help.ask(walker.id, "How do I wait?", walker.page, walker.text, walker.seq)

                    async def read():
                        words_seen = False
                        async for piece in asked.text:
                            if not words_seen and isinstance(piece, str) and at_first is not None:
                                words_seen = True
                                await at_first(app, walker, asked.turn_id)

                    reading = asyncio.create_task(read())
                    if not answers[0].pieces:
                        while not api.bodies:
                            await asyncio.sleep(0.01)
                        app.help.stop(walker.id, asked.turn_id)
                    await reading
                    return api

            api = asyncio.run(scene())
            return api, app.help.turns(walker.id)[-1]

        return app, walker, ask

    yield begin
    for app in opened:
        app.close()


async def stopping(app, walker, turn_id):
    # Not at once: all words have come by then.
    while "there." not in app.help.turns(walker.id)[-1].reply:
        await asyncio.sleep(0.01)
    assert not app.help.stop(walker.id, "another")
    assert app.help.stop(walker.id, turn_id)


def counted(app, turn):
    """Input and output tokens in limits, in the console's costs, and messages without a count."""
    with app.context.registry.begin(write=False) as unit:
        [cost] = costs_by_model(unit, app.context.content, "preview")
    used = usage(app.context.content.specs[turn.treatment], turn)
    assert (cost.input_tokens, cost.output_tokens) == (used.input_tokens, used.output_tokens)
    return used.input_tokens, used.output_tokens, cost.uncounted


def test_a_stopped_reply_is_counted_by_what_the_provider_read_and_what_had_come(asking):
    app, _, ask = asking()
    _, turn = ask(Answer([start(input_tokens=READ), *words(SAID)], hang=True), at_first=stopping)
    made = estimated_tokens(f"{SAID} ")
    assert (turn.stop_reason, turn.stopped_by_participant) == ("stopped", True)
    assert (turn.model, turn.input_tokens, turn.output_tokens) == ("claude-served-1", READ, made)
    assert turn.parameters[ESTIMATED_OUTPUT] == made
    assert ESTIMATED_INPUT not in turn.parameters
    assert counted(app, turn) == (READ, made, 0)


def test_what_came_and_was_withheld_or_thought_is_counted_as_well(asking):
    _, _, ask = asking()
    thought = event("content_block_delta", index=1, delta={"type": "thinking_delta", "thinking": "z" * 900})
    opened = event("content_block_start", index=1, content_block={"type": "thinking", "thinking": "", "signature": ""})
    _, turn = ask(Answer([start(input_tokens=READ), opened, thought, *words(SAID)], hang=True), at_first=stopping)
    assert turn.output_tokens == estimated_tokens("z" * 900 + f"{SAID} ")


def test_a_reply_stopped_before_the_provider_said_anything_is_counted_by_all_that_was_sent(asking):
    app, _, ask = asking()
    api, turn = ask(Answer([], hang=True))
    body = api.bodies[0]
    sent = len(body["system"]) + sum(len(message["content"]) for message in body["messages"])
    assert (turn.input_tokens, turn.output_tokens) == (-(-sent // 3), 0)
    assert turn.parameters[ESTIMATED_INPUT] == turn.input_tokens
    assert counted(app, turn) == (turn.input_tokens, 0, 0)


def test_a_reply_whose_connection_was_cut_is_counted_in_the_same_way(asking):
    app, _, ask = asking()
    _, turn = ask(Answer([start(input_tokens=READ), *words(SAID)], cut=True))
    assert (turn.error, turn.stop_reason) == ("connection", "broken_off")
    assert counted(app, turn) == (READ, estimated_tokens(f"{SAID} "), 0)


def test_a_server_that_was_killed_in_a_reply_has_stored_what_the_provider_read(asking):
    app, _, ask = asking()
    found = {}

    async def killed(app, walker, turn_id):
        # As another server finds it: what the killed one had stored, and not what it held.
        while True:
            with app.context.registry.begin() as unit:
                [turn] = unit.turns(walker.id)
                if turn.reply:
                    found["turn"] = turn
                    unit.update_turn(turn)
                    break
            await asyncio.sleep(0.01)
        app.help.stop(walker.id, turn_id)

    ask(Answer([start(input_tokens=READ), *words(SAID)], hang=True), at_first=killed)
    assert found["turn"].input_tokens == READ
    assert not found["turn"].complete
    assert found["turn"].output_tokens >= estimated_tokens("Await ")


def call(name):
    return event(
        "content_block_start", index=1, content_block={"type": "tool_use", "id": name, "name": name, "input": {}}
    )


@pytest.mark.parametrize("cut", ["stopped", pytest.param("time", marks=pytest.mark.slow)])
def test_a_step_of_an_agent_that_is_cut_counts_beside_those_before_it(asking, cut):
    app, _, ask = asking(agent=True, approval="edits", seconds_per_turn=5 if cut == "time" else 300)
    first = [start(input_tokens=1000), call("view"), event("content_block_stop", index=1), *stop("tool_use", 40)]
    arguments = event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": ARGUMENTS})
    second = [start(input_tokens=READ), *words(SAID), call("edit"), arguments]
    _, turn = ask(Answer(first), Answer(second, hang=True), at_first=stopping if cut == "stopped" else None)
    made = turn.parameters[ESTIMATED_OUTPUT]
    assert turn.input_tokens == 1000 + READ
    assert turn.output_tokens == 40 + made
    words_alone, all_of_it = estimated_tokens(f"{SAID} "), -(-len(f"{SAID} {ARGUMENTS}") // 3)
    assert made == all_of_it if cut == "time" else words_alone <= made <= all_of_it
    assert turn.stop_reason == cut
    assert counted(app, turn) == (turn.input_tokens, turn.output_tokens, 0)
