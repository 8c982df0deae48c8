"""What an administrator changes in the database before the export is found by the chain of records."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.export_world import copy_of, open_app, trial

from study_app.dataset.integrity import chain
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.storage.backfill import join_what_is_stored
from study_app.storage.engine import DatabaseEngine

QUIZ = "bank != ''"
AI = "participant_id IN (SELECT id FROM participants WHERE arm = 'ai')"
ONE = "participant_id = (SELECT id FROM participants WHERE kind = 'real' AND status = 'completed' LIMIT 1)"

FORGERIES = {
    "all points of one arm": f"UPDATE answers SET points = max_points WHERE {QUIZ} AND {AI}",
    "one response": f"UPDATE answers SET response = '\"b\"' WHERE {QUIZ} AND {ONE} AND item = 'start_call'",
    "the version of a key": f"UPDATE answers SET key_version = 'aaaaaaaaaaaa' WHERE {QUIZ} AND {ONE}",
    "hidden verdicts": f"UPDATE runs SET checks = replace(checks, 'false', 'true') WHERE kind = 'run' AND {ONE}",
    "the program that was handed in": f"UPDATE runs SET code = '# nothing' WHERE kind = 'submission' AND {ONE}",
    "what a program printed": f"UPDATE runs SET stdout = 'fine' WHERE {ONE}",
    "errors": f"UPDATE runs SET error_type = 'ValueError' WHERE {ONE}",
    "the end of a stage": f"UPDATE visits SET ended_at = ended_at - 300000 WHERE stage = 'tasks' AND {ONE}",
    "the beginning of a stage": f"UPDATE visits SET started_at = started_at + 60000 WHERE stage = 'quiz' AND {ONE}",
    "a withdrawal of data": "UPDATE participants SET data_withdrawn = 1 WHERE arm = 'ai' AND status = 'completed'",
    "an exclusion": "UPDATE participants SET exclusion_reason = 'x' WHERE arm = 'no_ai' AND exclusion_reason IS NULL",
    "an exclusion taken back": "UPDATE participants SET exclusion_reason = NULL WHERE exclusion_reason IS NOT NULL",
    "a status": "UPDATE participants SET status = 'withdrawn' WHERE arm = 'ai' AND status = 'completed'",
    "a self-report": f"UPDATE answers SET response = '\"other\"' WHERE item = 'other_ai_used' AND {ONE}",
    "an absence": f"DELETE FROM events WHERE page != 'server' AND kind != 'edit' AND {ONE}",
    "who made an edit": "UPDATE events SET payload = replace(payload, 'typed', 'paste') WHERE kind = 'edit'",
    "the time of an event": f"UPDATE events SET server_time = server_time + 1 WHERE kind = 'edit' AND {ONE}",
    "the last page of the log": "DELETE FROM events WHERE event_id = (SELECT max(event_id) FROM events)",
    "the events of one person": f"DELETE FROM events WHERE {ONE}",
    "an answer that is gone": f"DELETE FROM answers WHERE item = 'colours' AND {ONE}",
    "an event that never was": (
        "INSERT INTO events (participant_id, page, seq, kind, stage, server_time, payload) SELECT participant_id, "
        "'server', 9999, 'outage', 'tasks', server_time, '{}' FROM events WHERE page = 'server' LIMIT 1"
    ),
    "a payload declared erased": f"UPDATE events SET payload = '{{\"erased\":true}}' WHERE kind = 'edit' AND {ONE}",
}
NAMED = {"row_differs_from_chain", "row_removed", "row_added", "chain_broken"}
REPRESENTATIVES = {"all points of one arm", "the end of a stage", "an absence", "an exclusion"}


def dataset(folder, *statements):
    app = copy_of(trial(), folder, *statements, sealed=True)
    export(app.context, folder / "dataset")
    return folder / "dataset"


def names(report):
    return {finding.name for finding in report.findings}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "what", [pytest.param(w, marks=[] if w in REPRESENTATIVES else pytest.mark.slow) for w in FORGERIES]
)
def test_a_change_of_the_database_before_the_export_is_found(what, tmp_path):
    assert names(verify(dataset(tmp_path, FORGERIES[what]))) & NAMED


CHECKED = """
N files against the manifest
N version(s) of the study against their hashes
commitment, first version and plan against the registration
the signature of the study's server, over the manifest and so over every file
N records against their hashes
N tables against the codebook
the audit log's chain, as found at export
the seed is the one committed to at launch
ledger real: N allocations chained and recomputed from the seed
N participants against the ledgers
N events in sequence; N programs against the replay of their edits
derived columns against the tables they come from
every row belongs to a participant
N turns: none in an arm without an assistant
runs, submissions, turns, visits and statuses against the log
moments, programs and quiz answers against the log's own word of them
N visits in order
every row of the database against the chain of records, at the export
N rows against the chain of records, N of them erased
"""
"""`N`: so many as the trial holds."""


def test_an_untouched_database_has_nothing_to_find_and_the_report_names_every_check(tmp_path):
    report = verify(dataset(tmp_path))
    assert report.ok, report.lines()
    assert [re.sub(r"\d+", "N", line) for line in report.passed] == CHECKED.strip().splitlines()


def appended(folder, table, sql, entry_of):
    """Forge a row and append its new state to the chain, head and all, as the platform itself would have done."""
    with sqlite3.connect(folder / "study.db") as database:
        database.row_factory = sqlite3.Row
        database.execute(sql)
        for row in database.execute(f"SELECT * FROM {table} WHERE {QUIZ} AND {ONE}").fetchall():
            stored = entry_of(dict(row))
            number, position, head = database.execute("SELECT id, position, head FROM chains").fetchone()
            entry = chain.ChainEntry(
                table, chain.key_of(table, stored), False, b"s" * 16, chain.content_of(table, stored)
            )
            database.execute(
                'INSERT INTO chain_entries (chain, position, "table", key, participant_id, final, opening, digest) '
                "VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
                (number, position + 1, table, json.dumps(entry.key), row["participant_id"], b"s" * 16, entry.digest),
            )
            head = chain.link(head, entry.digest)
            database.execute("UPDATE chains SET position = ?, head = ? WHERE id = ?", (position + 1, head, number))


def test_a_forged_state_appended_to_the_chain_lacks_the_servers_signature(tmp_path):
    base = trial()
    app = copy_of(base, tmp_path, sealed=True)

    def stored(row):
        moment = app.context.clock.now().fromtimestamp(row["saved_at"] / 1000, app.context.clock.now().tzinfo)
        return row | {"response": json.loads(row["response"]), "saved_at": moment}

    appended(tmp_path, "answers", f"UPDATE answers SET points = max_points WHERE {QUIZ} AND {ONE}", stored)
    export(app.context, tmp_path / "dataset")
    assert "chain_unsigned" in names(verify(tmp_path / "dataset"))


def rechained(folder):
    """Compute the whole chain anew over what the database now holds."""
    with sqlite3.connect(folder / "study.db") as database:
        database.execute("UPDATE events SET chain = NULL, position = NULL, opening = NULL, digest = NULL")
        database.execute("DELETE FROM chain_entries")
        database.execute("DELETE FROM chains")
        database.execute("DELETE FROM meta WHERE key = 'rows_joined'")


def test_a_history_written_anew_is_found_by_a_head_that_was_kept_elsewhere(tmp_path):
    base = trial()
    with base.app.context.registry.begin(write=False) as unit:
        kept = [head.head for head in unit.chain_heads()]
    copy_of(base, tmp_path, FORGERIES["all points of one arm"], sealed=True).close()
    rechained(tmp_path)
    database = DatabaseEngine(f"sqlite:///{tmp_path}/study.db")
    with database.begin(write=True) as connection:
        join_what_is_stored(connection)
    database.close()
    app = open_app(tmp_path, base.clock, base.folder / "study.toml")
    export(app.context, tmp_path / "dataset")
    assert "history_rewritten" in names(verify(tmp_path / "dataset", heads=kept))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=12), st.data())
def test_any_change_of_any_entry_changes_the_head(contents, data):
    def head(all_of_them):
        found = chain.GENESIS
        for content in all_of_them:
            found = chain.link(found, chain.digest("answers", ("k",), True, chain.body(b"salt" * 4, content)))
        return found

    place = data.draw(st.integers(0, len(contents) - 1))
    other = data.draw(st.binary(max_size=40).filter(lambda content: content != contents[place]))
    assert head(contents) != head([*contents[:place], other, *contents[place + 1 :]])
    assert head(contents) != head(contents[:place] + contents[place + 1 :])


def test_an_erased_body_still_gives_the_digest_and_does_not_give_the_content():
    salt, content = chain.new_salt(), b'{"text":"a name"}'
    kept = chain.body(salt, content)
    assert chain.body_of(kept, b'{"erased":true}') == chain.body_of(salt, content)
    assert kept != hashlib.sha256(content).digest()
