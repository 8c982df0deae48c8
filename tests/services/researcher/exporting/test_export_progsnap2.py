"""The ProgSnap2 directory against the rules of version 1.0, as its validator reads them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from support.trials.export_world import copy_of, table, trial

from study_app.dataset.writing.progsnap_events import initiator_of, progsnap_events
from study_app.domain.editing.edits import apply
from study_app.domain.events.browser import Edit
from study_app.domain.events.changes import Change
from study_app.services.researcher.exporting.progsnap2 import export_progsnap2

EVERYWHERE = set("EventType EventID CodeStateID SubjectID ToolInstances Order ClientTimestamp ServerTimestamp".split())
EVERYWHERE |= set("AssignmentID ProblemID ExperimentalCondition IsFabricatedEvent SessionID ParentEventID".split())
REQUIRED = {
    "Session.Start": {"SessionID"},
    "Session.End": {"SessionID"},
    "File.Open": {"CodeStateSection"},
    "File.Edit": {"CodeStateSection", "EditType"},
    "File.CopyText": {"CopiedText"},
    "Submit": set(),
    "Compile": {"CompileResult", "CodeStateSection"},
    "Compile.Error": {"CompileMessageType", "CodeStateSection"},
    "Run.Program": {"ExecutionResult"},
    "Run.Test": {"ExecutionID", "TestID", "ExecutionResult"},
    "Resource.View": {"ResourceID"},
    "Intervention": {"EventInitiator", "InterventionCategory", "InterventionType", "InterventionMessage"},
}
OPTIONAL = {
    "File.Open": {"EventInitiator"},
    "File.Edit": {"EventInitiator", "SourceLocation", "InsertText", "DeleteText", "DeleteLength"},
    "Submit": {"ExecutionID", "Score"},
    "Run.Program": {"ExecutionID", "Score", "ProgramErrorOutput"},
    "Compile.Error": {"CompileMessageData", "SourceLocation"},
    "Run.Test": {"Score"},
}
ENUMS = {
    "EditType": {"Insert", "Delete", "Replace", "Move", "Paste", "Undo", "Redo", "Refactor", "Reset", "GenericEdit"},
    "ExecutionResult": {"Success", "Timeout", "Error", "TestFailed"},
    "EventInitiator": {"UserDirectAction", "UserIndirectAction", "ToolReaction"},
    "InterventionCategory": {"X-AIPrompt", "X-AIReply"},
}


def read(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


def written(tmp_path):
    summary = export_progsnap2(trial().app.context, tmp_path / "ps2")
    return summary, read(tmp_path / "ps2" / "MainTable.csv"), read(tmp_path / "ps2" / "CodeStates" / "CodeStates.csv")


def test_every_event_has_its_required_columns_and_no_column_of_another(tmp_path):
    summary, events, _ = written(tmp_path)
    assert summary.events == len(events)
    assert {event["EventType"] for event in events} >= {"File.Edit", "Run.Program", "Submit", "Intervention"}
    for event in events:
        kind = event["EventType"]
        filled = {name for name, cell in event.items() if cell != ""}
        assert REQUIRED[kind] <= filled, event
        assert filled <= EVERYWHERE | REQUIRED[kind] | OPTIONAL.get(kind, set()), event
        assert all(event[name] in levels for name, levels in ENUMS.items() if event[name]), event


def test_ids_are_unique_orders_rise_and_code_states_exist(tmp_path):
    _, events, states = written(tmp_path)
    assert len({event["EventID"] for event in events}) == len(events)
    known = {state["CodeStateID"] for state in states}
    assert len(known) == len(states)
    assert {event["CodeStateID"] for event in events} - {""} == known
    last: dict[str, int] = {}
    for event in events:
        assert int(event["Order"]) == last.get(event["SubjectID"], 0) + 1
        last[event["SubjectID"]] = int(event["Order"])


def error_quotient(compiles):
    """Jadud's measure over one session: over pairs of compilations 8, and 3 more for the same class, of 11."""
    pairs = list(pairwise(compiles))
    scores = [(8 + 3 * (one == other)) / 11 if one and other else 0.0 for one, other in pairs]
    return sum(scores) / len(scores) if scores else None


def test_the_error_quotient_and_repeated_errors_follow_from_the_compile_events(tmp_path):
    _, events, _ = written(tmp_path)
    failed = [event for event in events if event["EventType"] == "Compile.Error"]
    errors = {event["ParentEventID"]: event["CompileMessageType"] for event in failed}
    assert errors
    runs = [row for row in table(trial().dataset("unsealed"), "runs") if row["kind"] == "run"]
    sessions = {}
    for event in events:
        if event["EventType"] == "Compile":
            sessions.setdefault(event["SessionID"], []).append(errors.get(event["EventID"]))
    due = {}
    for run in sorted(runs, key=lambda run: run["started_at"]):
        due.setdefault(f"{run['participant_id']}.{run['stage']}", []).append(run["error_type"] or None)
    assert {name: error_quotient(found) for name, found in sessions.items()} == {
        name: error_quotient(found) for name, found in due.items()
    }
    assert error_quotient(["NameError", "NameError", "TypeError", None]) == (1 + 8 / 11 + 0) / 3


def repeated_error_density(compiles):
    """Becker's measure over one session: over runs of the same error r^2 / (r + 1), r being its repetitions."""
    density, length = 0.0, 0
    for one, other in pairwise([*compiles, None]):
        length = length + 1 if one and one == other else 0
        density += length**2 / (length + 1) - (max(length - 1, 0) ** 2 / length if length else 0.0)
    return density


def test_repeated_error_density_is_that_of_published_sequences():
    assert repeated_error_density(["A", "A", None]) == 1 / 2
    assert repeated_error_density(["A", "A", "A"]) == 4 / 3
    assert repeated_error_density(["A", "B", "A"]) == 0
    assert repeated_error_density(["A", "A", None, "B", "B"]) == 1


def test_time_on_task_follows_from_the_timestamps_to_the_second(tmp_path):
    _, events, _ = written(tmp_path)
    spent: dict[tuple[str, str], list[datetime]] = {}
    for event in events:
        moment = datetime.strptime(event["ServerTimestamp"], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        assert datetime.strptime(event["ClientTimestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
        if event["EventType"] in ("Session.Start", "Session.End"):
            spent.setdefault((event["SubjectID"], event["AssignmentID"]), []).append(moment)
    visits = {(row["participant_id"], row["stage"]): row for row in table(trial().dataset("unsealed"), "visits")}
    ended = {place: times for place, times in spent.items() if len(times) == 2}
    assert ended
    for place, (first, last) in ended.items():
        started, over = (datetime.fromisoformat(visits[place][name]) for name in ("started_at", "ended_at"))
        assert abs((last - first) - (over - started)).total_seconds() <= 1


def test_the_table_of_subjects_has_arm_scores_and_no_text_of_theirs(tmp_path):
    summary, events, _ = written(tmp_path)
    subjects = read(tmp_path / "ps2" / "LinkTables" / "Subject.csv")
    people = {row["participant_id"]: row for row in table(trial().dataset("unsealed"), "participants")}
    assert [row["SubjectID"] for row in subjects] == list(people)
    assert summary.subjects == len(subjects)
    assert {event["SubjectID"] for event in events} <= {row["SubjectID"] for row in subjects}
    for row in subjects:
        person = people[row["SubjectID"]]
        assert row["ExperimentalCondition"] == person["arm"]
        for name in ("quiz_score", "task_minutes", "years_coding"):
            assert row[f"X-{name}"] == person[name]
    assert "X-feedback" not in subjects[0]


def test_a_reply_put_in_by_a_button_is_no_direct_act_and_the_pages_own_edit_is_a_reaction():
    change = (Change(0, 0, "x"),)
    made = [
        Edit(task="t", how="paste", changes=change, user_event="input.paste.reply"),
        Edit(task="t", how="programmatic", changes=change, user_event="input.starter"),
        Edit(task="t", how="programmatic", changes=change),
        Edit(task="t", how="typed", changes=change, user_event="input.type"),
    ]
    assert [initiator_of(edit, ()) for edit in made] == [
        "UserIndirectAction",
        "UserIndirectAction",
        "ToolReaction",
        "UserDirectAction",
    ]


def test_edits_alone_replay_to_every_program_by_whole_offsets(tmp_path):
    _, events, states = written(tmp_path)
    code = {state["CodeStateID"]: state["Code"] for state in states}
    text: dict[tuple[str, str], str] = {}
    compared = 0
    for event in events:
        place = (event["SubjectID"], event["CodeStateSection"] or f"{event['ProblemID']}.py")
        if event["EventType"] == "File.Edit":
            start, before = int(event["SourceLocation"]), text.get(place, "")
            end = len(before) if event["EditType"] == "Reset" else start + int(event["DeleteLength"] or 0)
            text[place] = before[:start] + event["InsertText"] + before[end:]
        elif event["EventType"] in ("Run.Program", "Submit"):
            assert text[place] == code[event["CodeStateID"]]
            compared += 1
    assert compared > 10


def rows_of(*changes):
    """The rows of one edit."""
    payload = {"task": "t", "how": "typed", "changes": [change.as_json() for change in changes]}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    log = [{"event_id": 1, "server_time": moment, "client_time": moment, "stage": "s", "kind": "edit",
            "payload": json.dumps(payload)}]  # fmt: skip
    return progsnap_events(log, [], [])


def replayed(text, changes):
    """The text that a reader of the rows has after an edit, in UTF-16 units as the rows count."""
    units = text.encode("utf-16-le")
    seen = []
    for row in rows_of(*changes):
        start, gone = 2 * int(row["SourceLocation"]), 2 * (row["DeleteLength"] or 0)
        units = units[:start] + (row["InsertText"] or "").encode("utf-16-le") + units[start + gone :]
        seen.append(row["EventID"])
    assert len(set(seen)) == len(seen)
    return units.decode("utf-16-le")


def test_an_edit_is_named_by_whether_it_takes_out_puts_in_or_both():
    places = (Change(0, 0, "x"), Change(1, 3, ""), Change(3, 4, "y"))
    found = [(row["EditType"], row["DeleteLength"], row["InsertText"]) for row in rows_of(*places)]
    assert found == [("Replace", 1, "y"), ("Delete", 2, None), ("Insert", None, "x")]


def test_an_edit_of_several_places_replays_row_by_row():
    assert replayed("a b a", (Change(0, 1, "xyz"), Change(4, 5, "xyz"))) == "xyz b xyz"


@given(
    st.text("ab \n😀", max_size=20), st.lists(st.tuples(st.integers(0, 20), st.text("xy😀", max_size=4)), max_size=8)
)
def test_rows_of_any_edit_replay_to_the_text_of_the_platform(text, cuts):
    # Places between whole characters, so that each row's text is one that a file can hold.
    places = sorted({min(place, len(text)) for place, _ in cuts})
    at = [len(text[:place].encode("utf-16-le")) // 2 for place in places]
    changes = [Change(start, end, insert) for start, end, (_, insert) in zip(at[::2], at[1::2], cuts, strict=False)]
    assert replayed(text, changes) == apply(text, changes)


def test_sessions_tests_and_client_times_are_as_published_scripts_need_them(tmp_path):
    _, events, _ = written(tmp_path)
    assert all(event["SessionID"].startswith(event["SubjectID"]) for event in events)
    assert all(event["ClientTimestamp"] for event in events)
    problems = {}
    for event in events:
        if event["TestID"]:
            problems.setdefault(event["TestID"], set()).add(event["ProblemID"])
    assert all(len(of) == 1 for of in problems.values())
    initiators = {(e["InterventionCategory"], e["EventInitiator"]) for e in events if e["EventType"] == "Intervention"}
    assert initiators <= {("X-AIPrompt", "UserDirectAction"), ("X-AIReply", "ToolReaction")}


def test_submissions_carry_their_program_and_score(tmp_path):
    _, events, states = written(tmp_path)
    code = {state["CodeStateID"]: state["Code"] for state in states}
    runs = {row["run_id"]: row for row in table(trial().dataset("unsealed"), "runs")}
    submits = [event for event in events if event["EventType"] == "Submit"]
    assert submits
    for event in submits:
        run = runs[event["ExecutionID"]]
        checks = json.loads(run["checks"])
        assert code[event["CodeStateID"]] == run["code"]
        assert float(event["Score"]) == sum(check["passed"] for check in checks) / len(checks)


def test_the_metadata_say_version_and_representation(tmp_path):
    written(tmp_path)
    metadata = {row["Property"]: row["Value"] for row in read(tmp_path / "ps2" / "DatasetMetadata.csv")}
    assert metadata["Version"] == "1.0"
    assert metadata["CodeStateRepresentation"] == "Table"


def test_a_sealed_study_shows_no_condition_and_no_chat(tmp_path):
    app = copy_of(trial(), tmp_path, "UPDATE meta SET value = 'launched' WHERE key = 'state'")
    export_progsnap2(app.context, tmp_path / "ps2")
    app.close()
    events = read(tmp_path / "ps2" / "MainTable.csv")
    assert {event["ExperimentalCondition"] for event in events} == {""}
    subjects = read(tmp_path / "ps2" / "LinkTables" / "Subject.csv")
    assert {row["ExperimentalCondition"] for row in subjects} == {""}
    assert {row["X-queries"] for row in subjects} == {""}
    assert "Intervention" not in {event["EventType"] for event in events}
    assert all(event["EventID"] == f"{event['SubjectID']}.{event['Order']}" for event in events)
