"""Steps of use belong to the task that their event names, and to the one before where it names none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from study_app.dataset.measures.interaction import _task
from study_app.domain.events import Event
from study_app.domain.interaction.steps import UseStep, arranged

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PROGRAM = {"run_id": "r1", "page": None, "seq": None, "code_sha256": None, "as_edited": None}


def event(name: str, /, **payload: Any) -> Event:
    return Event("p1", "p", 1, name, "work", START + timedelta(seconds=1), payload=payload)


@pytest.mark.parametrize(
    "named",
    [
        event("edit", task="sort", kind="typed", changes=[]),
        event("load", task="sort", text=""),
        event("task_shown", task="sort", index=0),
        event("task_submitted", task="sort", **PROGRAM),
        event("turn_started", turn_id="t1", task="sort"),
    ],
    ids=lambda each: each.kind,
)
def test_events_of_texts_programs_and_turns_name_their_task(named):
    assert _task(named) == "sort"


def test_the_end_of_a_run_names_none_and_belongs_to_the_task_before():
    assert _task(event("run_ended", run_id="r1", ended_by="exit", wall_seconds=1.0)) is None
    steps = [
        UseStep(3.0, 2, None, "run"), UseStep(1.0, 0, "sort", "start"), UseStep(2.0, 1, "filter", "edit"),
        UseStep(0.0, 3, None, "edit"),
    ]  # fmt: skip
    found, origin = arranged(steps)
    # A recording without dates counts from its own zero, so that nothing lies before.
    assert [(step.task, step.action) for step in found] == [
        ("sort", "edit"), ("sort", "start"), ("filter", "edit"), ("filter", "run"),
    ]  # fmt: skip
    assert origin == 0.0
