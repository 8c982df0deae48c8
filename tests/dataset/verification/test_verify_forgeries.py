"""Edits that leave figures, hashes and counts in order: found by records, registration, signature and anchors."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.trials.export_world import copy_of, trial
from test_verify_tampering import Forger, Rows, completed, names
from typer.testing import CliRunner

from study_app.cli import app
from study_app.dataset.schema.versions import read_version
from study_app.dataset.verification import verify
from study_app.domain.allocation import draws
from study_app.domain.ledger import Anchor, LedgerReplay, LedgerRow, Version, append, genesis, rehash
from study_app.domain.ledger.commitment import commitment
from study_app.services.researcher.exporting.export import export


def cell(table: str, column: str, value: str, where: Callable[[dict[str, str]], bool] = bool):
    """Write another value into one cell."""

    def edit(forger: Forger) -> None:
        forger.change(table, where, **{column: value})

    edit.__name__ = f"{table}_{column}"
    return edit


def without(rows: Rows, index: int) -> Rows:
    return rows[:index] + rows[index + 1 :]


def tail_of_a_page(forger: Forger) -> None:
    rows = forger.rows("events")
    forger.write("events", without(rows, max(i for i, row in enumerate(rows) if row["page"] != "server")))


def whole_page(forger: Forger) -> None:
    rows = forger.rows("events")
    page = [row["page"] for row in rows if row["page"] != "server"][-1]
    forger.write("events", [row for row in rows if row["page"] != page])


def edits_and_program_alike(forger: Forger) -> None:
    """Every mention of a word, in the log and in the programs: the replay still fits."""
    for table, column in (("events", "payload"), ("runs", "code"), ("turns", "code")):
        rows = forger.rows(table)
        for row in rows:
            row[column] = row[column].replace("nursery", "nurserx")
        forger.write(table, rows)


def somebody_never_came(forger: Forger) -> None:
    gone = next(row["participant_id"] for row in forger.rows("participants") if not row["arm"])
    for table in ("participants", "visits", "events", "runs", "turns", "answers"):
        forger.write(table, [row for row in forger.rows(table) if row["participant_id"] != gone])


def chain_of(forger: Forger, rows: list[LedgerRow]) -> None:
    """The ledger's rows chained anew, and its head and length as the manifest states them."""
    chained: list[LedgerRow] = []
    for row in rows:
        previous = {"previous_hash": chained[-1].row_hash} if chained else {}
        chained.append(rehash(LedgerRow(**{**vars(row), **previous})))
    forger.write("allocations", [{name: str(value) for name, value in row.record().items()} for row in chained])
    manifest = forger.manifest
    manifest["ledgers"]["real"] |= {"head": chained[-1].row_hash, "rows": len(chained)}
    forger.save(manifest)


def tail_of_the_chain(forger: Forger) -> None:
    """The last person allocated is gone from the ledger and from every table."""
    rows = [LedgerRow.parse(row) for row in forger.rows("allocations")]
    for table in ("participants", "visits", "events", "runs", "turns", "answers"):
        forger.write(table, [row for row in forger.rows(table) if row["participant_id"] != rows[-1].participant_id])
    chain_of(forger, rows[:-1])


def tail_of_the_ledger(forger: Forger) -> None:
    """The last row of the ledger is gone, and its person was never allocated."""
    rows = [LedgerRow.parse(row) for row in forger.rows("allocations")]
    blank = dict.fromkeys(("arm", "stratum", "allocation_index", "allocated_at"), "")
    forger.change("participants", lambda row: row["participant_id"] == rows[-1].participant_id, **blank)
    chain_of(forger, rows[:-1])


def people_change_places(forger: Forger) -> None:
    """Two people of different arms take each other's place, in the ledger and in participants."""
    rows = [LedgerRow.parse(row) for row in forger.rows("allocations")]
    a, b = next((i, j) for i in range(len(rows)) for j in range(i) if rows[i].arm != rows[j].arm)
    payload = ("participant_id", "profile", "salt")
    rows[a], rows[b] = (
        LedgerRow(**{**vars(rows[place]), **{name: getattr(rows[other], name) for name in payload}})
        for place, other in ((a, b), (b, a))
    )
    chain_of(forger, rows)
    people = forger.rows("participants")
    first, second = (next(p for p in people if p["participant_id"] == rows[i].participant_id) for i in (a, b))
    for name in ("arm", "stratum", "allocation_index", "allocated_at"):
        first[name], second[name] = second[name], first[name]
    forger.write("participants", people)


def another_seed_for_everything(forger: Forger) -> None:
    """A new seed, its commitment, every arm that it gives, the chain, and the participants."""
    manifest = forger.manifest
    version = manifest["versions"][-1]
    study = read_version((forger.path / version["file"]).read_text())
    seed = b"\x11" * 32
    promise = commitment(seed, study.allocation, study.arms)
    replay = LedgerReplay([Version(version["study_hash"], study.allocation, study.arms, seed)])
    previous, made = genesis("real", promise), []
    for row in map(LedgerRow.parse, forger.rows("allocations")):
        kept = {name: getattr(row, name) for name in ("participant_id", "method", "study_hash", "allocated_at", "salt")}
        made.append(
            append(previous, replay.decide(row.study_hash, {}), profile=row.profile or {}, ledger="real", **kept)
        )
        previous = made[-1].row_hash
    assert made[0].draw == draws(seed, 1)[1]
    chain_of(forger, made)
    manifest = forger.manifest | {"revealed_seed": seed.hex(), "commitment": promise}
    manifest["ledgers"]["real"]["genesis"] = genesis("real", promise)
    manifest["audit"]["closings"][0]["ledger_head"] = previous
    forger.save(manifest)
    arms = {row.participant_id: row.arm for row in made}
    people = forger.rows("participants")
    forger.write("participants", [row | {"arm": arms.get(row["participant_id"], "")} for row in people])


def genesis_restated(forger: Forger) -> None:
    manifest = forger.manifest
    manifest["ledgers"]["real"]["genesis"] = genesis("real", "")
    forger.save(manifest)


def registration_replaced(forger: Forger) -> None:
    path = forger.path / "materials" / "prereg.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seed_commitment": "00" * 32}))


def plan_registered_anew(forger: Forger) -> None:
    path = forger.path / "materials" / "prereg.json"
    document = json.loads(path.read_text())
    document["plan"]["level"] = 0.8
    path.write_text(json.dumps(document))


def brief_changed(forger: Forger) -> None:
    path = forger.path / "materials" / "tasks" / "trio_timer" / "brief.md"
    path.write_text(path.read_text() + "\nTake your time.\n")


def launch_moved(forger: Forger) -> None:
    forger.save(forger.manifest | {"launched_at": "2025-12-24T09:00:00.000+00:00"})


def reason_reworded(forger: Forger) -> None:
    manifest = forger.manifest
    manifest["versions"][-1]["reason"] = "as planned from the start"
    forger.save(manifest)


def unblinding_hidden(forger: Forger) -> None:
    manifest = forger.manifest
    manifest["audit"]["unblindings"] = [{"at": "2026-01-05T10:00:00.000Z", "why": "none", "participant_id": "x"}]
    forger.save(manifest)


def exclusion_with_its_record(forger: Forger) -> None:
    name = forger.someone("ai")
    forger.change("participants", lambda r: r["participant_id"] == name, status="excluded", exclusion_reason="slow")
    manifest = forger.manifest
    manifest["audit"]["exclusions"].append({"at": "2026-01-05T12:00:00.000Z", "why": "slow", "participant_id": name})
    forger.save(manifest)


def exclusion_forgotten(forger: Forger) -> None:
    forger.change(
        "participants", lambda r: r["status"] == "excluded", status="completed", exclusion_reason=""
    )  # fmt: skip


EDITS: list[tuple[Callable[[Forger], None], str]] = [
    (cell("participants", "completion_minutes", "3.5", completed), "derived_differs"),
    (cell("participants", "warmup_minutes", "1", completed), "derived_differs"),
    (cell("participants", "compliant", "0", completed), "derived_differs"),
    (cell("participants", "interaction_minutes", "9", completed), "derived_differs"),
    (cell("participants", "active_minutes", "0.5", completed), "derived_differs"),
    (cell("participants", "typed_chars", "1", completed), "record_altered"),
    (cell("participants", "finished_at", "2026-01-05T20:00:00.000Z", completed), "record_altered"),
    (cell("visits", "active_seconds", "1"), "derived_differs"),
    (cell("visits", "ended_by", "deadline"), "record_altered"),
    (cell("events", "payload", "{}"), "record_altered"),
    (cell("runs", "stdout", "hello"), "record_altered"),
    (cell("runs", "scheduler_seed", "3"), "record_altered"),
    (cell("turns", "reply", "nothing"), "record_altered"),
    (cell("turns", "total_seconds", "99"), "derived_differs"),
    (cell("answers", "saved_at", "2026-01-05T09:00:00.000Z"), "record_altered"),
    (cell("allocations", "stratum", "x=1"), "wrong_stratum"),
    (cell("allocations", "probabilities", "[0.9,0.1]"), "wrong_probabilities"),
    (cell("allocations", "ledger", "preview"), "wrong_ledger"),
    (tail_of_a_page, "record_altered"),
    (whole_page, "record_altered"),
    (edits_and_program_alike, "record_altered"),
    (somebody_never_came, "record_removed"),
    (tail_of_the_chain, "row_removed"),
    (tail_of_the_ledger, "allocation_unlogged"),
    (people_change_places, "history_rewritten"),
    (another_seed_for_everything, "registration_differs"),
    (genesis_restated, "broken_chain"),
    (registration_replaced, "registration_differs"),
    (plan_registered_anew, "registration_differs"),
    (brief_changed, "material_altered"),
    (launch_moved, "registration_differs"),
    (reason_reworded, "signature_broken"),
    (unblinding_hidden, "signature_broken"),
    (exclusion_with_its_record, "record_altered"),
    (exclusion_forgotten, "exclusion_lifted"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("edit", "name"), EDITS, ids=lambda part: getattr(part, "__name__", part))
def test_a_forgery_is_found_and_named(tmp_path, edit, name):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    edit(forger)
    forger.repair()
    found = names(verify(forger.path))
    assert name in found
    assert "signature_broken" in found
    assert not found & {"file_altered", "row_count"}


def test_code_in_replies_and_what_is_said_of_items_follow_from_the_replies_and_the_banks(tmp_path):
    """Nothing else depends on these cells: with records and signature made anew, the values alone would pass."""
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    forger.change("turns", lambda r: bool(r["reply"]), reply_code_chars="7")
    other = {"type": "debugging", "concept": "other", "family": "other", "about_task": "other"}
    for column, value in other.items():
        forger.change("answers", lambda r, c=column, v=value: bool(r["bank"]) and r[c] != v, **{column: value})
    forger.change("answers", lambda r: not r["bank"], concept="a question")
    forger.repair()
    said = [finding.message for finding in verify(forger.path).findings if finding.name == "derived_differs"]
    assert [column for column in other if not any(f": {column} of " in line for line in said)] == []
    assert any("reply_code_chars is 7, the reply has" in line for line in said)
    assert any("is a question, the bank says None" in line for line in said)


@pytest.mark.parametrize("state", ["launched", "closed"])
def test_a_masked_dataset_that_was_edited_names_whose_record_it_was(tmp_path, state):
    forger = Forger(trial().dataset(state), tmp_path)
    forger.change("participants", completed, completion_minutes="3.5")
    forger.repair()
    assert {"record_altered", "derived_differs", "signature_broken"} <= names(verify(forger.path))


def test_the_published_registration_finds_who_forged_the_one_in_the_dataset(tmp_path):
    """Signing needs the study's key; a missing signature is found by --prereg."""
    honest = trial().dataset("unsealed") / "materials" / "prereg.json"
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    forger.save(forger.manifest | {"signature": None})
    assert verify(forger.path).ok
    assert names(verify(forger.path, prereg=json.loads(honest.read_text()))) == {"signature_missing"}
    (forger.path / "materials" / "prereg.json").write_text(json.dumps(json.loads(honest.read_text()) | {"plan": {}}))
    assert "registration_differs" in names(verify(forger.path, prereg=json.loads(honest.read_text())))


def test_a_hash_that_was_written_down_finds_a_rewritten_ledger(tmp_path):
    rows = [LedgerRow.parse(row) for row in Forger(trial().dataset("unsealed"), tmp_path).rows("allocations")]
    dataset = trial().dataset("unsealed")
    assert verify(dataset, anchors=[Anchor(2, rows[1].row_hash)]).ok
    assert names(verify(dataset, anchors=[Anchor(2, "0" * 64)])) == {"history_rewritten"}
    assert names(verify(dataset, anchors=[Anchor(len(rows) + 1, "0" * 64)])) == {"row_removed"}


def test_the_command_takes_registration_and_hashes(tmp_path):
    dataset = str(trial().dataset("unsealed"))
    prereg = f"{dataset}/materials/prereg.json"
    assert CliRunner().invoke(app, ["verify", dataset, "--prereg", prereg]).exit_code == 0
    assert CliRunner().invoke(app, ["verify", dataset, "--anchor", f"1:{'0' * 64}"]).exit_code == 1
    wrong = CliRunner().invoke(app, ["verify", dataset, "--anchor", "last"])
    assert (wrong.exit_code, "is neither a file nor INDEX:HASH" in wrong.output) == (2, True)
    odd = CliRunner().invoke(app, ["verify", dataset, "--anchor", "²:abc"])
    assert (odd.exit_code, "is neither a file nor INDEX:HASH" in odd.output) == (2, True)
    other = CliRunner().invoke(app, ["verify", dataset, "--prereg", f"{dataset}/manifest.json"])
    assert (other.exit_code, "is not a preregistration file" in other.output) == (2, True)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("statements", "name"),
    [
        (
            ["DELETE FROM events WHERE event_id = (SELECT max(event_id) FROM events WHERE page != 'server')"],
            "sequence_truncated",
        ),
        (
            [
                "UPDATE participants SET arm = NULL, stratum = NULL, allocated_at = NULL, allocation_index = NULL "
                "WHERE id = (SELECT participant_id FROM allocations WHERE ledger = 'real' ORDER BY allocation_index "
                "DESC LIMIT 1)",
                "DELETE FROM allocations WHERE ledger = 'real' AND allocation_index = "
                "(SELECT max(allocation_index) FROM allocations WHERE ledger = 'real')",
            ],
            "allocation_unlogged",
        ),
        (["UPDATE meta SET value = replace(value, '\"level\": 0.95', '\"level\": 0.8') WHERE key = 'prereg'"],
         "registration_differs"),
        (["UPDATE audit SET at = at - 1000 WHERE what = 'close'"], "audit_broken"),
        (["DELETE FROM audit WHERE what = 'unseal'"], "audit_broken"),
        (["UPDATE participants SET exclusion_reason = 'too slow' WHERE exclusion_reason != ''"],
         "exclusion_unrecorded"),
        *((
            [statement], "row_differs_from_log"
        ) for statement in (
            "UPDATE runs SET started_at = started_at - 300000 WHERE kind = 'submission'",
            "UPDATE runs SET page = NULL, seq = NULL, code = 'print()' WHERE kind = 'submission'",
            "UPDATE runs SET error_type = 'KeyError' WHERE error_type = 'ValueError'",
            "UPDATE visits SET deadline_at = deadline_at + 600000 WHERE stage = 'tasks'",
            "UPDATE visits SET ended_by = 'deadline' WHERE stage = 'quiz'",
            "UPDATE participants SET enrolled_at = enrolled_at - 86400000",
            "UPDATE participants SET finished_at = finished_at + 1000",
            "UPDATE turns SET asked_at = asked_at + 1",
        )),
        (["DELETE FROM answers WHERE bank != '' AND number % 7 = 0"], "row_without_record"),
        (["UPDATE visits SET started_at = started_at + 60000 WHERE stage = 'tasks'"], "derived_differs"),
    ],
)  # fmt: skip
def test_an_edit_of_the_database_that_leaves_no_gap_is_found_in_the_next_export(tmp_path, statements, name):
    app_ = copy_of(trial(), tmp_path, *statements)
    export(app_.context, tmp_path / "dataset")
    app_.close()
    report = verify(tmp_path / "dataset")
    assert name in names(report), report.lines()


def test_parquet_has_the_records_of_csv(tmp_path):
    context = trial().app.context
    export(context, tmp_path / "dataset", fmt="parquet", include_preview=True)
    assert verify(tmp_path / "dataset").ok
    records = (tmp_path / "dataset" / "documentation" / "records.json").read_bytes()
    assert records == (trial().dataset("all") / "documentation" / "records.json").read_bytes()


def test_without_the_sealing_key_a_dataset_is_exported_unsigned_and_says_so(tmp_path):
    app_ = copy_of(trial(), tmp_path)
    summary = export(app_.context, tmp_path / "dataset")
    app_.close()
    assert any("not signed" in warning for warning in summary.warnings)
    report = verify(tmp_path / "dataset")
    assert report.ok
    assert any("NOT signed" in line for line in report.passed)
