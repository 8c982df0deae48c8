"""Figures of the manifest: quantiles as the usual programs compute them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.dataset.writing.manifest import Seen, events_ahead, quantiles
from study_app.domain.events import SERVER_PAGE

LEVELS = {"median": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_quantiles_are_those_of_numpy(values):
    found = quantiles(values)
    assert found.pop("n") == len(values)
    assert found == {name: pytest.approx(np.quantile(values, level)) for name, level in LEVELS.items()}


def test_of_nothing_there_are_no_quantiles():
    assert quantiles([]) == {"n": 0} | dict.fromkeys(LEVELS)


def test_only_pages_of_a_browser_whose_events_came_with_a_gap_are_ahead():
    record = SimpleNamespace(
        participant=SimpleNamespace(id="p1"), last_of_pages=Counter({"a": 9, "b": 5, SERVER_PAGE: 40})
    )
    acknowledged = {"b": 5, "a": 7, SERVER_PAGE: 3}
    assert events_ahead(record, acknowledged) == [{"participant_id": "p1", "page": "a", "whole_to": 7, "last": 9}]


DAYS = [datetime(2026, 1, day, 23, 59, tzinfo=UTC) for day in range(1, 5)]


@pytest.mark.parametrize(
    ("people", "collected"),
    [
        ([], None),
        ([(DAYS[1], DAYS[2])], ("2026-01-02", "2026-01-03")),
        ([(DAYS[1], None)], ("2026-01-02", "2026-01-02")),
        ([(DAYS[1], DAYS[2]), (DAYS[0], DAYS[1])], ("2026-01-01", "2026-01-03")),
        ([(DAYS[1], DAYS[2]), (DAYS[3], None)], ("2026-01-02", "2026-01-04")),
    ],
)
def test_data_were_collected_from_the_first_entry_to_the_last_end(people, collected):
    seen = Seen()
    for entered, ended in people:
        seen.note_times(SimpleNamespace(participant=SimpleNamespace(enrolled_at=entered, finished_at=ended)))
    assert seen.collected == collected
