"""Checks of what an arm may hold go by the arm of the stage: that of the period, or of a second randomisation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.paths import ROOT

from study_app.content.study_file import read_study
from study_app.dataset.measures.turns.acting import steps_of
from study_app.dataset.verification.derived.acting import check_actions
from study_app.dataset.verification.derived.arms_met import arm_met
from study_app.domain.events import Event

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def treatments(name: str, arm: str, second: str | None = None) -> list[str | None]:
    """The treatment at each stage of an example that offers an assistant."""
    study = read_study(ROOT / "examples" / name / "study.toml")
    met = [arm_met(study, arm, second, stage.id) for stage in study.stages if stage.assistant]
    return [None if each is None else each.treatment for each in met]


def test_a_crossover_and_a_second_randomisation_have_the_arm_of_each_stage():
    assert treatments("crossover", "no_ai>full") == [None, "full"]
    assert treatments("crossover", "full>no_ai") == ["full", None]
    first = treatments("second_decision", "hints")
    assert treatments("second_decision", "hints", "answers") == [first[0], "full"]
    assert treatments("second_decision", "hints", "forged") == first
    assert treatments("crossover", "forged>arm") == [None, None]


def event(number: int, stage: str, kind: str, payload: dict) -> Event:
    return Event("p1", "server", number, kind, stage, NOW, payload=payload)


def ran(action: str, number: int, stage: str, *, waits: bool = False, **said: bool) -> Event:
    return event(
        number, stage, "agent_proposed",
        {"action_id": action, "turn_id": "t", "task": "sort", "step": 1, "tool": "run", "input": {}, "base_sha256": "",
         "waits": waits, **said},
    )  # fmt: skip


def findings(tmp_path, study, arm: str, events: list[Event]) -> list[str]:
    """The names of what is found in one person's steps."""
    person = SimpleNamespace(id="p1", arm=arm, second_treatment=None, study_hash="h")
    record = SimpleNamespace(participant=person, study=study, events=events, runs=[], visit=lambda _: None)
    names: list[str] = []
    opened = SimpleNamespace(
        files={"agent_actions"}, relative=str, manifest={"study_hash": "h"}, path=tmp_path,
        tables={"agent_actions": SimpleNamespace(columns=()), "turns": SimpleNamespace(columns=())},
        report=SimpleNamespace(add=lambda name, *_: names.append(name)),
    )  # fmt: skip
    check_actions(opened, record, [], [])
    return names


@pytest.mark.parametrize(
    ("stage", "found"),
    [("tasks_1", {"agent_in_wrong_arm"}), ("tasks_2", {"agent_tool_differs", "approval_mode_differs"})],
)
def test_steps_in_a_crossover_are_held_against_the_arm_of_their_period(tmp_path, stage, found):
    study = read_study(ROOT / "examples" / "crossover" / "study.toml")
    (tmp_path / "materials" / "assistants").mkdir(parents=True)
    declared = {"manner": "agent", "agent": {"tools": ["view"], "approval": "each"}}
    (tmp_path / "materials" / "assistants" / "full.json").write_text(json.dumps(declared))
    names = findings(tmp_path, study, "no_ai>full", [ran("a", 1, stage)])
    assert found <= set(names)
    assert ({"agent_in_wrong_arm", "agent_tool_differs", "approval_mode_differs"} - found).isdisjoint(names)


def test_what_was_switched_with_one_treatment_does_not_hold_for_the_next():
    off = event(1, "tasks_1", "agent_switched", {"without_asking": True})
    steps = [ran("a", 2, "tasks_1"), ran("b", 3, "tasks_2")]
    assert [step.without_asking for step in steps_of([off, *steps], {"tasks_1": "one", "tasks_2": "two"}.get)] == [
        True,
        False,
    ]
    assert [step.without_asking for step in steps_of([off, *steps], lambda _: "one")] == [True, True]


@pytest.mark.parametrize(
    ("switched", "waits", "logged", "honest"),
    [
        (True, False, None, True),
        (True, True, None, True),
        (False, True, None, True),
        (False, False, None, False),
        (None, False, None, False),
        # A log that says what the server read is held to it: the switch of the period before does not count.
        (True, False, False, False),
        (True, True, False, True),
        (True, False, True, False),
        (True, True, True, False),
        (None, True, False, True),
        (False, True, False, True),
    ],
)
def test_a_switch_of_the_period_before_may_hold_or_not_as_it_did_under_earlier_versions(
    tmp_path, switched, waits, logged, honest
):
    study = read_study(ROOT / "examples" / "crossover" / "study.toml")
    arms = tuple(arm if arm.assistant else arm.model_copy(update={"assistant": "other"}) for arm in study.arms)
    folder = tmp_path / "materials" / "assistants"
    folder.mkdir(parents=True)
    declared = {"manner": "agent", "agent": {"tools": ["run"], "approval": "participant"}}
    for arm in arms:
        (folder / f"{arm.treatment}.json").write_text(json.dumps(declared))
    before = [] if switched is None else [event(1, "tasks_1", "agent_switched", {"without_asking": switched})]
    said = {} if logged is None else {"without_asking": logged}
    log = [*before, ran("b", 2, "tasks_2", waits=waits, **said)]
    names = findings(tmp_path, study.model_copy(update={"arms": arms}), "full>no_ai", log)
    assert "agent_in_wrong_arm" not in names
    assert ("approval_mode_differs" in names) is not honest
