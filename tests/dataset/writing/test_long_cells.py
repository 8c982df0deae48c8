"""Texts too long for a cell of another program are files: what is too long is measured as that program measures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.dataset.writing.copied_rows import LONG_CELLS, LongCells, in_parts
from study_app.dataset.writing.programs.labelled_files import LIMITS
from study_app.dataset.writing.programs.spreadsheet import MOST_CHARACTERS


@pytest.mark.parametrize(
    ("wide", "most"), [(True, MOST_CHARACTERS), *((False, limits.cell) for limits in LIMITS.values()), (True, 7)]
)
@pytest.mark.parametrize("letter", ["a", "é", "—", "😀"])
def test_a_cell_holds_as_much_as_its_program_allows_and_no_more(tmp_path, wide, most, letter):
    size = len(letter.encode("utf-16-le")) // 2 if wide else len(letter.encode())
    longest = letter * (most // size)
    cells = LongCells(tmp_path, most, wide=wide)
    assert cells.cell(longest) == longest
    assert not cells.files
    longer = longest + letter
    (path,) = (cells.cell(longer), cells.cell(longer))[1:]
    assert path.startswith(f"[{LONG_CELLS}/")
    assert (tmp_path / path[1:-1]).read_text(encoding="utf-8") == longer
    assert len(cells.files) == 1


@given(st.text(st.sampled_from("aé—😀 "), max_size=12), st.integers(1, 20), st.booleans())
def test_a_text_stays_in_its_cell_if_it_fits(tmp_path_factory, text, most, wide):
    size = len(text.encode("utf-16-le")) // 2 if wide else len(text.encode())
    cells = LongCells(tmp_path_factory.getbasetemp(), most, wide=wide)
    assert (cells.cell(text) == text) == (size <= most)


def test_a_workbook_has_the_cells_that_excel_documents():
    assert MOST_CHARACTERS == 2**15 - 1


@pytest.mark.parametrize(("text", "stays"), [("x", True), ("x ", False), (" x", True), ("x\t", True), ("", True)])
def test_where_a_program_takes_blanks_off_the_end_such_a_text_is_a_file(tmp_path, text, stays):
    assert (LongCells(tmp_path, 99, wide=False, strips=True).cell(text) == text) == stays
    assert LongCells(tmp_path, 99, wide=False).cell(text) == text


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_rows_come_in_parts_of_at_most_so_many(count, sizes):
    parts = list(in_parts(({"row": place} for place in range(count)), 3))
    assert [(number, len(rows)) for number, rows in parts] == list(enumerate(sizes, 1))
    assert [row["row"] for _, rows in parts for row in rows] == list(range(count))
