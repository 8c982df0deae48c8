"""The database goes away at the worst moment: as a server stores the end of what it did for a participant."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, settle

from study_app.dataset.verification import verify
from study_app.domain.errors import InfrastructureError
from study_app.domain.records import Turn
from study_app.services import retrying
from study_app.services.participant.chatting.questions import ParticipantQuestion
from study_app.services.researcher.exporting.export import export
from study_app.storage.serving.in_progress import SqlInProgress


@pytest.fixture
def served(tmp_path):
    """A server on SQLite, and a person with an assistant at their tasks."""
    clock = HandClock()
    app = open_app(tmp_path, clock)
    yield app, at_work(app, clock)
    app.close()


def at_work(app, clock) -> Walker:
    while True:
        walker = Walker(app, clock).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker


def kept(app, walker: Walker) -> tuple[list, list, list, list]:
    """Their turns, runs of the main tasks and events, and what stands as in progress."""
    with app.context.registry.begin(write=False) as unit:
        runs = [run for run in unit.runs(walker.id) if run.stage == "tasks"]
        return unit.turns(walker.id), runs, list(unit.events(walker.id)), unit.works()


def ended(app, walker: Walker, *kinds: str) -> list[str]:
    return [event.kind for event in kept(app, walker)[2] if event.kind in kinds]


@contextmanager
def away(monkeypatch, app, *, committed: bool):
    """Let every transaction of a server fail; those that write, where `committed`, after their commit."""
    begin = app.context.registry.begin

    @contextmanager
    def failing(*, write: bool = True):
        if not committed:
            raise InfrastructureError("the connection was cut")
        with begin(write=write) as unit:
            yield unit
        if write:
            raise InfrastructureError("the connection was cut")

    with monkeypatch.context() as patch:
        patch.setattr(app.context.registry, "begin", failing)
        yield


def test_a_connection_that_is_cut_as_an_end_is_stored_costs_no_one_anything(
    tmp_path, postgres_url_with_tables, monkeypatch
):
    clock = HandClock()
    app = open_app(tmp_path, clock, database=postgres_url_with_tables)
    walker = at_work(app, clock)
    real, cuts = SqlInProgress.end_work, []

    def cut(unit, work) -> bool:
        if work.kind not in cuts:
            cuts.append(work.kind)
            (pid,) = unit.connection.exec_driver_sql("SELECT pg_backend_pid()").one()
            with psycopg.connect(postgres_url_with_tables.replace("+psycopg", ""), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return real(unit, work)

    monkeypatch.setattr(SqlInProgress, "end_work", cut)
    assert "nursery" in walker.ask("What is a nursery?")
    walker.replace_all("print('kept')\n")
    walker.run()
    walker.submit(walker.solution("trio_timer"))
    settle(app)
    # What the claim of the grading is about is graded; the claim itself is let go by the next pass.
    walker.open("trio_users")
    walker.submit(walker.solution("trio_users"))
    settle(app)
    turns, runs, _, works = kept(app, walker)
    assert cuts == ["reply", "run", "grading"]
    assert [(turn.complete, turn.error) for turn in turns] == [(True, None)]
    assert "nursery" in turns[0].reply
    assert [(run.kind, run.ended_by) for run in runs] == [
        ("run", "exit"), ("submission", "exit"), ("submission", "exit")]  # fmt: skip
    assert runs[0].stdout == "kept\n"
    assert works == []
    assert ended(app, walker, "turn_ended", "run_ended", "outage") == ["turn_ended", "run_ended"]
    export(app.context, tmp_path / "data", include_preview=True)
    assert verify(tmp_path / "data").findings == []
    app.close()


def cut_once(monkeypatch, app, finish, *, committed: bool):
    """Return an end that the database does not take at the first time."""
    cuts = []

    def end(*given, **named) -> None:
        if cuts:
            finish(*given, **named)
            return
        cuts.append(1)
        with away(monkeypatch, app, committed=committed):
            finish(*given, **named)

    return end


@pytest.mark.parametrize("committed", [False, True])
def test_a_reply_whose_end_could_not_be_stored_for_long_is_kept_whole_once_the_database_is_back(
    served, monkeypatch, committed
):
    app, walker = served
    monkeypatch.setattr(retrying, "INSIST_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(app.help, "_finish", cut_once(monkeypatch, app, app.help._finish, committed=committed))  # noqa: SLF001
        said = walker.ask("What is a nursery?")
    app.taking_over.tick()
    (turn,), _, _, works = kept(app, walker)
    assert (turn.complete, turn.error, turn.reply) == (True, None, said)
    assert works == []
    assert walker.ask("And a task?")
    assert len(ended(app, walker, "turn_ended")) == 2


@pytest.mark.parametrize("committed", [False, True])
def test_a_question_that_was_stored_and_never_answered_keeps_no_other_waiting(served, monkeypatch, committed):
    app, walker = served
    with away(monkeypatch, app, committed=committed), pytest.raises(InfrastructureError):
        app.help.questions.begin(walker.id, ParticipantQuestion("What is a nursery?", walker.page, walker.text, None))
    app.taking_over.tick()
    turns, _, _, works = kept(app, walker)
    assert [(turn.complete, turn.error) for turn in turns] == ([(True, "interrupted")] if committed else [])
    assert works == []
    assert "nursery" in walker.ask("What is a nursery?")


@pytest.mark.parametrize("next_", ["run", "look"])
def test_a_run_whose_end_could_not_be_stored_is_kept_as_it_ended_also_where_another_run_comes_first(
    served, monkeypatch, next_
):
    app, walker = served
    monkeypatch.setattr(retrying, "INSIST_SECONDS", 0.0)
    walker.replace_all("print('kept')\n")
    with monkeypatch.context() as patch:
        patch.setattr(app.work, "_finish", cut_once(monkeypatch, app, app.work._finish, committed=False))  # noqa: SLF001
        walker.run()
    if next_ == "run":
        walker.run()
    app.taking_over.tick()
    _, runs, _, works = kept(app, walker)
    assert [(run.ended_by, run.stdout) for run in runs] == [("exit", "kept\n")] * (1 + (next_ == "run"))
    assert works == []
    assert ended(app, walker, "run_ended", "outage") == ["run_ended"] * (1 + (next_ == "run"))


def test_an_end_that_the_database_refuses_for_good_holds_up_no_other_and_is_given_up():
    ends, stored = retrying.Ends(), []

    def refused() -> None:
        raise InfrastructureError("value out of range")

    def broken() -> None:
        raise ValueError("broken")

    for name, act in {"refused": refused, "broken": broken, "last": lambda: stored.append("last")}.items():
        ends._kept[name] = act  # noqa: SLF001
    ends.store_kept()
    assert stored == ["last"]
    assert [name in ends for name in ("refused", "broken", "last")] == [True, False, False]
    for _ in range(retrying.REFUSALS - 1):
        assert "refused" in ends
        ends.store_kept()
    assert "refused" not in ends


def test_a_reply_is_not_broken_off_because_it_could_not_be_saved_on_the_way(served, monkeypatch):
    app, walker = served
    monkeypatch.setattr("study_app.services.participant.chat.SAVE_EVERY", 0.0)
    save, saved = app.help._save, []  # noqa: SLF001

    def cut_off(turn) -> None:
        saved.append(turn)
        with away(monkeypatch, app, committed=False):
            save(turn)

    monkeypatch.setattr(app.help, "_save", cut_off)
    reply = walker.ask("What is a nursery?")
    (turn,), *_ = kept(app, walker)
    assert saved
    assert (turn.complete, turn.error, turn.reply) == (True, None, reply)


def test_what_is_going_on_here_is_ended_by_no_look(served):
    app, walker = served
    begun, over = threading.Event(), threading.Event()

    def emit(line) -> None:
        if line is None:
            over.set()
        elif line["type"] == "line":
            begun.set()

    app.work.run(walker.id, "import time\nprint(1, flush=True)\ntime.sleep(20)\n", emit)
    assert begun.wait(60)
    app.taking_over.tick()
    _, (run,), _, (work,) = kept(app, walker)
    assert (run.ended_by, work.work) == (None, run.id)
    app.work.stop(walker.id)
    assert over.wait(60)


def test_what_an_agent_was_running_on_a_server_that_is_gone_is_ended_with_its_turn(served):
    app, walker = served
    clock = walker.clock
    turn = Turn(
        id="half", participant_id=walker.id, task="trio_timer", assistant="notes", treatment="full", model="m",
        prompt_version="1", message="?", reply="half of", code="", asked_at=clock.now(),
    )  # fmt: skip
    walker.replace_all("print(1)\n")
    walker.run()
    with app.context.registry.begin() as unit:
        unit.add_turn(turn)
        unit.begin_work(replace(app.context.replicas.mine(walker.id, "reply", turn.id), replica="gone"))
        mine = next(run for run in unit.runs(walker.id) if run.kind == "run")
        unit.add_run(replace(mine, id="agents", kind="agent", ended_by=None, started_at=clock.now()))
    app.taking_over.tick()
    (seen,), runs, _, works = kept(app, walker)
    assert (seen.error, works) == ("interrupted", [])
    assert {run.id: run.ended_by for run in runs}["agents"] == "infrastructure"


def test_an_act_that_insists_is_tried_until_the_database_is_back_and_given_up_after_a_while(monkeypatch):
    monkeypatch.setattr(retrying, "INSIST_SECONDS", 0.3)
    tried = []

    @retrying.insisting
    def act(failures: int) -> int:
        tried.append(1)
        if len(tried) <= failures:
            raise InfrastructureError("the connection was cut")
        return len(tried)

    assert act(2) == 3
    began = time.monotonic()
    with pytest.raises(InfrastructureError):
        act(1000)
    assert time.monotonic() - began >= 0.3
