"""Alerts of an outage: programs that the server cannot run, and a server that is gone while people are at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from support.loopback_http import LoopbackHttp
from support.trials.export_world import EntryRequest, Walker, ids, real_study

from study_app.bootstrap import App, start
from study_app.domain.errors import SandboxUnavailable
from study_app.services.operation.alert_watch import BEGAN, OVER
from study_app.services.operation.server_watch import SHOWN
from study_app.settings import Settings

HOST = "server-1"


class Trial:
    """A launched study, the servers that serve it, and the alerts that were posted."""

    def __init__(self, folder: Path, database: str, http: LoopbackHttp, table: str = "") -> None:
        self.folder, self.database, self.http = folder, database, http
        self.clock = HandClock()
        path = real_study(folder)
        path.write_text(f"{path.read_text()}\n[alerts]\nwebhook = true\n{table}\n")
        self.apps: list[App] = []
        self.fresh = ids()
        self.first = self.server("first")
        self.first.lifecycle.launch()
        self.links = self.first.links.create(count=3)

    def server(self, name: str) -> App:
        """Start another server."""
        settings = Settings(
            study_file=self.folder / "study.toml", database=self.database, var=self.folder / "var",
            environment={"STUDY_ALERT_WEBHOOK": self.http.url},
        )  # fmt: skip
        app = start(settings, clock=self.clock, ids=self.fresh, grading_clock="virtual", seconds_per_word=0.0)
        now = self.clock.now()
        app.context.replicas.me = replace(
            app.context.replicas.me, name=name, machine=f"{HOST} pid:[1]", began_at=now, beat_at=now
        )
        self.apps.append(app)
        return app

    def person(self, app: App) -> Walker:
        return Walker(app, self.clock, EntryRequest(link=self.links.pop().secret))

    def alive(self, seconds: int, *servers: App, step: int = 5) -> None:
        """Let time pass in which these servers look again and again, as they do."""
        for _ in range(0, seconds, step):
            self.clock.advance(seconds=step)
            for app in servers:
                app.taking_over.tick()
                app.server_watch.check()
                app.alert_watch.tick()

    def kinds(self) -> list[tuple[str, str]]:
        return [(each["kind"], each["state"]) for each in self.http.posted]


@pytest.fixture
def trial_of(tmp_path, database_url):
    with LoopbackHttp() as http:
        made: list[Trial] = []

        def make(table: str = "") -> Trial:
            made.append(Trial(tmp_path, database_url, http, table))
            return made[0]

        yield make
        for each in made:
            for app in each.apps:
                app.close()


@POSTGRES_IS_SLOW
def test_a_server_that_is_gone_is_reported_once_and_over_once_another_began(trial_of):
    trial = trial_of()
    second = trial.server("second")
    trial.person(second).consent()
    trial.alive(30, trial.first, second)
    assert trial.kinds() == []
    trial.alive(40, second)
    gone = (f"server_gone:{HOST}", "firing")
    assert trial.kinds() == [gone]
    text = trial.http.posted[0]["message"]
    assert f"A server on {HOST} ended without saying goodbye at about 2026-01-05" in text
    assert "1 participant(s) were at work" in text
    trial.alive(3700, second, step=100)
    assert trial.kinds() == [gone]
    third = trial.server("third")
    trial.alive(60, second, third)
    assert trial.kinds() == [gone]
    trial.alive(int(SHOWN.total_seconds()), second, third)
    over = (f"server_gone:{HOST}", "resolved")
    assert trial.kinds() == [gone, over]
    with second.context.registry.begin(write=False) as unit:
        assert [entry.what for entry in unit.audit_of([BEGAN, OVER])] == [BEGAN, OVER]
    trial.alive(60, second, third)
    assert trial.kinds() == [gone, over]


@pytest.mark.slow
def test_the_only_server_reports_after_its_start_that_the_one_before_it_was_gone(trial_of):
    trial = trial_of()
    trial.person(trial.first).consent()
    trial.alive(30, trial.first)
    trial.clock.advance(seconds=20)
    again = trial.server("again")
    trial.alive(60, again)
    assert trial.kinds() == [(f"server_gone:{HOST}", "firing")]
    trial.alive(150, again)
    assert trial.kinds() == [(f"server_gone:{HOST}", "firing"), (f"server_gone:{HOST}", "resolved")]


@pytest.mark.slow
def test_a_server_that_was_only_cut_off_is_over_when_it_is_heard_again(trial_of):
    trial = trial_of()
    second = trial.server("second")
    trial.person(second).consent()
    trial.alive(10, trial.first, second)
    trial.alive(60, second)
    trial.alive(180, second, trial.first)
    assert [state for _, state in trial.kinds()] == ["firing", "resolved"]
    # And it is watched as before.
    trial.person(second).consent()
    trial.alive(60, second)
    assert [state for _, state in trial.kinds()] == ["firing", "resolved", "firing"]


@pytest.mark.slow
def test_a_goodbye_a_command_that_grades_and_an_idle_night_are_no_outage(trial_of):
    trial = trial_of()
    second, command = trial.server("second"), trial.server("command")
    trial.person(second).consent()
    trial.alive(10, trial.first, second)
    with command.context.registry.begin() as unit:
        command.context.replicas.beat(unit)
    trial.alive(60, trial.first, second)
    trial.first.taking_over.close()
    trial.alive(60, second)
    third = trial.server("third")
    trial.alive(600, second, third)
    trial.alive(60, second)
    assert trial.kinds() == []


@pytest.mark.slow
def test_the_alert_of_servers_can_be_left_out(trial_of):
    trial = trial_of("server_gone = false")
    second = trial.server("second")
    trial.person(second).consent()
    trial.alive(10, trial.first, second)
    trial.alive(60, second)
    assert trial.kinds() == []


@POSTGRES_IS_SLOW
def test_one_reading_of_the_servers_each_second_serves_every_job(trial_of):
    trial = trial_of()
    second = trial.server("second")
    trial.alive(10, trial.first, second)
    with statements() as sent:
        for _ in range(3):
            trial.clock.advance(seconds=1)
            second.taking_over.tick()
            second.server_watch.check()
    read = [each for each in sent if each.startswith("SELECT") and "FROM replicas" in each]
    assert len(read) == 3, sent
    # Nothing has changed since they were last compared, so that the watch asks the database for nothing at all.
    with statements() as sent:
        second.server_watch.check()
    assert sent == []


@contextmanager
def statements() -> Iterator[list[str]]:
    """Provide what is sent to a database meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class Failing:
    """The real sandbox, down when a test says so."""

    def __init__(self, sandbox) -> None:
        self.down = False
        self._sandbox = sandbox

    def isolation(self):
        return self._sandbox.isolation()

    def run(self, *given, **named):
        if self.down:
            raise SandboxUnavailable("the fork server did not start")
        return self._sandbox.run(*given, **named)

    def close(self) -> None:
        self._sandbox.close()


@POSTGRES_IS_SLOW
def test_programs_that_the_server_cannot_run_are_an_outage_until_one_runs(trial_of):
    trial = trial_of("failed_runs = 2")
    app = trial.first
    sandbox = app.context.sandbox = Failing(app.context.sandbox)
    person = trial.person(app).consent().background()
    app.session.begin_stage(person.id, "warmup")
    person.open("warmup")
    person.replace_all("1 / 0\n")
    for _ in range(2):
        person.run()
    trial.alive(30, app)
    assert trial.kinds() == []
    sandbox.down = True
    person.run()
    trial.alive(30, app)
    assert trial.kinds() == []
    person.run()
    trial.alive(60, app)
    assert trial.kinds() == [("failed_runs", "firing")]
    assert "could not run or grade the last 2 programs" in trial.http.posted[0]["message"]
    sandbox.down = False
    person.run()
    trial.alive(60, app)
    assert trial.kinds() == [("failed_runs", "firing"), ("failed_runs", "resolved")]


@pytest.mark.slow
def test_a_submission_that_waits_for_its_verdict_is_an_outage_until_it_is_graded(trial_of):
    trial = trial_of("failed_runs = 1")
    app = trial.first
    sandbox = app.context.sandbox = Failing(app.context.sandbox)
    person = trial.person(app).consent().background()
    app.session.begin_stage(person.id, "warmup")
    person.open("warmup")
    sandbox.down = True
    person.submit(person.solution("warmup"))
    app.grading.grade_present()
    trial.alive(300, app)
    assert trial.kinds() == []
    trial.alive(400, app)
    assert trial.kinds() == [("failed_runs", "firing")]
    sandbox.down = False
    app.grading.grade_present()
    trial.alive(30, app)
    assert trial.kinds() == [("failed_runs", "firing"), ("failed_runs", "resolved")]
