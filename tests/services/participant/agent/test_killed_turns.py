"""Whatever moment of an agent's turn the server is killed at: each change once or not at all, and the turn is over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest
from support.clock import HandClock
from support.paths import ROOT
from support.trials.agent_study import agent_walker
from support.trials.export_world import settle, table
from support.trials.killed_turn import ask, keep, resume

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export


def asked(folder, point):
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "support.trials.killed_turn", str(folder), str(point)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A participant before an agent's turn, and how many points the turn has."""
    folder = tmp_path_factory.mktemp("turn") / "study"
    folder.mkdir()
    app, walker = agent_walker(folder, HandClock(), "edits")
    keep(walker, folder)
    app.close()
    counted = copied(folder, folder.parent / "counted")
    done = asked(counted, 0)
    assert done.returncode == 0, done.stderr
    return folder, int(done.stdout.split()[-1])


def copied(folder, to):
    shutil.copytree(folder, to, symlinks=True)
    return to


def goes_on(prepared, tmp_path, point):
    folder, points = prepared
    folder = copied(folder, tmp_path / "study")
    assert asked(folder, point).returncode == -9
    app, walker = resume(folder, seconds=30)
    walker.open(walker.task)
    assert all(turn.complete for turn in app.help.turns(walker.id))
    ask(walker)
    walker.submit()
    settle(app)
    export(app.context, tmp_path / "data", include_preview=True)
    app.close()
    # The browser of a killed server repeats what was not acknowledged; this one was gone with it.
    assert [str(each) for each in verify(tmp_path / "data").findings if each.finding_class != "browser"] == []
    made = Counter(
        action
        for row in table(tmp_path / "data", "events")
        if row["kind"] == "edit" and (action := json.loads(row["payload"]).get("action_id"))
    )
    for row in table(tmp_path / "data", "agent_actions"):
        applied = row["tool"] == "edit" and row["decision"] in ("approve", "auto", "edited")
        assert row["decision"], row
        assert made[row["action_id"]] == int(applied), row
    # One more where the turn had begun before the kill.
    assert len(table(tmp_path / "data", "turns")) in (1, 2)


def test_a_turn_has_a_point_before_and_after_each_transaction(prepared):
    _, points = prepared
    assert points > 20
    assert points % 2 == 0


@pytest.mark.parametrize("share", [0.5])
@pytest.mark.slow
def test_a_server_killed_in_a_turn_leaves_each_change_once_or_not_at_all(prepared, tmp_path, share):
    goes_on(prepared, tmp_path, round(share * prepared[1]))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_server_killed_at_any_point_of_a_turn_leaves_each_change_once_or_not_at_all(prepared, tmp_path):
    for point in range(1, prepared[1] + 1):
        (tmp_path / str(point)).mkdir()
        goes_on(prepared, tmp_path / str(point), point)
