"""Active, idle and away by the stated rule."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.timing import TimeSpan, deadline, overdue, time_use

START = datetime(2026, 1, 1, tzinfo=UTC)


def use(length, acts, away=()):
    return time_use(length, acts, [TimeSpan(*spell) for spell in away], idle_after=60, away_after=5)


def test_a_gap_counts_as_active_up_to_the_threshold():
    assert use(300, [10, 20, 200]) == use(300, [20, 10, 200])
    assert use(300, [10, 20, 200]).active == 10 + 10 + 60 + 60
    assert use(300, [10, 20, 200]).idle == 300 - 140


def test_a_short_look_aside_is_not_away():
    assert use(100, [], [(10, 14)]).away == 0
    assert use(100, [], [(10, 15)]).away == 5


def test_overlapping_spells_count_once():
    assert use(100, [], [(10, 30), (20, 40)]).away == 30


def test_away_time_is_not_active_though_an_act_was_just_before():
    assert use(100, [10], [(20, 50)]).active == 10 + 10 + 20


@given(
    st.floats(0, 5000),
    st.lists(st.floats(-10, 6000), max_size=20),
    st.lists(st.tuples(st.floats(-10, 6000), st.floats(0, 500)), max_size=6),
)
def test_the_three_add_up_to_the_visit_and_none_is_negative(length, acts, away):
    found = use(length, acts, [(start, start + span) for start, span in away])
    assert min(found.active, found.idle, found.away) >= -1e-6
    assert abs(found.active + found.idle + found.away - length) < 1e-6 * max(1, length)


def test_a_deadline_is_the_start_plus_the_limit_and_passes_at_that_moment():
    end = deadline(START, 35)
    assert deadline(START, None) is None
    assert not overdue(end, START)
    assert overdue(end, end)
    assert not overdue(None, START)
