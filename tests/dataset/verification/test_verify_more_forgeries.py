"""Further changes of the database before the export, in every table that an outcome rests on: each is found."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable

import pytest
from support.trials.export_world import copy_of, trial

from study_app.dataset.integrity import chain
from study_app.dataset.schema.cells import code_sha256, compact_json
from study_app.dataset.verification import verify
from study_app.domain.events import ERASED
from study_app.domain.study.study import canonical_json
from study_app.services.researcher.exporting.export import export

REAL = "participant_id IN (SELECT id FROM participants WHERE kind = 'real' AND status = 'completed')"
ONE = "participant_id = (SELECT id FROM participants WHERE kind = 'real' AND status = 'completed' LIMIT 1)"
AI = "participant_id IN (SELECT id FROM participants WHERE arm = 'ai' AND kind = 'real')"
FIRST_REAL = "(SELECT id FROM participants WHERE kind = 'real' AND status = 'completed' ORDER BY number LIMIT 1)"
LAST_REAL = "(SELECT id FROM participants WHERE kind = 'real' AND status = 'completed' ORDER BY number DESC LIMIT 1)"
PLACE = f"CASE participant_id WHEN {FIRST_REAL} THEN {LAST_REAL} ELSE {FIRST_REAL} END"
BOTH = f"participant_id IN ({FIRST_REAL}, {LAST_REAL})"

SQL: dict[str, str | list[str]] = {
    "points taken from one arm": f"UPDATE answers SET points = 0 WHERE bank != '' AND {AI}",
    "the most points of an item": f"UPDATE answers SET max_points = max_points + 1 WHERE bank != '' AND {ONE}",
    "who scored": f"UPDATE answers SET scored_by = 'rater' WHERE bank != '' AND {ONE} AND item = 'start_call'",
    "how long a question took": f"UPDATE answers SET seconds = seconds / 2 WHERE bank != '' AND {REAL}",
    "how often an answer changed": f"UPDATE answers SET changes = changes + 1 WHERE {REAL}",
    "when an answer was given": f"UPDATE answers SET saved_at = saved_at - 1 WHERE {ONE}",
    "the form of a quiz": f"UPDATE answers SET form = 'B' WHERE bank != '' AND {ONE}",
    "an answer under another stage": f"UPDATE answers SET stage = 'retention' WHERE item = 'start_call' AND {ONE}",
    "quiz answers of two people exchanged": [
        f"UPDATE answers SET participant_id = 'x' || participant_id WHERE bank != '' AND {BOTH}",
        f"UPDATE answers SET participant_id = {LAST_REAL} WHERE participant_id = 'x' || {FIRST_REAL}",
        f"UPDATE answers SET participant_id = {FIRST_REAL} WHERE participant_id = 'x' || {LAST_REAL}",
    ],
    "every verdict": "UPDATE runs SET checks = replace(checks, 'true', 'false') WHERE kind = 'submission'",
    "a check that is gone": f"UPDATE runs SET checks = '[]' WHERE kind = 'submission' AND {ONE}",
    "visible only": "UPDATE runs SET visible_only_pass = 1 WHERE kind = 'submission'",
    "how a program ended": f"UPDATE runs SET ended_by = 'time' WHERE kind = 'run' AND {ONE}",
    "a verdict put aside": f"UPDATE runs SET grading = 'failed' WHERE kind = 'submission' AND {ONE}",
    "how often a grading was repeated": f"UPDATE runs SET repeats = 9 WHERE kind = 'submission' AND {ONE}",
    "a suspicious import that is gone": f"UPDATE runs SET review = '[\"socket\"]' WHERE kind = 'submission' AND {ONE}",
    "under which isolation it ran": f"UPDATE runs SET isolation = 'weak' WHERE {ONE}",
    "the seed of the scheduler": f"UPDATE runs SET scheduler_seed = 1 WHERE {ONE}",
    "a run under another person": f"UPDATE runs SET participant_id = {LAST_REAL} WHERE participant_id = {FIRST_REAL}",
    "a run that is gone": f"DELETE FROM runs WHERE kind = 'run' AND {ONE}",
    "the text of a query": f"UPDATE turns SET message = 'Write all of it.' WHERE {AI}",
    "what the assistant said": f"UPDATE turns SET reply = reply || ' No.' WHERE {AI}",
    "which model answered": f"UPDATE turns SET model = 'another' WHERE {AI}",
    "tokens of a reply": f"UPDATE turns SET output_tokens = 7 WHERE {AI}",
    "how long a reply took": f"UPDATE turns SET total_seconds = 9 WHERE {AI}",
    "every turn of a person": f"DELETE FROM turns WHERE {AI}",
    "a deadline by which a stage ended": f"UPDATE visits SET ended_by = 'deadline' WHERE stage = 'quiz' AND {ONE}",
    "a stage without a visit": f"DELETE FROM visits WHERE stage = 'warmup' AND {ONE}",
    "all of a stage faster": (
        "UPDATE visits SET ended_at = started_at + (ended_at - started_at) * 6 / 10 WHERE stage = 'tasks'"
    ),
    "an arm in participants": (
        f"UPDATE participants SET arm = CASE arm WHEN 'ai' THEN 'no_ai' ELSE 'ai' END WHERE id = {FIRST_REAL}"
    ),
    "a stratum": f"UPDATE participants SET stratum = 'other' WHERE id = {FIRST_REAL}",
    "a preview that becomes real": "UPDATE participants SET kind = 'real' WHERE kind = 'preview'",
    "a real person who becomes a preview": f"UPDATE participants SET kind = 'preview' WHERE id = {FIRST_REAL}",
    "the moment of an allocation": f"UPDATE participants SET allocated_at = allocated_at + 1 WHERE id = {FIRST_REAL}",
    "the version of a consent": f"UPDATE participants SET study_hash = '{'0' * 64}' WHERE id = {FIRST_REAL}",
    "a withdrawal that is taken back": "UPDATE participants SET status = 'in_progress' WHERE status = 'withdrawn'",
    "a row of the ledger": "UPDATE allocations SET row = replace(row, '\"no_ai\"', '\"ai\"') WHERE ledger = 'real'",
    "the last row of the ledger": "DELETE FROM allocations WHERE number = (SELECT max(number) FROM allocations)",
    "the reason of an exclusion": "UPDATE audit SET why = 'other' WHERE what = 'exclude'",
    "who excluded": "UPDATE audit SET who = 'another' WHERE what = 'exclude'",
    "an event's kind": f"UPDATE events SET kind = 'blur' WHERE kind = 'edit' AND {ONE}",
    "an event that came late": f"UPDATE events SET arrived_late = 1 WHERE kind = 'edit' AND {ONE}",
    "a page's own clock": f"UPDATE events SET mono_ms = mono_ms + 1000 WHERE page != 'server' AND {ONE}",
    "two events exchanged": (
        f"UPDATE events SET payload = (SELECT payload FROM events WHERE kind = 'edit' AND {ONE} ORDER BY event_id DESC "
        f"LIMIT 1) WHERE event_id = (SELECT event_id FROM events WHERE kind = 'edit' AND {ONE} LIMIT 1)"
    ),
    "an outage": (
        "INSERT INTO events (participant_id, page, seq, kind, stage, server_time, payload, arrived_late) SELECT "
        "participant_id, 'server', 9998, 'outage', 'tasks', server_time, '{\"seconds\": 300}', 0 FROM events "
        f"WHERE page = 'server' AND kind = 'task_submitted' AND {ONE} LIMIT 1"
    ),
    "the text of the protocol": "UPDATE versions SET text = replace(text, '0.95', '0.8')",
    "why the protocol was changed": "UPDATE versions SET reason = 'other'",
    "when the study was launched": "UPDATE meta SET value = '2025-01-01T00:00:00+00:00' WHERE key = 'launched_at'",
    "the registration": "UPDATE meta SET value = replace(value, '0.95', '0.80') WHERE key = 'prereg'",
    "the commitment to the seed": "UPDATE meta SET value = '00' WHERE key = 'commitment'",
    "a wave that was closed": "INSERT INTO meta (key, value) VALUES ('closed_wave', '1')",
    "a look that was invented": (
        "INSERT INTO meta (key, value) VALUES ('interim_looks:real', "
        '\'[{"look": 1, "n": 4, "kind": "real", "decision": "stop", "digest": "00"}]\')'
    ),
    "hashes of the materials": "UPDATE versions SET materials = replace(materials, 'a', 'b')",
    "the first entry of the audit log": "DELETE FROM audit WHERE number = (SELECT min(number) FROM audit)",
    "the last entry of the audit log": "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
    "when a person finished": f"UPDATE participants SET finished_at = finished_at + 60000 WHERE id = {FIRST_REAL}",
    "a person's language": f"UPDATE participants SET language = 'de' WHERE id = {FIRST_REAL}",
    "how sure a person was": f"UPDATE answers SET confidence = 0.5 WHERE bank != '' AND {ONE}",
    "why an answer has no points": (
        f"UPDATE answers SET scoring_reason = 'unclear', points = NULL WHERE item = 'start_call' AND {ONE}"
    ),
    "what a program printed": f"UPDATE runs SET stdout = 'ok' WHERE {ONE}",
    "the line of an error": f"UPDATE runs SET error_line = 3 WHERE {ONE}",
    "when a program was run": f"UPDATE runs SET started_at = started_at - 1000 WHERE {ONE}",
    "the parameters of a model": f"UPDATE turns SET parameters = '{{}}' WHERE {AI}",
    "how long a query was composed": f"UPDATE turns SET composing_seconds = 1 WHERE {AI}",
    "a deadline": f"UPDATE visits SET deadline_at = deadline_at + 600000 WHERE {ONE}",
    "the stage of an event": f"UPDATE events SET stage = 'quiz' WHERE kind = 'edit' AND {ONE}",
    "a browser's own time": f"UPDATE events SET client_time_ms = client_time_ms + 5000 WHERE {ONE}",
    "no signature of the head": "UPDATE chains SET mac = NULL",
    "when the protocol was locked": "UPDATE versions SET locked_at = locked_at - 86400000",
}
"""What is done, in SQL."""


def audit_with_every_hash(database: sqlite3.Connection) -> None:
    """Another reason of the exclusion, and the audit log's hashes computed anew."""
    database.execute("UPDATE audit SET why = 'for no reason' WHERE what = 'exclude'")
    database.row_factory = sqlite3.Row
    previous = ""
    for row in database.execute("SELECT * FROM audit ORDER BY number").fetchall():
        entry = {name: row[name] for name in ("who", "what", "why")} | {"detail": json.loads(row["detail"])}
        at = _moment(row["at"])
        body = entry | {"at": at, "previous_hash": previous, "row_hash": ""}
        digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        values = (previous, digest, row["number"])
        database.execute("UPDATE audit SET previous_hash = ?, row_hash = ? WHERE number = ?", values)
        previous = digest


def _moment(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def program_with_its_hash(database: sqlite3.Connection, *, edits: str = "true") -> None:
    """Another program, and the hash that the server's own event has of it."""
    code = "print('forged')\n"
    row = database.execute(f"SELECT id FROM runs WHERE kind = 'submission' AND {ONE}").fetchone()
    database.execute("UPDATE runs SET code = ? WHERE id = ?", (code, row[0]))
    events = database.execute("SELECT event_id, payload FROM events WHERE kind = 'task_submitted'").fetchall()
    for number, payload in events:
        logged = json.loads(payload)
        if logged.get("run_id") == row[0]:
            logged |= {"code_sha256": code_sha256(code), "as_edited": json.loads(edits)}
            database.execute("UPDATE events SET payload = ? WHERE event_id = ?", (json.dumps(logged), number))


def program_with_its_hash_and_no_page(database: sqlite3.Connection) -> None:
    """As before, and neither row nor event names the page whose edits could be compared."""
    program_with_its_hash(database)
    database.execute(f"UPDATE runs SET page = NULL, seq = NULL WHERE kind = 'submission' AND {ONE}")
    for number, payload in database.execute(
        f"SELECT event_id, payload FROM events WHERE kind = 'task_submitted' AND {ONE}"
    ).fetchall():
        logged = json.loads(payload) | {"page": None, "seq": None}
        database.execute("UPDATE events SET payload = ? WHERE event_id = ?", (json.dumps(logged), number))


def last_entries_of_the_chain(database: sqlite3.Connection) -> None:
    """The last states of answers leave the chain, and its length goes back to where it was before."""
    position = database.execute("SELECT max(position) FROM chain_entries").fetchone()[0]
    database.execute("DELETE FROM chain_entries WHERE position > ?", (position - 3,))
    database.execute("UPDATE chains SET position = ?", (position - 3,))


def erased(kind: str) -> Callable[[sqlite3.Connection], None]:
    """A tombstone where the platform sets none, so that the chain of records still holds."""

    def forge(database: sqlite3.Connection) -> None:
        query = f"SELECT event_id, payload, opening FROM events WHERE kind = '{kind}' AND {ONE} LIMIT 1"
        number, payload, opening = database.execute(query).fetchone()
        body = chain.body_of(opening, compact_json(json.loads(payload)).encode())
        values = (json.dumps(ERASED), body, number)
        database.execute("UPDATE events SET payload = ?, opening = ? WHERE event_id = ?", values)

    return forge


CODE: dict[str, Callable[[sqlite3.Connection], None]] = {
    "the audit log with every hash": audit_with_every_hash,
    "a program with its hash": program_with_its_hash,
    "a program with its hash and no page": program_with_its_hash_and_no_page,
    "the end of the chain": last_entries_of_the_chain,
    **{f"an erased event ({kind})": erased(kind) for kind in ("edit", "answered", "task_submitted", "stage_ended")},
}
REPRESENTATIVES = {"what the assistant said", "a program with its hash and no page", "an erased event (answered)"}
ALL = [pytest.param(w, marks=[] if w in REPRESENTATIVES else pytest.mark.slow) for w in (*SQL, *CODE)]


def found_after(folder, what: str, *, chain: bool = True) -> tuple[set[str], int]:
    """Names of the findings, and how many speak of tampering."""
    statements = SQL.get(what, ())
    app = copy_of(trial(), folder, *([statements] if isinstance(statements, str) else statements), sealed=True)
    if what in CODE:
        with sqlite3.connect(folder / "study.db") as database:
            CODE[what](database)
    export(app.context, folder / "dataset")
    app.close()
    if not chain:
        manifest = json.loads((folder / "dataset" / "manifest.json").read_text())
        del manifest["chain"]
        (folder / "dataset" / "manifest.json").write_text(json.dumps(manifest | {"signature": None}))
    report = verify(folder / "dataset")
    return {finding.name for finding in report.findings}, report.classes["tampering"]


@pytest.mark.parametrize("what", ALL)
def test_every_further_change_of_the_database_is_found(what, tmp_path):
    names, tampering = found_after(tmp_path, what)
    assert tampering, names


@pytest.mark.parametrize("what", ["a program with its hash", "a program with its hash and no page"])
def test_a_program_exchanged_with_its_hash_is_found_without_the_chain_too(what, tmp_path):
    names, tampering = found_after(tmp_path, what, chain=False)
    assert tampering, names
