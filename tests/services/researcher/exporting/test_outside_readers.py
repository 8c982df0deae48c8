"""Programs that know nothing of the platform read a dataset as it was written; those that are absent are skipped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from datetime import datetime

import pytest
from support.trials.export_world import copy_of, table, trial

from study_app.dataset.schema.cells import unguard
from study_app.services.researcher.exporting.export import export

TEXTS = (
    "a\nb, c", "a\r\nb", "a\rb", "NA", "NULL", "nan", "'", "=1+1", "  both ends  ", " ", "\t", "007", "12e5", "TRUE",
    "Ümläut ß", "é 😀 שלום", "a\u2028b\x85c", "back\\slash \\n", 'a "quote" ""', '"', "\x01\x1f\x7f", "\nfirst",
    "last\n",
)  # fmt: skip
FORMATS = ("csv", "parquet", "public")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The trial with texts that programs take for something else, in every format that describes itself."""
    folder = tmp_path_factory.mktemp("hostile")
    cells = [text.replace("'", "''") for text in TEXTS]
    cases = " ".join(f"WHEN {number} THEN '{text}'" for number, text in enumerate(cells))
    statements = [
        f"UPDATE {name} SET {column} = CASE (rowid + {shift}) % {len(cells)} {cases} END"
        for name, columns in {"runs": ("code", "stdout", "stderr"), "turns": ("message", "reply")}.items()
        for shift, column in enumerate(columns)
    ]
    app = copy_of(trial(), folder, *statements)
    for name in FORMATS:
        fmt = "parquet" if name == "parquet" else "csv"
        export(app.context, folder / name, fmt=fmt, public=name == "public", include_preview=True)
    app.close()
    return folder


@pytest.mark.parametrize("name", ["csv", "public"])
def test_every_key_of_the_description_for_frictionless_holds(hostile, name):
    dataset = hostile / name
    resources = json.loads((dataset / "datapackage.json").read_text())["resources"]
    known = {row["participant_id"] for row in table(dataset, "participants")}
    keyed = 0
    for resource in resources:
        rows = table(dataset, resource["name"])
        if key := resource["schema"].get("primaryKey"):
            keyed += bool(rows)
            assert len({tuple(row[column] for column in key) for row in rows}) == len(rows), resource["name"]
        if "foreignKeys" in resource["schema"]:
            assert {row["participant_id"] for row in rows} <= known, resource["name"]
    assert keyed > 4


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("frictionless") is None, reason="frictionless is not installed")
@pytest.mark.parametrize("name", FORMATS)
def test_frictionless_finds_nothing(hostile, name):
    command = ["frictionless", "validate", "datapackage.json", "--json"]
    done = subprocess.run(command, cwd=hostile / name, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["valid"], [error["message"] for task in report["tasks"] for error in task["errors"]]
    assert len(report["tasks"]) == len(list((hostile / name / "data").glob("*_data.json")))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mlcroissant") is None, reason="mlcroissant is not installed")
@pytest.mark.parametrize("name", FORMATS)
def test_mlcroissant_finds_no_error(hostile, name):
    command = ["mlcroissant", "validate", "--jsonld", "croissant.json"]
    done = subprocess.run(command, cwd=hostile / name, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


FROM_R = """
if (!requireNamespace("jsonlite", quietly = TRUE)) quit(status = 77)
source("read.R")
texts <- function(cells) {
  texts <- if (is.numeric(cells)) sprintf("%.17g", cells)
    else if (inherits(cells, "POSIXct")) sprintf("%.3f", round(as.numeric(cells), 3))
    else enc2utf8(as.character(cells))
  texts[is.na(cells)] <- NA
  texts
}
tables <- lapply(read_dataset(), function(table) lapply(table, texts))
writeBin(charToRaw(enc2utf8(jsonlite::toJSON(tables, na = "null"))), "cells.json")
"""


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("locale", ["C.UTF-8", pytest.param("C", marks=pytest.mark.slow)])
def test_the_reader_for_r_gives_every_cell_whatever_its_text_and_the_locale(hostile, locale, tmp_path):
    dataset = shutil.copytree(hostile / "csv", tmp_path / "dataset")
    environment = os.environ | {"LC_ALL": locale, "TZ": "America/New_York"}
    run = subprocess.run(["Rscript", "-e", FROM_R], cwd=dataset, env=environment, capture_output=True, check=False)
    if run.returncode == 77:
        pytest.skip("the R package jsonlite is not installed")
    assert run.returncode == 0, run.stderr
    found = json.loads((dataset / "cells.json").read_bytes())
    met = set()
    for name, columns in found.items():
        described = {json.loads(path.read_text())["name"]: path for path in (dataset / "data").glob("*_data.json")}
        file = described[name]
        kinds = {
            each["name"]: each["additionalType"].rpartition("#")[2]
            for each in json.loads(file.read_text())["variableMeasured"]
        }
        with file.with_suffix(".csv").open(encoding="utf-8", newline="") as handle:
            header, *rows = csv.reader(handle)
        assert list(columns) == header == list(kinds)
        for number, column in enumerate(header):
            expected = [_as_r_has_it(row[number], kinds[column]) for row in rows]
            assert [_number(cell, kinds[column]) for cell in columns[column]] == expected, (name, column)
            met |= {cell for cell in expected if isinstance(cell, str)}
    assert set(TEXTS) <= met


def _as_r_has_it(cell, kind):
    if cell == "":
        return None
    if kind == "dateTime":
        return round(datetime.fromisoformat(cell).timestamp(), 3)
    if kind in ("integer", "double"):
        return float(cell)
    if kind == "boolean":
        return {"1": "TRUE", "0": "FALSE"}[cell]
    return unguard(cell) if kind == "string" else cell


def _number(cell, kind):
    return None if cell is None else float(cell) if kind in ("integer", "double", "dateTime") else cell
