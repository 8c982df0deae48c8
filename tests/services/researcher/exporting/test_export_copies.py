"""Workbook, SPSS and Stata files hold the cells of the CSV tables, labels included, and nothing that is run."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import time
from datetime import datetime

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from openpyxl.utils.escape import unescape
from support.trials.export_world import copy_of, trial

from study_app.dataset.schema import Column, TableSchema, guard, timestamp
from study_app.dataset.schema.cells import number_text
from study_app.dataset.verification import verify
from study_app.dataset.writing.copies import write_copies
from study_app.dataset.writing.files import CsvWriter
from study_app.dataset.writing.programs import labelled_files, spreadsheet
from study_app.dataset.writing.programs.labelled_files import LIMITS, names_for
from study_app.services.researcher.exporting.export import export

HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "'quoted", "@x", "a\r\nb\tc", "_x0041_", "\x01\x1f", "é😀\u2028", "NA", " x ")
PLAIN = TableSchema(
    "participants",
    "People",
    (
        Column("participant_id", "text", "Who", closed=True),
        Column("with", "integer", "A reserved name", levels=("1", "2"), labels=(("1", "low"), ("2", "high"))),
        Column("a_name_that_is_longer_than_thirty_two_characters", "number", "Long"),
        Column("When", "time", "A moment"),
        Column("when", "boolean", "The same name but for its case"),
        Column("text", "text", "Free"),
        Column("payload", "json", "An object"),
    ),
)
MOMENT = datetime.fromisoformat("2026-02-03T04:05:06.789+00:00")


def rows():
    for n, text in enumerate(HOSTILE):
        known = {"participant_id": f"p{n}", "with": 1 + n % 2, PLAIN.names[2]: n / 3, "When": MOMENT}
        yield known | {"when": n % 2, "text": text}
    yield {"participant_id": "long", "text": "x" * 40_000, "payload": json.dumps({"text": "é" * 40_000})}
    yield {"participant_id": "empty"}


@pytest.fixture
def written(tmp_path):
    """A table with whatever a cell may hold, as CSV."""
    path = tmp_path / "data" / "study-x_description-participants_data.csv"
    path.parent.mkdir()
    writer = CsvWriter(path, PLAIN)
    writer.write(list(rows()))
    writer.close()
    return tmp_path, path


def csv_cells(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


def whole(folder, value):
    """The text of a cell, from its file where it is too long for the cell."""
    if value.startswith("[data/long_cells/"):
        return (folder / value[1:-1]).read_bytes().decode()
    return value


def as_cell(folder, column, value):
    """A value of a copy as the CSV has it."""
    if value is None or value == "" or pd.isna(value):
        return ""
    if column.type == "time":
        moment = pd.Timestamp(value)
        moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment
        return timestamp(moment.round("ms").to_pydatetime())
    if column.type in ("integer", "number", "boolean"):
        return number_text(float(value))
    text = whole(folder, value)
    return guard(text) if column.type == "text" else text


def sheets(folder):
    (path,) = (folder / "data").glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


def equal(folder, table, path, rows_of_copy):
    header, *expected = csv_cells(path)
    assert header == list(table.names)
    found = [[as_cell(folder, c, v) for c, v in zip(table.columns, row, strict=True)] for row in rows_of_copy]
    assert found == expected


def test_every_cell_of_a_workbook_is_that_of_the_csv_and_none_is_a_formula(written, monkeypatch):
    folder, path = written
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 5)
    write_copies(folder, "x", [(PLAIN, path)], "xlsx")
    found = sheets(folder)
    assert list(found) == ["codebook", "participants", "participants 2", "participants 3"]
    assert any("1 = low; 2 = high" in str(row) for row in found["codebook"])
    given = [[unescape(v) if isinstance(v, str) else v for v in r] for n in list(found)[1:] for r in found[n][1:]]
    equal(folder, PLAIN, path, given)


@pytest.mark.parametrize(("fmt", "read"), [("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)])
def test_every_cell_for_spss_and_stata_is_that_of_the_csv(written, monkeypatch, fmt, read):
    folder, path = written
    monkeypatch.setattr(labelled_files, "MOST_ROWS", 5)
    renamed = write_copies(folder, "x", [(PLAIN, path)], fmt)["participants"]
    assert "with" in renamed
    assert renamed["when"].lower() != "when"
    parts = [read(str(path.with_name(path.stem + end + f".{fmt}"))) for end in ("", "_part-2", "_part-3")]
    equal(folder, PLAIN, path, [list(row) for frame, _ in parts for row in frame.itertuples(index=False)])
    meta = parts[0][1]
    assert meta.variable_value_labels[renamed["with"]] == {1: "low", 2: "high"}
    assert meta.column_names_to_labels["participant_id"] == "Who"


@pytest.mark.parametrize("fmt", ["sav", "dta"])
def test_a_text_that_ends_in_blanks_is_a_file_since_readers_take_them_off(written, fmt):
    folder, path = written
    write_copies(folder, "x", [(PLAIN, path)], fmt)
    assert " x " in {each.read_text() for each in (folder / "data" / "long_cells").iterdir()}


@pytest.mark.parametrize("fmt", ["sav", "dta"])
def test_names_are_legal_and_no_two_alike(fmt):
    names = ["with", "WITH", "if", "x" * 70, "x" * 71, "1st", "größe", "_n", "str12"]
    found = names_for(names, LIMITS[fmt])
    assert len({name.lower() for name in found.values()}) == len(names)
    assert all(name.isascii() and name.isidentifier() and len(name) <= LIMITS[fmt].name for name in found.values())
    assert not LIMITS[fmt].reserved & {name.lower() for name in found.values()}


@pytest.mark.parametrize("fmt", ["xlsx", *(pytest.param(each, marks=pytest.mark.slow) for each in ("sav", "dta"))])
def test_a_dataset_with_copies_is_whole_says_how_to_read_them_and_takes_the_place_of_itself(fmt, tmp_path):
    out = tmp_path / "dataset"
    app = copy_of(trial(), tmp_path)
    held = []
    for _ in range(2):
        export(app.context, out, fmt=fmt, public=fmt == "xlsx")
        held.append({path.name: path.read_bytes() for path in (out / "data").rglob("*") if path.is_file()})
        # The formats hold the second in which they are written, unless it is taken out.
        time.sleep(1.1)
    app.close()
    assert held[0] == held[1]
    assert verify(out).ok
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert f".{fmt}" in readme
    copies = list((out / "data").glob(f"*.{fmt}"))
    assert len(copies) == (1 if fmt == "xlsx" else len(list((out / "data").glob("*.csv"))))
    assert f"*.{fmt}" in (out / ".psychds-ignore").read_text()
    if fmt != "xlsx":
        read = pyreadstat.read_sav if fmt == "sav" else pyreadstat.read_dta
        (people,) = (out / "data").glob(f"*participants_data.{fmt}")
        frame, meta = read(str(people))
        assert len(frame) == len(csv_cells(people.with_suffix(".csv"))) - 1
        assert meta.variable_value_labels["quiz_difficulty"]


@pytest.mark.slow
@pytest.mark.parametrize(("fmt", "reader"), [("sav", "haven::read_sav"), ("dta", "haven::read_dta")])
def test_r_reads_the_same_rows(fmt, reader, written):
    if shutil.which("Rscript") is None:
        pytest.skip("needs R")
    folder, path = written
    write_copies(folder, "x", [(PLAIN, path)], fmt)
    script = f'd <- {reader}("{path.with_suffix("." + fmt)}"); cat(nrow(d), as.character(d$participant_id), sep="\\n")'
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    if "there is no package" in done.stderr:
        pytest.skip("needs haven")
    assert done.stdout.split() == ["12", *(row[0] for row in csv_cells(path)[1:])]
