"""A dataset for everybody holds nothing that people wrote, no clock time, no order and no rare answer."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, copy_of, open_app, scratch, settle, table, trial

from study_app.dataset.disclosure.coarsening import RARE, recoding_of
from study_app.dataset.disclosure.patterns import IDENTIFIERS, identifiers_in
from study_app.dataset.disclosure.payloads import public_payload
from study_app.dataset.schema import Column, compact_json
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, UserError
from study_app.domain.events import BROWSER_KINDS
from study_app.domain.records import AuditEntry
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.exporting.export import export, study_tables
from study_app.services.researcher.exporting.text_review import TextReviews

PLANTED = {
    "e-mail address": "jane.doe@example.com",
    "phone number": "+49 151 23456789",
    "network address": "203.0.113.77",
    "web address": "https://social.example/jane",
    "file path": r"C:\Users\jane.doe\thesis.py",
    "postal address": "12 Baker Street",
    "panel id": "5f3c9a1b7e2d4c6a8b0f1e2d",
    "universal id": "123e4567-e89b-12d3-a456-426614174000",
    "account name": "@janedoe",
    "long number": "matriculation 47112345",
}
PLANT = "; ".join([*PLANTED.values(), "/home/jane/notes.txt", "clipboard zebra crossing"])
MARKS = ("jane", "23456789", "203.0.113", "Baker Street", "5f3c9a1b", "123e4567", "47112345", "zebra crossing")


def planted(value):
    """The payload with the plant in each of its texts, and under keys that no page of ours sends."""
    if isinstance(value, str):
        return PLANT
    if isinstance(value, dict):
        return {key: planted(inner) for key, inner in value.items()} | {"note": PLANT, "jane": PLANT}
    return [planted(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def context():
    """One participant, in every free field of whom a plant stands: the fields follow from the schema."""
    folder, clock = scratch(), HandClock()
    app = open_app(folder, clock)
    person = Walker(app, clock).whole_way()
    Walker(app, clock).to_tasks(solve=False).begin_tasks().paste("x = 1\n")
    settle(app)
    asked = {q.id for stage in app.study.stages for q in stage.asked if q.kind == "text"}
    written = {item.id for item in app.library.bank("quizzes/trio").items if not item.options}
    schema = study_tables(app.context)
    with sqlite3.connect(folder / "study.db") as database:

        def fill(stored, column, value=PLANT, where="1"):
            database.execute(f'UPDATE {stored} SET "{column}" = ? WHERE {where}', (value,))

        for name in ("runs", "turns", "participants"):
            stored = {row[1] for row in database.execute(f"PRAGMA table_info({name})")}
            for column in schema[name].columns:
                if column.free and column.name in stored:
                    fill(name, column.name)
        marks = ",".join(f"'{name}'" for name in asked | written)
        fill("answers", "response", json.dumps(PLANT), f"item IN ({marks})")
        fill("answers", "scoring_reason", where=f"item IN ({marks})")
        if not database.execute("SELECT count(*) FROM turns").fetchone()[0]:
            row = {"id": "t1", "participant_id": person.id, "message": PLANT, "reply": PLANT, "code": PLANT}
            row |= dict.fromkeys("task assistant treatment model prompt_version".split(), "x") | {"parameters": "{}"}
            row |= {"asked_at": database.execute("SELECT enrolled_at FROM participants").fetchone()[0]}
            row |= {"stopped_by_participant": 0, "complete": 1}
            names, holes = ",".join(row), ",".join("?" * len(row))
            database.execute(f"INSERT INTO turns ({names}) VALUES ({holes})", tuple(row.values()))
        rating = ("r1", f"participant:{person.id}", PLANT, PLANT, "note", 1767603760000)
        database.execute(
            "INSERT INTO ratings (rating_id,object,rater,value,rubric,rated_at) VALUES (?,?,?,?,?,?)", rating
        )
        for number, payload, kind in database.execute("SELECT event_id, payload, kind FROM events").fetchall():
            if kind in BROWSER_KINDS and kind not in ("load", "edit"):
                fill("events", "payload", json.dumps(planted(json.loads(payload))), f"event_id = {number}")
    yield app, person.id
    app.close()


def cells(dataset):
    """(table, column) -> cells of a dataset."""
    found = {}
    for file in (dataset / "data").glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                for column, cell in row.items():
                    found.setdefault((file.name.split("_description-")[1].split("_")[0], column), []).append(cell)
    return found


def everything(dataset: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(dataset.rglob("*")) if path.is_file())


@pytest.fixture(scope="module")
def public(context, tmp_path_factory):
    app, _ = context
    out = tmp_path_factory.mktemp("public") / "dataset"
    export(app.context, out, include_preview=True, public=True)
    return out


def test_nothing_planted_in_any_free_field_is_in_a_public_dataset_and_all_of_it_in_its_report(
    context, public, tmp_path
):
    app, _ = context
    plain = tmp_path / "plain"
    export(app.context, plain, include_preview=True)
    schema = study_tables(app.context)
    held = cells(plain)
    free = {(name, column.name) for name, each in schema.items() for column in each.columns if column.free} - {
        ("allocations", "profile")
    }
    # The proof that the plants are everywhere: the plain export holds each of them in each free field.
    # Made from a run's error and from events of a study with a gate.
    derived = {("participants", "first_error_type"), ("turns", "gate_reason")}
    assert {place for place in free - derived if not any("zebra" in cell for cell in held[place])} == set()
    text = everything(public)
    assert [mark for mark in MARKS if mark in text] == []
    report = (public / "documentation" / "disclosure.md").read_text(encoding="utf-8")
    assert set(PLANTED) | {"bank account"} == set(IDENTIFIERS)
    for name, column in sorted(free - derived - {("events", "payload")}):
        for kind in PLANTED:
            assert f"| `{name}.{column}` | {kind} |" in report, (name, column, kind)
    assert "events.payload: paste_attempt, text` | e-mail address" in report
    assert "Names need a reader" in report
    # The turn is the test's own, in an arm that may have none.
    assert {finding.name for finding in verify(public).findings} <= {"assistant_in_wrong_arm", "record_without_event"}


def test_reasons_that_name_a_person_are_left_out_and_listed_and_others_stay(tmp_path):
    app = copy_of(trial(), tmp_path)
    with app.context.registry.begin() as unit:
        given = (f"asked by {PLANTED['e-mail address']}, {PLANTED['phone number']}", "the class was full")
        for reason in given:
            unit.add_audit(AuditEntry(app.context.now(), "ada", "close", reason, {}))
    export(app.context, tmp_path / "public", public=True)
    app.close()
    text = everything(tmp_path / "public")
    assert not [mark for mark in MARKS if mark in text]
    assert text.count("the class was full") >= 2
    report = (tmp_path / "public" / "documentation" / "disclosure.md").read_text(encoding="utf-8")
    assert "| `reasons of acts` | e-mail address | 1 | no |" in report
    assert "| `reasons of acts` | phone number | 1 | no |" in report


def test_the_report_counts_the_payloads_of_which_something_is_withheld_and_no_others(context, public, tmp_path):
    app, _ = context
    export(app.context, tmp_path / "plain", include_preview=True)

    def payloads(dataset):
        found = {}
        for row in table(dataset, "events"):
            kept = {key: value for key, value in json.loads(row["payload"]).items() if key != "mono_ms"}
            found.setdefault(row["participant_id"], []).append((row["kind"], kept))
        return found

    before, after = payloads(tmp_path / "plain"), payloads(public)
    pairs = [pair for who in before for pair in zip(before[who], after[who], strict=True)]
    assert all(one[0] == other[0] for one, other in pairs)
    changed = sum(one != other for one, other in pairs)
    assert 0 < changed < len(pairs)
    assert f"| `events.payload` | {changed} |" in (public / "documentation" / "disclosure.md").read_text(
        encoding="utf-8"
    )


def test_events_are_numbered_by_the_dataset_and_not_by_the_database(public):
    # The database numbers events in the order in which everybody's came.
    numbers = [int(row["event_id"]) for row in table(public, "events")]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "kind", ["gate_judged", "turn_refused", "excluded", "program_error", "notes_opened", "answer_set"]
)
def test_what_newer_events_say_in_words_is_left_out(kind):
    written = dict.fromkeys(("reason", "message", "type", "who", "title", "value", "version", "model"), PLANT)
    kept = public_payload(kind, written, frozenset(), str)
    assert not any(mark in json.dumps(kept) for mark in MARKS)


def test_planted_text_is_left_out_of_parquet_too(context, tmp_path):
    app, _ = context
    export(app.context, tmp_path / "dataset", include_preview=True, public=True, fmt="parquet")
    held = b"".join(path.read_bytes() for path in (tmp_path / "dataset").rglob("*") if path.is_file())
    assert [mark for mark in MARKS if mark.encode() in held] == []


def test_everybody_enters_at_one_moment_and_durations_stay(tmp_path):
    app = trial().app
    export(app.context, tmp_path / "public", public=True)
    assert verify(tmp_path / "public").ok
    before = {row["participant_id"]: row for row in table(trial().dataset("unsealed"), "participants")}
    for row in table(tmp_path / "public", "participants"):
        assert row["enrolled_at"] == "2000-01-01T00:00:00.000Z"
        assert row["task_minutes"] == before[row["participant_id"]]["task_minutes"]
    launched = json.loads((tmp_path / "public" / "manifest.json").read_text())["launched_at"][:10]
    for place, held in cells(tmp_path / "public").items():
        assert not any(launched in cell or f"{cell[:10]}" == launched for cell in held), place


def test_no_order_of_entry_is_left(tmp_path):
    export(trial().app.context, tmp_path / "public", public=True)
    people = [row["participant_id"] for row in table(tmp_path / "public", "participants")]
    assert people == sorted(people)
    for row in table(tmp_path / "public", "allocations"):
        assert not any(
            row[name] for name in ("allocation_index", "draw", "row_hash", "previous_hash", "levels", "salt")
        )
    events = table(tmp_path / "public", "events")
    assert [int(row["event_id"]) for row in events] == list(range(1, len(events) + 1))
    assert not (tmp_path / "public" / "documentation" / "chain.csv").exists()
    assert "participant_id" not in json.dumps(json.loads((tmp_path / "public" / "manifest.json").read_text())["audit"])


def test_a_text_stays_only_where_a_person_released_exactly_it(context, tmp_path):
    app, person = context
    reviews = TextReviews(app.context)
    line = next(
        line for line in reviews.lines("preview") if line.cell.column == "response" and line.cell.participant_id
    )
    assert "e-mail address" in line.identifiers
    assert reviews.decide("reader", "preview", [line.cell.key], True) == 1
    export(app.context, tmp_path / "public", include_preview=True, public=True)
    kept = [place for place, held in cells(tmp_path / "public").items() if any("zebra" in cell for cell in held)]
    question = next(q for s in app.study.stages for q in s.asked if q.id == line.cell.record.split("|")[2])
    assert set(kept) <= {("answers", "response"), ("participants", question.id)}
    assert "**yes: released by a person**" in (tmp_path / "public" / "documentation" / "disclosure.md").read_text()
    reviews.decide("reader", "preview", [line.cell.key], False)
    export(app.context, tmp_path / "again", include_preview=True, public=True)
    assert "zebra" not in everything(tmp_path / "again")
    with pytest.raises(NotAllowed, match="has changed or is gone"):
        reviews.decide("reader", "preview", [("answers", "response", "x|y|z", "0" * 64)], True)


def test_what_was_decided_on_a_person_goes_with_their_data(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock)
    person = Walker(app, clock).whole_way()
    reviews = TextReviews(app.context)
    reviews.decide("reader", "preview", [reviews.lines("preview")[0].cell.key], True)
    app.session.withdraw(person.id, True)
    with app.context.registry.begin(write=False) as unit:
        assert unit.text_reviews() == []
    app.close()


def column(kind="text", *levels):
    return Column("x", kind, "Asked", levels=levels, labels=tuple((level, f"label {level}") for level in levels))


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (column("text", "a", "b", "c", "d"), ["a"] * 9 + ["b"] * 6 + ["c"] * 2 + ["d"]),
        (column("integer", "1", "2", "3", "4", "5"), [1] * 8 + [2] * 2 + [3] * 7 + [5] * 3),
        (column("number"), [0.5, 1, 1, 2, 3, 3, 3, 3, 3, 7, 9, 40]),
        (column("text"), [["a"], ["a", "b"]] * 6 + [["c"]]),
    ],
)
def test_after_coarsening_no_value_is_left_to_fewer_than_k_people(asked, values):
    recoding = recoding_of(asked, values, 5)
    left = Counter(compact_json(recoding.of(value)) for value in values)
    assert min(left.values()) >= 5
    assert recoding.coarse
    described = recoding.described(asked)
    if asked.levels:
        assert {str(recoding.of(value)) for value in values} <= set(described.levels)
        assert any(" or " in label for _, label in described.labels)
    if asked.type != "text":
        assert {recoding.of(value) for value in values} <= set(values)


def test_a_question_that_fewer_than_k_answered_is_withheld_whole():
    recoding = recoding_of(column("text", "a", "b"), ["a", "a", "b"], 5)
    assert {recoding.of(value) for value in ("a", "b")} == {None}
    assert recoding_of(column("text"), [["a"]], 5).of(["a"]) == RARE


def test_a_public_export_with_names_or_programs_is_refused(context, tmp_path):
    app, _ = context
    with pytest.raises(UserError, match="leave out --identified"):
        export(app.context, tmp_path / "x", public=True, identified=True)
    request = DatasetRequest(public=True, progsnap2=tmp_path / "y")
    with pytest.raises(UserError, match="--progsnap2: holds programs"):
        app.datasets.write(tmp_path / "x", request, who="test", via="command line")


def test_an_export_with_names_says_so_and_is_its_owners_alone(context, tmp_path):
    app, _ = context
    out = tmp_path / "names"
    export(app.context, out, include_preview=True, identified=True)
    assert "This copy names people" in (out / "README.md").read_text(encoding="utf-8")
    assert all(path.stat().st_mode & 0o077 == 0 for path in (out, *out.rglob("*")))
    shutil.rmtree(out)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail jane (at) uni-x.edu", "e-mail address"),
        ("tel. (0151) 234 567 89", "phone number"),
        ("2001:db8::8a2e:370:7334 was mine", "network address"),
        ("/Users/jane/Desktop/x.py", "file path"),
        ("Hauptstraße 12 in Ulm", "postal address"),
        ("DE89 3704 0044 0532 0130 00", "bank account"),
    ],
)
def test_other_spellings_are_found_too(text, kind):
    assert kind in identifiers_in(text)


def test_programs_as_people_write_them_hold_no_identifiers_by_pattern():
    pack = trial().app.library.pack("tasks/trio_timer")
    assert identifiers_in(pack.solution) == ()


def test_the_codebook_says_of_what_is_made_anew_what_it_is_now(public):
    book = (public / "documentation" / "codebook.md").read_text(encoding="utf-8")
    said = book + (public / "README.md").read_text(encoding="utf-8")
    for of_other_datasets in ("everything that a page", "chained by hashes", "Random id of the browser page",
                              "since the page loaded", "rising in the order of storing"):  # fmt: skip
        assert of_other_datasets not in said
    events = table(public, "events")
    assert [row["event_id"] for row in events] == [str(number) for number, _ in enumerate(events, 1)]
    assert {row["page"].partition("-")[0] for row in events} == {"page", "server"}
