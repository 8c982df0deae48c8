"""Replies that a server was writing when it went down."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, settle

from study_app.domain.records import Turn
from study_app.services.researcher.exporting.export import export


def asked(app, walker: Walker, name: str, at) -> None:
    """A turn as it stands while its reply is being written."""
    turn = Turn(
        id=name, participant_id=walker.id, task="trio_timer", assistant="notes", treatment="full", model="m",
        prompt_version="1", message="?", reply="half of", code="", asked_at=at,
    )  # fmt: skip
    with app.context.registry.begin() as unit:
        unit.add_turn(turn)


def outages(app, walker: Walker) -> list[dict]:
    with app.context.registry.begin(write=False) as unit:
        events = list(unit.events(walker.id))
    assert sum(event.kind == "turn_ended" for event in events) == sum(event.kind == "outage" for event in events)
    return [event.payload for event in events if event.kind == "outage"]


def test_a_reply_that_died_with_its_server_is_ended_once_and_counts_as_an_outage(tmp_path):
    clock = HandClock()
    first = open_app(tmp_path, clock)
    walker = Walker(first, clock).to_tasks().begin_tasks()
    asked(first, walker, "lost", clock.now())
    first.close()
    clock.advance(seconds=40)
    second = open_app(tmp_path, clock)
    clock.advance(minutes=5)
    (turn,) = second.help.turns(walker.id)
    assert (turn.complete, turn.error, turn.reply, turn.total_seconds) == (True, "interrupted", "half of", None)
    second.help.turns(walker.id)
    assert outages(second, walker) == [{"turn_id": "lost", "kind": "interrupted", "seconds": 40.0}]
    second.close()


def test_an_outage_moves_the_deadline_and_never_the_cap(tmp_path):
    clock = HandClock()
    first = open_app(tmp_path, clock)
    walker = Walker(first, clock).to_tasks().begin_tasks()
    before = first.session.where(walker.id)
    asked(first, walker, "lost", clock.now())
    first.close()
    clock.advance(seconds=40)
    second = open_app(tmp_path, clock)
    second.help.turns(walker.id)
    second.help.turns(walker.id)
    clock.at = before.deadline_at + timedelta(seconds=20)
    after = second.session.where(walker.id)
    assert after.stage == before.stage
    assert after.deadline_at == before.deadline_at + timedelta(seconds=40)
    clock.advance(seconds=25)
    assert second.session.where(walker.id).stage != before.stage
    settle(second)
    export(second.context, tmp_path / "dataset", include_preview=True)
    (path,) = (tmp_path / "dataset" / "data").glob("*participants*.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert float(row["completion_minutes"]) == before.stage.minutes
    assert (row["completion_event"], row["task_completed"]) == ("0", "0")
    (path,) = (tmp_path / "dataset" / "data").glob("*visits*.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        paused = {visit["stage"]: visit["paused_seconds"] for visit in csv.DictReader(lines)}
    assert float(paused[before.stage.id]) == 40
    assert paused["consent"] == ""
    second.close()


@pytest.mark.parametrize("looks_first", ["turns", "stage"])
def test_a_server_that_was_down_past_the_deadline_gives_back_what_was_left_of_the_stage_and_no_more(
    tmp_path, looks_first
):
    clock = HandClock()
    first = open_app(tmp_path, clock)
    walker = Walker(first, clock).to_tasks().begin_tasks()
    before = first.session.where(walker.id)
    clock.at = before.deadline_at - timedelta(seconds=90)
    asked(first, walker, "lost", clock.now())
    first.close()
    clock.advance(hours=9)
    second = open_app(tmp_path, clock)
    if looks_first == "stage":
        second.session.where(walker.id)
    second.help.turns(walker.id)
    assert second.session.where(walker.id).stage != before.stage
    assert outages(second, walker) == [{"turn_id": "lost", "kind": "interrupted", "seconds": 90.0}]
    with second.context.registry.begin(write=False) as unit:
        stages = {event.kind: event.stage for event in unit.events(walker.id) if event.kind == "outage"}
        visits = {visit.stage: visit for visit in unit.visits(walker.id)}
    assert stages == {"outage": before.stage.id}
    assert visits[before.stage.id].ended_at == before.deadline_at
    quiz = second.session.where(walker.id).stage.id
    assert quiz not in visits or visits[quiz].deadline_at is None or visits[quiz].started_at >= before.deadline_at
    second.close()


def test_a_reply_asked_of_this_server_is_left_alone(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    walker = Walker(app, clock).to_tasks().begin_tasks()
    asked(app, walker, "going on", clock.now())
    (turn,) = app.help.turns(walker.id)
    assert turn == replace(turn, complete=False, error=None)
    assert outages(app, walker) == []
    app.close()
