"""What a turn waits for and what it may use: time that is the participant's, and limits that hold over all steps."""

from __future__ import annotations

import time

import pytest
from services.participant.agent.test_limits import Scripted, _with
from services.participant.test_shared_limits import limit
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import settle

from study_app.dataset.verification import verify
from study_app.domain.assistants.acting import ToolCall
from study_app.domain.assistants.budget import LeftByLimits, Usage
from study_app.domain.assistants.treatments import AssistantLimits, Price
from study_app.domain.events import saying
from study_app.domain.events.server import TurnEnded
from study_app.services.researcher.exporting.export import export


@pytest.fixture
def opened(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "each")
    yield app, walker
    app.close()


def scripted(app, *calls: ToolCall) -> Scripted:
    """Let the agent make these calls."""
    assistant, edition = Scripted(*calls), app.context.edition
    app.context.edition = lambda name: _with(edition(name), assistant)
    return assistant


def change(walker) -> ToolCall:
    return ToolCall("edit", {"old": walker.text, "new": f"{walker.text}# done\n"})


@pytest.mark.parametrize("end", ["stop", pytest.param("submit", marks=pytest.mark.slow)])
def test_time_for_which_a_card_waited_is_the_participants_also_where_nothing_was_decided(opened, end):
    app, walker = opened
    scripted(app, change(walker))

    def choose(_frame):
        time.sleep(2)
        if end == "submit":
            walker.submit()
        return end

    AgentPage(walker, choose if end == "stop" else lambda frame: choose(frame) and "typed").ask()
    (turn,) = app.help.turns(walker.id)
    with app.context.registry.begin(write=False) as unit:
        ((_, ended),) = saying(unit.events_of(walker.id, {TurnEnded.kind}), TurnEnded)
    assert turn.total_seconds >= 2
    assert ended.autonomous_seconds <= turn.total_seconds - 1


@pytest.mark.parametrize("tool", ["edit", pytest.param("run", marks=pytest.mark.slow)])
def test_a_key_and_its_correction_in_one_batch_make_a_step_stale_as_the_page_says(opened, tmp_path, tool):
    app, walker = opened
    scripted(app, change(walker) if tool == "edit" else ToolCall("run", {}))

    def choose(_frame):
        size, name = len(walker.text), walker.task
        walker.send(
            *(
                ("edit", {"task": name, "kind": kind, "changes": [change], "length": length})
                for kind, change, length in (
                    ("typed", {"from": size, "to": size, "insert": "j"}, size + 1),
                    ("typed", {"from": size, "to": size + 1, "insert": ""}, size),
                )
            )
        )
        return "seen"

    page = AgentPage(walker, choose)
    page.answer = lambda *_: None
    page.ask()
    assert page.decisions == [(tool, "stale")]
    if tool == "edit":
        return
    settle(app)
    export(app.context, tmp_path / "data", include_preview=True)
    found = [each for each in verify(tmp_path / "data").findings if each.finding_class != "browser"]
    assert [str(each) for each in found] == []


def test_the_steps_of_a_turn_stay_within_the_limit_on_output_together(opened):
    app, walker = opened
    assistant = scripted(app, *[ToolCall("view", {})] * 9)
    # Each step of the script uses 5.
    limit(app, limits=AssistantLimits(output_tokens=80))
    AgentPage(walker, lambda _: "approve").ask()
    assert [request.asked.max_tokens for request in assistant.met] == [80, 75, 70, 65]
    (turn,) = app.help.turns(walker.id)
    assert (turn.stop_reason, turn.output_tokens) == ("budget", 20)


def test_money_that_steps_have_used_shortens_the_next_one():
    left, price = LeftByLimits(usd=1.0).of(LeftByLimits(output_tokens=700)), Price(input_usd=1.0, output_usd=1000.0)
    assert left.reply_after(Usage(), price, 1500) == 700
    assert left.reply_after(Usage(cost_usd=0.5), price, 1500) == 500
    assert left.reply_after(Usage(cost_usd=0.95), price, 1500) == 0
    assert left.reply_after(Usage(output_tokens=300), None, 1500) == 400
