"""A served, launched study in trouble: a wrong clock, falling isolation, a failing grader, suspicious imports."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.replicas.persistent_person import PersistentPerson
from support.server import ROOT, StudyServer
from support.trials.export_world import real_study
from typer.testing import CliRunner

from study_app.cli import app
from study_app.services.identity import hashed
from study_app.services.operation.isolation_watch import FELL, RECOVERED
from study_app.storage import open_registry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ALTERED = ROOT / "tests" / "support" / "altered_server.py"
WARMUP = (ROOT / "tasks" / "warmup" / "solution.py").read_text(encoding="utf-8")


def until(said: Callable[[], Any], seconds: float = 300) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := said():
            return found
        time.sleep(0.3)
    raise AssertionError(f"it did not come about within {seconds} s")


class Typist(PersistentPerson):
    """Goes to a stage of tasks and types one program."""

    def go_to(self, wanted: str) -> None:
        self.enter()
        while (place := self.where())[0] != wanted:
            kind = next(each for each in self.study.stages if each.id == place[0])
            if kind.kind == "tasks":
                self.ask("POST", "/api/act", {"stage": kind.id, "act": "begin"})
                self.submit(kind, place[1], WARMUP)
            else:
                self.advance(kind, place[1])
        self.ask("POST", "/api/act", {"stage": wanted, "act": "begin"})

    def submit(self, stage: Any, step: int, code: str) -> httpx.Response:
        name = stage.packs[step].rsplit("/", 1)[-1]
        page, change = self.open(), {"from": 0, "to": 0, "insert": code}
        now = time.monotonic() * 1000
        shown = {"task": name, "text": "", "source": "starter"}
        typed = {"task": name, "kind": "typed", "changes": [change], "length": len(code)}
        self.send(page, [
            {"seq": n, "kind": kind, "client_time_ms": now, "mono_ms": now, "payload": payload}
            for n, (kind, payload) in enumerate([("load", shown), ("edit", typed)], 1)
        ])  # fmt: skip
        given = {"code": code, "confirm": True, "page": page, "seq": 2, "task": name}
        return self.ask("POST", "/api/submit", given)

    def keep_alive(self) -> int:
        """Send one event as a page does; the answer's status."""
        page = self.open()
        event = {"seq": 1, "kind": "visible", "client_time_ms": 0, "mono_ms": 0, "payload": {}}
        return self.ask("POST", "/api/events", {"page": page, "events": [event]}).status_code


class Served:
    """The server, its folder of alterations, and the people who come."""

    def __init__(self, folder: Path) -> None:
        study = real_study(folder, **{"allow_weak_isolation = false": "allow_weak_isolation = false"})
        self.folder, self.said = folder, folder / "altered"
        self.said.mkdir()
        self.server = StudyServer(folder, study, ALTERED=str(self.said))
        self.server.program = [sys.executable, str(ALTERED)]
        with contextlib.chdir(folder):
            self.command("launch")
            links = self.command("create-links", "--count", "8", "--json")
        self.links = [each["link"].rpartition("link=")[2] for each in json.loads(links)]
        (self.said / "isolation").write_text("strong")
        self.server.start()

    def command(self, verb: str, *more: str) -> str:
        where = [verb, str(self.server.study), "--database", self.server.database, *more]
        given = {"STUDY_VAR": str(self.folder / "var")}
        done = CliRunner().invoke(app, where, env=given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def person(self) -> Typist:
        from study_app.content.study_file import read_study

        person = Typist([self.server.url], 1)
        person.link, person.study = self.links.pop(), read_study(self.server.study)
        return person

    def at_tasks(self) -> tuple[Typist, Any]:
        person = self.person()
        person.go_to("tasks")
        return person, next(each for each in person.study.stages if each.id == "tasks")

    def health(self) -> dict[str, Any]:
        return httpx.get(f"{self.server.url}/healthz", timeout=60).json()

    def unit(self):
        return contextlib.closing(open_registry(self.server.database))

    def runs(self, person: Typist) -> list[Any]:
        with self.unit() as registry, registry.begin(write=False) as unit:
            from study_app.clock import SystemClock

            who = unit.participant_of_token(hashed(person.cookies["study_participant"]), SystemClock().now())
            return [run for run in unit.runs(who.id) if run.kind == "submission" and run.stage == "tasks"]

    def acts(self) -> list[str]:
        with self.unit() as registry, registry.begin(write=False) as unit:
            return [entry.what for entry in unit.audit()]

    def whole(self) -> None:
        """Export and verify are done, and nothing speaks of tampering or a breach."""
        out = self.folder / f"dataset{time.monotonic_ns()}"
        self.command("export", "--out", str(out))
        done = CliRunner().invoke(app, ["verify", str(out), "--json"])
        assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("troubled"))
    yield found
    found.server.stop()


def test_a_clock_that_is_two_hours_ahead_ends_no_stage_and_is_shown(served):
    person, _ = served.at_tasks()
    (served.said / "clock").write_text("7200")
    alerts = until(lambda: served.health().get("alerts"))
    assert any("clock" in alert for alert in alerts)
    assert person.where()[0] == "tasks"
    assert person.keep_alive() == 200
    (served.said / "clock").write_text("0")
    assert person.where()[0] == "tasks"
    served.whole()


def test_a_study_whose_isolation_falls_pauses_keeps_submissions_and_goes_on(served):
    person, stage = served.at_tasks()
    (served.said / "isolation").write_text("weak")
    until(lambda: served.health()["status"] == "paused")
    assert person.submit(stage, 0, "print('kept')\n").status_code < 300
    assert person.where()[0] == "tasks"
    assert [run.ended_by for run in served.runs(person)] == [None]
    (served.said / "isolation").write_text("strong")
    until(lambda: served.health()["status"] == "ok")
    until(lambda: served.runs(person)[0].checks)
    assert {FELL, RECOVERED} <= set(served.acts())
    served.whole()


def test_a_submission_whose_grading_fails_is_put_aside_and_others_are_graded(served):
    (served.said / "grading").write_text("breaks the grader")
    (bad, stage), (good, _) = served.at_tasks(), served.at_tasks()
    assert bad.submit(stage, 0, "# breaks the grader\n").status_code < 300
    assert good.submit(stage, 0, "print('fine')\n").status_code < 300
    assert until(lambda: served.runs(good)[0].checks)
    (put_aside,) = until(lambda: [run for run in served.runs(bad) if run.grading])
    assert (put_aside.grading, put_aside.checks) == ("failed", [])
    assert "the grader fails at this program" in put_aside.grading_reason
    assert served.health()["status"] == "ok"
    served.whole()


def test_suspicious_imports_are_noted_for_the_console(served):
    person, stage = served.at_tasks()
    assert person.submit(stage, 0, "import gc, inspect\nprint('hm')\n").status_code < 300
    (run,) = until(lambda: [each for each in served.runs(person) if each.checks])
    assert run.review
    served.whole()
