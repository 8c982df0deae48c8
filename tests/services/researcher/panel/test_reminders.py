"""Reminders: a file for a mail merge, mails where a server is set, each once, and a way out."""

from __future__ import annotations

import csv
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.loopback_smtp import LoopbackSmtp
from support.trials.waves import STUDY, Waves

from study_app.cli.people.remind import _server
from study_app.domain.errors import InfrastructureError, NotAllowed, ProblemsFound
from study_app.domain.events.server import Outage
from study_app.mailing import MailConnection, MailServer, message
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.monitoring import Monitor
from study_app.services.researcher.panel.due import due_people, reminders_of, use_reminders
from study_app.services.researcher.panel.reminders import (
    REMIND,
    Reminders,
    addresses_in,
    is_address,
    stop_reminders,
)

DAY = 60 * 24
SITE = "https://study.example.org"


@pytest.fixture
def trial(tmp_path, database_url):
    made = Waves(tmp_path, database_url)
    made.people = [made.first_part(f"p{n}") for n in range(3)]
    yield made
    made.app.close()


def reminders(trial: Waves) -> Reminders:
    return Reminders(trial.app.context, SITE, {f"p{n}": f"p{n}@example.org" for n in range(3)})


def mailed(trial: Waves, server: LoopbackSmtp, who: str = "cli") -> list[str]:
    with MailConnection(MailServer.parse(server.url, "study@example.org")) as mail:

        def deliver(reminder):
            return mail.send(message(mail.server, reminder.address, "Part 2", reminder.link, reminder.opt_out))

        return [each.outcome for each in reminders(trial).send(deliver, who)]


def test_each_reminder_goes_out_once_and_to_those_who_have_not_begun(trial):
    with LoopbackSmtp() as server:
        assert mailed(trial, server) == [], "no session is open yet"
        trial.clock.advance(minutes=14 * DAY + 30)
        trial.app.session.where(trial.people[2])
        assert mailed(trial, server) == ["sent", "sent"]
        assert mailed(trial, server) == []
        trial.clock.advance(minutes=3 * DAY)
        assert mailed(trial, server) == ["sent", "sent"]
        trial.clock.advance(minutes=5 * DAY)
        assert mailed(trial, server) == [], "the window is over"
        assert [mail["To"] for mail in server.mails] == ["p0@example.org", "p1@example.org"] * 2
        assert server.mails[0]["List-Unsubscribe"].startswith(f"<{SITE}/no-reminders?token=")
    with trial.app.context.registry.begin(write=False) as unit:
        assert [act.detail for act in unit.audit() if act.what == "remind"] == [{"sent": 2}, {"sent": 2}]


@POSTGRES_IS_SLOW
def test_days_that_have_passed_together_make_one_mail(trial):
    trial.clock.advance(minutes=18 * DAY)
    with LoopbackSmtp() as server:
        assert mailed(trial, server) == ["sent"] * 3
        assert mailed(trial, server) == []


def test_what_is_pending_at_an_opening_is_that_of_the_due_list_and_of_every_arm(tmp_path):
    """Two people are there, one of whom was given time back: both are due at the moment at which the first is."""
    trial = Waves(tmp_path, text=STUDY.replace('id = "now"\n', 'id = "now"\nminutes = 5\n'))
    plain, helped = (trial.enter(pid) for pid in ("p0", "p1"))
    for who in (plain, helped):
        trial.app.session.consent(who, True)
        trial.app.session.continue_(who, "instructions")
        trial.app.session.where(who)
    with trial.app.context.registry.begin() as unit:
        assert unit.extend_visit(helped, "now", timedelta(seconds=40))
        unit.record(helped, "now", trial.clock.at, Outage(turn_id="t1", cause="timeout", seconds=40.0))
    trial.clock.advance(minutes=6)
    trial.app.session.sweep()
    openings = []
    with trial.app.context.registry.begin(write=False) as unit:
        openings += [unit.participant(who).opens_at for who in (plain, helped)]
    assert openings[1] - openings[0] == timedelta(seconds=40)
    trial.clock.at = openings[0] - timedelta(milliseconds=1)
    assert (reminders(trial).preview(), reminders(trial).send(None)) == ([], [])
    trial.clock.at = openings[0]
    due = [each.participant.id for each in Monitor(trial.app.context).due("real") if each.state == "due"]
    previewed = [each.participant_id for each in reminders(trial).preview()]
    sent = [each.reminder.participant_id for each in reminders(trial).send(None)]
    assert due == previewed == sent == sorted([plain, helped])
    trial.app.close()


@POSTGRES_IS_SLOW
def test_a_refused_mail_is_pending_again_though_a_later_reminder_falls_due_meanwhile(trial):
    trial.clock.advance(minutes=14 * DAY + 30)

    def deliver(_reminder):
        trial.clock.advance(minutes=DAY)
        return "refused"

    assert [each.outcome for each in reminders(trial).send(deliver)] == ["refused"] * 3
    assert len(reminders(trial).pending()) == 3
    with trial.app.context.registry.begin(write=False) as unit:
        assert [reminders_of(unit, who, "later") for who in trial.people] == [0, 0, 0]


def test_two_who_send_at_once_send_each_mail_once(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    with LoopbackSmtp() as server, ThreadPoolExecutor(2) as pool:
        outcomes = [each for found in pool.map(lambda who: mailed(trial, server, who), ("a", "b")) for each in found]
        assert outcomes == ["sent"] * 3
        assert sorted(mail["To"] for mail in server.mails) == [f"p{n}@example.org" for n in range(3)]


@POSTGRES_IS_SLOW
def test_a_refused_address_is_tried_again_and_a_mail_that_may_have_arrived_is_not(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    with LoopbackSmtp(refuse="p1@") as server:
        assert sorted(mailed(trial, server)) == ["refused", "sent", "sent"]
        assert mailed(trial, server) == ["refused"]
    trial.clock.advance(minutes=3 * DAY)
    with LoopbackSmtp(break_after_data=True) as server:
        assert mailed(trial, server) == ["unknown"] * 3
        assert mailed(trial, server) == []


def test_a_refused_mail_gives_nothing_back_of_what_another_scheduler_uses_up_meanwhile(
    tmp_path, postgres_url_with_tables
):
    trial = Waves(tmp_path, postgres_url_with_tables)
    who = trial.first_part("p0")
    trial.clock.advance(minutes=14 * DAY + 30)
    registry, holds = trial.app.context.registry, threading.Event()

    def other():
        with registry.begin() as unit:
            unit.lock(REMIND)
            use_reminders(unit, who, "later", 2)
            holds.set()
            time.sleep(1)

    with ThreadPoolExecutor(1) as pool:

        def deliver(_reminder):
            pool.submit(other)
            holds.wait(60)
            return "refused"

        assert [each.outcome for each in reminders(trial).send(deliver)] == ["refused"]
    with registry.begin(write=False) as unit:
        assert reminders_of(unit, who, "later") == 2
    trial.app.close()


@POSTGRES_IS_SLOW
def test_a_server_that_cannot_be_reached_uses_no_reminder_up(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    with LoopbackSmtp() as gone:
        pass
    with pytest.raises(InfrastructureError, match="cannot be used"):
        mailed(trial, gone)
    assert len(reminders(trial).pending()) == 3


@POSTGRES_IS_SLOW
def test_what_went_out_before_the_server_failed_stands_in_the_audit_log(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    outcomes = iter(["sent", "sent"])

    def deliver(reminder):
        found = next(outcomes, None)
        if found is None:
            raise InfrastructureError("the mail server is gone")
        return found

    with pytest.raises(InfrastructureError, match="is gone"):
        reminders(trial).send(deliver)
    with trial.app.context.registry.begin(write=False) as unit:
        assert [act.detail for act in unit.audit() if act.what == "remind"] == [{"sent": 2}]
    assert len(reminders(trial).pending()) == 1


@POSTGRES_IS_SLOW
def test_links_that_stay_with_the_sender_count_as_seen_and_those_that_only_went_out_by_mail_do_not(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    monitor = Monitor(trial.app.context)
    with LoopbackSmtp() as server:
        mailed(trial, server, "anna")
    assert monitor.unblinded() == []
    trial.clock.advance(minutes=3 * DAY)
    reminders(trial).send(None, "ben")
    assert [(who, acts) for who, _, acts in monitor.unblinded()] == [("ben", 1)]


@POSTGRES_IS_SLOW
def test_who_opts_out_is_reminded_no_more_and_may_still_take_part(trial):
    trial.clock.advance(minutes=14 * DAY + 30)
    sent = reminders(trial).send(None)
    assert [each.outcome for each in sent] == ["listed"] * 3
    first = sent[0].reminder
    stop_reminders(trial.app.context, first.opt_out.split("token=")[1])
    with pytest.raises(NotAllowed, match="not valid"):
        stop_reminders(trial.app.context, "invented")
    trial.clock.advance(minutes=3 * DAY)
    assert first.participant_id not in {each.person.participant.id for each in reminders(trial).pending()}
    back = trial.app.enrol.enter(EntryRequest(move=first.link.split("move=")[1]))
    assert back.participant.id == first.participant_id


@POSTGRES_IS_SLOW
def test_the_due_list_says_where_each_person_stands(trial):
    def states() -> list[str]:
        with trial.app.context.registry.begin(write=False) as unit:
            return [each.state for each in due_people(trial.app.context, unit)]

    assert states() == ["waiting"] * 3
    trial.clock.advance(minutes=14 * DAY + 30)
    trial.app.session.where(trial.people[0])
    assert sorted(states()) == ["begun", "due", "due"]
    trial.clock.advance(minutes=8 * DAY)
    assert sorted(states()) == ["begun", "missed", "missed"]


def test_the_command_writes_the_merge_file_and_sends_where_a_server_is_set(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from study_app.cli import app

    trial = Waves(tmp_path)
    trial.first_part("p1")
    with trial.app.context.registry.begin() as unit:
        (person,) = unit.participants()
        unit.move(person, opens_at=trial.clock.at.replace(year=2020, second=12, microsecond=345000))
    trial.app.close()
    book = tmp_path / "book.csv"
    book.write_text("id,address\np1,p1@example.org\n")
    monkeypatch.setenv("STUDY_VAR", str(tmp_path / "var"))
    arguments = ["remind", str(trial.file), "--database", trial.settings.database, "--out", str(tmp_path / "r.csv")]
    arguments += ["--addresses", str(book), "--base-url", SITE, "--json"]
    monkeypatch.setattr("study_app.services.participant_status.missed", lambda *_: False)
    monkeypatch.setattr("study_app.services.researcher.panel.due.current_status", lambda *_: "in_progress")
    with LoopbackSmtp() as server:
        monkeypatch.setenv("STUDY_SMTP_URL", server.url)
        monkeypatch.setenv("STUDY_MAIL_FROM", "Study <study@example.org>")
        done = CliRunner().invoke(app, [*arguments, "--dry-run"])
        assert [each["outcome"] for each in json.loads(done.stdout)] == ["pending"], done.output
        # Where the file cannot be written no reminder is used up.
        (tmp_path / "r.csv").mkdir()
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert "is a folder; name a file with --out" in done.output
        (tmp_path / "r.csv").rmdir()
        done = CliRunner().invoke(app, arguments)
        assert [each["outcome"] for each in json.loads(done.stdout)] == ["sent"], done.output
        assert "ada@example.org" in server.mails[0].get_content()
    (row,) = csv.DictReader((tmp_path / "r.csv").open(newline=""))
    assert (row["address"], row["session"], row["outcome"]) == ("p1@example.org", "later", "sent")
    assert (row["link"], row["body"]) == ("", ""), "the way in is in the mail alone"
    assert row["opt_out"].startswith(f"{SITE}/no-reminders?token=")
    opened = trial.clock.at.replace(year=2020, second=0, microsecond=0)
    assert row["opens_at"] == f"{opened:%Y-%m-%dT%H:%M}+00:00"
    assert (tmp_path / "r.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["a@b", "a b@c.de", "a@b.de,c@d.de", "a@b.de\nBcc: x@y.z", "<a@b.de>", "", "@b.de"])
def test_what_is_not_one_plain_address_is_none(text):
    assert not is_address(text)


def test_a_row_without_an_address_is_named():
    with pytest.raises(ProblemsFound) as found:
        addresses_in([(1, ["label", "mail"]), (2, ["p1", "nothing"]), (3, ["p2"])], "book.csv")
    assert [problem.key for problem in found.value.problems] == ["row 2", "row 3"]


def test_a_sender_without_a_mail_server_is_refused_for_all_reminders_would_be_used_up_unsent():
    settings = SimpleNamespace(environment={"STUDY_MAIL_FROM": "study@example.org", "STUDY_SMTP_URL": ""})
    with pytest.raises(ProblemsFound, match="STUDY_SMTP_URL: no mail server is set, but a sender is"):
        _server(settings)
    assert _server(SimpleNamespace(environment={})) is None
