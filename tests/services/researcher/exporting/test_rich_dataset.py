"""One trial with factors, clusters, agent, probes, interview and two sessions keeps the promises of a dataset."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from contextlib import closing

import openpyxl
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape
from support.trials.quiz_study import simulated
from support.trials.rich_study import rich_study

from study_app.bootstrap import start
from study_app.dataset.schema.cells import unguard
from study_app.dataset.verification import verify
from study_app.domain.events.details import named_fields
from study_app.domain.events.kinds import KINDS
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.reimport import reimport
from study_app.settings import Settings
from study_app.storage.restored_rows import put_back

pytestmark = pytest.mark.slow
PLANT = "jane.doe@example.com, +49 151 23456789, /home/jane/x.py, 12 Baker Street, 5f3c9a1b7e2d4c6a8b0f1e2d, zebra"
MARKS = ("jane", "23456789", "Baker Street", "5f3c9a1b", "zebra")
FROM_PEOPLE = {
    "answer_edit": ("changes",),
    "answer_set": ("value",),
    "agent_proposed": ("input",),
    "agent_acted": ("result",),
    "agent_decided": ("words",),
    "interview_asked": ("question",),
    "interview_answered": ("answer",),
    "interview_closed": ("summary",),
    "interview_rated": ("missing",),
}
"""Kind of event -> the keys under which words of people, or of models that answer them, may stand."""


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Return the folder of a simulated trial, and its dataset."""
    folder = tmp_path_factory.mktemp("rich")
    rich_study(folder)
    _, dataset = simulated(folder, participants=4, seed=3)
    return folder, dataset


def over(folder, database):
    return start(Settings(folder / "study.toml", f"sqlite:///{database}", folder / "var", environment={}))


def tables(dataset):
    return {path.name: path.read_bytes() for path in (dataset / "data").iterdir()}


def rows(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


def test_every_table_has_rows_and_verify_finds_nothing(rich):
    _, dataset = rich
    filled = {path.stem.split("_description-")[1].split("_")[0] for path in (dataset / "data").glob("*.csv")
              if len(rows(path)) > 1}  # fmt: skip
    assert {"agentActions", "interviews", "interviewTurns", "probes", "sessions", "turns", "answers"} <= filled
    assert verify(dataset).ok


def test_it_comes_back_with_the_same_bytes(rich, tmp_path):
    folder, dataset = rich
    app = over(folder, tmp_path / "again.db")
    reimport(app.context, dataset, put_back, who="test")
    export(app.context, tmp_path / "again", include_simulated=True)
    app.close()
    expected, found = tables(dataset), tables(tmp_path / "again")
    assert [name for name in expected if found.get(name) != expected[name]] == []
    assert verify(tmp_path / "again").ok, verify(tmp_path / "again").lines()


def test_parquet_and_workbook_have_every_cell_of_the_csv(rich, tmp_path):
    folder, dataset = rich
    app = over(folder, folder / "study.db")
    for fmt in ("parquet", "xlsx"):
        export(app.context, tmp_path / fmt, include_simulated=True, fmt=fmt)
    app.close()
    (book,) = (tmp_path / "xlsx" / "data").glob("*.xlsx")
    sheets = openpyxl.load_workbook(book)
    for path in sorted((dataset / "data").glob("*.csv")):
        header, *cells = rows(path)
        held = pq.read_table(tmp_path / "parquet" / "data" / f"{path.stem}.parquet")
        assert held.column_names == header, path.name
        assert held.num_rows == len(cells), path.name
        texts = [n for n, field in enumerate(held.schema) if str(field.type) == "string"]
        for number in texts:
            assert [unguard(row[number]) for row in cells] == [v or "" for v in held.column(number).to_pylist()]
        name = path.stem.split("_description-")[1].split("_")[0]
        sheet = next(each for each in sheets if each.title.replace("_", "").lower() == name.lower())
        shown = [[unescape(c) if isinstance(c, str) else c for c in row] for row in sheet.values][1:]
        for number in texts:
            pairs = zip(cells, shown, strict=True)
            assert all(
                unguard(row[number]) == (other[number] or "") or str(other[number]).startswith("[data/long_cells/")
                for row, other in pairs
            ), (path.name, header[number])


def test_nothing_that_people_wrote_is_in_a_dataset_for_everybody(rich, tmp_path):
    folder, _ = rich
    shutil.copy(folder / "study.db", tmp_path / "planted.db")
    planted = set()
    with closing(sqlite3.connect(tmp_path / "planted.db")) as database, database:
        for number, kind, payload in database.execute("SELECT event_id, kind, payload FROM events").fetchall():
            said = json.loads(payload)
            for key in FROM_PEOPLE.get(kind, ()):
                assert key in {field.key for field in named_fields(KINDS[kind])}, (kind, key)
                if said.get(key):
                    planted.add(kind)
                    said[key] = _with_plant(said[key])
            stored = json.dumps(said, sort_keys=True, separators=(",", ":"))
            database.execute("UPDATE events SET payload = ? WHERE event_id = ?", (stored, number))
        for table, names in {"runs": ("code", "stdout", "stderr"), "turns": ("message", "reply", "code")}.items():
            for name in names:
                database.execute(f"UPDATE {table} SET {name} = coalesce({name}, '') || ?", (PLANT,))
        database.execute("UPDATE answers SET response = ? WHERE item IN ('notes', 'feedback')", (json.dumps(PLANT),))
    assert {"interview_answered", "interview_asked", "agent_proposed", "agent_acted", "answer_edit"} <= planted
    app = over(folder, tmp_path / "planted.db")
    export(app.context, tmp_path / "public", include_simulated=True, public=True)
    app.close()
    held = {path: path.read_bytes() for path in (tmp_path / "public").rglob("*") if path.is_file()}
    assert [(path.name, mark) for path, said in held.items() for mark in MARKS if mark.encode() in said] == []
    report = (tmp_path / "public" / "documentation" / "disclosure.md").read_text(encoding="utf-8")
    for place in ("agent_actions.input", "agent_actions.result", "interview_turns.answer", "turns.message",
                  "runs.stdout", "participants.notes", "participants.feedback"):  # fmt: skip
        assert f"| `{place}` | e-mail address |" in report, place


def _with_plant(said):
    if isinstance(said, str):
        return f"{said} {PLANT}"
    if isinstance(said, dict):
        return {key: _with_plant(value) for key, value in said.items()}
    if isinstance(said, list):
        return [each | {"insert": each["insert"] + PLANT} if "insert" in each else each for each in said]
    return said


def test_nothing_that_an_erased_person_wrote_is_in_the_files_of_the_database(rich, tmp_path):
    folder, dataset = rich
    (people,) = (dataset / "data").glob("*_description-interviewTurns_data.csv")
    header, *asked = rows(people)
    who, answer = header.index("participant_id"), header.index("answer")
    given = [row for row in asked if len(row[answer]) > 20]
    others = {row[answer] for row in given if row[who] != given[0][who]}
    mine = "zebra0crossing0seventeen"
    shutil.copy(folder / "study.db", tmp_path / "study.db")
    with closing(sqlite3.connect(tmp_path / "study.db")) as database, database:
        for table in ("events", "runs", "turns", "answers"):
            column = {"events": "payload", "runs": "code", "turns": "message", "answers": "response"}[table]
            given_by = f"SELECT rowid, {column} FROM {table} WHERE participant_id = ?"
            for number, said in database.execute(given_by, (given[0][who],)).fetchall():
                marked = _marked(said, mine) if column in ("payload", "response") else f"{said} {mine}"
                database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (marked, number))
    with closing(sqlite3.connect(tmp_path / "study.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "study.db").read_bytes().count(mine.encode()) > 100
    app = over(folder, tmp_path / "study.db")
    app.session.withdraw(given[0][who], True)
    app.session.sweep()
    left = {path.name for path in tmp_path.iterdir() if path.is_file() and mine.encode() in path.read_bytes()}
    app.close()
    assert left == set()
    kept = (tmp_path / "study.db").read_bytes()
    assert all(said.encode() in kept for said in others if said.isascii() and '"' not in said)


def _marked(text, mark):
    """The JSON with a mark in each text that people could have written."""
    value = json.loads(text)
    if isinstance(value, dict):
        return json.dumps(value | {"note": mark}, sort_keys=True, separators=(",", ":"))
    return json.dumps(f"{value} {mark}") if isinstance(value, str) else text
