"""What the report of a dataset for everybody says of small groups is what was counted, and it says what was not."""

from __future__ import annotations

import re

import pytest

from study_app.dataset.disclosure.coarsening import recoding_of
from study_app.dataset.disclosure.public import Found
from study_app.dataset.disclosure.report import MOST_COLUMNS, disclosure
from study_app.dataset.schema import Column

UNCOUNTED = f"With more than {MOST_COLUMNS} columns, three known together are not counted."


def report(count: int, rows: list[tuple[int, ...]]) -> str:
    """Of people with so many columns: the values of the last ones, and the same in the others."""
    columns = [Column(f"c{place}", "integer", "A column") for place in range(count)]
    people = [
        dict(zip((column.name for column in columns), (0,) * (count - len(row)) + row, strict=True)) for row in rows
    ]
    recodings = {column.name: recoding_of(column, [], 2) for column in columns}
    return disclosure(Found(), recodings, columns, people, 2)


def groups(text: str) -> dict[int, tuple[int, int]]:
    """Columns known together -> least people who share them, and people who are alone with theirs."""
    found = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    return {int(size): (int(least), int(alone)) for size, least, alone in found}


# Of three columns each two are shared by two people, and all three by one.
PARITY = [(a, b, c, a ^ b ^ c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]


@pytest.mark.parametrize("count", [4, MOST_COLUMNS])
def test_up_to_a_number_of_columns_groups_by_three_are_counted(count):
    text = report(count, PARITY)
    assert groups(text) == {1: (4, 0), 2: (2, 0), 3: (1, 8), count: (1, 8)}
    assert UNCOUNTED not in text


def test_with_more_columns_nothing_is_said_of_groups_by_three():
    text = report(MOST_COLUMNS + 1, PARITY)
    assert groups(text) == {1: (4, 0), 2: (2, 0), MOST_COLUMNS + 1: (1, 8)}
    assert UNCOUNTED in text


@pytest.mark.parametrize(("count", "rows"), [(0, [()]), (4, []), (MOST_COLUMNS + 1, [])])
def test_without_people_or_columns_no_group_is_counted(count, rows):
    text = report(count, rows)
    assert "known together" not in text
    assert groups(text) == {}
