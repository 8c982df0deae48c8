"""Steps of an agent from the log: the last decision counts, and what turns say of an agent's work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from study_app.dataset.measures.turns.acting import as_proposed, steps_of, turn_columns
from study_app.dataset.measures.turns.gate import gate_verdicts
from study_app.domain.events import Event
from study_app.domain.events.browser import Edit
from study_app.domain.events.changes import Change
from study_app.domain.events.server import AgentProposed

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def log(*said: tuple[str, dict[str, Any]]) -> list[Event]:
    """Events a second apart."""
    return [
        Event("p1", "p", number, kind, "work", START + timedelta(seconds=number), payload=payload)
        for number, (kind, payload) in enumerate(said)
    ]


def proposed(action: str, step: int = 1, turn: str = "t1", tool: str = "edit") -> tuple[str, dict[str, Any]]:
    return "agent_proposed", {
        "action_id": action, "turn_id": turn, "task": "sort", "step": step, "tool": tool,
        "input": {"old": "a", "new": "bc"}, "base_sha256": "0f", "waits": True,
    }  # fmt: skip


def decided(action: str, decision: str) -> tuple[str, dict[str, Any]]:
    return "agent_decided", {"action_id": action, "decision": decision, "seconds": 2.0}


def ended(turn: str, **given: Any) -> tuple[str, dict[str, Any]]:
    return "turn_ended", {"turn_id": turn, "error": None, "stopped": False} | given


def edited(action: str | None) -> tuple[str, dict[str, Any]]:
    return "edit", {"task": "sort", "kind": "typed", "changes": [], "action_id": action}


def test_of_several_decisions_on_a_step_the_last_counts_and_unknown_steps_are_passed_over():
    acted = ("agent_acted", {"action_id": "a1", "result": "changed", "failed": False})
    one, two = steps_of(
        log(
            proposed("a1"), decided("a1", "reject"), decided("a1", "approve"), decided("a9", "reject"), acted,
            edited("a1"), edited("a9"), edited(None), proposed("a2", 2), proposed("a1", 7),
        )
    )  # fmt: skip
    assert (one.proposed.action_id, one.proposed.step, one.decision) == ("a1", 1, "approve")
    assert (one.decided_at, one.acted_at) == (START + timedelta(seconds=2), START + timedelta(seconds=4))
    assert (len(one.edits), two.decision, two.edits) == (1, None, [])


def test_a_step_knows_whether_the_participant_had_switched_asking_off_when_it_was_proposed():
    off, on = ("agent_switched", {"without_asking": True}), ("agent_switched", {"without_asking": False})
    steps = steps_of(log(proposed("a1"), off, proposed("a2"), on, proposed("a3")))
    assert [step.without_asking for step in steps] == [False, True, False]


def test_a_turn_has_as_many_steps_as_the_highest_number_and_was_interrupted_where_it_was_stopped():
    found = turn_columns(
        log(
            proposed("a1", 1), proposed("a3", 3), proposed("a2", 2), ended("t1", autonomous_seconds=4.5, stopped=True),
            ended("t2", autonomous_seconds=0.5), ended("t3"),
        )
    )  # fmt: skip
    assert found == {
        "t1": {"agent_steps": 3, "autonomous_seconds": 4.5, "interrupted_at": START + timedelta(seconds=3)},
        "t2": {"agent_steps": 0, "autonomous_seconds": 0.5, "interrupted_at": None},
    }


def test_an_edit_carries_out_a_step_where_it_is_the_very_change_that_was_proposed():
    said = AgentProposed(
        action_id="a1", turn_id="t1", task="sort", step=1, tool="edit", input={"old": "a", "new": "bc"},
        base_sha256="0f", waits=True, start=4, end=5,
    )  # fmt: skip
    assert as_proposed(said, Edit(task="sort", changes=(Change(4, 5, "bc"),)))
    for change in (Change(3, 5, "bc"), Change(4, 6, "bc"), Change(4, 5, "b")):
        assert not as_proposed(said, Edit(task="sort", changes=(change,)))
    assert not as_proposed(said, Edit(task="sort", changes=(Change(4, 5, "bc"), Change(9, 9, "x"))))


def test_a_gates_verdict_and_what_was_withheld_are_of_the_turn():
    verdict = {"verdict": "not_explained", "by": "rules", "reason": "only_asks", "version": "1"}
    judged = "gate_judged", {"turn_id": "t1", "task": "sort"} | verdict
    withheld = ended("t1", withheld_chars=40), ended("t2", withheld_chars=0)
    found = gate_verdicts(log(judged, *withheld, ended("t3")))
    nothing = dict.fromkeys(("gate_model", "gate_input_tokens", "gate_output_tokens"))
    said = {"gate": "not_explained", "gate_by": "rules", "gate_reason": "only_asks", "withheld_chars": 40}
    assert found == {
        "t1": said | nothing,
        "t2": {"withheld_chars": 0},
    }
