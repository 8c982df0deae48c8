"""Time that a failed reply took is given back within the stage it was asked in, and composing is timed by the page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from study_app.domain.events import BrowserEvent
from study_app.domain.events.server import Outage
from study_app.domain.records import Participant, Turn, Visit
from study_app.services.participant.chatting.turns import composing_seconds, record_outage
from study_app.services.places import holds
from study_app.services.position import Ended
from study_app.storage import open_registry

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


PERSON = Participant("p1", "real", "hash", "in_progress", "work", 0, START, START)
TURN = Turn("t1", "p1", "sort", "claude", "full", "m", "1", "How?", "", "", after(100), error="timeout")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    made = open_registry(f"sqlite:///{tmp_path_factory.mktemp('outages')}/study.db")
    yield made
    made.close()


@pytest.fixture
def unit(registry):
    """A transaction with a participant, taken back after the test."""
    with suppress(LookupError), registry.begin() as unit:
        unit.add_participant(PERSON)
        yield unit
        raise LookupError


def outage(unit, *visits: Visit, seconds: float = 60.0, now: float = 160.0) -> tuple[str, float]:
    """Stage and seconds of the outage that is recorded."""
    for visit in visits:
        assert unit.open_visit(visit)
    record_outage(unit, TURN, seconds, after(now))
    (event,) = unit.events_of("p1", {Outage.kind})
    assert isinstance(event.details, Outage)
    assert (event.details.turn_id, event.details.cause) == ("t1", "timeout")
    return event.stage, event.details.seconds


OPEN = Visit("p1", "work", START, deadline_at=after(600))


def test_an_outage_moves_the_deadline_of_the_stage_in_which_it_was_asked(unit):
    assert outage(unit, OPEN) == ("work", 60.0)
    assert unit.visit("p1", "work").deadline_at == after(660)


def test_an_outage_takes_no_more_than_was_left_of_the_stage(unit):
    assert outage(unit, OPEN, seconds=9000.0, now=590.0) == ("work", 500.0)
    assert unit.visit("p1", "work").deadline_at == after(1100)


def test_a_stage_whose_time_is_up_stays_over(unit):
    assert outage(unit, OPEN, seconds=9000.0, now=600.0) == ("work", 500.0)
    assert unit.visit("p1", "work").deadline_at == after(600)


def test_a_stage_without_a_limit_is_not_moved(unit):
    assert outage(unit, Visit("p1", "work", START)) == ("work", 60.0)
    assert unit.visit("p1", "work").deadline_at is None


def test_of_stages_the_one_counts_that_was_open_when_it_was_asked(unit):
    ended = Visit("p1", "warmup", START, deadline_at=after(50), ended_at=after(100), ended_by="deadline")
    later = Visit("p1", "quiz", after(101), deadline_at=after(900))
    assert outage(unit, ended, replace(OPEN, started_at=after(100)), later) == ("work", 60.0)
    assert unit.visit("p1", "quiz").deadline_at == after(900)


def test_an_outage_without_a_stage_is_recorded_as_it_was(unit):
    assert outage(unit) == ("", 60.0)


def sent(unit, *events: tuple[int, str, float | None, float | None]) -> float | None:
    """Store a page's events by number, kind, wall clock and monotonic clock; what was composed."""
    made = [BrowserEvent(seq=seq, kind=kind, client_time_ms=wall, mono_ms=mono, payload={})
            for seq, kind, wall, mono in events]  # fmt: skip
    unit.store_batch("p1", "page", "work", after(30), made)
    return composing_seconds(unit, Ended(PERSON, None, None, START), "page")  # type: ignore[arg-type]


def test_composing_is_from_the_first_key_to_sending_by_the_monotonic_clock(unit):
    assert sent(unit, (1, "compose_start", 5000.0, 1000.0), (2, "send_pressed", 99000.0, 3500.0)) == 2.5


def test_without_a_monotonic_clock_the_pages_wall_clock_counts(unit):
    assert sent(unit, (1, "compose_start", 5000.0, None), (2, "send_pressed", 9000.0, None)) == 4.0


def test_composing_is_unknown_where_the_page_has_not_said_both_in_order(unit):
    assert sent(unit, (1, "compose_start", 5000.0, 1000.0)) is None
    # The next message is being written by now.
    assert sent(unit, (2, "send_pressed", 6000.0, 2000.0), (3, "compose_start", 7000.0, 3000.0)) is None
    assert composing_seconds(unit, Ended(PERSON, None, None, START), None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "until", "held"),
    [("held", 1, True), ("held", 0, False), ("held", None, False), ("used", 1, False), (None, 1, False)],
)
def test_a_place_is_held_until_its_moment(place, until, held):
    until_at = None if until is None else after(until)
    assert holds(replace(PERSON, place=place, place_until=until_at), START) == held
