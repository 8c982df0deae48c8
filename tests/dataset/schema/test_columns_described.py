"""What a column says of its cells: range, meanings, and how the codebook and the sidecar have them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from study_app.dataset.schema import Column, TableSchema, cell, value
from study_app.dataset.schema.codebook import codebook
from study_app.dataset.schema.columns import by_clocks, of_assistant, revealing
from study_app.dataset.schema.csv_rows import repeated, rows_in, uneven

SCALE = Column("felt", "integer", "Felt", low=0, high=7, labels=(("0", "bad"), ("7", "good")))
ROLE = Column("role", "text", "Role", levels=("dev", "sci"), labels=(("dev", "developer"),))


@pytest.mark.parametrize(
    ("column", "range_"),
    [
        (SCALE, "0 to 7"),
        (replace(SCALE, high=None), "at least 0"),
        (replace(SCALE, low=None), "at most 7"),
        (replace(SCALE, low=None, high=None), ""),
        (replace(SCALE, low=-0.5), "-0.5 to 7"),
        (ROLE, "dev, sci"),
        (Column("yes", "boolean", "Yes"), "0, 1"),
    ],
)
def test_a_range_names_what_is_known(column, range_):
    assert column.range == range_


def test_each_value_has_a_meaning_the_value_itself_where_it_has_no_label():
    assert ROLE.meanings == (("dev", "developer"), ("sci", "sci"))
    assert SCALE.meanings == (("0", "bad"), ("7", "good"))


def test_a_sidecar_says_only_what_is_known():
    assert SCALE.property_value() == {
        "@type": "PropertyValue", "name": "felt", "description": "Felt",
        "additionalType": "http://www.w3.org/2001/XMLSchema#integer", "minValue": 0, "maxValue": 7,
        "valueReference": [
            {"@type": "DefinedTerm", "termCode": "0", "name": "bad"},
            {"@type": "DefinedTerm", "termCode": "7", "name": "good"},
        ],
    }  # fmt: skip
    plain = Column("x", "number", "X", unit="s").property_value()
    assert (plain["unitText"], set(plain)) == ("s", {"@type", "name", "description", "additionalType", "unitText"})


def test_the_codebook_has_a_line_for_each_column_with_its_values_and_their_labels():
    columns = (SCALE, ROLE, replace(ROLE, labels=()), replace(SCALE, low=None, high=None), Column("a", "text", "A | B"))
    lines = codebook([TableSchema("ratings", "Ratings", columns)], "Read this.").splitlines()
    assert lines[:5] == ["# Codebook", "", "Read this.", "", "## ratings"]
    assert [line for line in lines if line.startswith("| `")] == [
        "| `felt` | integer |  | 0 to 7 (0 = bad; 7 = good) | Felt |",
        "| `role` | text |  | dev = developer | Role |",
        "| `role` | text |  | dev, sci | Role |",
        "| `felt` | integer |  | 0 = bad; 7 = good | Felt |",
        "| `a` | text |  |  | A \\| B |",
    ]
    assert not any("Payloads" in line for line in lines)
    assert "## Payloads of events" in codebook([TableSchema("events", "Events", ())], "")


def test_text_is_free_unless_it_has_levels_or_the_platform_made_it():
    free = Column("x", "text", "X")
    assert free.free
    assert Column("x", "json", "X").free
    assert not replace(free, closed=True).free
    assert not ROLE.free
    assert not SCALE.free
    assert (SCALE.numeric, ROLE.numeric, ROLE.guarded, SCALE.guarded) == (True, False, True, False)


def test_marks_of_columns_are_kept_apart():
    (column,) = revealing(SCALE)
    assert (column.reveals_arm, column.of_assistant, column.derived_by) == (True, False, "tables")
    (column,) = of_assistant(SCALE)
    assert (column.reveals_arm, column.of_assistant) == (True, True)
    (column,) = by_clocks(SCALE)
    assert (column.reveals_arm, column.derived_by) == (False, "clocks")
    table = TableSchema("ratings", "Ratings", (SCALE, ROLE)).revealing("role")
    assert [each.reveals_arm for each in table.columns] == [False, True]
    with pytest.raises(KeyError, match="nothing"):
        table.column("nothing")


def test_whole_numbers_are_those_that_a_database_can_hold():
    number = Column("x", "integer", "X")
    for edge in (-(2**63), 2**63 - 1):
        assert value(number, str(edge)) == edge
    for beyond in (-(2**63) - 1, 2**63):
        with pytest.raises(ValueError, match="out of range"):
            value(number, str(beyond))


def test_yes_and_no_are_1_and_0_and_nothing_else():
    column = Column("x", "boolean", "X")
    assert [cell(column, True), cell(column, False), value(column, "1"), value(column, "0")] == ["1", "0", 1, 0]
    with pytest.raises(ValueError, match="2"):
        value(column, "2")


def test_large_whole_numbers_are_written_as_they_are_read_back():
    column = Column("x", "number", "X")
    written = [cell(column, number) for number in (1e14, 1e15, -2.0)]
    assert written == ["100000000000000", "1000000000000000.0", "-2"]
    assert cell(column, True) == "1"


def test_rows_are_counted_from_the_header_and_a_broken_one_is_named():
    assert list(rows_in(["a,b\n", '1,"x\n', 'y"\n', "2,z\n"])) == [(1, ["a", "b"]), (2, ["1", "x\ny"]), (3, ["2", "z"])]
    with pytest.raises(ValueError, match="row 2: "):
        list(rows_in(["a,b\n", '1,"x"y\n']))


def test_a_row_of_another_width_and_names_given_twice_are_found():
    assert uneven(["a", "b"], ["1", "2"]) is None
    assert uneven(["a", "b"], ["1"]) == "has 1 cells, the header 2"
    assert repeated(["a", "b", "a", "", "", "c"]) == ["a"]
