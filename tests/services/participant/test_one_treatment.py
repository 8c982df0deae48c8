"""A treatment begins anew in each period: with its limits, its conversation, and nothing of another one on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from services.participant.test_shared_limits import add_turn, assisted, limit
from support.clock import HandClock
from support.trials.export_world import open_app

from study_app.domain.assistants.personas import Persona
from study_app.domain.assistants.treatments import AssistantLimits
from study_app.services.participant.chatting.conversations import with_treatment
from study_app.services.participant.chatting.questions import BudgetSpent


def test_what_another_treatment_or_persona_answered_is_neither_counted_nor_sent_nor_shown(tmp_path, database_url):
    clock = HandClock()
    app = open_app(tmp_path, clock, database=database_url)
    walker = assisted(app, clock)
    limit(app, limits=AssistantLimits(turns=2, output_tokens=2000))
    add_turn(app, walker, treatment="hints", output_tokens=900)
    add_turn(app, walker, treatment="hints", output_tokens=900)
    add_turn(app, walker, parameters={"persona": "warm"}, output_tokens=900)
    met = []
    assistant = next(iter(app.context.assistants.values()))
    reply = assistant.reply
    object.__setattr__(assistant, "reply", lambda request: met.append(request) or reply(request))
    walker.ask("What is a nursery?")
    assert (met[0].history, met[0].max_tokens) == ((), 1500)
    walker.ask("What is a channel?")
    assert [message for message, _ in met[1].history] == ["What is a nursery?"]
    shown = app.help.conversation(app.session.peek(walker.id).participant)
    assert [turn.message for turn in shown] == ["What is a nursery?", "What is a channel?"]
    with pytest.raises(BudgetSpent):
        walker.ask("And a cancel scope?")
    app.session.withdraw(walker.id, False)
    assert app.help.conversation(app.session.peek(walker.id).participant) == []
    app.close()


def test_a_persona_is_a_treatment_apart(tmp_path):
    app = open_app(tmp_path, HandClock())
    plain = next(iter(app.context.content.specs.values()))
    walker = assisted(app, app.context.clock)
    turns = [add_turn(app, walker), add_turn(app, walker, parameters={"persona": "warm", "max_tokens": 5})]
    warm = plain.speaking_as(Persona(id="warm", fragment="Be kind."))
    assert with_treatment(turns, plain) == turns[:1]
    assert with_treatment(turns, warm) == turns[1:]
    assert with_treatment([replace(turns[1], treatment="hints")], warm) == []
    app.close()
