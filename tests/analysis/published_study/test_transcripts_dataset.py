import csv
import hashlib
import json

import pandas as pd
import pytest
from support.analysis.transcript_maker import SHARED, asked, seen, transcript, write

from analysis.data.load import load
from analysis.interaction.coders.coding import code_queries
from analysis.published_study import import_transcripts
from analysis.published_study.columns import PARTICIPANT_COLUMNS
from study_app.dataset.verification import verify
from study_app.domain.errors import UserError

SENT = "task_submission"

CONTRACT_COLUMNS = """participant_id study_hash arm stratum allocation_index is_simulated is_preview
status exclusion_reason enrolled_at allocated_at finished_at warmup_minutes warmup_passed task_minutes task_completed
completion_minutes completion_event tasks_passed checks_passed checks_total visible_only_pass quiz_points quiz_max
quiz_score runs errors first_error_type queries queries_explanation queries_generation queries_debugging
queries_capability queries_appreciation interaction_minutes active_minutes away_minutes outage_minutes typed_chars
pasted_chars_assistant pasted_chars_outside retyped_assistant_chars interaction_pattern used_other_ai received
compliant""".split()

USER = [
    seen("00:00:10", "task_start"),
    seen("00:01:00", "ai_interaction"),
    seen("00:01:30", "ai_interaction"),
    asked("00:02:00", ["code_generation", "question"], '=write the timer, and why?\r\n"quoted"'),
    seen("00:02:10", "paste", codes=["code_copying"]),
    seen("00:03:00", "error", description="NameError: name 'x' is not defined"),
    seen("00:04:00", "task_completion"),
    seen("00:04:30", "task_submission"),
    seen("00:05:00", "task_start", "2"),
    asked("00:06:00", ["thanks"], "thanks", "2"),
    seen("00:18:00", "task_completion", "2"),
    seen("00:19:00", "task_submission", "2"),
]


@pytest.fixture
def dataset(tmp_path):
    folder = write(tmp_path / "in", transcript(2, events=USER), transcript(27, "No-AI"))
    import_transcripts(folder, tmp_path / "out")
    return tmp_path / "out"


def table(dataset, name):
    return pd.read_csv(dataset / f"data/study-shentamkin_description-{name}_data.csv", keep_default_na=False, dtype=str)


def test_participants_have_the_contracts_columns_in_order(dataset):
    assert list(table(dataset, "participants").columns)[: len(CONTRACT_COLUMNS)] == CONTRACT_COLUMNS
    assert PARTICIPANT_COLUMNS[: len(CONTRACT_COLUMNS)] == CONTRACT_COLUMNS


def test_a_participants_row_holds_what_was_recorded(dataset):
    row = table(dataset, "participants").set_index("participant_id").loc["p2"]
    assert (row["arm"], row["status"], row["task_minutes"], row["warmup_minutes"]) == ("ai", "completed", "20.0", "5.0")
    assert (row["task_completed"], row["completion_event"], row["tasks_passed"]) == ("1", "1", "2")
    assert (row["errors"], row["first_error_type"]) == ("1", "NameError")
    assert (row["queries"], row["queries_generation"], row["queries_explanation"]) == ("2", "1", "1")
    assert (row["interaction_minutes"], row["active_minutes"]) == ("0.5", "5.0")
    assert (row["interaction_pattern"], row["adoption"]) == ("Hybrid Code-Explanation", "paste")
    assert row["quiz_points"] == row["quiz_score"] == row["allocation_index"] == row["runs"] == ""


def test_without_an_assistant_queries_are_0_and_the_pattern_none(dataset):
    row = table(dataset, "participants").set_index("participant_id").loc["p27"]
    counts = [row[name] for name in CONTRACT_COLUMNS if name.startswith("queries")]
    assert counts == ["0"] * 6
    assert (row["arm"], row["interaction_pattern"], row["received"]) == ("no_ai", "none", "0")


def test_turns_keep_the_message_and_guard_it_against_spreadsheets(dataset):
    turns = table(dataset, "turns")
    assert turns["message"][0] == '\'=write the timer, and why?\r\n"quoted"'
    assert list(turns["codes"]) == ["explanation;generation", "appreciation"]
    assert list(turns["composing_seconds"]) == ["30.0", ""]


def test_events_are_numbered_without_a_gap_and_their_payloads_are_json(dataset):
    events = table(dataset, "events")
    for _, own in events.groupby("participant_id"):
        assert [int(seq) for seq in own["seq"]] == list(range(1, len(own) + 1))
    payload = json.loads(events["payload"][4])
    assert payload["codes"] == ["paste"]
    assert payload["recorded_timestamp"] == "00:02:10"


def test_the_manifest_describes_every_table(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert (manifest["study_id"], manifest["state"], manifest["allocation"]) == (
        "shentamkin",
        "unsealed",
        "not applicable",
    )
    for file in manifest["files"]:
        content = (dataset / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        with (dataset / file["path"]).open(newline="", encoding="utf-8") as handle:
            assert len(list(csv.reader(handle))) == file["rows"] + 1
        sidecar = json.loads((dataset / file["path"]).with_suffix(".json").read_text())
        assert all(variable["description"] for variable in sidecar["variableMeasured"])


def test_every_repair_is_in_changes_and_in_its_table(dataset):
    repairs = table(dataset, "repairs")
    assert "code_copying" in list(repairs["found"])
    assert "| p2 | 4 | codes | `code_copying` | `paste` |" in (dataset / "CHANGES.md").read_text()


def test_two_imports_of_the_same_files_are_equal_to_the_byte(tmp_path):
    folder = write(tmp_path / "in", transcript(2, events=USER))
    for name in ("one", "two"):
        import_transcripts(folder, tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 14
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_a_folder_in_use_is_not_overwritten(tmp_path, dataset):
    with pytest.raises(UserError, match="not empty"):
        import_transcripts(tmp_path / "in", dataset)


def test_analysis_opens_the_dataset(dataset):
    opened = load(dataset)
    assert opened.study.state == "unsealed"
    assert not opened.warnings
    assert list(opened.participants["arm"]) == ["ai", "no_ai"]


def test_one_arm_alone_can_be_imported(tmp_path):
    report = import_transcripts(write(tmp_path / "in", transcript(27, "No-AI")), tmp_path / "out")
    assert (report.arms, report.queries) == ({"no_ai": 1}, 0)
    assert list(table(tmp_path / "out", "turns").columns)[:3] == ["turn_id", "participant_id", "task"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published transcripts are not at hand")
def test_the_published_files_give_the_reference_counts_person_by_person(tmp_path):
    import_transcripts(SHARED, tmp_path / "out")
    # Source of the expected values: the worked example of the reference, computed there from the same files.
    path = __import__("pathlib").Path(__file__).parents[2] / "oracles" / "paper_transcripts_give" / "data.csv"
    expected = pd.read_csv(path).set_index("pid")
    found = load(tmp_path / "out").participants.set_index("participant_id")
    expected = expected.loc[[int(who[1:]) for who in found.index]]
    pairs = {
        "task_minutes": "mins",
        "warmup_minutes": "warm",
        "queries": "nq",
        "queries_generation": "code_generation",
        "queries_explanation": "question",
        "queries_debugging": "debugging",
        "queries_capability": "capability_question",
        "queries_appreciation": "thanks",
        "pastes": "paste",
        "code_copies": "code_copying",
        "errors": "error",
        "interaction_minutes": "ai_compose_min",
        "active_minutes": "active",
        "task_1_minutes": "t1",
        "task_2_minutes": "t2",
        "task_1_completed": "done1",
        "task_2_completed": "done2",
    }
    for ours, theirs in pairs.items():
        assert found[ours].astype(float).tolist() == pytest.approx(expected[theirs].astype(float).tolist()), ours


def irregular():
    """People with the irregularities that the other half of the published files is said to have (made-up contents)."""
    start, done, sent = seen("00:00:10", "task_start"), seen("00:05:00", "task_completion"), seen("00:05:30", SENT)
    start2 = seen("00:06:00", "task_start", "2")
    end = [seen("00:19:00", "task_completion", "2"), seen("00:19:30", SENT, "2")]
    whole = [start, done, sent, start2, *end]
    typing = [seen("00:01:00", "ai_interaction"), seen("00:01:20", "ai_interaction"), asked("00:01:50", ["question"])]
    thanks = asked("00:02:00", ["thanks", "question"])
    misspelt = seen("00:01:00", "ai_interaction", codes=["ai_intersection"])
    back = [seen("00:11:16", "error", "2", description="TypeError: x"), seen("00:10:55", "paste", "2")]
    return [
        transcript(2, events=[start, *typing, *whole[1:]]),
        transcript(8, events=[start, asked("00:02:00", ["code_generation"], task="2"), *whole[1:]]),
        transcript(10, events=[start, seen("00:05:00", "task_completion", codes=["task_completion."]), *whole[2:]]),
        transcript(14, events=[start, misspelt, thanks, done, start2, *end, end[-1]]),
        transcript(18, minutes=35, task1_total_time=8, task2_total_time=11, events=[start, done, start2, *back, *end]),
        transcript(22, events=[*whole[:4], *back, *end]),
        transcript(24, minutes=29, events=whole),
        transcript(30, "No-AI", complete=(True, False), events=[
            start, done, start2, seen("00:09:00", "error", "1", description="NameError: y"),
            seen("00:20:00", "system_error", "2", codes=["task_submission"]),
        ]),
        transcript(38, "No-AI", events=[start, done, start2, seen("00:06:30", SENT), *end]),
        transcript(48, "No-AI", events=[*whole[:4], *back[:1], seen("00:11:00", "error", "2"), *end]),
        transcript(50, "No-AI", complete=(True, False), events=[
            start, done, sent, start2, seen("00:30:00", "ai_delay", "2", description="Connection lost"),
        ]),
    ]  # fmt: skip


def test_every_irregularity_of_the_published_files_is_imported_listed_and_verifies(tmp_path):
    import_transcripts(write(tmp_path / "in", *irregular()), tmp_path / "out")
    assert verify(tmp_path / "out").findings == []
    listed = {
        (row["participant_id"], row["field"], row["action"])
        for row in table(tmp_path / "out", "repairs").to_dict("records")
    }
    assert {
        ("p2", "event_type", "left"),
        ("p8", "task_id", "repaired"),
        ("p10", "codes", "repaired"),
        ("p14", "codes", "repaired"),
        ("p14", "task_submission", "left"),
        ("p18", "timestamp", "repaired"),
        ("p18", "main_task_minutes", "left"),
        ("p22", "timestamp", "repaired"),
        ("p24", "main_task_minutes", "left"),
        ("p30", "codes", "repaired"),
        ("p30", "task_id", "repaired"),
        ("p30", "task_completion", "left"),
        ("p48", "timestamp", "repaired"),
        ("p50", "event_type", "left"),
    } <= listed
    people = {row["participant_id"]: row for row in table(tmp_path / "out", "participants").to_dict("records")}
    assert (float(people["p18"]["task_minutes"]), people["p18"]["errors"]) == (35, "1")
    assert (people["p14"]["queries_appreciation"], people["p14"]["queries_explanation"]) == ("1", "1")
    assert people["p30"]["task_completed"] == people["p50"]["task_completed"] == "0"
    assert code_queries(tmp_path / "out")["queries"] == 3


def test_an_assistants_query_in_an_arm_without_one_is_listed(tmp_path):
    asker = transcript(30, "No-AI", events=[seen("00:00:10", "task_start"), asked("00:01:00", ["question"])])
    report = import_transcripts(write(tmp_path / "in", asker), tmp_path / "out")
    assert "an assistant in an arm without one, as recorded" in {entry.reason for entry in report.repairs}
