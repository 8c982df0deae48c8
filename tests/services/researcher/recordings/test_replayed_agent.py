"""A recorded agent: its steps are proposed again, each where the program has a place for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import Walker, open_app, real_study, settle, table

from study_app.dataset.measures.turns.acting import steps_of
from study_app.dataset.verification import verify
from study_app.domain.assistants.recording import RECORDED
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.recordings.lines import cleaned, recorded_lines
from study_app.services.researcher.recordings.record_turns import record_turns
from study_app.services.researcher.recordings.without_identities import Identities

ASKED = "please get the first function to work"
TREATMENT = """
id = "replay"
version = "1"
label = "Assistant"
provider = "recorded"
recording = "recording.jsonl"
manner = "agent"
gives_code = true

[agent]
approval = "each"
"""


def at_the_task(app, clock) -> Walker:
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(20)) if w.arm == "ai")
    return walker.begin_tasks()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A recording of a turn in which one change was rejected, and the turn's steps and program."""
    app, walker = agent_walker(tmp_path_factory.mktemp("first"), HandClock())
    choices = iter(["approve", "reject"])
    page = AgentPage(walker, lambda frame: next(choices, "approve") if frame["tool"] == "edit" else "approve")
    page.ask(ASKED)
    made = record_turns(app.context, "cli", "preview")
    steps = app.help.actions(walker.id)[page.turn_id]
    yield made, steps, walker.text, page.said
    app.close()


def test_a_step_whose_call_names_a_person_is_left_out_and_counted(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    AgentPage(walker, lambda _: "approve").ask(ASKED)
    with app.context.registry.begin(write=False) as unit:
        steps = steps_of(unit.events(walker.id))
        (turn,) = unit.turns(walker.id)
        identities = Identities(unit.participants(), [turn])
    (edit, *_) = [step for step in steps if step.proposed.tool == "edit"]
    mail = replace(edit, proposed=replace(edit.proposed, input={"old": "# ann@uni.example", "new": "# x"}))
    changed = [mail if step is edit else step for step in steps]
    app.close()
    whole, clean = (cleaned(turn, identities, each) for each in (steps, changed))
    assert (whole.steps_left_out, whole.changed) == (0, False)
    assert (clean.steps_left_out, clean.changed) == (1, True)
    assert "ann@" not in "".join(line for line in recorded_lines([clean]))


def replaying(folder, recording: bytes, clock):
    path = real_study(folder, **{'file = "assistants/full.toml"': 'file = "replay.toml"'})
    (folder / "replay.toml").write_text(TREATMENT)
    (folder / "recording.jsonl").write_bytes(recording)
    return open_app(folder, clock, path)


def test_a_recording_holds_the_steps_with_what_was_said_before_each(recorded):
    made, steps, _, said = recorded
    (line,) = [json.loads(line) for line in made.content.decode().splitlines()]
    assert [step["tool"] for step in line["steps"]] == [step["tool"] for step in steps]
    assert [step.get("input", {}) for step in line["steps"]] == [step["input"] for step in steps]
    texts = [step.get("text", "") for step in line["steps"]]
    assert "\n\n".join(text for text in (*texts, line.get("reply", "")) if text).strip() == said.strip()


def test_the_same_decisions_on_a_recorded_agent_lead_to_the_same_program(recorded, tmp_path):
    made, steps, program, said = recorded
    clock = HandClock()
    app = replaying(tmp_path, made.content, clock)
    walker = at_the_task(app, clock)
    choices = iter(["approve", "reject"])
    choose = lambda frame: next(choices, "approve") if frame["tool"] == "edit" else "approve"  # noqa: E731
    page = AgentPage(walker, choose).ask(ASKED)
    assert page.decisions == [(step["tool"], step["decision"]) for step in steps]
    assert (walker.text, page.said.strip()) == (program, said.strip())
    nothing = AgentPage(walker, lambda _: "approve").ask("What is the capital of France?")
    assert nothing.frames == []
    assert nothing.said == RECORDED("none")
    walker.submit()
    settle(app)
    export(app.context, tmp_path / "data", include_preview=True)
    app.close()
    turns = sorted(table(tmp_path / "data", "turns"), key=lambda turn: turn["asked_at"])
    assert [turn["recorded_match"] for turn in turns] == ["exact", "none"]
    assert [json.loads(turn["parameters"]).get("recorded_steps_left_out") for turn in turns] == [0, 0]
    report = verify(tmp_path / "data")
    assert report.ok, report.lines()


def test_steps_that_the_program_has_no_place_for_are_left_out_and_counted(recorded, tmp_path):
    made, steps, *_ = recorded
    clock = HandClock()
    app = replaying(tmp_path, made.content, clock)
    walker = at_the_task(app, clock)
    walker.edit(0, len(walker.text), "print('mine')\n")
    page = AgentPage(walker, lambda _: "approve").ask(f"Well, {ASKED}")
    edits = sum(step["tool"] == "edit" for step in steps)
    assert [tool for tool, _ in page.decisions] == [step["tool"] for step in steps if step["tool"] != "edit"]
    (turn,) = app.help.turns(walker.id)
    assert (turn.parameters["recorded_match"], turn.parameters["recorded_steps_left_out"]) == ("near", edits)
    assert walker.text == "print('mine')\n"
    app.close()


@pytest.mark.slow
def test_a_recorded_step_that_typing_made_stale_is_proposed_again(recorded, tmp_path):
    made, *_ = recorded
    clock = HandClock()
    app = replaying(tmp_path, made.content, clock)
    walker = at_the_task(app, clock)
    choices = iter(["typed"])
    page = AgentPage(walker, lambda frame: next(choices, "approve") if frame["tool"] == "edit" else "approve").ask(
        ASKED
    )
    edits = [decision for tool, decision in page.decisions if tool == "edit"]
    assert edits[:2] == ["stale", "approve"]
    assert walker.text.endswith("# mine\n")
    app.close()
