"""`study doctor --attack`: what it tries, on which servers, and what it leaves behind."""

from __future__ import annotations

import json
import os
import sys

import httpx
import pytest
from support.server import ROOT, StudyServer
from support.trials.people import enter
from support.warm_processes import run_study

from study_app.cli.checks.attack import ATTACKS
from study_app.storage import open_registry


def doctor(server, url, *more, var=None):
    arguments = ["doctor", str(server.study), "--database", server.database, "--attack", url, *more]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDY_")}
    environment["STUDY_VAR"] = str(var or server.folder / "var")
    return run_study(arguments, cwd=server.folder, environment=environment, timeout=280)


def excluded(server):
    """The kinds of those who do not count, in order of enrolment: what attacks leave."""
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        found = [person.kind for person in unit.participants() if person.exclusion_reason]
    registry.close()
    return found


def test_every_attack_is_stopped_and_leaves_one_preview_participant(server):
    before = excluded(server)
    done = doctor(server, server.url, "--json")
    assert done.stdout.startswith("{"), done.stderr
    found = {e["name"]: e for e in json.loads(done.stdout)["findings"] if e["name"].startswith("attack")}
    assert len(found) == len(ATTACKS)
    assert all(entry["ok"] for entry in found.values()), found
    assert excluded(server) == [*before, "preview"]


@pytest.mark.slow
def test_a_server_without_its_gate_gets_red_rows_that_say_what_to_do(tmp_path):
    (tmp_path / "altered").mkdir()
    (tmp_path / "altered" / "open").write_text("yes")
    weak = StudyServer(tmp_path, ALTERED=str(tmp_path / "altered"))
    weak.program = [sys.executable, str(ROOT / "tests" / "support" / "altered_server.py")]
    weak.start()
    try:
        done = doctor(weak, weak.url, "--json")
    finally:
        weak.stop()
    found = {e["name"]: e for e in json.loads(done.stdout)["findings"] if e["name"].startswith("attack")}
    red = {name.removeprefix("attack: "): entry["finding"] for name, entry in found.items() if not entry["ok"]}
    assert done.returncode == 1
    assert len(found) == len(ATTACKS)
    assert {"a stranger at addresses of Streamlit's", "a stranger's websocket", "a flood of requests"} <= red.keys(), (
        red
    )
    assert all(red.values())
    # What other layers stop stays green: the attack tells them apart.
    assert not {"an edit that is not one", "a program whose error names an endless line"} & red.keys()


@pytest.mark.slow
def test_a_server_that_does_not_show_the_planted_nonce_is_not_attacked(server, tmp_path):
    with httpx.Client(base_url=server.url) as client:
        enter(client)
    done = doctor(server, server.url, var=tmp_path)
    assert done.returncode == 2
    assert "is not the server of" in done.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8501", pytest.param("ftp://127.0.0.1", marks=pytest.mark.slow)])
def test_what_is_not_an_address_is_refused_in_a_line(server, url):
    done = doctor(server, url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
