"""Two servers on one database: what one does the other knows, and what one leaves the other ends, once."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from support.trials.export_world import Walker, open_app

from study_app.domain.errors import InfrastructureError
from study_app.domain.records import Replica, Turn
from study_app.domain.tasks.programs import Isolation
from study_app.services import replicas
from study_app.services.grading import submissions
from study_app.services.operation.isolation_watch import STEP
from study_app.services.participant.chatting.questions import ReplyInProgress
from study_app.services.participant.chatting.replies import LiveReply
from study_app.web.app import background

SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(20)\n"


@pytest.fixture
def pair(tmp_path, database_url):
    """Two servers, and the clock of both."""
    clock = HandClock()
    first = open_app(tmp_path, clock, database=database_url)
    second = open_app(tmp_path, clock, database=database_url)
    made = itertools.count()
    second.context.fresh_id = lambda: f"second{next(made)}"
    yield first, second, clock
    first.close()
    second.close()


def at_work(app, clock) -> Walker:
    while True:
        walker = Walker(app, clock).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker


def half_reply(app, walker: Walker, clock: HandClock) -> Turn:
    """A reply that `app` is writing, as it stands after its first savings."""
    turn = Turn(
        id="half", participant_id=walker.id, task="trio_timer", assistant="notes", treatment="full", model="m",
        prompt_version="1", message="?", reply="half of", code="", asked_at=clock.now(),
    )  # fmt: skip
    with app.context.registry.begin() as unit:
        assert app.context.replicas.take(unit, app.context.replicas.mine(walker.id, "reply", turn.id))
        unit.add_turn(turn)
    app.help._replies[walker.id] = LiveReply(turn)  # noqa: SLF001
    return turn


def events(app, walker: Walker, kind: str) -> list[dict]:
    with app.context.registry.begin(write=False) as unit:
        return [event.payload for event in unit.events(walker.id) if event.kind == kind]


def alive(app, clock: HandClock, seconds: int, *others) -> None:
    """Let time pass with every given server looking each second."""
    for _ in range(seconds):
        clock.advance(seconds=1)
        for each in (app, *others):
            each.taking_over.tick()


def test_a_reply_of_a_living_server_is_left_alone_and_one_of_a_dead_server_is_ended_once(pair):
    first, second, clock = pair
    walker = at_work(first, clock)
    turn = half_reply(first, walker, clock)
    alive(second, clock, 30, first)
    (seen,) = second.help.turns(walker.id)
    assert (seen.complete, seen.reply) == (False, "half of")
    asked = second.help.ask(walker.id, "another", None, "")
    with pytest.raises(ReplyInProgress):
        asyncio.run(asked)
    alive(second, clock, 15)
    (seen,) = second.help.turns(walker.id)
    assert (seen.complete, seen.error, seen.reply) == (True, "interrupted", "half of")
    assert len(events(second, walker, "turn_ended")) == len(events(second, walker, "outage")) == 1
    # The server was only cut off: what it finishes now is not counted a second time.
    first.help._finish(LiveReply(replace(turn, complete=True, reply="half of it and the rest")))  # noqa: SLF001
    assert [each.reply for each in second.help.turns(walker.id)] == ["half of"]
    assert len(events(second, walker, "turn_ended")) == 1
    before = len(second.help.turns(walker.id))
    again = Walker.__new__(Walker)
    again.__dict__.update(walker.__dict__, app=second)
    assert again.ask("What is a nursery?")
    assert len(second.help.turns(walker.id)) == before + 1


@POSTGRES_IS_SLOW
def test_after_a_database_was_away_no_server_takes_another_for_gone(pair, monkeypatch):
    first, second, clock = pair
    walker = at_work(first, clock)
    half_reply(first, walker, clock)
    alive(second, clock, 3, first)

    def away(*_given, **_named):
        raise InfrastructureError("connection refused")

    with monkeypatch.context() as cut:
        for app in (first, second):
            cut.setattr(app.context.registry, "begin", away)
        for _ in range(60):
            clock.advance(seconds=1)
            for app in (first, second):
                with pytest.raises(InfrastructureError):
                    app.taking_over.tick()
    # The one that looks first sees of the other what it said before.
    alive(second, clock, 3, first)
    assert [gone for _, gone in second.context.replicas.looked] == [False]
    (seen,) = second.help.turns(walker.id)
    assert (seen.complete, events(second, walker, "outage")) == (False, [])
    alive(second, clock, 15)
    assert second.help.turns(walker.id)[0].error == "interrupted"


@POSTGRES_IS_SLOW
def test_a_server_that_did_not_look_for_long_counts_the_silence_of_others_from_its_next_look(pair, monkeypatch):
    first, second, clock = pair
    alive(second, clock, 3, first)
    moment = time.monotonic()
    monkeypatch.setattr(replicas, "time", SimpleNamespace(monotonic=lambda: moment + 60))
    alive(second, clock, 1)
    clock.advance(seconds=9)
    second.taking_over.tick()
    assert [gone for _, gone in second.context.replicas.looked] == [False]


@POSTGRES_IS_SLOW
def test_a_server_that_said_goodbye_or_whose_process_ended_is_not_waited_for(pair):
    first, second, clock = pair
    walker = at_work(first, clock)
    half_reply(first, walker, clock)
    alive(second, clock, 2, first)
    second.context.process_ended = lambda other: other.name == first.context.replicas.me.name
    alive(second, clock, 1)
    assert second.help.turns(walker.id)[0].error == "interrupted"


@POSTGRES_IS_SLOW
def test_a_stop_reaches_the_server_that_writes_the_reply(pair):
    first, second, clock = pair
    walker = at_work(first, clock)

    async def stopped() -> Turn:
        going_on = asyncio.Event()

        class Endless:
            id = "notes"

            async def reply(self, _request):
                from study_app.domain.assistants.treatments import TextDelta

                while True:
                    going_on.set()
                    yield TextDelta("word ")
                    await asyncio.sleep(0.01)

        name = next(iter(first.context.assistants))
        first.context.assistants = {**first.context.assistants, name: Endless()}
        asked = await first.help.ask(walker.id, "?", walker.page, walker.text, walker.seq)
        await going_on.wait()
        assert await asyncio.to_thread(second.help.stop, walker.id, asked.turn_id)
        assert not await asyncio.to_thread(second.help.stop, walker.id, "another")
        await asyncio.to_thread(first.taking_over.tick)
        async for _ in asked.text:
            pass
        return first.help.turns(walker.id)[-1]

    turn = asyncio.run(stopped())
    assert turn.complete
    assert turn.stopped_by_participant


@POSTGRES_IS_SLOW
def test_a_stop_from_another_thread_ends_a_reply_whose_provider_says_nothing(pair):
    first, _, clock = pair
    walker = at_work(first, clock)

    async def stopped() -> Turn:
        class Silent:
            id = "notes"

            async def reply(self, _request):
                from study_app.domain.assistants.treatments import TextDelta

                yield TextDelta("word ")
                await asyncio.Event().wait()

        name = next(iter(first.context.assistants))
        first.context.assistants = {**first.context.assistants, name: Silent()}
        asked = await first.help.ask(walker.id, "?", walker.page, walker.text, walker.seq)
        await anext(asked.text)
        # As a look at what other servers asked for does it, while nothing else wakes the loop.
        threading.Timer(0.2, first.help.stop_wanted, [{asked.turn_id}]).start()
        async with asyncio.timeout(60):
            async for _ in asked.text:
                pass
        return first.help.turns(walker.id)[-1]

    assert asyncio.run(stopped()).stopped_by_participant


def test_a_run_on_another_server_replaces_the_one_here_and_a_dead_server_s_run_is_ended(pair):
    first, second, clock = pair
    walker = at_work(first, clock)
    begun, over = threading.Event(), threading.Event()

    def emit(line) -> None:
        if line is None:
            over.set()
        elif line["type"] == "line":
            begun.set()

    alive(first, clock, 1, second)
    one = first.work.run(walker.id, SLOW, emit)
    assert begun.wait(60)
    done = threading.Event()
    two = second.work.run(walker.id, "print(1)", lambda line: done.set() if line is None else None)
    assert done.wait(60)
    first.taking_over.tick()
    assert over.wait(60)
    with first.context.registry.begin(write=False) as unit:
        ended = {run.id: (run.ended_by, run.stdout) for run in unit.runs(walker.id) if run.kind == "run"}
    assert ended[one] == ("cancelled", "begun\n")
    assert ended[two][0] == "exit"
    # A third that stands as running at a server which is gone.
    with first.context.registry.begin() as unit:
        run = next(run for run in unit.runs(walker.id) if run.id == one)
        unit.add_run(replace(run, id="lost", ended_by=None, stdout=""))
        unit.beat(Replica("gone", "elsewhere", 1, clock.now(), clock.now()))
        unit.begin_work(replace(first.context.replicas.mine(walker.id, "run", "lost"), replica="gone"))
    alive(first, clock, 12, second)
    with first.context.registry.begin(write=False) as unit:
        (lost,) = [run for run in unit.runs(walker.id) if run.id == "lost"]
        assert unit.works() == []
    assert lost.ended_by == "infrastructure"
    assert [each.get("run_id") for each in events(first, walker, "outage")] == ["lost"]


@POSTGRES_IS_SLOW
def test_a_run_that_begins_while_the_server_looks_round_goes_on(pair, monkeypatch):
    first, _, clock = pair
    walkers = [at_work(first, clock) for _ in range(2)]
    begun, over = threading.Event(), [threading.Event(), threading.Event()]

    def emitting(number):
        def emit(line) -> None:
            if line is None:
                over[number].set()
            elif line["type"] == "line":
                begun.set()

        return emit

    first.work.run(walkers[0].id, SLOW, emitting(0))
    assert begun.wait(60)
    look = first.context.replicas.others

    def meanwhile(unit):
        # The list of what goes on has been read, and what is to be stopped follows from it.
        monkeypatch.setattr(first.context.replicas, "others", look)
        thread = threading.Thread(target=first.work.run, args=(walkers[1].id, "print(1)", emitting(1)))
        thread.start()
        thread.join()
        return look(unit)

    monkeypatch.setattr(first.context.replicas, "others", meanwhile)
    first.taking_over.tick()
    assert over[1].wait(60)
    with first.context.registry.begin(write=False) as unit:
        (run,) = [run for run in unit.runs(walkers[1].id) if run.kind == "run"]
    assert (run.ended_by, run.stdout) == ("exit", "1\n")
    first.work.stop(walkers[0].id)
    assert over[0].wait(60)


def test_two_servers_grade_a_submission_once(pair, monkeypatch):
    first, second, clock = pair
    walker = at_work(first, clock)
    walker.submit(walker.solution("trio_timer"))
    graded, both = [], threading.Barrier(2, timeout=60)

    def counted(*given, **named):
        graded.append(1)
        return grade(*given, **named)

    grade = submissions.grade
    monkeypatch.setattr(submissions, "grade", counted)

    def work(app) -> None:
        both.wait()
        app.grading.grade_pending({walker.id})

    threads = [threading.Thread(target=work, args=(app,)) for app in (first, second)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    pending = [run for run in first.grading.pending() if run.participant_id == walker.id]
    assert pending == []
    assert len(graded) == len({run.id for run in _submissions(first, walker)})


def _submissions(app, walker: Walker) -> list:
    with app.context.registry.begin(write=False) as unit:
        return [run for run in unit.runs(walker.id) if run.kind == "submission"]


@POSTGRES_IS_SLOW
def test_two_servers_that_are_isolated_too_weakly_move_a_deadline_once(pair):
    first, second, clock = pair
    walker = at_work(first, clock)
    for app in (first, second):
        real = app.context.sandbox.isolation()
        app.context.sandbox.isolation = lambda real=real: Isolation(**{**real.__dict__, "level": "off"})
        with app.context.registry.begin() as unit:
            unit.set_meta("state", "launched")
    before = first.session.peek(walker.id).deadline_at
    for _ in range(int(STEP.total_seconds()) * 2):
        for app in (first, second):
            app.isolation_watch.check()
        clock.advance(seconds=1)
    assert first.session.peek(walker.id).deadline_at - before <= 3 * STEP
    assert json.loads(_meta(first, "isolation_alert"))["level"] == "off"


def _meta(app, key: str) -> str:
    with app.context.registry.begin(write=False) as unit:
        return unit.meta(key) or ""


@POSTGRES_IS_SLOW
def test_a_server_is_known_to_the_others_before_it_takes_a_request(pair, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")  # Streamlit sets it when it is first imported.
    first, second, _ = pair

    async def listed() -> list[str]:
        async with background(first):
            with second.context.registry.begin(write=False) as unit:
                return [each.name for each in unit.replicas()]

    assert first.context.replicas.me.name in asyncio.run(listed())
