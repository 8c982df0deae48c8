"""Alerts whose channels fail: what fails holds up nothing else, and what no one asks for any more is over."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.clock import HandClock
from support.loopback_http import LoopbackHttp
from support.loopback_smtp import LoopbackSmtp
from support.trials.export_world import ids, real_study
from support.trials.waves import STUDY, Waves

from study_app.bootstrap import App, start
from study_app.services.operation.alert_rules import conditions
from study_app.services.operation.alert_watch import Incident, incidents
from study_app.settings import Settings

RULE = "nobody_enrolled_hours = 6\n"
TABLE = f"""
[alerts]
mail = ["anna@example.org", "ben@example.org"]
webhook = true
{RULE}"""
NO_SERVER = "smtp://127.0.0.1:9"


def opened(folder: Path, clock: HandClock, smtp: str, webhook: str) -> App:
    environment = {"STUDY_SMTP_URL": smtp, "STUDY_MAIL_FROM": "study@example.org", "STUDY_ALERT_WEBHOOK": webhook}
    settings = Settings(
        study_file=folder / "study.toml", database=f"sqlite:///{folder}/study.db", var=folder / "var",
        environment=environment,
    )  # fmt: skip
    return start(settings, clock=clock, ids=ids(), grading_clock="virtual", seconds_per_word=0.0)


@pytest.fixture
def study(tmp_path) -> Path:
    path = real_study(tmp_path)
    path.write_text(path.read_text() + TABLE)
    return path


@contextmanager
def launched(folder: Path, clock: HandClock, smtp: str, webhook: str) -> Iterator[App]:
    """Provide a trial in which no one has enrolled for seven hours."""
    app = opened(folder, clock, smtp, webhook)
    app.lifecycle.launch()
    clock.advance(hours=7)
    yield app
    app.close()


def pass_minutes(app: App, clock: HandClock, count: int) -> None:
    for _ in range(count):
        clock.advance(minutes=1)
        app.alert_watch.tick()


def kept(app: App) -> Incident:
    with app.context.registry.begin(write=False) as unit:
        (found,) = incidents(unit)
    return found


@contextmanager
def no_web_server() -> Iterator[str]:
    """Provide the address of a server that answers, but not in HTTP."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.recv(65_536)
            self.wfile.write(b"SSH-2.0-other\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_mail_server_that_is_away_does_not_hold_up_the_webhook(study):
    clock = HandClock()
    with LoopbackHttp() as http, launched(study.parent, clock, NO_SERVER, http.url) as app:
        pass_minutes(app, clock, 5)
        assert [each["state"] for each in http.posted] == ["firing"]
        assert kept(app).owed == (("began", "mail"),)
        with LoopbackSmtp() as smtp:
            app.settings.environment["STUDY_SMTP_URL"] = smtp.url  # type: ignore[index]
            pass_minutes(app, clock, 5)
        assert [mail["To"] for mail in smtp.mails] == ["anna@example.org", "ben@example.org"]
        assert len(http.posted) == 1
        assert kept(app).owed == ()


@pytest.mark.slow
def test_an_answer_that_is_not_http_is_tried_again_and_stops_no_look(study):
    clock = HandClock()
    with LoopbackSmtp() as smtp, no_web_server() as webhook, launched(study.parent, clock, smtp.url, webhook) as app:
        pass_minutes(app, clock, 5)
        assert len(smtp.mails) == 2
        assert kept(app).owed == (("began", "webhook"),)


@pytest.mark.slow
def test_a_mail_that_is_put_off_comes_later_and_no_one_gets_two(study):
    clock = HandClock()
    with (
        LoopbackSmtp(defer="ben") as smtp,
        LoopbackHttp() as http,
        launched(study.parent, clock, smtp.url, http.url) as app,
    ):
        pass_minutes(app, clock, 5)
        assert [mail["To"] for mail in smtp.mails] == ["anna@example.org"]
        smtp.defer = ""
        pass_minutes(app, clock, 5)
        assert [mail["To"] for mail in smtp.mails] == ["anna@example.org", "ben@example.org"]
        assert kept(app).owed == ()
        assert kept(app).refused == ()


@pytest.mark.slow
def test_what_is_refused_for_good_is_named_and_not_tried_again(study):
    clock = HandClock()
    with (
        LoopbackSmtp(refuse="@example") as smtp,
        LoopbackHttp(404) as http,
        launched(study.parent, clock, smtp.url, http.url) as app,
    ):
        pass_minutes(app, clock, 5)
        assert len(http.posted) == 1
        assert smtp.mails == []
        assert kept(app).refused == ("mail: refused, refused", "webhook: status 404")


def test_an_alert_that_the_table_leaves_out_after_a_restart_is_over_and_sends_nothing(study):
    clock = HandClock()
    with LoopbackSmtp() as smtp, LoopbackHttp() as http, launched(study.parent, clock, smtp.url, http.url) as app:
        pass_minutes(app, clock, 1)
        study.write_text(study.read_text().replace(RULE, ""))
        app = opened(study.parent, clock, smtp.url, http.url)
        pass_minutes(app, clock, 3)
        assert kept(app).over_at is not None
        app.close()
        assert [each["state"] for each in http.posted] == ["firing"]


@pytest.mark.slow
def test_no_alert_about_the_trial_outlasts_the_trial(study):
    clock = HandClock()
    study.write_text(study.read_text().replace(RULE, "failed_runs = 2\n"))
    with LoopbackSmtp() as smtp, LoopbackHttp() as http, launched(study.parent, clock, smtp.url, http.url) as app:
        now = clock.now().isoformat()
        pass_minutes(app, clock, 1)
        with app.context.registry.begin() as unit:
            unit.set_meta_value("alerts", [{"kind": "failed_runs", "text": "t", "since": now, "owed": []}])
        app.lifecycle.close("enough")
        app.lifecycle.unseal("the end")
        pass_minutes(app, clock, 1)
        assert kept(app).over_at is not None
        assert http.posted == []


def test_alerts_go_on_while_later_sessions_of_an_unsealed_study_run(tmp_path):
    trial = Waves(tmp_path, text=f"{STUDY}\n[alerts]\nfailed_runs = 2\n")
    trial.first_part("p1")
    trial.app.lifecycle.close_wave(1, "all have been here")
    trial.app.lifecycle.unseal("the first session is analysed")
    context = trial.app.context
    with context.registry.begin(write=False) as unit:
        assert context.state(unit) == "unsealed"
        assert "failed_runs" in conditions(context, unit, trial.app.alert_watch.machine)
    trial.app.close()
