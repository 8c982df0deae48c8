"""Verdicts of the explain-first gate in the table of turns, held against the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.verification.gate import check_gate
from study_app.dataset.verification.server_log import log_of

JUDGED = {"page": "server", "kind": "gate_judged", "stage": "work"}


class Row(dict):
    """A row as `verify` reads it."""

    number = 3

    @property
    def values(self):
        return self


def judged(turn: str, verdict: str, by: str = "rules") -> Row:
    said = {"turn_id": turn, "task": "timer", "verdict": verdict, "by": by, "reason": "only_asks", "version": "1"}
    return Row(JUDGED | {"payload": said})


def turn(number: int, verdict: str | None, **given: Any) -> Row:
    said = {"gate": verdict, "gate_by": verdict and "rules", "gate_reason": verdict and "only_asks"}
    about = {"participant_id": "p1", "turn_id": f"t{number}", "task": "timer", "asked_at": f"2026-01-05T09:0{number}"}
    return Row(about | said | given)


def findings(turns: list[Row], events: list[Row], *, known: bool = True, **given: Any) -> list[str]:
    """What is found in one person's turns."""
    found: list[str] = []
    person = Row(participant_id="p1", is_simulated=False, is_preview=False, data_withdrawn=given.pop("erased", False))
    usual = {"own": True, "public": False, "hides": lambda _: False}
    opened = SimpleNamespace(
        rows={"turns": turns, "participants": [person]}.__getitem__, relative=str,
        report=SimpleNamespace(add=lambda name, _, __, what: found.append(f"{name}: {what}"), note=lambda _: None),
        **usual | given,
    )  # fmt: skip
    check_gate(opened, {"p1": log_of(events)} if known else {})  # type: ignore[arg-type]
    return found


HONEST = [judged("t1", "not_explained"), judged("t2", "explained"), judged("t3", "open")]
VERDICTS = ("not_explained", "explained", "open")


def test_turns_as_in_the_log_and_turns_without_a_gate_are_no_findings():
    turns = [*(turn(number, verdict) for number, verdict in enumerate(VERDICTS, 1)), turn(4, None)]
    assert findings(turns, HONEST) == []


TOO_EARLY = "gate_differs: open, and no earlier message explained the idea"
CODE = "code_before_explanation: 1 characters of code in a reply to a message that explained nothing"


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([turn(1, "explained")], ["gate_differs: gate is explained, the log says not_explained"]),
        ([turn(1, "not_explained", gate_by="claude")], ["gate_differs: gate_by is claude, the log says rules"]),
        ([turn(4, "explained")], ["gate_differs: the verdict is explained, the log has none"]),
        ([turn(3, "open")], [TOO_EARLY]),
        ([turn(2, "explained", task="other"), turn(3, "open")], [TOO_EARLY]),
        ([turn(3, "open", asked_at=""), turn(2, "explained")], [TOO_EARLY]),
        ([turn(1, "not_explained", reply_code_chars=1)], [CODE]),
        ([turn(1, "not_explained", reply_code_chars=0)], []),
        ([turn(2, "explained", reply_code_chars=40)], []),
    ],
)
def test_a_verdict_that_the_log_has_not_or_that_cannot_be_is_found(turns, said):
    assert findings(turns, HONEST) == said


def test_a_verdict_that_the_table_lacks_is_found():
    assert findings([turn(2, None, gate_by="rules", gate_reason="only_asks")], HONEST) == [
        "gate_differs: gate is None, the log says explained"
    ]


@pytest.mark.parametrize(
    "given",
    [{"erased": True}, {"public": True}, {"hides": lambda _: True}, {"own": False}, {"known": False}],
    ids=["erased", "for everybody", "withheld", "imported", "no events"],
)
def test_a_verdict_without_an_event_is_no_finding_where_the_log_is_not_whole(given):
    assert findings([turn(4, "explained")], [], **given) == []
