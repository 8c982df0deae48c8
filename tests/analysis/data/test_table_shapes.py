"""Rows with more or fewer cells than the header are refused by file and row, in every kind of table that is read."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import tomli_w
from support.analysis.synthetic_trial import write

from analysis.data.load import load
from study_app.domain.errors import ProblemsFound, UserError
from study_app.services.researcher.links import labels_in

PLAIN = "id,arm,y\n1,a,1\n2,b,2\n3,a,3\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("made"))


@pytest.fixture
def dataset(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "dataset"))


def plain(tmp_path, text, columns=None):
    path = tmp_path / "trial.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return load(path, columns or {})


def problems(act, *args) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        act(*args)
    return [f"{problem.file}: {problem.key}: {problem.what}" for problem in found.value.problems]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("row", "cells"), [("2,b,2,x", 4), ("2,b", 2), ("2,b,2,", 4), ("2", 1), ("2,b,2,,,", 6)], ids=str
)
def test_a_row_of_a_plain_table_without_the_headers_cells_is_named(tmp_path, mark, row, cells):
    text = PLAIN.replace("2,b,2", row).replace(",", mark)
    assert problems(plain, tmp_path, text) == [f"trial.csv: row 3: has {cells} cells, the header 3"]


def test_every_uneven_row_is_named_at_once_and_a_cell_over_lines_counts_as_one_row(tmp_path):
    text = PLAIN.replace("2,b,2", '2,"b\nc",2') + "4,b\n5,a,1\n6,b,1,1\n"
    assert problems(plain, tmp_path, text) == [
        "trial.csv: row 5: has 2 cells, the header 3",
        "trial.csv: row 7: has 4 cells, the header 3",
    ]


def test_rows_that_all_have_a_cell_more_than_the_header_are_refused(tmp_path):
    found = problems(plain, tmp_path, "arm,y\n" + "".join(f"{n},{'ab'[n % 2]},{n}\n" for n in range(30)))
    assert found[0] == "trial.csv: row 2: has 3 cells, the header 2"
    assert found[-1] == "trial.csv: : has 10 more rows like these"


def test_separators_at_the_end_of_every_line_make_no_column(tmp_path):
    people = plain(tmp_path, re.sub("\n", ",,\n", PLAIN)).participants
    assert people["y"].tolist() == [1, 2, 3]
    assert not [name for name in people if "column" in name or "Unnamed" in name]


def test_a_column_without_a_name_keeps_its_cells_under_its_place(tmp_path):
    people = plain(tmp_path, PLAIN.replace("id", "")).participants
    assert people["column 1"].tolist() == [1, 2, 3]


def test_blank_lines_are_skipped_and_rows_keep_their_numbers(tmp_path):
    text = "\nid,arm,y\n\n1,a,1\n\n1,b,2\n\n"
    found = problems(plain, tmp_path, text, {"participant_id": "id"})
    assert found == ["trial.csv: row 6, column participant_id: '1' comes twice"]
    assert plain(tmp_path, text).participants["y"].tolist() == [1, 2]


def test_a_name_of_two_columns_is_refused(tmp_path):
    found = problems(plain, tmp_path, PLAIN.replace("id", "y"))
    assert found == ["trial.csv: row 1: two columns are named 'y'"]


def test_a_column_that_has_the_name_of_a_mapped_one_is_refused(tmp_path):
    found = problems(plain, tmp_path, PLAIN.replace("id", "group"), {"arm": "group"})
    assert found == [
        "trial.csv: column arm: the plan takes the column 'group' as arm, and this column has that name already"
    ]


def test_one_column_may_have_two_meanings(tmp_path):
    people = plain(tmp_path, PLAIN.replace("arm", "site"), {"arm": "site", "stratum": "site"}).participants
    assert people["arm"].tolist() == people["stratum"].tolist() == ["a", "b", "a"]


@pytest.mark.parametrize("row", ['2,"b"c,2', '2,"b,2'])
def test_wrong_quotes_are_refused_by_row(tmp_path, row):
    with pytest.raises(UserError, match=r"trial\.csv: cannot be read as a table \(row 3: "):
        plain(tmp_path, PLAIN.replace("2,b,2\n3,a,3\n", row))


def test_another_encoding_is_named(tmp_path):
    (tmp_path / "trial.csv").write_bytes(PLAIN.encode("utf-16"))
    with pytest.raises(ProblemsFound, match=r"is UTF-16 text.*save it as UTF-8"):
        load(tmp_path / "trial.csv")


def line_changed(folder, table, number, change):
    path = folder / "data" / f"study-made_description-{table}_data.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = change(lines[number - 1].rstrip("\r")) + "\r"
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    return path.name


@pytest.mark.parametrize(("change", "by"), [(lambda line: line + ",9", 1), (lambda line: line.rpartition(",")[0], -1)])
@pytest.mark.parametrize("table", ["participants", "allocations", "answers"])
def test_a_row_of_any_table_of_a_dataset_without_the_headers_cells_is_named(dataset, table, change, by):
    folder = dataset
    name = line_changed(folder, table, 3, change)
    found = problems(lambda: load(folder).tables[table])
    header = (folder / "data" / name).read_text(encoding="utf-8").split("\n")[0].count(",") + 1
    assert found == [f"{name}: row 3: has {header + by} cells, the header {header}"]


@pytest.mark.parametrize("text", ["anna,class 1\nben\n", "anna;class 1\nben\n", "anna\tclass 1\nben\n"])
def test_a_labels_table_with_a_second_cell_is_refused_by_row(text):
    assert problems(lambda: labels_in("\n" + text, "labels.csv", table=True)) == ["labels.csv: row 2: has 2 cells"]


def test_a_labels_table_may_quote_a_label_and_a_text_file_holds_one_a_line():
    assert labels_in('"Class 4, Ms. B"\n\n  ben \n', "labels.csv", table=True) == ["Class 4, Ms. B", "ben"]
    assert labels_in("Class 4, Ms. B\n\n  ben \n", "labels.txt") == ["Class 4, Ms. B", "ben"]
    assert problems(lambda: labels_in('a\n"b" c\n', "labels.csv", table=True))[0].startswith("labels.csv: : row 2: ")


# -- what the dataset's study file says --------------------------------------------------------------------------------


def refused(folder, weight) -> str:
    path = folder / "materials" / "study.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    raw["arms"][1]["weight"] = weight
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    (found,) = problems(load, folder)
    return found.removeprefix(f"materials/study.toml: arms.{raw['arms'][1]['id']}.weight: ")


@pytest.mark.parametrize("weight", ["two", 1.5, True, float("nan"), float("inf"), [1]])
def test_an_arm_weight_that_allocation_could_not_have_used_is_refused_by_name(dataset, weight):
    assert refused(dataset, weight) == f"{weight!r} is not a whole number"


@pytest.mark.parametrize("weight", [0, -1, 1e9])
def test_an_arm_weight_out_of_range_is_refused_by_name(dataset, weight):
    assert refused(dataset, weight) == f"{weight!r} is out of range"


def test_a_state_that_no_trial_has_is_refused(dataset):
    folder = dataset
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"state": "open"}), encoding="utf-8")
    assert problems(load, folder) == [f"{folder / 'manifest.json'}: state: 'open' is not a state of a trial"]
