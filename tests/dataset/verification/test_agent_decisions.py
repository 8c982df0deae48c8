"""What became of an agent's call is held against how its turn ended and against what a call of its tool can have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from study_app.dataset.measures.turns.acting import steps_of
from study_app.dataset.verification.agents.deciding import POSSIBLE, wrong_decisions
from study_app.domain.events import Event

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def event(second: float, kind: str, **payload: Any) -> Event:
    return Event("p1", "server", int(second), kind, "work", START + timedelta(seconds=second), payload=payload)


def proposed(action: str, second: float = 0, tool: str = "run", *, waits: bool = True) -> Event:
    return event(
        second, "agent_proposed", action_id=action, turn_id="t", task="sort", step=1, tool=tool, input={},
        base_sha256="", waits=waits,
    )  # fmt: skip


def decided(action: str, decision: str, second: float = 2.0, took: float = 2.0) -> Event:
    return event(second, "agent_decided", action_id=action, decision=decision, seconds=took)


def ended(error: str | None = None, *, stopped: bool = False) -> Event:
    return event(3, "turn_ended", turn_id="t", error=error, stopped=stopped)


def wrong(*events: Event) -> list[str]:
    return [what for _, what in wrong_decisions(events, steps_of(events), lambda _: True)]


@pytest.mark.parametrize(
    ("end", "due"),
    [
        (ended(), "expired"),
        (ended(stopped=True), "interrupted"),
        (ended("timeout"), "interrupted"),
        (ended("timeout", stopped=True), "interrupted"),
    ],
)
@pytest.mark.parametrize("said", ["interrupted", "expired"])
def test_a_step_that_waits_as_its_turn_ends_is_interrupted_or_expires_by_how_the_turn_ends(end, due, said):
    found = [] if said == due else [f"the decision is {said}, and by the turn's end it is {due}"]
    assert wrong(proposed("a"), decided("a", said), end) == found


@pytest.mark.parametrize("said", ["interrupted", "expired"])
def test_only_the_last_step_of_a_turn_waits_as_it_ends(said):
    assert wrong(proposed("a"), decided("a", said), proposed("b", 2)) == [
        f"the decision is {said}, and the turn went on"
    ]
    # Where the log has no end yet, nothing contradicts.
    assert wrong(proposed("a"), decided("a", said)) == []


@pytest.mark.parametrize("tool", POSSIBLE)
def test_a_call_can_have_the_decisions_of_its_tool_alone(tool):
    every = {each for decisions in POSSIBLE.values() for each in decisions}
    said = {each: wrong(proposed("a", tool=tool), decided("a", each, 0, 0)) for each in every}
    impossible = {each for each, found in said.items() if any("cannot have" in what for what in found)}
    assert impossible == every - POSSIBLE[tool]


@pytest.mark.parametrize(("took", "found"), [(2.0, False), (2.05, False), (1.95, False), (2.051, True), (1.949, True)])
def test_a_decision_took_as_long_by_its_own_word_as_by_the_log(took, found):
    said = wrong(proposed("a"), decided("a", "reject", took=took))
    assert said == ([f"the decision took {took} s by its own word, and another time by the log"] if found else [])


@pytest.mark.parametrize(("second", "found"), [(1.0, False), (1.001, True)])
def test_what_went_on_without_asking_was_decided_as_it_was_proposed(second, found):
    said = wrong(proposed("a", tool="view", waits=False), decided("a", "auto", second, second))
    assert said == (["it went on without asking, and was decided later than proposed"] if found else [])


def test_no_one_approves_what_did_not_ask():
    assert wrong(proposed("a", waits=False), decided("a", "approve")) == [
        "the decision is approve, and the participant was not asked"
    ]
    assert wrong(proposed("a"), decided("a", "approve")) == []
