"""Times as they may be shown while arms are hidden."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.records import Visit
from study_app.domain.shown_times import Move, ShownTimes

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def with_outage(seconds: float, *, hidden: bool) -> ShownTimes:
    """Of a stage of ten minutes to which an outage of the assistant gave time back."""
    return ShownTimes({"work": 10.0} if hidden else {}, {"work": [Move(START, seconds, by_assistant=True)]})


@given(ended=st.floats(0, 7200), beyond=st.floats(0, 3600), given_back=st.floats(0, 3600), hidden=st.booleans())
def test_nothing_is_shown_later_than_it_was_nor_moved_below_the_limit(ended, beyond, given_back, hidden):
    visit = Visit("p", "work", START, deadline_at=START + timedelta(seconds=600 + beyond + given_back))
    visit = replace(visit, ended_at=min(START + timedelta(seconds=ended), visit.deadline_at), ended_by="submitted")
    times = with_outage(given_back, hidden=hidden)
    shown = times.visit(visit, visit.deadline_at)
    assert shown.ended_at <= visit.ended_at
    assert shown.ended_at <= shown.deadline_at <= visit.deadline_at
    if not hidden or visit.ended_at <= START + timedelta(seconds=600):
        assert (shown.ended_at, shown.ended_by) == (visit.ended_at, visit.ended_by)
    else:
        assert shown.ended_at >= START + timedelta(seconds=600)


@given(now=st.floats(0, 7200), given_back=st.floats(1, 3600), hidden=st.booleans())
def test_an_open_visit_is_shown_as_ended_in_the_time_given_back_and_only_there(now, given_back, hidden):
    visit = Visit("p", "work", START, deadline_at=START + timedelta(seconds=600 + given_back))
    shown = with_outage(given_back, hidden=hidden).visit(visit, START + timedelta(seconds=now))
    limit = START + timedelta(seconds=600)
    ended = (limit, "deadline") if hidden and now >= 600 else (None, None)
    assert (shown.ended_at, shown.ended_by) == ended
    assert shown.deadline_at == (limit if hidden else visit.deadline_at)


@pytest.mark.parametrize(
    ("second", "shown", "levelled"),
    [(599, 599, False), (600, 600, False), (601, 600, True), (660, 600, True), (661, 601, False), (900, 840, False)],
)
def test_a_moment_is_levelled_where_it_lies_in_the_time_given_back_and_is_shown_at_the_limit(second, shown, levelled):
    visit = Visit("p", "work", START, deadline_at=START + timedelta(seconds=660))
    at, times = START + timedelta(seconds=second), with_outage(60, hidden=True)
    assert times.moment(at, visit) == START + timedelta(seconds=shown)
    assert times.is_levelled(at, visit) == levelled
    open_times = with_outage(60, hidden=False)
    assert (open_times.moment(at, visit), open_times.is_levelled(at, visit)) == (at, False)
