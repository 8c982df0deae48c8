"""Decisions that are altered in the log and in the table alike are found: each of them, whatever it becomes."""

from __future__ import annotations

import json
import shutil
from typing import get_args

import pytest
from support.trials.agent_forgery import rewritten, walked
from support.trials.export_world import table
from support.trials.quiz_study import rewrite_table

from study_app.dataset.verification import verify
from study_app.domain.events.words import Decision

FOUND = {"decision_differs", "agent_edit_differs", "approval_mode_differs", "action_without_decision"}
DECISIONS = get_args(Decision)


@pytest.fixture(scope="module")
def datasets():
    return {approval: walked(approval) for approval in ("each", "none")}


def forge(dataset, decisions):
    """Give steps other decisions, in the log and in the table."""

    def in_log(row):
        if row["kind"] == "agent_decided":
            said = json.loads(row["payload"])
            row["payload"] = json.dumps(said | {"decision": decisions.get(said["action_id"], said["decision"])})

    def in_table(row):
        row["decision"] = decisions.get(row["action_id"], row["decision"])

    rewrite_table(dataset, "events", lambda text: rewritten(text, in_log))
    rewrite_table(dataset, "agent_actions", lambda text: rewritten(text, in_table))


def missed(dataset, to, by):
    """The steps whose decision is replaced by the one that stands `by` places on, and that no finding names."""
    shutil.copytree(dataset, to)
    rows = table(dataset, "agent_actions")
    other = {row["action_id"]: DECISIONS[(DECISIONS.index(row["decision"]) + by) % len(DECISIONS)] for row in rows}
    forge(to, other)
    named = {finding.row for finding in verify(to).findings if finding.name in FOUND}
    return [
        (row["tool"], row["decision"], other[row["action_id"]])
        for number, row in enumerate(rows, 2)
        if number not in named
    ]


def test_every_decision_is_among_those_that_are_altered_here(datasets):
    found = {row["decision"] for dataset in datasets.values() for row in table(dataset, "agent_actions")}
    assert found == set(DECISIONS)
    for dataset in datasets.values():
        assert [str(finding) for finding in verify(dataset).findings] == []


@pytest.mark.parametrize("by", [pytest.param(by, marks=pytest.mark.slow if by > 1 else ()) for by in range(1, 8)])
@pytest.mark.parametrize("approval", ["each", "none"])
def test_verify_finds_each_decision_that_was_altered(datasets, tmp_path, approval, by):
    assert missed(datasets[approval], tmp_path / "forged", by) == []


@pytest.mark.parametrize("approval", ["each", "none"])
def test_verify_finds_each_step_that_was_carried_out_on_another_program(datasets, tmp_path, approval):
    forged = tmp_path / "forged"
    shutil.copytree(datasets[approval], forged)

    def in_log(row):
        if row["kind"] == "agent_proposed":
            row["payload"] = json.dumps(json.loads(row["payload"]) | {"base_sha256": "0" * 64})

    rewrite_table(forged, "events", lambda text: rewritten(text, in_log))
    rows = table(forged, "agent_actions")
    carried_out = {
        number
        for number, row in enumerate(rows, 2)
        # What runs without asking is started by the server, on the program that it has.
        if (row["tool"], row["decision"]) != ("run", "auto") and row["tool"] in ("edit", "run")
        if row["decision"] in ("approve", "edited", "auto")
    }
    assert carried_out
    named = {finding.row for finding in verify(forged).findings if finding.name == "decision_differs"}
    assert carried_out - named == set()
