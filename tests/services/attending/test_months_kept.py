"""Data are kept for calendar months: the same day, or the last of a month that has fewer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.services.attending.purging import Purged, months_after

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("months", "day"),
    [
        (0, "2026-01-31"), (1, "2026-02-28"), (2, "2026-03-31"), (3, "2026-04-30"), (11, "2026-12-31"),
        (12, "2027-01-31"), (25, "2028-02-29"),
    ],
)  # fmt: skip
def test_months_end_on_the_same_day_or_on_the_last_of_a_shorter_month(months, day):
    assert months_after(NOON, months) == datetime.fromisoformat(f"{day}T12:00:00+00:00")


def test_what_is_kept_beyond_the_calendar_is_never_due():
    assert months_after(NOON, 12 * (9999 - 2026)).year == 9999
    assert months_after(NOON, 12 * (9999 - 2026) + 12) == datetime.max.replace(tzinfo=UTC)


@given(st.datetimes(max_value=NOON.replace(tzinfo=None, year=2100)), st.integers(0, 600), st.integers(0, 600))
def test_more_months_never_end_earlier(moment, one, other):
    low, high = sorted((one, other))
    assert months_after(moment, low) <= months_after(moment, high)
    assert (months_after(moment, one).day == moment.day) or moment.day > 28


def test_what_is_due_and_what_was_erased_are_said_apart():
    assert Purged((), True).lines() == Purged((), False).lines()
    assert Purged(("p1", "p2"), False).lines() == ["2 participant(s) are due: p1, p2"]
    erased, copies = Purged(("p1", "p2"), True).lines()
    assert erased == "erased the data of 2 participant(s)"
    assert copies.startswith("copies made before still hold them")
    assert Purged(("p1",), True).to_json() == {"participants": ["p1"], "done": True}
