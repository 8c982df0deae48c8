"""Steps that were altered in the log and in the table alike, so that both agree, are found by the rest of the log."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta

import pytest
from support.clock import HandClock
from support.trials.agent_forgery import Forgery, walked
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import table

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export


@pytest.fixture
def dataset():
    return walked("each")


def sooner(cell, seconds):
    return (datetime.fromisoformat(cell) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:-6] + "Z"


def another_program(decision):
    def forge(forgery):
        step = forgery.step(decision=decision)
        step["base_hash"] = "0" * 64
        forgery.say("agent_proposed", step["action_id"], base_sha256="0" * 64)
        return step

    return forge


def other_text_replaced(forgery):
    """The text that the agent wanted to replace, without its first character."""
    step = forgery.step(tool="edit", decision="approve")
    forgery.propose_other(step["action_id"], old=json.loads(step["input"])["old"][1:])
    return step


def other_line(forgery):
    step = forgery.step(tool="edit", decision="reject")
    forgery.say("agent_proposed", step["action_id"], line=99)
    return step


def approved_as_it_was(forgery):
    """A change that the participant edited, as if the agent had proposed what they made of it."""
    step = forgery.step(decision="edited")
    action = step["action_id"]
    (change,) = json.loads(forgery.event("edit", action)["payload"])["changes"]
    forgery.propose_other(action, new=change["insert"])
    forgery.say("agent_decided", action, decision="approve")
    step["decision"], step["diff_chars"] = "approve", str(len(change["insert"]))
    return step


def rejected_run(forgery):
    """A run that was approved, as if the page had sent that it is rejected."""
    step = forgery.step(tool="run", decision="approve")
    forgery.say("agent_answered", step["action_id"], decision="reject")
    forgery.say("agent_decided", step["action_id"], decision="reject")
    step["decision"] = "reject"
    return step


def other_reason(forgery):
    step = forgery.step(tool="edit", decision="reject")
    forgery.say("agent_decided", step["action_id"], words="I did not understand it")
    step["reason"] = "I did not understand it"
    return step


def more_characters(forgery):
    step = forgery.step(tool="edit", decision="approve")
    more = int(step["applied_chars"]) + 100
    forgery.say("agent_decided", step["action_id"], applied_chars=more)
    step["applied_chars"] = str(more)
    return step


def decided_sooner(forgery):
    step = forgery.step(tool="edit", decision="approve")
    row = forgery.event("agent_decided", step["action_id"])
    row["server_time"] = step["decided_at"] = sooner(row["server_time"], 2)
    step["seconds_to_decide"] = str(float(step["seconds_to_decide"]) - 2)
    forgery.say("agent_decided", step["action_id"], seconds=float(step["seconds_to_decide"]))
    return step


def went_on_later(forgery):
    step = forgery.step(tool="view", decision="auto")
    row = forgery.event("agent_decided", step["action_id"])
    row["server_time"] = step["decided_at"] = sooner(row["server_time"], -1.5)
    forgery.say("agent_decided", step["action_id"], seconds=1.5)
    return step


def decided_twice(forgery):
    step = forgery.step(tool="edit", decision="reject")
    row = forgery.event("agent_decided", step["action_id"])
    forgery.events.insert(forgery.events.index(row) + 1, row | {"event_id": str(int(row["event_id"]) + 1)})
    return step


def of_an_earlier_turn(forgery):
    first, step = forgery.steps[0], forgery.step(decision="expired")
    assert first["turn_id"] != step["turn_id"]
    forgery.say("agent_proposed", step["action_id"], turn_id=first["turn_id"])
    step["turn_id"] = first["turn_id"]
    return step


def another_place_in_the_turn(forgery):
    step = next(row for row in forgery.steps if int(row["step"]) > 1)
    forgery.say("agent_proposed", step["action_id"], step=1)
    step["step"] = "1"
    return step


def a_run_that_failed(forgery):
    step = forgery.step(tool="run", decision="approve", failed="0")
    forgery.say("agent_acted", step["action_id"], failed=True)
    step["failed"] = "1"
    return step


def another_program_looked_at(forgery):
    step = forgery.step(tool="view")
    forgery.say("agent_acted", step["action_id"], result="print('looked at')\n")
    step["result"] = "print('looked at')\n"
    return step


def a_change_that_was_made(forgery):
    """A change that was rejected, as if the agent had read that it was made."""
    step = forgery.step(tool="edit", decision="reject")
    forgery.say("agent_acted", step["action_id"], result="The change was made.", failed=False)
    step["result"], step["failed"] = "The change was made.", "0"
    return step


FORGED = {
    "the program of a step that was rejected": (another_program("reject"), "proposal_differs"),
    "the program of a step that became stale": (another_program("stale"), "proposal_differs"),
    "the program of a step that expired": (another_program("expired"), "proposal_differs"),
    "the text that a change was to replace": (other_text_replaced, "proposal_differs"),
    "the line of a change": (other_line, "proposal_differs"),
    "the turn of a step": (of_an_earlier_turn, "proposal_differs"),
    "the number of a step": (another_place_in_the_turn, "proposal_differs"),
    "an edited change as the agent's own": (approved_as_it_was, "step_result_differs"),
    "an approved run as rejected": (rejected_run, "step_result_differs"),
    "a run that went well as one that failed": (a_run_that_failed, "step_result_differs"),
    "the program that was looked at": (another_program_looked_at, "step_result_differs"),
    "what a rejected change came to": (a_change_that_was_made, "step_result_differs"),
    "why it was rejected": (other_reason, "decision_differs"),
    "how many characters were put in": (more_characters, "decision_differs"),
    "when it was decided": (decided_sooner, "decision_differs"),
    "when it went on without asking": (went_on_later, "decision_differs"),
    "a second decision": (decided_twice, "decision_differs"),
}


QUICK = ("the program of a step that was rejected", "an approved run as rejected", "a second decision")
"""One for each finding."""


@pytest.mark.parametrize(
    "what", [what if what in QUICK else pytest.param(what, marks=pytest.mark.slow) for what in FORGED]
)
def test_verify_names_the_step_of_which_the_log_and_the_table_were_altered_alike(dataset, tmp_path, what):
    forge, name = FORGED[what]
    shutil.copytree(dataset, tmp_path / "forged")
    forgery = Forgery(tmp_path / "forged")
    action = forge(forgery)["action_id"]
    number = [row["action_id"] for row in forgery.steps].index(action) + 2
    forgery.write()
    found = {(each.name, each.row) for each in verify(tmp_path / "forged").findings}
    assert (name, number) in found
    # The table says what the log says: it is the rest of the log that contradicts.
    assert ("action_differs", number) not in found


@pytest.mark.slow
def test_what_a_page_sends_late_of_a_step_that_another_decided_is_no_finding(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    late = {}

    def choose(frame):
        if frame["tool"] == "run" and not late:
            late["page"], late["seq"] = walker.page, walker.seq
            walker.open(walker.task)
            page.answer(frame, "approve")
            mine = walker.page, walker.seq
            walker.page, walker.seq = late["page"], late["seq"]
            page.answer(frame, "reject")
            walker.page, walker.seq = mine
            return "approve"
        return "stop" if late else "approve"

    page = AgentPage(walker, choose)
    page.ask()
    assert ("run", "approve") in page.decisions
    export(app.context, tmp_path / "data", include_preview=True)
    app.close()
    assert len(table(tmp_path / "data", "agent_actions")) == len(page.decisions)
    assert [str(finding) for finding in verify(tmp_path / "data").findings] == []
