"""What an agent did, in the dataset: who wrote each character, every step, and forgeries that verify names."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from support import psychds_rules
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import settle, table
from support.trials.quiz_study import change_row

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.progsnap2 import export_progsnap2
from study_app.services.researcher.replay.timeline import timeline


def one_quick(names):
    first, *others = names
    return [first, *(pytest.param(name, marks=pytest.mark.slow) for name in others)]


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("agent"), HandClock()
    app, walker = agent_walker(folder, clock)
    choices = iter(["approve", "reject", "edited"])
    page = AgentPage(walker, lambda frame: next(choices, "approve") if frame["tool"] == "edit" else "approve").ask()
    walker.submit()
    settle(app)
    export(app.context, folder / "data", include_preview=True)
    yield walker, page, folder / "data"
    app.close()


def test_every_step_is_a_row_with_what_became_of_it(walked):
    _, page, dataset = walked
    rows = table(dataset, "agent_actions")
    assert [(row["tool"], row["decision"]) for row in rows] == page.decisions
    assert [row["decision"] for row in rows if row["tool"] == "edit"][:3] == ["approve", "reject", "edited"]
    assert all(float(row["seconds_to_decide"]) == 3 for row in rows if row["waited"] == "1")
    (turn,) = table(dataset, "turns")
    assert int(turn["agent_steps"]) == len(rows)


def test_the_participants_row_counts_what_they_decided_and_what_the_agent_wrote(walked):
    walker, page, dataset = walked
    row = next(row for row in table(dataset, "participants") if row["agent_edits"])
    made = [decision for tool, decision in page.decisions if tool == "edit" and decision in ("approve", "edited")]
    assert int(row["agent_edits"]) == len(made)
    assert int(row["rejections"]) == 1
    assert float(row["auto_approve_share"]) == 0
    assert 0 < int(row["agent_chars"]) < len(walker.text)
    assert int(row["typed_chars"]) == len("# looked at\n")


def test_verify_is_content_with_what_was_walked(walked):
    *_, dataset = walked
    assert [str(finding) for finding in verify(dataset).findings] == []


def test_the_dataset_with_the_agents_table_conforms_to_psych_ds_without_a_warning(walked):
    *_, dataset = walked
    assert psychds_rules.errors(dataset) == []
    assert psychds_rules.warnings(dataset) == []


FORGED = {
    "a decision": ("decision", lambda row: row["decision"] == "reject", "approve", "action_differs"),
    "a change": ("input", lambda row: row["tool"] == "edit", '{"new": "x", "old": "y"}', "action_differs"),
    "how long it took to decide": ("seconds_to_decide", lambda row: row["waited"] == "1", "0.5", "action_differs"),
    "a run": ("run_id", lambda row: row["tool"] == "run", "", "action_differs"),
}


@pytest.mark.parametrize("name", one_quick(FORGED))
def test_verify_names_a_row_that_was_changed(walked, tmp_path, name):
    *_, dataset = walked
    column, which, value, finding = FORGED[name]
    shutil.copytree(dataset, tmp_path / "forged")

    change_row(tmp_path / "forged", "agent_actions", which, **{column: value})
    assert finding in {each.name for each in verify(tmp_path / "forged").findings}


DECLARED = {
    "another regime": ({"approval": "none"}, "approval_mode_differs"),
    "fewer tools": ({"tools": ["view", "edit"]}, "agent_tool_differs"),
}


@pytest.mark.parametrize("name", one_quick(DECLARED))
def test_verify_names_steps_that_the_treatment_does_not_allow(walked, tmp_path, name):
    *_, dataset = walked
    other, finding = DECLARED[name]
    shutil.copytree(dataset, tmp_path / "forged")
    (treatment,) = (
        path for path in (tmp_path / "forged/materials/assistants").iterdir() if '"manner": "agent"' in path.read_text()
    )
    spec = json.loads(treatment.read_text())
    treatment.write_text(json.dumps(spec | {"agent": spec["agent"] | other}))
    assert finding in {each.name for each in verify(tmp_path / "forged").findings}


def test_verify_names_steps_of_an_assistant_that_does_not_act(walked, tmp_path):
    *_, dataset = walked
    shutil.copytree(dataset, tmp_path / "forged")
    (treatment,) = (tmp_path / "forged/materials/assistants").iterdir()
    treatment.write_text(json.dumps(json.loads(treatment.read_text()) | {"manner": "answers"}))
    assert "agent_in_wrong_arm" in {each.name for each in verify(tmp_path / "forged").findings}


def test_the_log_of_events_replays_to_what_was_submitted_with_the_agents_edits_in_it(walked):
    walker, _, dataset = walked
    edits = [json.loads(row["payload"]) for row in table(dataset, "events") if row["kind"] == "edit"]
    assert {edit["kind"] for edit in edits if edit.get("action_id")} == {"agent"}
    (submission,) = [
        row for row in table(dataset, "runs") if row["kind"] == "submission" and row["task"] == walker.task
    ]
    assert submission["code"] == walker.text


def test_progsnap2_tells_what_the_participant_approved_from_what_was_done_without_asking(tmp_path):
    rows = {}
    for approval in ("edits", "none"):
        (tmp_path / approval).mkdir()
        app, walker = agent_walker(tmp_path / approval, HandClock(), approval)
        AgentPage(walker, lambda _: "approve").ask()
        export_progsnap2(app.context, tmp_path / f"{approval}.ps2", include_preview=True)
        app.close()
        with (tmp_path / f"{approval}.ps2" / "MainTable.csv").open(newline="") as file:
            rows[approval] = [row for row in csv.DictReader(file) if row["SubjectID"]]

    def initiators(approval, kind):
        return {row["EventInitiator"] for row in rows[approval] if row["EventType"] == kind and row["EventInitiator"]}

    assert "UserIndirectAction" in initiators("edits", "File.Edit")
    assert initiators("edits", "Run.Program") == {"ToolReaction"}
    assert "ToolReaction" in initiators("none", "File.Edit")


def test_the_replay_has_a_lane_and_the_steps_of_the_agent_apart_from_the_participants_own(walked):
    walker, page, _ = walked
    shown = timeline(walker.app.context, walker.id)
    assert len(shown["lanes"]["agent"]) == len(page.decisions)
    assert all(begun < ended for begun, ended in shown["lanes"]["agent"])
    (turn,) = shown["turns"].values()
    assert [(step["tool"], step["decision"]) for step in turn["steps"]] == page.decisions
    assert "agent" in {source for frame in shown["frames"] for _, source in frame.get("spans", [])}
    own = [run for run in shown["runs"].values() if run["kind"] != "agent"]
    assert len(shown["lanes"]["running"]) == len(own) < len(shown["runs"])
