"""What a person reads of the models: each look, each round, and below a round what differs from the first one."""

from __future__ import annotations

from datetime import UTC, datetime

from study_app.domain.assistants.drift import Compared
from study_app.services.operation.models.board import ModelBoard
from study_app.services.operation.models.kept import Round

NOW = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
BEGAN = "2026-03-02T09:05:00+00:00"


def compared(number: int, served: str, exact: float, near: float) -> Compared:
    same = dict.fromkeys(("words", "code", "leaks", "refusals"), 1.0)
    return Compared("full", 1, number, 8, same, same, exact, near, ("m-1",), (served,), 0)


def test_below_each_round_stands_what_answered_otherwise_and_what_differs():
    rounds = (
        Round(1, "launch", BEGAN, BEGAN, asked=8, replies=8),
        Round(2, "weekly", BEGAN, BEGAN, asked=8, replies=8, failed=2, note="the budget is spent"),
        Round(3, "weekly", BEGAN, asked=3, expected_by="2026-03-09T10:00:00+00:00"),
    )
    board = ModelBoard((), rounds, (compared(2, "m-1", 1.0, 1.0),), NOW, otherwise={2: {"notes": "served by m-2"}})
    nothing, *said = board.lines()
    assert nothing.startswith("No look at the models yet")
    assert said == [
        "round 1, at the launch, 2026-03-02 09:05 UTC: 8 replies",
        "round 2, weekly, 2026-03-02 09:05 UTC: 6 replies, 2 questions not answered (the budget is spent)",
        "  notes: served by m-2",
        "  full: as in round 1 (100% of 8 replies word for word, 100% nearly)",
        "round 3, weekly, since 2026-03-02 09:05 UTC: 3 asked so far",
    ]


def test_a_round_that_another_model_answered_differs_from_the_first():
    rounds = (Round(2, "weekly", BEGAN, BEGAN, asked=8, replies=8),)
    *_, last = ModelBoard((), rounds, (compared(2, "m-2", 0.25, 0.5),), NOW).lines()
    assert last.startswith("  full: differs from round 1: ")
    assert last.endswith("(25% of 8 replies word for word, 50% nearly)")
