"""What a forger might do to a dataset or a database, each found and named.

A dataset's hashes and counts are repaired after each edit, so that only what the edit broke can be found.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.trials.export_world import ROOT, copy_of, table, trial

from analysis.published_study import import_transcripts
from study_app.dataset.verification import VerifyReport, verify
from study_app.domain.errors import UserError
from study_app.domain.ledger import LedgerRow, rehash
from study_app.services.researcher.exporting.export import export

TRANSCRIPTS = ROOT.parent / "shared" / "transcripts"
Rows = list[dict[str, str]]


class Forger:
    """A copy of a dataset, its tables to be edited, its hashes to be repaired."""

    def __init__(self, dataset: Path, folder: Path) -> None:
        self.path = folder / "forged"
        shutil.copytree(dataset, self.path)

    def file(self, name: str) -> Path:
        return next((self.path / "data").glob(f"*_description-{name}_data.csv"))

    def rows(self, name: str) -> Rows:
        return table(self.path, name)

    def write(self, name: str, rows: Rows) -> None:
        header = list(csv.reader(self.file(name).open(encoding="utf-8", newline="")))[0]
        with self.file(name).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, header, lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(rows)

    def change(self, name: str, where: Callable[[dict[str, str]], bool], **cells: str) -> None:
        rows = self.rows(name)
        row = next(row for row in rows if where(row))
        row.update(cells)
        self.write(name, rows)

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))

    def save(self, manifest: dict[str, Any]) -> None:
        (self.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def repair(self) -> None:
        """New hashes and counts for every listed file."""
        manifest = self.manifest
        for entry in (*manifest["files"], *manifest["other_files"]):
            content = (self.path / entry["path"]).read_bytes()
            entry["sha256"] = hashlib.sha256(content).hexdigest()
            if entry["path"].endswith("_data.csv"):
                name = entry["path"].split("description-")[1].split("_")[0]
                entry["rows"] = len(self.rows(name))
        self.save(manifest)

    def someone(self, arm: str) -> str:
        return next(r["participant_id"] for r in self.rows("participants") if r["arm"] == arm and r["quiz_points"])


def completed(row: dict[str, str]) -> bool:
    return row["status"] == "completed"


def swap_arm(forger: Forger) -> None:
    arm = {"ai": "no_ai", "no_ai": "ai"}
    row = forger.rows("allocations")[1]
    forger.change("allocations", lambda r: r["allocation_index"] == "2", arm=arm[row["arm"]])


def swap_arm_consistently(forger: Forger) -> None:
    """The ledger rewritten from the row on, hashes and all, and the participant, too; the head as it now is."""
    rows = [LedgerRow.parse(row) for row in forger.rows("allocations")]
    arm = {"ai": "no_ai", "no_ai": "ai"}
    forged: list[LedgerRow] = []
    for row in rows:
        changed = {"arm": arm[row.arm]} if row.allocation_index == 2 else {}
        previous = {"previous_hash": forged[-1].row_hash} if forged else {}
        forged.append(rehash(LedgerRow(**{**vars(row), **changed, **previous})))
    forger.write("allocations", [{name: str(cell) for name, cell in row.record().items()} for row in forged])
    forger.change("participants", lambda r: r["participant_id"] == rows[1].participant_id, arm=arm[rows[1].arm])
    manifest = forger.manifest
    manifest["ledgers"]["real"]["head"] = forged[-1].row_hash
    forger.save(manifest)


def remove_allocation(forger: Forger) -> None:
    forger.write("allocations", [row for row in forger.rows("allocations") if row["allocation_index"] != "3"])


def remove_last_allocation(forger: Forger) -> None:
    forger.write("allocations", forger.rows("allocations")[:-1])


def reorder_allocations(forger: Forger) -> None:
    rows = forger.rows("allocations")
    forger.write("allocations", [rows[1], rows[0], *rows[2:]])


def insert_allocation(forger: Forger) -> None:
    rows = forger.rows("allocations")
    extra = {**rows[-1], "allocation_index": str(len(rows) + 1), "participant_id": "stranger"}
    forger.write("allocations", [*rows, extra])


def change_draw(forger: Forger) -> None:
    forger.change("allocations", lambda r: r["allocation_index"] == "1", draw="0.123")


def change_profile(forger: Forger) -> None:
    forger.change("allocations", lambda r: r["allocation_index"] == "1", salt="00" * 16)


def another_seed(forger: Forger) -> None:
    forger.save(forger.manifest | {"revealed_seed": "11" * 32})


def participants_arm(forger: Forger) -> None:
    forger.change("participants", lambda r: r["arm"] == "ai", arm="no_ai")


def participant_removed(forger: Forger) -> None:
    name = forger.someone("ai")
    forger.write("participants", [row for row in forger.rows("participants") if row["participant_id"] != name])


def participant_invented(forger: Forger) -> None:
    rows = forger.rows("participants")
    forger.write("participants", [*rows, {**next(filter(completed, rows)), "participant_id": "invented"}])


def participant_twice(forger: Forger) -> None:
    rows = forger.rows("participants")
    forger.write("participants", [*rows, rows[0]])


def points_raised(forger: Forger) -> None:
    forger.change("participants", completed, quiz_points="27")


def answer_raised(forger: Forger) -> None:
    forger.change("answers", lambda r: bool(r["bank"]), points="1.5")


def answer_removed(forger: Forger) -> None:
    rows = forger.rows("answers")
    scored = next(i for i, row in enumerate(rows) if row["bank"] and float(row["points"] or 0) > 0)
    forger.write("answers", [*rows[:scored], *rows[scored + 1 :]])


def survey_changed(forger: Forger) -> None:
    forger.change("participants", completed, learned="1")


def event_removed(forger: Forger) -> None:
    rows = forger.rows("events")
    edit = [i for i, row in enumerate(rows) if row["kind"] == "edit"][3]
    forger.write("events", [*rows[:edit], *rows[edit + 1 :]])


def event_doubled(forger: Forger) -> None:
    rows = forger.rows("events")
    edit = [i for i, row in enumerate(rows) if row["kind"] == "edit"][3]
    forger.write("events", [*rows[: edit + 1], {**rows[edit], "event_id": "999999"}, *rows[edit + 1 :]])


def event_renumbered(forger: Forger) -> None:
    rows = forger.rows("events")
    edit = [row for row in rows if row["kind"] == "edit"][-1]
    edit["seq"] = "500"
    forger.write("events", rows)


def edit_changed(forger: Forger) -> None:
    rows = forger.rows("events")
    edit = next(row for row in rows if row["kind"] == "edit" and "import trio" in row["payload"])
    edit["payload"] = edit["payload"].replace("import trio", "import trip")
    forger.write("events", rows)


def edit_lengthened(forger: Forger) -> None:
    rows = forger.rows("events")
    edit = next(row for row in rows if row["kind"] == "edit" and "import trio" in row["payload"])
    edit["payload"] = edit["payload"].replace("import trio", "import trio  ")
    forger.write("events", rows)


def program_changed(forger: Forger) -> None:
    rows = forger.rows("runs")
    run = next(row for row in rows if row["kind"] == "submission" and row["task"] == "trio_users")
    run["code"] += "\n# a better ending\n"
    forger.write("runs", rows)


def verdict_changed(forger: Forger) -> None:
    rows = forger.rows("runs")
    run = next(row for row in rows if row["kind"] == "submission" and row["task"] == "trio_users")
    run["checks"] = run["checks"].replace("true", "false", 1) if "true" in run["checks"] else "[]"
    run["checks"] = run["checks"].replace('"passed":true', '"passed":false', 1)
    forger.write("runs", rows)


def run_removed(forger: Forger) -> None:
    forger.write("runs", [row for row in forger.rows("runs") if row["kind"] != "run"])


def run_invented(forger: Forger) -> None:
    rows = forger.rows("runs")
    forger.write("runs", [*rows, {**rows[0], "run_id": "invented", "page": ""}])


def turn_moved(forger: Forger) -> None:
    forger.change("turns", lambda r: True, participant_id=forger.someone("no_ai"))


def turn_removed(forger: Forger) -> None:
    forger.write("turns", forger.rows("turns")[1:])


def turn_postponed(forger: Forger) -> None:
    forger.change("turns", lambda r: True, asked_at="2026-01-09T09:00:00.000Z")


def visit_doubled(forger: Forger) -> None:
    rows = forger.rows("visits")
    forger.write("visits", [*rows, rows[-1]])


def visit_reordered(forger: Forger) -> None:
    rows = forger.rows("visits")
    forger.write("visits", [rows[1], rows[0], *rows[2:]])


def visit_stretched(forger: Forger) -> None:
    forger.change("visits", lambda r: r["stage"] == "tasks", ended_at="2026-01-06T09:00:00.000Z")


def exclusion_added(forger: Forger) -> None:
    forger.change("participants", completed, status="excluded", exclusion_reason="did not fit")


def exclusion_lifted(forger: Forger) -> None:
    forger.change("participants", lambda r: r["status"] == "excluded", status="completed")


def pattern_changed(forger: Forger) -> None:
    forger.change("participants", lambda r: bool(r["interaction_pattern"]), interaction_pattern="AI Delegation")


def code_changed(forger: Forger) -> None:
    forger.change("turns", lambda r: bool(r["codes"]), codes="appreciation")


def label_count_changed(forger: Forger) -> None:
    forger.change("participants", lambda r: bool(r["queries_debugging"]), queries_debugging="7")


def stranger_in_answers(forger: Forger) -> None:
    rows = forger.rows("answers")
    forger.write("answers", [*rows, {**rows[0], "participant_id": "stranger"}])


def column_dropped(forger: Forger) -> None:
    rows = forger.rows("visits")
    with forger.file("visits").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, [n for n in rows[0] if n != "ended_by"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def number_spoilt(forger: Forger) -> None:
    forger.change("participants", completed, completion_minutes="eighteen")


def formula_planted(forger: Forger) -> None:
    forger.change("runs", lambda r: True, stdout='=HYPERLINK("x")')


def level_invented(forger: Forger) -> None:
    forger.change("visits", lambda r: True, ended_by="stranger")


def study_file_changed(forger: Forger) -> None:
    path = next((forger.path / "materials" / "versions").iterdir())
    path.write_text(path.read_text(encoding="utf-8").replace('"block_sizes":[2,4,6]', '"block_sizes":[2]'))


def plan_changed(forger: Forger) -> None:
    path = forger.path / "materials" / "study.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"level":0.95', '"level":0.8'))


def state_changed(forger: Forger) -> None:
    forger.save(forger.manifest | {"state": "closed"})


def clock_turned(forger: Forger) -> None:
    forger.change("events", lambda r: r["kind"] == "edit", server_time="2025-01-01T00:00:00.000Z")


def audit_broken(forger: Forger) -> None:
    forger.save(forger.manifest | {"audit": forger.manifest["audit"] | {"broken_at": 2}})


EDITS: dict[Callable[[Forger], None], str] = {
    swap_arm: "row_altered",
    swap_arm_consistently: "wrong_arm",
    remove_allocation: "missing_row",
    remove_last_allocation: "ledger_length",
    reorder_allocations: "reordered",
    insert_allocation: "row_altered",
    change_draw: "wrong_draw",
    change_profile: "payload_altered",
    another_seed: "commitment_broken",
    participants_arm: "arm_differs",
    participant_removed: "participant_missing",
    participant_invented: "not_in_ledger",
    participant_twice: "duplicate_id",
    points_raised: "derived_differs",
    answer_raised: "derived_differs",
    answer_removed: "derived_differs",
    survey_changed: "derived_differs",
    event_removed: "sequence_gap",
    event_doubled: "sequence_duplicate",
    event_renumbered: "sequence_gap",
    edit_changed: "code_differs_from_edits",
    edit_lengthened: "replay_mismatch",
    program_changed: "code_differs_from_edits",
    verdict_changed: "derived_differs",
    run_removed: "row_without_record",
    run_invented: "record_without_event",
    turn_moved: "assistant_in_wrong_arm",
    turn_removed: "row_without_record",
    turn_postponed: "assistant_outside_stage",
    visit_doubled: "duplicate_id",
    visit_reordered: "visits_out_of_order",
    visit_stretched: "past_deadline",
    exclusion_added: "exclusion_unrecorded",
    exclusion_lifted: "derived_differs",
    pattern_changed: "derived_differs",
    code_changed: "derived_differs",
    label_count_changed: "derived_differs",
    stranger_in_answers: "unknown_participant",
    column_dropped: "wrong_columns",
    number_spoilt: "malformed_cell",
    formula_planted: "unguarded_cell",
    level_invented: "out_of_range",
    study_file_changed: "version_altered",
    plan_changed: "version_altered",
    state_changed: "state_incoherent",
    clock_turned: "time_backwards",
    audit_broken: "audit_broken",
}


def names(report: VerifyReport) -> set[str]:
    return {finding.name for finding in report.findings}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_of_a_dataset_is_found_and_named_though_hashes_and_counts_were_repaired(tmp_path, edit):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    edit(forger)
    forger.repair()
    report = verify(forger.path)
    assert EDITS[edit] in names(report), report.lines()
    assert not names(report) & {"file_altered", "row_count"}


def test_every_edit_is_found_by_its_hash_where_nobody_repaired_it(tmp_path):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    points_raised(forger)
    remove_last_allocation(forger)
    (forger.path / "materials" / "study.json").unlink()
    (forger.path / "data" / "notes.csv").write_text("a\n1\n")
    assert {"file_altered", "row_count", "file_missing", "file_unlisted"} <= names(verify(forger.path))


@pytest.mark.parametrize("state", ["draft", "launched", "closed", "unsealed", "all"])
def test_an_untouched_dataset_has_nothing_to_find(state):
    report = verify(trial().dataset(state))
    assert report.ok, report.lines()


def test_a_masked_dataset_that_was_edited_is_found_out(tmp_path):
    forger = Forger(trial().dataset("closed"), tmp_path)
    forger.change("allocations", lambda row: row["allocation_index"] == "2", arm="ai")
    rows = forger.rows("allocations")
    forger.write("allocations", [*rows[:2], *rows[3:]])
    forger.repair()
    assert {"arm_shown", "missing_row", "broken_chain", "arm_differs"} & names(verify(forger.path)) >= {
        "arm_shown",
        "missing_row",
        "broken_chain",
    }


def test_an_arm_in_a_running_study_is_named(tmp_path):
    forger = Forger(trial().dataset("launched"), tmp_path)
    forger.change("participants", completed, arm="ai")
    forger.repair()
    assert "arm_shown" in names(verify(forger.path))


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE participants SET arm = CASE arm WHEN 'ai' THEN 'no_ai' ELSE 'ai' END WHERE arm = 'ai'", "arm_differs"),
        ('UPDATE allocations SET row = replace(row, \'"arm":"ai"\', \'"arm":"no_ai"\')', "row_altered"),
        ("DELETE FROM allocations WHERE ledger = 'real' AND allocation_index = 2", "missing_row"),
        (
            "DELETE FROM events WHERE kind = 'edit' AND seq = 5",
            "sequence_gap",
        ),
        ("UPDATE runs SET code = code || '#' WHERE kind = 'submission'", "code_differs_from_edits"),
        ("UPDATE turns SET code = code || '#'", "code_differs_from_edits"),
        ("DELETE FROM runs WHERE kind = 'run'", "row_without_record"),
        (
            "UPDATE turns SET participant_id = (SELECT id FROM participants WHERE arm = 'no_ai' AND kind = 'real')",
            "assistant_in_wrong_arm",
        ),
        ("UPDATE audit SET why = 'because' WHERE what = 'exclude'", "audit_broken"),
        ("DELETE FROM audit WHERE what = 'exclude'", "audit_broken"),
        ("UPDATE participants SET exclusion_reason = NULL, status = 'completed' WHERE arm IS NULL", "status_differs"),
        ("UPDATE meta SET value = '" + "22" * 32 + "' WHERE key = 'revealed_seed'", "commitment_broken"),
        ("UPDATE visits SET ended_at = ended_at + 90000000 WHERE stage = 'tasks'", "past_deadline"),
    ],
)
def test_an_edit_of_the_database_is_found_in_the_next_export(tmp_path, statement, name):
    app = copy_of(trial(), tmp_path, statement)
    export(app.context, tmp_path / "dataset")
    app.close()
    report = verify(tmp_path / "dataset")
    assert name in names(report), report.lines()


def test_a_folder_without_a_dataset_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="no dataset is there"):
        verify(tmp_path)


def test_an_unreadable_table_is_named_and_stops_no_other_check(tmp_path):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    forger.file("turns").write_bytes(b"turn_id\r\n\xff\xfe\r\n")
    assert "table_unreadable" in names(verify(forger.path))


def test_a_manifest_that_is_gone_is_named(tmp_path):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    (forger.path / "manifest.json").unlink()
    assert "manifest_unreadable" in names(verify(forger.path))


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="the published transcripts are not beside the repository")
def test_imported_transcripts_verify_without_an_allocation(tmp_path):
    import_transcripts(TRANSCRIPTS, tmp_path / "imported")
    report = verify(tmp_path / "imported")
    assert report.ok, report.lines()
    assert any("allocation does not apply" in line for line in report.lines())
