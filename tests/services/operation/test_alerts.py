"""Alerts: each incident is sent once when it begins and once when it is over, and the audit log has both."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.clock import HandClock
from support.loopback_http import LoopbackHttp
from support.loopback_smtp import LoopbackSmtp
from support.trials.export_world import EntryRequest, Walker, ids, real_study

from study_app.bootstrap import App, start
from study_app.domain.errors import ProblemsFound
from study_app.domain.records import Turn
from study_app.notifications import AlertSender
from study_app.services.operation.alert_rules import Machine
from study_app.services.operation.alert_watch import BEGAN, OVER, SENT, incidents
from study_app.services.operation.clock_watch import ALERT as CLOCK
from study_app.services.operation.isolation_watch import ALERT as ISOLATION
from study_app.settings import Settings

TABLE = """
[alerts]
mail = ["anna@example.org", "ben@example.org"]
webhook = true
nobody_enrolled_hours = 6
failed_replies = 3
budget_share = 0.8
disk_free_gb = 2
"""


def study_in(folder: Path, table: str = TABLE) -> Path:
    path = real_study(folder, **{"[assistant_policy]\n": "[assistant_policy]\nstudy_cost_limit = 5.0\n"})
    path.write_text(path.read_text() + table)
    return path


def opened(folder: Path, clock: HandClock, database: str = "", **environment: str) -> App:
    settings = Settings(
        study_file=folder / "study.toml",
        database=database or f"sqlite:///{folder}/study.db",
        var=folder / "var",
        environment=environment,
    )
    return start(settings, clock=clock, ids=ids(), grading_clock="virtual", seconds_per_word=0.0)


@pytest.fixture
def servers():
    with LoopbackSmtp() as smtp, LoopbackHttp() as http:
        yield smtp, http


def environment(smtp: LoopbackSmtp, http: LoopbackHttp) -> dict[str, str]:
    return {"STUDY_SMTP_URL": smtp.url, "STUDY_MAIL_FROM": "study@example.org", "STUDY_ALERT_WEBHOOK": http.url}


@pytest.fixture
def trial(tmp_path, servers):
    study_in(tmp_path)
    clock = HandClock()
    app = opened(tmp_path, clock, **environment(*servers))
    app.lifecycle.launch()
    yield app, clock
    app.close()


def later(app: App, clock: HandClock, **delta: float) -> None:
    clock.advance(**delta)
    app.alert_watch.tick()


def kinds(http: LoopbackHttp) -> list[tuple[str, str]]:
    return [(each["kind"], each["state"]) for each in http.posted]


def audit(app: App) -> list[Any]:
    with app.context.registry.begin(write=False) as unit:
        return [entry for entry in unit.audit() if entry.what in (BEGAN, OVER, SENT)]


def test_while_recruitment_is_paused_no_alert_says_that_no_one_enrols(trial, servers):
    (app, clock), (_, http) = trial, servers
    app.recruiting.pause("the room is taken", "anna")
    later(app, clock, hours=30)
    app.recruiting.resume("the room is free", "anna")
    later(app, clock, hours=5, minutes=59)
    assert kinds(http) == []
    later(app, clock, minutes=2)
    assert kinds(http) == [("nobody_enrolled", "firing")]


def test_nobody_enrolled_is_sent_once_and_once_when_somebody_comes(trial, servers):
    (app, clock), (smtp, http) = trial, servers
    later(app, clock, hours=5, minutes=59)
    assert kinds(http) == []
    for _ in range(30):
        later(app, clock, minutes=10)
    assert kinds(http) == [("nobody_enrolled", "firing")]
    assert [mail["To"] for mail in smtp.mails] == ["anna@example.org", "ben@example.org"]
    assert "No participant has enrolled since" in smtp.mails[0].get_content()
    (link,) = app.links.create(labels=["p@example.org"])
    Walker(app, clock, EntryRequest(link=link.secret))
    for _ in range(3):
        later(app, clock, minutes=1)
    assert kinds(http) == [("nobody_enrolled", "firing"), ("nobody_enrolled", "resolved")]
    assert len(smtp.mails) == 4
    assert smtp.mails[-1]["Subject"].endswith("over: nobody_enrolled".replace("_", " "))
    assert [entry.what for entry in audit(app)] == [BEGAN, SENT, SENT, OVER, SENT, SENT]
    text = json.dumps([http.posted, [mail.as_string() for mail in smtp.mails]])
    assert "p@example.org" not in text


def test_an_incident_outlives_a_restart_and_two_servers_send_it_once(tmp_path, servers, postgres_url):
    study_in(tmp_path)
    clock, (smtp, http) = HandClock(), servers
    first = opened(tmp_path, clock, postgres_url, **environment(smtp, http))
    first.lifecycle.launch()
    second = opened(tmp_path, clock, postgres_url, **environment(smtp, http))
    clock.advance(hours=7)
    for app in (first, second, first, second):
        app.alert_watch.tick()
        clock.advance(minutes=1)
    first.close()
    second.close()
    third = opened(tmp_path, clock, postgres_url, **environment(smtp, http))
    later(third, clock, minutes=5)
    third.close()
    assert kinds(http) == [("nobody_enrolled", "firing")]
    assert len(smtp.mails) == 2


@pytest.mark.slow
def test_what_cannot_be_sent_is_tried_again_and_nothing_is_sent_twice(tmp_path):
    study_in(tmp_path)
    clock = HandClock()
    with LoopbackSmtp() as smtp, LoopbackHttp(503, 503) as http:
        app = opened(tmp_path, clock, **environment(smtp, http))
        app.lifecycle.launch()
        clock.advance(hours=7)
        for _ in range(20):
            later(app, clock, minutes=1)
        app.close()
    assert kinds(http) == [("nobody_enrolled", "firing")] * 3
    assert len(smtp.mails) == 2


@pytest.mark.slow
def test_failed_replies_in_a_row_are_an_outage_until_one_succeeds(trial, servers):
    (app, clock), (_, http) = trial, servers
    (link,) = app.links.create(labels=["x"])
    person = Walker(app, clock, EntryRequest(link=link.secret))
    add_turn(app, clock, person.id, None)
    for error in ("overloaded", "timeout"):
        add_turn(app, clock, person.id, error)
    later(app, clock, seconds=30)
    assert kinds(http) == []
    add_turn(app, clock, person.id, "connection")
    later(app, clock, seconds=30)
    later(app, clock, seconds=30)
    assert kinds(http) == [("provider", "firing")]
    add_turn(app, clock, person.id, None)
    later(app, clock, seconds=30)
    assert kinds(http) == [("provider", "firing"), ("provider", "resolved")]


def test_failed_replies_to_previews_are_no_outage(trial, servers):
    (app, clock), (_, http) = trial, servers
    preview = Walker(app, clock, EntryRequest(test=app.links.create_test().secret))
    for _ in range(3):
        add_turn(app, clock, preview.id, "overloaded")
    later(app, clock, seconds=30)
    later(app, clock, seconds=30)
    assert kinds(http) == []


def test_the_budget_s_share_is_reported_without_an_amount(trial, servers):
    (app, clock), (_, http) = trial, servers
    (link,) = app.links.create(labels=["x"])
    person = Walker(app, clock, EntryRequest(link=link.secret))
    price = next(iter(app.context.content.specs.values())).price
    needed = int(4.1 / price.output_usd * 1e6)
    add_turn(app, clock, person.id, None, output_tokens=needed // 2)
    later(app, clock, seconds=30)
    assert kinds(http) == []
    add_turn(app, clock, person.id, None, output_tokens=needed // 2 + 1000)
    later(app, clock, seconds=30)
    assert kinds(http) == [("budget", "firing")]
    assert "80% of the study's 5 US dollars" in http.posted[0]["message"]


def add_turn(app: App, clock: HandClock, person: str, error: str | None, **more: Any) -> None:
    spec = next(iter(app.context.content.specs.values()))
    turn = Turn(
        id=app.context.fresh_id(), participant_id=person, task="t", assistant="claude", treatment=spec.id, model="m",
        prompt_version="1", message="q", reply="", code="", asked_at=clock.now(), error=error, complete=True,
        total_seconds=1.0,
    )  # fmt: skip
    with app.context.registry.begin() as unit:
        unit.add_turn(replace(turn, **more))


@pytest.mark.slow
def test_disk_isolation_and_clock_are_reported_and_over(trial, servers):
    (app, clock), (_, http) = trial, servers
    free = [1e9]
    app.alert_watch.machine = Machine("server-1", lambda: int(free[0]))
    now = clock.now().isoformat()
    with app.context.registry.begin() as unit:
        unit.set_meta(CLOCK, json.dumps({"at": now, "seconds": 3600.0, "state": "away"}))
        unit.set_meta(ISOLATION, json.dumps({"since": now, "level": "off", "message": "no canary was stopped."}))
    later(app, clock, seconds=30)
    assert sorted(kinds(http)) == [("clock_step", "firing"), ("disk:server-1", "firing"), ("isolation", "firing")]
    free[0] = 3e9
    with app.context.registry.begin() as unit:
        unit.set_meta(CLOCK, json.dumps({"at": now, "seconds": 3600.0, "state": "back"}))
        unit.set_meta(ISOLATION, "")
    later(app, clock, seconds=30)
    assert len(http.posted) == 6
    with app.context.registry.begin(write=False) as unit:
        assert all(each.over_at is not None for each in incidents(unit))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('[alerts]\nmail = ["Anna <anna@example.org>"]', "alerts.mail"),
        ("[alerts]\nnobody_enrolled_hours = 0", "alerts.nobody_enrolled_hours"),
        ("[alerts]\nbudget_share = 1.2", "alerts.budget_share"),
        ("[alerts]\nbudget_share = 0.5", "alerts.budget_share: there is no budget"),
        ("[alerts]\ndisk_free_gb = -1", "alerts.disk_free_gb"),
        ("[alerts]\nfailed_replies = 0", "alerts.failed_replies"),
        ("[alerts]\nnothing = 3", "alerts.nothing"),
    ],
)
def test_a_wrong_table_is_refused_by_key(tmp_path, table, key):
    from study_app.content.study_file import read_study

    path = real_study(tmp_path)
    path.write_text(f"{path.read_text()}\n{table}\n")
    with pytest.raises(ProblemsFound) as found:
        read_study(path)
    assert key.replace(": ", "") in " ".join(map(str, found.value.problems)).replace(": ", "")


def test_the_table_is_no_part_of_the_hash_and_its_addresses_are_in_no_locked_text(tmp_path):
    from study_app.bootstrap import open_library
    from study_app.domain.study.study import protocol_hash

    with_table = open_library(study_in(tmp_path))
    text = with_table.study.canonical()
    assert "anna@example.org" not in text
    (tmp_path / "study.toml").write_text((tmp_path / "study.toml").read_text().replace("anna@", "carla@"))
    again = open_library(tmp_path / "study.toml")
    hashes = {protocol_hash(each.study, dict(each.materials())) for each in (with_table, again)}
    assert len(hashes) == 1


@pytest.mark.slow
def test_the_environment_s_gaps_are_named(tmp_path):
    from study_app.content.study_file import read_study

    alerts = read_study(study_in(tmp_path)).alerts
    found = {problem.file for problem in AlertSender({}, alerts).problems()}
    assert found == {"STUDY_SMTP_URL", "STUDY_MAIL_FROM", "STUDY_ALERT_WEBHOOK"}


@pytest.mark.slow
def test_isolation_and_clock_can_be_left_out(tmp_path, servers):
    study_in(tmp_path, "\n[alerts]\nisolation = false\nclock_step = false\nwebhook = true\n")
    clock, (smtp, http) = HandClock(), servers
    app = opened(tmp_path, clock, **environment(smtp, http))
    app.lifecycle.launch()
    with app.context.registry.begin() as unit:
        unit.set_meta(CLOCK, json.dumps({"at": clock.now().isoformat(), "seconds": 3600.0, "state": "away"}))
        unit.set_meta(ISOLATION, json.dumps({"since": clock.now().isoformat(), "level": "off", "message": "m"}))
    clock.advance(seconds=timedelta(minutes=1).total_seconds())
    app.alert_watch.tick()
    app.close()
    assert http.posted == []
