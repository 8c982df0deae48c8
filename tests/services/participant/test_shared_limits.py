"""Limits of an assistant over all participants, and the longest reply that they leave."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from support.trials.export_world import Walker, open_app, real_study

from study_app.domain.assistants.treatments import AssistantLimits, StudyLimits
from study_app.domain.records import Kind, Turn
from study_app.services.participant.chatting.questions import BudgetSpent
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.spending import spent_usd, usage, used_by_all
from study_app.storage.unit_of_work import SqlUnitOfWork
from study_app.web.app import background


@pytest.fixture
def opened(tmp_path, database_url):
    clock = HandClock()
    app = open_app(tmp_path, clock, database=database_url)
    yield app, clock
    app.close()


def assisted(app, clock: HandClock, kind: Kind | None = None) -> Walker:
    while True:
        walker = Walker(app, clock, kind=kind).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker


def limit(app, **changed) -> None:
    """Give the treatment other limits."""
    specs = app.context.content.specs
    name = next(iter(specs))
    specs[name] = specs[name].model_copy(update=changed)


def add_turn(app, walker: Walker, **more) -> Turn:
    spec = next(iter(app.context.content.specs.values()))
    turn = Turn(
        id=app.context.fresh_id(), participant_id=walker.id, task="trio_timer", assistant="claude", treatment=spec.id,
        model="m", prompt_version="1", message="a question", reply="a reply", code="x = 1", asked_at=app.context.now(),
        complete=True, total_seconds=3.0,
    )  # fmt: skip
    with app.context.registry.begin() as unit:
        unit.add_turn(replace(turn, **more))
    return replace(turn, **more)


def rooms(app) -> list[int | None]:
    """Return the list to which each request's room is added."""
    seen: list[int | None] = []
    assistant = next(iter(app.context.assistants.values()))
    reply = assistant.reply

    def heard(request):
        seen.append(request.max_tokens)
        return reply(request)

    object.__setattr__(assistant, "reply", heard)
    return seen


def test_what_the_database_sums_is_what_the_turns_say_one_by_one(opened):
    app, clock = opened
    one, other = assisted(app, clock), assisted(app, clock)
    spec = next(iter(app.context.content.specs.values()))
    turns = [
        add_turn(app, one, input_tokens=1000, output_tokens=200),
        add_turn(app, other, input_tokens=50, output_tokens=7, total_seconds=None),
        add_turn(app, other, input_tokens=None, output_tokens=None),
        add_turn(app, one, input_tokens=30, output_tokens=None),
    ]
    recorded = add_turn(app, one, input_tokens=400, output_tokens=40, assistant="recorded")
    with app.context.registry.begin(write=False) as unit:
        used = used_by_all(unit, app.context.content, "preview")[spec.id]
        spent = spent_usd(unit, app.context.content, "preview")
        assert used_by_all(unit, app.context.content, "real") == {}
    each = [usage(spec, turn) for turn in turns]
    assert used.turns == 5
    assert used.output_tokens == sum(one.output_tokens for one in each) + 40
    assert used.input_tokens == sum(one.input_tokens for one in each) + 400
    assert used.minutes == pytest.approx(sum(one.minutes for one in each) + 3 / 60)
    # What a recording repeats was paid for where it was recorded.
    assert spent == pytest.approx(sum(one.cost_usd for one in each))
    assert used.cost_usd == pytest.approx(spent + usage(spec, recorded).cost_usd)


def test_a_limit_over_all_counts_those_of_the_same_kind_alone(opened):
    app, clock = opened
    preview, simulated = assisted(app, clock), assisted(app, clock, "simulated")
    limit(app, study_limits=StudyLimits(output_tokens=1000))
    add_turn(app, simulated, input_tokens=10, output_tokens=1000)
    assert preview.ask("What is a nursery?")
    add_turn(app, preview, input_tokens=10, output_tokens=1000)
    with pytest.raises(BudgetSpent):
        preview.ask("What is a channel?")


@POSTGRES_IS_SLOW
def test_the_last_question_of_all_leaves_no_longer_reply_than_the_limit_on_tokens(opened):
    app, clock = opened
    walker = assisted(app, clock)
    limit(app, limits=AssistantLimits(turns=2, output_tokens=700))
    add_turn(app, walker, input_tokens=10, output_tokens=300)
    seen = rooms(app)
    walker.ask("What is a nursery?")
    assert seen == [400]
    with pytest.raises(BudgetSpent):
        walker.ask("What is a channel?")


def test_limits_on_a_treatment_and_on_the_study_read_what_all_have_used_once_a_question(tmp_path, monkeypatch):
    limited = {"allow_embedded = false": "allow_embedded = true\nstudy_cost_limit = 1.0"}
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path, **limited))
    walker = assisted(app, clock)
    limit(app, study_limits=StudyLimits(output_tokens=1000))
    add_turn(app, walker, input_tokens=10, output_tokens=200)
    readings = []
    for name in ("reported_use", "turns_apart"):
        read = getattr(SqlUnitOfWork, name)
        monkeypatch.setattr(SqlUnitOfWork, name, lambda *given, n=name, r=read: (readings.append(n), r(*given))[1])
    seen = rooms(app)
    walker.ask("What is a nursery?")
    assert seen == [800]
    assert sorted(readings) == ["reported_use", "turns_apart"]
    app.close()


def test_a_limit_holds_for_people_of_the_version_that_had_it_after_an_amendment_without(tmp_path):
    clock, limited = HandClock(), tmp_path / "limited.toml"
    study = real_study(tmp_path, **{
        'file = "assistants/full.toml"': 'file = "limited.toml"', "allow_embedded = false": "allow_embedded = true",
    })  # fmt: skip
    text = (tmp_path / "assistants" / "full.toml").read_text()
    limited.write_text(text + "\n[study_limits]\noutput_tokens = 1000\n")
    app = open_app(tmp_path, clock, study)
    app.lifecycle.launch()
    early = entered(app, clock)
    limited.write_text(text)
    other = open_app(tmp_path, clock, study, changed_ok=True)
    other.lifecycle.amend("the limit was too low")
    other.close()
    late = entered(app, clock)
    assert app.context.content_of(app.session.peek(late.id).participant) is app.context.content
    assert early.ask("What is a nursery?")
    add_turn(app, early, input_tokens=10, output_tokens=1000)
    with pytest.raises(BudgetSpent):
        early.ask("What is a channel?")
    assert late.ask("What is a channel?")
    app.close()


def entered(app, clock: HandClock) -> Walker:
    """Return a person with the assistant who came by a link."""
    while True:
        (link,) = app.links.create(1)
        walker = Walker(app, clock, EntryRequest(link=link.secret)).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker


@POSTGRES_IS_SLOW
def test_questions_are_answered_while_many_agents_wait_for_their_programs(opened):
    app, _ = opened
    over = threading.Event()

    async def crowded() -> str:
        async with background(app):
            waiting = [asyncio.create_task(asyncio.to_thread(over.wait, 60)) for _ in range(60)]
            try:
                return await asyncio.wait_for(asyncio.to_thread(lambda: "answered"), 30)
            finally:
                over.set()
                await asyncio.gather(*waiting)

    assert asyncio.run(crowded()) == "answered"


@POSTGRES_IS_SLOW
def test_a_server_holds_no_reply_that_has_ended(opened):
    app, clock = opened
    walker = assisted(app, clock)
    walker.ask("What is a nursery?")
    walker.ask("What is a channel?")
    assert not app.help._tasks  # noqa: SLF001
