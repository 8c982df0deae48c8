"""What bounds a turn of an agent: its tools, its steps, its time, the task, and nothing that a text says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import settle

from study_app.dataset.verification import verify
from study_app.domain.assistants.acting import AgentRequest, CallRefused, ToolCall, checked_call, replacement
from study_app.domain.assistants.treatments import ReplyEnd, TextDelta
from study_app.services.researcher.exporting.export import export


class Scripted:
    """An assistant that makes the given calls, and goes on talking.

    The seconds that it takes pass on the loop's clock alone, so how many steps fit hangs little on how busy the machine
    is.
    """

    id = "scripted"

    def __init__(self, *calls: ToolCall, pause: float = 0.0) -> None:
        self.calls, self.pause, self.passed = calls, pause, 0.0
        self.met: list[AgentRequest] = []

    async def reply(self, request) -> AsyncIterator[TextDelta | ReplyEnd]:
        yield ReplyEnd("scripted", "0")

    async def step(self, request: AgentRequest) -> AsyncIterator[TextDelta | ToolCall | ReplyEnd]:
        self.met.append(request)
        self.passed += self.pause
        yield TextDelta("So. ")
        if len(request.steps) < len(self.calls):
            yield self.calls[len(request.steps)]
        yield ReplyEnd("scripted", "0", 10, 5)


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Open a study whose agent follows a script."""
    opened = []

    def begin(*calls, pause=0.0, **settings):
        app, walker = agent_walker(tmp_path, HandClock(), "none", **settings)
        opened.append(app)
        assistant = Scripted(*calls, pause=pause)
        monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda _: time.monotonic() + assistant.passed)
        edition = app.context.edition
        monkeypatch.setattr(app.context, "edition", lambda name: _with(edition(name), assistant), raising=False)
        return assistant, walker

    yield begin
    for app in opened:
        app.close()


def _with(edition, assistant):
    for name in list(edition.assistants):
        edition.assistants[name] = assistant
    return edition


def test_a_turn_ends_after_its_steps(scripted):
    assistant, walker = scripted(*[ToolCall("view", {})] * 9, steps_per_turn=3)
    page = AgentPage(walker, lambda _: "approve").ask()
    assert page.decisions == [("view", "auto")] * 3
    (turn,) = walker.app.help.turns(walker.id)
    assert (turn.stop_reason, turn.output_tokens) == ("steps", 15)
    assert len(assistant.met) == 3


def test_a_turn_ends_after_its_seconds_of_own_work(scripted):
    _, walker = scripted(*[ToolCall("view", {})] * 50, pause=80.0, seconds_per_turn=300, steps_per_turn=50)
    page = AgentPage(walker, lambda _: "approve").ask()
    assert 0 < len(page.decisions) < 6
    (turn,) = walker.app.help.turns(walker.id)
    assert turn.stop_reason == "time"


def test_a_tool_that_the_treatment_does_not_name_is_not_used(scripted):
    call = ToolCall("edit", {"old": "import trio", "new": "import os"})
    assistant, walker = scripted(call, ToolCall("shell", {"command": "id"}), tools=["view", "report"])
    before = walker.text
    page = AgentPage(walker, lambda _: "approve").ask()
    assert page.frames == []
    assert walker.text == before
    results = [step.result for step in assistant.met[-1].steps]
    assert [text.startswith("There is no tool '") for text in results] == [True, True]


def test_the_end_of_a_task_ends_the_turn_and_a_late_step_is_not_proposed(scripted):
    class Submitting(Scripted):
        async def step(self, request):
            if len(request.steps) == 1:
                await asyncio.to_thread(walker.submit)
            async for piece in super().step(request):
                yield piece

    _, walker = scripted()
    assistant = Submitting(*[ToolCall("view", {})] * 4)
    walker.app.context.edition = lambda name, edition=walker.app.context.edition: _with(edition(name), assistant)
    page = AgentPage(walker, lambda _: "approve").ask()
    assert page.decisions == [("view", "auto")]
    (turn,) = walker.app.help.turns(walker.id)
    assert turn.stop_reason == "task_over"


@pytest.mark.parametrize(
    "given",
    [
        {}, {"old": 1, "new": "x"}, {"old": "a", "new": None}, {"old": "a" * 70_000, "new": ""}, {"old": [], "new": ""},
    ],
)  # fmt: skip
def test_a_call_without_its_texts_is_refused_in_a_sentence(given):
    with pytest.raises(CallRefused) as refused:
        checked_call(ToolCall("edit", given), ("edit",))
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("program", "old", "new", "said"),
    [
        ("a b a", "a", "c", "2 times"),
        ("a b", "c", "d", "does not stand"),
        ("a b", "a", "a", "the same"),
        ("a b", "", "d", "not empty"),
    ],
)
def test_a_change_whose_old_text_is_not_there_once_is_refused_in_a_sentence(program, old, new, said):
    with pytest.raises(CallRefused, match=said):
        replacement(program, {"old": old, "new": new})


def test_positions_of_a_change_count_as_browsers_do():
    change = replacement("x = '\U0001f600'\ny = 1\n", {"old": "y = 1", "new": "y = 2"})
    assert (change.start, change.end, change.line) == (9, 14, 2)
    assert change.applied("x = '\U0001f600'\ny = 1\n") == "x = '\U0001f600'\ny = 2\n"


@pytest.mark.parametrize("decides", ["approve", "reject"])
def test_a_deadline_in_the_middle_of_a_turn_hands_in_the_program_as_it_stood(tmp_path, decides):
    app, walker = agent_walker(tmp_path, HandClock(), "edits")
    late = []

    def choose(frame):
        if not late:
            late.append(walker.text)
            walker.clock.advance(minutes=40)
            app.session.sweep()
        return decides

    page = AgentPage(walker, choose).ask()
    (submission,) = [run for run in submissions(app, walker.id) if run.task == "trio_timer"]
    assert submission.code == late[0]
    assert page.decisions[-1] == ("edit", "expired")
    (turn,) = app.help.turns(walker.id)
    assert turn.stop_reason == "task_over"
    settle(app)
    export(app.context, tmp_path / "data", include_preview=True)
    found = [each for each in verify(tmp_path / "data").findings if each.finding_class != "browser"]
    assert [str(each) for each in found] == []
    app.close()


def submissions(app, participant_id):
    with app.context.registry.begin(write=False) as unit:
        return [run for run in unit.runs(participant_id) if run.kind == "submission"]
