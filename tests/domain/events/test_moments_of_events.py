"""When events happened: each page's clock is set against the server's, and anew after a sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.events.moments import SLEPT, moments

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def event(stored: float, mono: float | None = None, wall: float | None = None, page: str = "p") -> Event:
    """An event by the seconds of three clocks: the server's, the page's monotonic one and its wall clock."""
    clocks = [None if seconds is None else seconds * 1000 for seconds in (wall, mono)]
    return Event("p1", page, 1, "edit", "work", START + timedelta(seconds=stored), *clocks)


def found(*events: Event) -> list[float]:
    return [round(moment - START.timestamp(), 6) for moment in moments(events)]


def test_an_event_happened_as_much_before_its_storing_as_the_fastest_delivery_of_its_page_says():
    assert found(event(10, 1), event(12, 3), event(20, 4)) == [10, 12, 13]
    # The slow delivery first: what is known later counts for all.
    assert found(event(20, 1), event(12, 3)) == [10, 12]


def test_each_page_has_its_own_clock_and_the_servers_own_events_and_those_without_a_clock_have_their_storing():
    assert found(event(10, 1), event(10, 500, page="q"), event(12, 501, page="q")) == [10, 10, 11]
    assert found(event(10, 1, page=SERVER_PAGE), event(15)) == [10, 15]


def test_a_page_without_a_monotonic_clock_is_dated_by_its_wall_clock():
    assert found(event(10, None, 1000), event(20, None, 1003)) == [10, 13]


@pytest.mark.parametrize(
    ("ahead", "third"), [(0.0, 13.0), (SLEPT - 0.001, 13.0), (SLEPT, 13.0), (SLEPT + 0.001, 100.0), (3600.0, 100.0)]
)
def test_after_a_sleep_a_page_is_set_against_the_server_anew(ahead, third):
    # The monotonic clock stood still; the wall clock went on, and the third event is stored long after.
    before = [event(10, 1, 1000), event(11, 2, 1001)]
    assert found(*before, event(100, 4, 1003 + ahead)) == [10, 11, third]


def test_a_wall_clock_that_goes_back_or_creeps_is_no_sleep():
    assert found(event(10, 1, 1000), event(100, 4, 3)) == [10, 13]
    creeping = [event(10 + 10 * step, 1 + step, 1000 + 5 * step) for step in range(4)]
    assert found(*creeping) == [10, 11, 12, 13]


def test_a_sleep_of_one_page_says_nothing_of_another():
    slept = [event(10, 1, 1000), event(10, 1, 1000, page="q"), event(100, 4, 2000)]
    assert found(*slept, event(100, 4, 1003, page="q")) == [10, 10, 100, 13]
