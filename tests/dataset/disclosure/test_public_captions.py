"""The codebook of a dataset for everybody says of each column whether anything of it was left out."""

from __future__ import annotations

import pytest

from study_app.dataset.disclosure.public import WITHHELD, public_table
from study_app.dataset.schema.tables import STATIC_TABLES

SCHEMAS = {table.name: table for table in STATIC_TABLES}
LEFT_OUT = "could tell who a person is"


def captions(table: str) -> dict[str, str]:
    return {column.name: column.caption for column in public_table(SCHEMAS[table], {}).columns}


@pytest.mark.parametrize(("table", "column"), [("turns", "message"), ("turns", "reply"), ("runs", "code")])
def test_a_column_of_texts_says_where_texts_were_left_out(table, column):
    assert WITHHELD in captions(table)[column]
    assert LEFT_OUT not in captions(table)[column]


@pytest.mark.parametrize(("table", "column"), [("allocations", "row_hash"), ("ratings", "rated_at")])
def test_a_column_that_tells_in_which_order_people_came_says_that_it_was_left_out(table, column):
    assert LEFT_OUT in captions(table)[column]


@pytest.mark.parametrize(("table", "column"), [("turns", "treatment"), ("runs", "ended_by"), ("events", "payload")])
def test_of_a_column_that_stays_nothing_is_said_to_be_left_out(table, column):
    assert WITHHELD not in captions(table)[column]
    assert LEFT_OUT not in captions(table)[column]


def test_moments_are_said_to_be_moved():
    assert "everybody enters at 2000-01-01" in captions("runs")["started_at"]
    assert "everybody enters at" not in captions("runs")["ended_by"]
