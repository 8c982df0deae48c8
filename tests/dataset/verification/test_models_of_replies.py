"""Every reply came from the model that was declared when it was asked for, and from the same one throughout."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.verification.participants import check_models
from study_app.dataset.verification.server_log import log_of

DECLARED, DATED, LATER = "claude-sonnet-5-5", "claude-sonnet-5-5-20260101", "claude-sonnet-5-5-20260301"


class Row(dict):
    """A row as `verify` reads it."""

    number = 3


def turn(number: int, model: str | None = DECLARED, **changed: Any) -> Row:
    row = {
        "participant_id": "p1", "turn_id": f"t{number}", "asked_at": f"2026-01-05T09:0{number}", "assistant": "claude",
        "treatment": "full", "model": model, "reply": "So.",
    }  # fmt: skip
    return Row(row | changed)


def found(*turns: Row, declared: str | None = DECLARED) -> tuple[list[str], list[str]]:
    """(findings, notes)."""
    said = [{"turn_id": each["turn_id"], "task": "sort", "model": declared} for each in turns]
    log = log_of([Row(page="server", kind="turn_started", stage="work", payload=payload) for payload in said])
    findings: list[str] = []
    notes: list[str] = []
    report = SimpleNamespace(add=lambda _name, _file, _row, what: findings.append(what), note=notes.append)
    opened = SimpleNamespace(rows=lambda _: turns, relative=str, report=report)
    check_models(opened, {"p1": log})  # type: ignore[arg-type]
    return findings, notes


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([turn(1), turn(2)], []),
        ([turn(1, DATED), turn(2, DATED)], []),
        ([turn(1, "other")], [f"served by other, declared was {DECLARED}"]),
        (
            [turn(1, DATED), turn(2, LATER)],
            [f"served by {LATER}, the replies before by {DATED} (declared: {DECLARED})"],
        ),
        # In the order of asking, and each treatment by itself.
        (
            [turn(2, LATER), turn(1, DATED)],
            [f"served by {LATER}, the replies before by {DATED} (declared: {DECLARED})"],
        ),
        ([turn(1, DATED), turn(2, LATER, treatment="hints")], []),
        # One by another model sets no rule for those that follow.
        ([turn(1, "other"), turn(2, DATED)], [f"served by other, declared was {DECLARED}"]),
    ],
)
def test_replies_are_held_against_the_declared_model_and_those_before(turns, said):
    assert found(*turns) == (said, [f"models of {len(turns)} replies against the declared one"])


@pytest.mark.parametrize("changed", [{"assistant": "notes"}, {"model": None}, {"model": ""}, {"reply": ""}])
def test_what_no_model_answered_is_not_compared(changed):
    assert found(turn(1, **({"model": "other"} | changed))) == ([], [])
    assert found(turn(1, "other"), declared=None) == ([], [])
