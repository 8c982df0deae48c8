"""Cells: what is written is what is read."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.dataset.integrity.chain import event_key
from study_app.dataset.integrity.stored_rows import event_row
from study_app.dataset.schema import STATIC_TABLES, Column, cell, guard, unguard, value, writable
from study_app.dataset.schema.cells import FORMULA_STARTS
from study_app.domain.events import Event

TEXT = Column("x", "text", "")
NUMBER = Column("x", "number", "")


@given(st.text())
def test_a_guarded_text_gives_itself_back_and_never_begins_like_a_formula(text):
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(FORMULA_STARTS[:-1])


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_survives_a_csv_file_but_for_what_utf8_cannot_hold(text):
    handle = io.StringIO(newline="")
    csv.writer(handle, lineterminator="\r\n").writerow([cell(TEXT, text), "end"])
    handle.seek(0)
    read = next(csv.reader(handle, strict=True))[0]
    assert (value(TEXT, read) or "") == writable(text)
    assert read.encode().decode() == read


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_exactly(number):
    assert value(NUMBER, cell(NUMBER, number)) == number


@pytest.mark.parametrize("cell_text", ["nan", "inf", "1,5", "one", "0x10"])
def test_what_is_no_number_is_refused(cell_text):
    with pytest.raises(ValueError, match=cell_text):
        value(NUMBER, cell_text)


def test_times_are_utc_with_milliseconds():
    moment = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
    column = Column("x", "time", "")
    assert cell(column, moment) == "2026-01-05T09:00:00.123Z"
    assert value(column, "2026-01-05T09:00:00.123Z") == moment.replace(microsecond=123000)
    with pytest.raises(ValueError, match="no time zone"):
        value(column, "2026-01-05T09:00:00")


def test_missing_is_an_empty_cell_and_never_zero():
    for kind in ("text", "integer", "number", "boolean", "time", "json"):
        assert cell(Column("x", kind, ""), None) == ""
        assert value(Column("x", kind, ""), "") is None


def test_whole_numbers_have_no_point():
    assert cell(NUMBER, 27.0) == "27"
    assert cell(NUMBER, math.pi) == "3.141592653589793"


def test_every_column_has_a_caption_and_its_name_once():
    for table in STATIC_TABLES:
        assert len(set(table.names)) == len(table.names)
        assert all(column.caption for column in table.columns)


@given(st.booleans(), st.integers(1, 99), st.none() | st.floats(0, 1e13))
def test_the_row_of_an_event_has_the_key_under_which_it_is_chained(late, seq, clock):
    """Also of one that came late: what an honest browser sends after a deadline must not look like tampering."""
    at = datetime(2026, 1, 5, 9, 0, 0, 123000, tzinfo=UTC)
    stored = Event("p", "page", seq, "edit", "tasks", at, clock, clock, {"a": 1}, 7, arrived_late=late)
    assert event_key(event_row(stored)) == event_key(stored)
