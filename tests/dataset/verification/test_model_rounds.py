"""Rounds of questions to the models are those of the audit log, answered by the model that answered at first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.measures.models import round_digest
from study_app.dataset.verification.models.rounds import check_rounds


class Row(dict):
    """A row as `verify` reads it."""

    number = 3

    @property
    def values(self):
        return self


def reply(round_: int, **changed: Any) -> Row:
    row = {
        "round": round_, "occasion": "launch" if round_ == 1 else "weekly", "treatment": "full", "provider": "claude",
        "declared": "claude-sonnet-5-5", "model": "claude-sonnet-5-5", "prompt_version": "v1", "task": "sort",
        "question": 1, "message": "How?", "reply": "one two three", "words": 3, "code_share": 0.0, "leak": False,
        "refused": False, "asked_at": "2026-01-05T09:00:00.000Z", "seconds": 1.0, "input_tokens": 1, "output_tokens": 1,
        "stop_reason": "end_turn", "error": "", "recorded_match": "", "usd": 0.0,
    }  # fmt: skip
    return Row(row | changed)


def act(round_: int, *rows: Row, **changed: Any) -> dict[str, Any]:
    return {"round": round_, "n": len(rows), "digest": round_digest(rows)} | changed


def findings(rows: list[Row], acts: list[dict[str, Any]], **given: Any) -> list[str]:
    found: list[str] = []
    opened = SimpleNamespace(
        own=True, hides=lambda _: given.get("hidden", False), rows=lambda _: rows, acts=lambda _: acts, relative=str,
        report=SimpleNamespace(add=lambda name, *_: found.append(name), note=lambda _: None),
    )  # fmt: skip
    opened.own = given.get("own", True)
    check_rounds(opened)  # type: ignore[arg-type]
    return found


FIRST, SECOND = reply(1), reply(2)
OTHER = reply(2, model="claude-haiku-5-5")


@pytest.mark.parametrize(
    ("rows", "acts", "found"),
    [
        ([], [], []),
        ([FIRST, SECOND], [act(1, FIRST), act(2, SECOND)], []),
        # Of a round that brought nothing there is nothing to compare.
        ([FIRST], [act(1, FIRST), act(2)], []),
        ([FIRST], [], ["model_round_differs"]),
        ([], [act(1, FIRST)], ["model_round_differs"]),
        ([FIRST], [act(1, FIRST), act(2, SECOND)], ["model_round_differs"]),
        ([FIRST, SECOND], [act(1, FIRST)], ["model_round_differs"]),
        ([FIRST], [act(1, reply(1, reply="another"))], ["model_round_differs"]),
        ([FIRST], [act(1, FIRST, digest=None)], ["model_round_differs"]),
        ([FIRST, OTHER], [act(1, FIRST), act(2, OTHER)], ["model_drifted"]),
        ([OTHER], [act(2, OTHER)], ["model_drifted"]),
    ],
)
def test_each_round_is_in_table_and_audit_log_and_is_what_its_digest_says(rows, acts, found):
    assert findings(rows, acts) == found
    assert findings(rows, acts, own=False) == []
    assert findings(rows, acts, hidden=True) == []
