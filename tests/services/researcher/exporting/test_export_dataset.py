"""The dataset directory: layout, columns, cells, bytes, and who is in it."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess

import pandas as pd
import pytest
from support import psychds_rules
from support.clock import HandClock
from support.trials.export_world import EXIT, Walker, copy_of, open_app, table, trial

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export

CONTRACT = (
    "participant_id study_hash arm stratum allocation_index is_simulated is_preview status exclusion_reason "
    "enrolled_at allocated_at finished_at python_over_a_year python_weekly tried_ai libraries_used years_coding "
    "years_python asyncio_use async_check_1 async_check_2 async_check_3 async_check_4 async_check_5 "
    "warmup_minutes warmup_passed task_minutes task_completed completion_minutes completion_event tasks_passed "
    "checks_passed checks_total visible_only_pass quiz_points quiz_max quiz_score quiz_conceptual_points "
    "quiz_code_reading_points quiz_debugging_points runs errors first_error_type queries queries_explanation "
    "queries_generation queries_debugging queries_capability queries_appreciation interaction_minutes active_minutes "
    "away_minutes outage_minutes typed_chars pasted_chars_assistant pasted_chars_outside retyped_assistant_chars "
    "interaction_pattern used_other_ai received compliant task_difficulty quiz_difficulty learned enjoyed "
    "load_mental load_physical load_temporal load_performance load_effort load_frustration other_ai_used feedback "
    "age_band gender occupation"
).split()


def test_the_directory_conforms_to_psych_ds_without_a_warning():
    for state in ("draft", "launched", "closed", "unsealed"):
        assert psychds_rules.errors(trial().dataset(state)) == []
        assert psychds_rules.warnings(trial().dataset(state)) == []


@pytest.mark.skipif("STUDY_PSYCHDS_VALIDATOR" not in os.environ, reason="names the command of an installed validator")
def test_the_outside_validator_agrees():
    for state in ("draft", "launched", "closed", "unsealed"):
        place = str(trial().dataset(state))
        command = [*shlex.split(os.environ["STUDY_PSYCHDS_VALIDATOR"]), place, "--json", "--showWarnings"]
        verdict = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        assert verdict["valid"], verdict["issues"]
        # An export has no analyses and no results.
        unavoidable = {"MISSING_ANALYSIS_DIRECTORY", "MISSING_RESULTS_DIRECTORY"}
        assert {issue["key"] for issue in verdict["issues"]} <= unavoidable, verdict["issues"]


def test_participants_has_the_contracts_columns_in_the_contracts_order():
    names = list(table(trial().dataset("unsealed"), "participants")[0])
    assert names[: len(CONTRACT)] == CONTRACT
    assert names[len(CONTRACT)] == "async_check"


def test_the_manifest_names_every_file_with_its_hash_and_rows():
    dataset = trial().dataset("unsealed")
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    contract = ["study_id", "study_hash", "state", "package_version", "exported_at", "files"]
    assert [key for key in manifest if key in contract] == contract
    for entry in manifest["files"]:
        name = entry["path"].split("description-")[1].split("_")[0]
        assert entry["rows"] == len(table(dataset, name))
        assert entry["sha256"] == hashlib.sha256((dataset / entry["path"]).read_bytes()).hexdigest()
    assert manifest["ledgers"]["real"]["rows"] == 5
    assert [entry["why"] for entry in manifest["audit"]["exclusions"]] == ["took part with a colleague"]


def test_two_exports_of_an_unchanged_database_have_the_same_bytes_in_data(tmp_path):
    base = trial()
    export(base.app.context, tmp_path / "again")
    for path in sorted((base.dataset("unsealed") / "data").iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / "data" / path.name).read_bytes()


def test_the_same_participants_on_sqlite_and_postgres_give_the_same_bytes(tmp_path, postgres_url):
    """But for measured durations; the walkers' clock, ids and the public preview seed are the same."""
    tables = []
    for name, url in (("one", f"sqlite:///{tmp_path}/one.db"), ("other", postgres_url)):
        folder, clock = tmp_path / name, HandClock()
        app = open_app(folder, clock, database=url)
        Walker(app, clock).consent().background()
        export(app.context, folder / "dataset", include_preview=True)
        tables.append({path.name: path.read_bytes() for path in (folder / "dataset" / "data").iterdir()})
        app.close()
    assert tables[0] == tables[1]


def test_real_participants_only_unless_others_are_asked_for(tmp_path):
    base = trial()
    assert {row["is_preview"] for row in table(base.dataset("unsealed"), "participants")} == {"0"}
    assert base.people[0] in {row["participant_id"] for row in table(base.dataset("all"), "participants")}
    ledgers = {row["ledger"] for row in table(base.dataset("all"), "allocations")}
    assert ledgers == {"real", "preview"}
    in_draft = open_app(tmp_path, HandClock())
    Walker(in_draft, HandClock())
    assert export(in_draft.context, tmp_path / "dataset").rows["participants"] == 0
    in_draft.close()


def test_nobody_can_be_identified_unless_asked_for(tmp_path):
    base = trial()
    for path in base.dataset("unsealed").rglob("*"):
        assert path.is_dir() or b"example.org" not in path.read_bytes(), path
    export(base.app.context, tmp_path / "named", identified=True)
    row = table(tmp_path / "named", "participants")[0]
    assert row["label"] == "person0@example.org"
    assert list(row)[-4:] == ["label", "prolific_pid", "prolific_study", "prolific_session"]
    assert verify(tmp_path / "named").ok


def test_a_text_that_a_spreadsheet_would_run_is_guarded_everywhere_but_in_payloads_and_numbers():
    dataset = trial().dataset("unsealed")
    row = next(row for row in table(dataset, "participants") if row["status"] == "completed")
    assert row["feedback"] == "'" + EXIT["feedback"]
    quiz = {row["response"] for row in table(dataset, "answers") if row["bank"]}
    assert "'=1+1" in quiz
    assert all(json.loads(row["payload"]) is not None for row in table(dataset, "events"))
    note = json.loads(next((dataset / "data").glob("*participants_data.json")).read_text())["description"]
    assert "spreadsheets" in note


def test_every_column_is_explained_in_the_sidecar_and_the_codebook():
    dataset = trial().dataset("unsealed")
    book = (dataset / "documentation" / "codebook.md").read_text(encoding="utf-8")
    for sidecar in (dataset / "data").glob("*_data.json"):
        content = json.loads(sidecar.read_text(encoding="utf-8"))
        header = list(pd.read_csv(sidecar.with_suffix(".csv"), nrows=0))
        assert [entry["name"] for entry in content["variableMeasured"]] == header
        for entry in content["variableMeasured"]:
            assert entry["description"]
            assert f"| `{entry['name']}` | " in book
            assert entry["additionalType"].startswith(("http://www.w3.org", "https://www.iana.org"))


def test_parquet_has_the_same_columns_and_values(tmp_path):
    base = trial()
    export(base.app.context, tmp_path / "parquet", fmt="parquet")
    for path in sorted((tmp_path / "parquet" / "data").glob("*.parquet")):
        columns = pd.read_parquet(path)
        text = pd.read_csv(base.dataset("unsealed") / "data" / path.with_suffix(".csv").name, dtype=str)
        assert list(columns) == list(text)
        for name in columns:
            missing = columns[name].isna()
            assert list(missing) == list(text[name].isna()), (path.name, name)
            if pd.api.types.is_numeric_dtype(columns[name]):
                assert columns[name][~missing].to_list() == pd.to_numeric(text[name][~missing]).to_list()
    assert verify(tmp_path / "parquet").ok


def test_materials_hold_what_participants_met_and_no_key():
    materials = trial().dataset("unsealed") / "materials"
    names = {path.relative_to(materials).as_posix() for path in materials.rglob("*") if path.is_file()}
    assert {"study.json", "quizzes/trio.json", "tasks/trio_timer/brief.md"} <= names
    everything = "".join(path.read_text(encoding="utf-8") for path in materials.rglob("*") if path.is_file())
    assert trial().app.library.pack("tasks/trio_timer").solution not in everything


def test_somebody_who_withdrew_their_data_leaves_the_flow_and_nothing_else(tmp_path):
    base = trial()
    app = copy_of(base, tmp_path)
    gone = base.people[1]
    with app.context.registry.begin() as unit:
        app.session.erase(unit, gone, "a researcher")
    assert not (tmp_path / "var" / "seal.key").exists(), "no other key takes the place of the missing one"
    export(app.context, tmp_path / "dataset")
    app.close()
    row = next(row for row in table(tmp_path / "dataset", "participants") if row["participant_id"] == gone)
    assert row["data_withdrawn"] == "1"
    assert row["arm"] != ""
    assert row["quiz_points"] == row["typed_chars"] == row["years_python"] == row["feedback"] == ""
    for name in ("visits", "events", "runs", "turns", "answers", "allocations"):
        assert gone not in {row["participant_id"] for row in table(tmp_path / "dataset", name)}
    assert verify(tmp_path / "dataset").ok
