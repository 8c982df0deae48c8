"""Time with an assistant and without it for a fault: minutes from seconds, and none where nothing was allocated."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.measures.assistant import queries
from study_app.domain.events import Event

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CODING = SimpleNamespace(counts=lambda _record, _codes: {})


def outage(seconds: float, cause: str = "assistant", stage: str = "work") -> Event:
    return Event("p1", "server", 1, "outage", stage, NOW, payload={"kind": cause, "seconds": seconds})


def row(*turns: tuple[float | None, float | None], events: tuple[Event, ...] = (), **given: Any) -> dict[str, Any]:
    usual = {"allocated": True, "main_ids": {"work"}, "main_stages": [SimpleNamespace(id="work")], "visit": bool}
    asked = [SimpleNamespace(composing_seconds=composing, total_seconds=whole) for composing, whole in turns]
    record = SimpleNamespace(**usual | {"turns": asked, "events": events} | given)
    return queries(record, CODING, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("turns", "minutes"),
    [([], 0.0), ([(30.0, 60.0)], 1.5), ([(30.0, 60.0), (None, 30.0), (15.0, None)], 2.25), ([(None, None)], 0.0)],
)
def test_minutes_of_interaction_are_those_of_composing_and_of_the_replies(turns, minutes):
    assert row(*turns) == {"queries": len(turns), "interaction_minutes": minutes, "outage_minutes": 0.0}


@pytest.mark.parametrize(
    ("events", "minutes"),
    [
        ((outage(90.0),), 1.5),
        ((outage(90.0), outage(30.0, "sandbox")), 2.0),
        ((outage(90.0), outage(30.0, stage="before")), 1.5),
        ((outage(90.0, "paused"),), 0.0),
    ],
)
def test_minutes_of_outage_are_those_in_main_stages_when_something_that_people_use_failed(events, minutes):
    assert row(events=events)["outage_minutes"] == minutes


def test_before_an_allocation_nothing_is_known_and_before_the_main_part_no_outage():
    assert row((30.0, 60.0), allocated=False) == {}
    assert row(visit=lambda _: None)["outage_minutes"] is None
