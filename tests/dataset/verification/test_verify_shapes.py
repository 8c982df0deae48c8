"""Datasets of a shape that no export has: verify names what is wrong and goes on, however odd it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.trials.export_world import copy_of, trial
from test_verify_tampering import Forger

from study_app.dataset.verification import verify
from study_app.domain.errors import InfrastructureError
from study_app.services.researcher.exporting.export import export

DEEP = "[" * 100_000
HUGE = str(2 * 10**9)


def manifest(name: str, **changed: Any) -> Any:
    """Other values of keys of the manifest; None takes a key out."""

    def edit(forger: Forger) -> None:
        content = forger.manifest | changed
        forger.save({key: value for key, value in content.items() if value is not None or key not in changed})

    edit.__name__ = name
    return edit


def audit(name: str, **changed: Any) -> Any:
    def edit(forger: Forger) -> None:
        forger.save(forger.manifest | {"audit": forger.manifest["audit"] | changed})

    edit.__name__ = name
    return edit


def listed(name: str, path: Any) -> Any:
    def edit(forger: Forger) -> None:
        files = [*forger.manifest["files"], {"path": path, "sha256": "", "rows": 1}]
        forger.save(forger.manifest | {"files": files})

    edit.__name__ = name
    return edit


def cell(name: str, table: str, column: str, value: str, where: Callable[[dict[str, str]], bool] = bool) -> Any:
    def edit(forger: Forger) -> None:
        forger.change(table, where, **{column: value})

    edit.__name__ = name
    return edit


def text(name: str, path: str, content: bytes) -> Any:
    def edit(forger: Forger) -> None:
        (forger.path / path).write_bytes(content)

    edit.__name__ = name
    return edit


def version_of_bytes(forger: Forger) -> None:
    (forger.path / forger.manifest["versions"][-1]["file"]).write_bytes(b"\xff\xfe")


def amended_by_nobody(forger: Forger) -> None:
    versions = forger.manifest["versions"]
    forger.save(forger.manifest | {"versions": [*versions, versions[-1] | {"reason": "a typo"}]})


def link_to_nowhere(forger: Forger) -> None:
    (forger.path / "data" / "more.csv").symlink_to("/nonexistent")


def pipe_for_a_table(forger: Forger) -> None:
    path = forger.file("answers")
    path.unlink()
    os.mkfifo(path)


def pipe_for_the_manifest(forger: Forger) -> None:
    (forger.path / "manifest.json").unlink()
    os.mkfifo(forger.path / "manifest.json")


def pipe_beside_the_tables(forger: Forger) -> None:
    os.mkfifo(forger.path / "data" / "more.csv")


def of_another_study(forger: Forger) -> None:
    old, new = "study-triolearning", "study-another"
    for path in list((forger.path / "data").iterdir()):
        path.rename(path.with_name(path.name.replace(old, new)))
    forger.save(json.loads(json.dumps(forger.manifest).replace(old, new)))


def second_file_of_a_table(forger: Forger) -> None:
    more = forger.file("turns").with_name("study-aaa_description-turns_data.csv")
    shutil.copy(forger.file("turns"), more)
    entry = {"path": f"data/{more.name}", "sha256": "", "rows": len(forger.rows("turns"))}
    forger.save(forger.manifest | {"files": [*forger.manifest["files"], entry]})


def submitted(row: dict[str, str]) -> bool:
    return row["kind"] == "submission"


EDITS: list[tuple[Any, str]] = [
    (manifest("no_schema", schema=None), "manifest_unreadable"),
    (manifest("said_to_be_imported", schema=None, allocation="not applicable"), "manifest_unreadable"),
    (manifest("said_to_have_no_allocation", allocation="not applicable"), "manifest_unreadable"),
    (manifest("ledgers_a_list", ledgers=[1]), "manifest_unreadable"),
    (manifest("ledger_of_words", ledgers={"real": {"rows": "x", "head": 5}}), "manifest_unreadable"),
    (manifest("exported_at_no_time", exported_at=5), "manifest_unreadable"),
    (manifest("files_a_number", files=5), "manifest_unreadable"),
    (manifest("events_lost_an_object", events_lost={"a": 1}), "manifest_unreadable"),
    (manifest("versions_of_lists", versions=[{"study_hash": [1], "file": {}}]), "manifest_unreadable"),
    (audit("closings_of_numbers", closings=[5]), "manifest_unreadable"),
    (audit("closing_of_words", closings=[{"allocated": "x", "ledger_head": 1}]), "manifest_unreadable"),
    (audit("nobody_closed_it", closings=[]), "audit_broken"),
    (audit("nobody_launched_it", launches=None), "audit_broken"),
    (amended_by_nobody, "audit_broken"),
    (listed("path_with_nul", "a\0b"), "file_missing"),
    (listed("path_too_long", "a" * 5000), "file_missing"),
    (listed("path_of_a_surrogate", "a\ud800"), "file_missing"),
    (listed("path_out_of_the_folder", "../x.csv"), "file_missing"),
    (manifest("version_with_nul", versions=[{"study_hash": "a", "file": "a\0"}]), "version_missing"),
    (version_of_bytes, "version_missing"),
    (text("prereg_too_deep", "materials/prereg.json", DEEP.encode()), "registration_missing"),
    (text("description_too_deep", "dataset_description.json", DEEP.encode()), "description_unreadable"),
    (text("records_too_deep", "documentation/records.json", DEEP.encode()), "records_unreadable"),
    (text("manifest_too_deep", "manifest.json", DEEP.encode()), "manifest_unreadable"),
    (link_to_nowhere, "file_unlisted"),
    (pipe_for_a_table, "file_missing"),
    (pipe_for_the_manifest, "manifest_unreadable"),
    (pipe_beside_the_tables, "file_unlisted"),
    (of_another_study, "file_misnamed"),
    (second_file_of_a_table, "file_misnamed"),
    (cell("huge_number_of_an_event", "events", "seq", HUGE, lambda row: row["page"] != "server"), "sequence_gap"),
    (cell("huge_index", "allocations", "allocation_index", HUGE), "missing_row"),
    (cell("index_too_deep", "allocations", "returned", DEEP), "malformed_row"),
    (cell("time_out_of_range", "allocations", "allocated_at", "9999-12-31T23:59:59.999-23:00"), "malformed_cell"),
    (cell("payload_too_deep", "events", "payload", DEEP), "malformed_cell"),
    (cell("checks_an_object", "runs", "checks", '{"a": 1}', submitted), "derived_differs"),
    (cell("checks_of_numbers", "runs", "checks", "[1, 2]", submitted), "derived_differs"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("edit", "name"), EDITS, ids=lambda part: getattr(part, "__name__", part))
def test_what_is_misshapen_is_named_and_nothing_stops(tmp_path, edit, name):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    edit(forger)
    report = verify(forger.path)
    assert name in report.counts
    assert "check_stopped" not in report.counts


def test_a_row_of_the_ledger_that_cannot_be_read_does_not_move_the_numbers_of_those_behind_it(tmp_path):
    forger = Forger(trial().dataset("unsealed"), tmp_path)
    rows = forger.rows("allocations")
    rows[0]["returned"] = DEEP
    rows[-1]["stratum"] = "another"
    forger.write("allocations", rows)
    last = f"allocation {rows[-1]['allocation_index']}:"
    found = {each.row for each in verify(forger.path).findings if last in each.message}
    assert found == {len(rows) + 1}


@pytest.mark.parametrize("key", ["commitment", "launched_at", "signature"])
def test_a_draft_that_says_it_was_launched_is_named(tmp_path, key):
    forger = Forger(trial().dataset("draft"), tmp_path)
    forger.save(forger.manifest | {key: "00" * 32})
    assert "state_incoherent" in verify(forger.path).counts


def test_a_sealed_ledger_whose_row_was_edited_is_named(tmp_path):
    forger = Forger(trial().dataset("closed"), tmp_path)
    forger.change("allocations", bool, stratum="another")
    forger.repair()
    finding = next(each for each in verify(forger.path).findings if each.name == "record_altered")
    assert finding.file.endswith("allocations_data.csv")


def test_a_check_that_something_unforeseen_stops_is_a_finding(tmp_path, monkeypatch):
    def stumble(*_: Any) -> None:
        raise TypeError("never thought of")

    monkeypatch.setattr("study_app.dataset.verification.check_visits", stumble)
    stumble.__name__ = "check_visits"
    report = verify(trial().dataset("unsealed"))
    assert [finding.message for finding in report.findings] == [
        "check_visits cannot be done: TypeError: never thought of"
    ]


def test_parquet_columns_of_foreign_types_are_named(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    export(trial().app.context, tmp_path / "dataset", fmt="parquet")
    path: Path = next((tmp_path / "dataset" / "data").glob("*-participants_data.parquet"))
    whole = pq.read_table(path)
    place = whole.schema.names.index("quiz_points")
    # A table with nested columns is not read at all.
    for odd, finding in (([1.0], "table_unreadable"), ({"a": 1}, "table_unreadable"), (b"\xff", "malformed_cell")):
        pq.write_table(whole.set_column(place, "quiz_points", pa.array([odd] * len(whole))), path)
        report = verify(tmp_path / "dataset")
        assert finding in report.counts
        assert "check_stopped" not in report.counts


@pytest.mark.parametrize(
    ("statement", "sign"),
    [
        ("UPDATE allocations SET row = '{' WHERE ledger = 'real'", "must hold JSON"),
        ("UPDATE allocations SET row = '{}' WHERE ledger = 'real'", "the ledgers: holds a row that cannot be read"),
        ("UPDATE participants SET enrolled_at = 'x'", "must hold a moment"),
        ("UPDATE answers SET response = '{'", "must hold JSON"),
        ("UPDATE versions SET text = '{'", "of the study cannot be read"),
        ("UPDATE meta SET value = 'open' WHERE key = 'state'", "the trial's state is 'open'"),
    ],
)
def test_a_database_that_somebody_else_wrote_to_is_named_in_a_line(tmp_path, statement, sign):
    with pytest.raises(InfrastructureError, match=sign), closing(copy_of(trial(), tmp_path, statement)) as app:
        export(app.context, tmp_path / "dataset")
