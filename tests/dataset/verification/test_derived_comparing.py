"""One comparison of derived rows, whatever the table: what differs is reported once, with its row."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from study_app.dataset.reading.dataset import UntrustedRow
from study_app.dataset.schema import Column
from study_app.dataset.verification.derived.comparing import by_log, compare_rows, same, same_cell

COLUMNS = (Column("minutes", "number", ""), Column("said", "text", ""))


def row(number, **values):
    return UntrustedRow(number, values)


def reported(rows, due, **options):
    found = []
    opened = SimpleNamespace(relative=str, report=SimpleNamespace(add=lambda *finding: found.append(finding)))
    options = {"number": f"{len(rows)} rows, {len(due)} due", "sentence": by_log} | options
    compare_rows(opened, "probes", rows, due, columns=COLUMNS, finding="differs", **options)
    return found


def test_equal_rows_are_not_reported():
    assert reported([row(2, minutes=1.5, said="x")], [{"minutes": 1.5, "said": "x"}]) == []


def test_each_cell_that_differs_is_reported_with_its_row():
    rows, due = [row(2, minutes=1.5, said="x"), row(3, minutes=2.0, said="y")], [{"minutes": 1.5, "said": "x"}] * 2
    assert reported(rows, due) == [
        ("differs", "probes", 3, "minutes is 2.0, the log says 1.5"),
        ("differs", "probes", 3, "said is 'y', the log says 'x'"),
    ]


@pytest.mark.parametrize(("rows", "due", "number"), [([row(2)], [], 2), ([], [{}], None)])
def test_another_number_of_rows_is_one_finding_that_gives_both(rows, due, number):
    assert reported(rows, due) == [("differs", "probes", number, f"{len(rows)} rows, {len(due)} due")]


def test_where_the_caller_counts_only_cells_are_compared():
    assert reported([row(2)], [], number=None) == []


def test_words_of_a_forged_table_are_repeated_as_they_are_and_cut():
    [(_, _, _, what)] = reported([row(2, said="{due}" * 500)], [{"said": "x"}])
    assert what.startswith("said is '{due}{due}")
    assert len(what) == 300


@pytest.mark.parametrize(
    ("found", "due", "equal"),
    [(1.0, 1 + 1e-12, True), (1.0, 1.001, False), (None, None, True), (None, 0.0, False), ("a", 1.0, False)],
)
def test_numbers_are_compared_up_to_rounding(found, due, equal):
    assert same(COLUMNS[0], found, due) is equal


def test_missing_and_empty_text_are_written_alike():
    assert same_cell(COLUMNS[1], None, "")
    assert not same_cell(COLUMNS[1], None, "x")
