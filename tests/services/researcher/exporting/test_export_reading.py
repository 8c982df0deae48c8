"""Events that are sorted once give each visit the same events as a search through all of them."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.errors import InfrastructureError
from study_app.domain.events import Event
from study_app.domain.events.moments import Timeline
from study_app.services.researcher.exporting.collect_records import few_collections
from study_app.storage.columns import stored_json

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECONDS = st.integers(-5000, 5000).map(lambda thousandths: thousandths / 1000)


@given(st.lists(SECONDS, max_size=30), SECONDS, st.floats(0, 10, allow_nan=False))
def test_the_events_of_a_visit_are_those_between_its_ends_in_order(seconds, begins, length):
    at = [NOON.timestamp() + each for each in seconds]
    events = [Event("p", "page", n, "focus", "work", NOON, event_id=n) for n in range(len(at))]
    start = NOON + timedelta(seconds=begins)
    since = start.timestamp()
    every = ((moment - since, event) for moment, event in zip(at, events, strict=True))
    expected = sorted((pair for pair in every if 0 <= pair[0] <= length), key=lambda pair: (pair[0], pair[1].event_id))
    assert Timeline.of(events, at).during(start, length) == expected


@pytest.mark.parametrize("text", ['{"a":[1,null,"\\u0000"]}', " [1] ", "1", '"x"', "1e5", "NaN"])
def test_a_cell_of_json_is_read_as_it_stands(text):
    assert repr(stored_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1] x", "{'a': 1}", None, "nul", "[" * 100_000])
def test_a_cell_that_is_no_json_is_refused(text):
    with pytest.raises(InfrastructureError, match="JSON"):
        stored_json(text)


def test_an_export_leaves_the_search_for_garbage_as_it_was():
    before = gc.get_threshold()
    with few_collections(), few_collections():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
