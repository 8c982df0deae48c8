"""What the assistant reads of the turns before: what was said, each step with its decision, and nothing of a look."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed
from study_app.domain.records import Turn
from study_app.services.participant.agent.history import history_of

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ACTING = SimpleNamespace(acts=True)


def proposed(number: int, tool: str, turn_id: str = "t1", **said: str) -> AgentProposed:
    return AgentProposed(action_id=f"a{number}", turn_id=turn_id, task="sort", step=number, tool=tool, input=said,
                         base_sha256="", waits=True)  # fmt: skip


def decided(number: int, decision: str, words: str | None = None) -> AgentDecided:
    return AgentDecided(action_id=f"a{number}", decision=decision, seconds=1.0, words=words)


def acted(number: int, result: str) -> AgentActed:
    return AgentActed(action_id=f"a{number}", result=result, failed=False)


def turn(reply: str, name: str = "t1") -> Turn:
    return Turn(name, "p1", "sort", "notes", "full", "notes", "1", f"message of {name}", reply, "", START)


def history(*events, turns=None, spec=ACTING):
    """Return the history of these turns, or of one without a word, with these events in the log."""
    log = [Event("p1", SERVER_PAGE, n, e.kind, "tasks", START, payload=e.payload()) for n, e in enumerate(events, 1)]
    unit = SimpleNamespace(events_of=lambda who, kinds: [each for each in log if each.kind in kinds])
    return history_of(unit, spec, [turn("")] if turns is None else turns)


def taken(*lines: str) -> str:
    return "\n".join(("<steps_taken>", *lines, "</steps_taken>"))


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([proposed(1, "edit", old="a", new="b"), decided(1, "approve")], ["edit (approve): replace\na\nby\nb"]),
        ([proposed(1, "edit", old="a", new="b"), decided(1, "reject", "too long")],
         ["edit (reject: too long): replace\na\nby\nb"]),
        ([proposed(1, "edit", old="a")], ["edit (undecided): replace\na\nby\n"]),
        ([proposed(1, "ask", question="Which?"), decided(1, "answered", "the first")],
         ["ask (answered): Which?", "answer: the first"]),
        ([proposed(1, "ask", question="Which?"), decided(1, "expired")], ["ask (expired): Which?"]),
        ([proposed(1, "report", summary="It works.")], ["report: It works."]),
        ([proposed(1, "run"), decided(1, "approve"), acted(1, "1 of 2 pass")], ["run (approve): 1 of 2 pass"]),
        ([proposed(1, "run"), decided(1, "reject")], ["run (reject): "]),
        ([proposed(1, "run"), decided(1, "approve"), acted(1, "x" * 2001)], ["run (approve): " + "x" * 2000]),
        ([proposed(1, "view"), acted(1, "the program"), proposed(2, "report", summary="Done.")], ["report: Done."]),
    ],
)  # fmt: skip
def test_each_step_is_read_with_its_decision_and_what_came_of_it(events, lines):
    assert history(*events) == (("message of t1", taken(*lines)),)


def test_what_was_said_comes_before_the_steps_and_turns_of_which_nothing_came_are_left_out():
    turns = [turn("I shall sort. \n"), turn("", "t2"), turn("Only words.", "t3"), turn(" ", "t4")]
    steps = [
        proposed(1, "report", summary="One."),
        proposed(2, "view", "t2"),
        proposed(3, "report", "t4", summary="4."),
    ]
    assert history(*steps, turns=turns) == (
        ("message of t1", f"I shall sort.\n\n{taken('report: One.')}"),
        ("message of t3", "Only words."),
        ("message of t4", taken("report: 4.")),
    )


def test_of_an_assistant_that_only_answers_no_steps_are_looked_for():
    assert history(proposed(1, "report", summary="One."), turns=[turn("Words.")], spec=SimpleNamespace(acts=False)) == (
        ("message of t1", "Words."),
    )
    assert history(turns=[]) == ()
