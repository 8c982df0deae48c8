"""A participant column is declared once and computed once; everything else follows from the declaration."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.trials import added_column
from support.trials.export_world import ROOT, table, trial

COLUMN = "query_chars"
CAPTION = "Characters of all messages to the assistant"
DECLARED = (
    "dataset/schema/participant_columns.py",
    '        integer("queries", "Messages to the assistant", "queries"),\n',
    f'        integer("{COLUMN}", "{CAPTION}", "characters"),\n',
)
COMPUTED = (
    "dataset/measures/assistant.py",
    '    row: dict[str, Any] = {"queries": len(turns), **coding.counts(record, codes)}\n',
    f'    row["{COLUMN}"] = sum(len(turn.message) for turn in turns)\n',
)


def tree_with_column(folder: Path) -> Path:
    """The code of the app and the analysis, the column added: links, but for the two files."""
    for package in ("study_app", "analysis"):
        shutil.copytree(ROOT / package, folder / package, copy_function=os.symlink)
    for file, after, line in (DECLARED, COMPUTED):
        path = folder / "study_app" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(after) == 1
        path.unlink()
        path.write_text(text.replace(after, after + line), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """State of the trial -> its exports by the changed code, and what that makes of the column."""
    tree = tree_with_column(tmp_path_factory.mktemp("tree"))
    folders = {state: tmp_path_factory.mktemp(state) for state in ("unsealed", "closed")}
    for state, folder in folders.items():
        with sqlite3.connect(trial().folder / "study.db") as source, sqlite3.connect(folder / "study.db") as target:
            source.backup(target)
            target.execute("UPDATE meta SET value = ? WHERE key = 'state'", (state,))
    given = [trial().folder / "study.toml", trial().clock.at.isoformat(), COLUMN, *folders.values()]
    path = os.pathsep.join([str(tree), str(ROOT / "tests")])
    command = [sys.executable, added_column.__file__, *map(str, given)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(folders, zip(folders.values(), json.loads(done.stdout), strict=True), strict=True))


def test_a_column_that_is_added_shows_wherever_columns_do(read):
    folder, found = read["unsealed"]
    dataset = folder / "csv"
    asked = {turn["participant_id"]: len(turn["message"]) for turn in table(dataset, "turns")}
    assert asked
    (file,) = (folder / "parquet" / "data").glob("*participants_data.parquet")
    assert pq.read_schema(file).field(COLUMN).metadata[b"description"].decode() == CAPTION
    cells = {row["participant_id"]: int(row[COLUMN]) for row in pq.read_table(file).to_pylist() if row[COLUMN]}
    written = {
        row["participant_id"]: row[COLUMN] for row in table(dataset, "participants") if row[COLUMN] not in ("", "0")
    }
    assert {name: str(size) for name, size in asked.items()} == written
    assert cells == asked
    (sidecar,) = (dataset / "data").glob("*participants_data.json")
    (described,) = (e for e in json.loads(sidecar.read_text())["variableMeasured"] if e["name"] == COLUMN)
    assert (described["description"], described["unitText"], described["minValue"]) == (CAPTION, "characters", 0)
    assert f"| `{COLUMN}` |" in (dataset / "documentation" / "codebook.md").read_text(encoding="utf-8")
    assert found["type"] == "float64"
    assert sorted(filter(None, found["values"])) == sorted(asked.values())
    assert found["honest"] == {}
    assert any(COLUMN in what and "12345" in what for what in found["forged"])


def test_a_column_that_tells_an_arm_is_withheld_while_arms_are(read):
    folder, found = read["closed"]
    assert found["values"] == []
    assert {row[COLUMN] for row in table(folder / "csv", "participants")} == {""}
    manifest = json.loads((folder / "csv" / "manifest.json").read_text(encoding="utf-8"))
    assert COLUMN in manifest["withheld"]["columns"]["participants"]
