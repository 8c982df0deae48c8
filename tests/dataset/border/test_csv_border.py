"""A CSV file without end in any direction: long lines, cells that never close, cells without number."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile.outcomes import outcome

from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits, DatasetLimits
from study_app.dataset.schema.csv_rows import csv_rows

SMALL = DatasetLimits(table_bytes=2_000, rows=20, columns=8, cell=40, row=120)
CELLS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60), min_size=1, max_size=10)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits, "LIMITS", SMALL)


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=24))
def test_rows_within_the_limits_come_out_as_they_went_in_and_no_others_do(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    beyond = any(len(row) > SMALL.columns or max(map(len, row)) > SMALL.cell for row in rows)
    beyond |= len(rows) > SMALL.rows or path.stat().st_size > SMALL.table_bytes
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "LIMITS", SMALL)
        found, said = outcome(lambda: [cells for _, cells in csv_rows(path)], BeyondLimits)
    assert found == rows if not said else str(path) in said
    assert bool(said) == beyond or "characters in a row" in said, said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a" * 121, "row 1: holds more than 120 characters in a row, and the limit is 120"),
        ('a\n"' + "b\n" * 100, "row 2: holds more than 120 characters in a row"),
        ("a\n" + '"",' * 9, "row 2: holds 10 cells in a row, and the limit is 8"),
        ("a\n" + "b" * 41, "row 2: holds 41 characters in a cell, and the limit is 40"),
        ("a\n" * 21, "holds more than 20 rows, and the limit is 20"),
        ("a\n" * 1001, "holds 2,002 bytes, and the limit is 2,000"),
    ],
)
def test_what_has_no_end_is_named_with_its_limit(small, tmp_path, content, said):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(BeyondLimits, match=said):
        list(csv_rows(path))
