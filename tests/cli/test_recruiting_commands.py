"""`study recruit`, `study pay` and the short links of `study create-links`, as people call them."""

from __future__ import annotations

import csv
import json

import pytest
from support.loopback_prolific import TOKEN, LoopbackProlific
from support.trials.commands import study
from support.trials.small_study import TEXT

from study_app.bootstrap import start
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

BONUS = '[recruitment]\nentry = "{entry}"\n[[recruitment.bonus]]\nper = "sessions_completed"\namount = 2.5\n'


def launched(folder, entry: str):
    path = folder / "study.toml"
    text = TEXT.format(allocation='method = "simple"\n' + BONUS.format(entry=entry))
    path.write_text(text.replace('title = "Two clicks"', 'title = "Two clicks"\ncontact = "anna@example.org"'))
    database = f"sqlite:///{folder}/study.db"
    settings = Settings(path, database, folder / "var", environment={})
    app = start(settings)
    app.lifecycle.launch()
    return app, [path, "--database", database]


def test_payments_are_written_and_prolific_is_asked_with_yes_only(tmp_path):
    app, where = launched(tmp_path, "prolific")
    entry = EntryRequest(prolific_pid="a" * 24, prolific_study="s" * 24, prolific_session="b" * 24)
    who = app.enrol.enter(entry).participant.id
    app.session.where(who)
    app.session.consent(who, True)
    app.session.continue_(who, "instructions")
    app.close()
    out = tmp_path / "paid.csv"
    study("pay", *where, "--out", out, cwd=tmp_path)
    with out.open(newline="") as lines:
        [row] = csv.DictReader(lines)
    assert (row["prolific_pid"], row["status"], row["code"], row["bonus"]) == (
        "a" * 24, "completed", "COMPLETED", "2.50",
    )  # fmt: skip
    assert out.stat().st_mode & 0o077 == 0
    assert "no token is set" in study("pay", *where, "--bonus", cwd=tmp_path, expect=2).stderr
    with LoopbackProlific() as server:
        server.submissions["s" * 24] = [{"id": "one", "participant_id": "a" * 24, "status": "AWAITING REVIEW"}]
        account = {"STUDY_PROLIFIC_TOKEN": TOKEN, "STUDY_PROLIFIC_URL": server.address}
        said = study("pay", *where, "--approve", "--bonus", cwd=tmp_path, **account).stdout
        assert "nothing was done" in said
        assert not server.paid
        done = study("pay", *where, "--approve", "--bonus", "--yes", "--json", cwd=tmp_path, **account)
        assert [act["state"] for act in json.loads(done.stdout)["acts"]] == ["done", "done"]
        study("pay", *where, "--approve", "--bonus", "--yes", cwd=tmp_path, **account)
        assert dict(server.paid) == {"a" * 24: 2.5}


@pytest.mark.slow
def test_recruitment_is_paused_and_goes_on_and_links_are_short_with_codes(tmp_path):
    app, where = launched(tmp_path, "links")
    app.close()
    assert json.loads(study("recruit", *where, "--json", cwd=tmp_path).stdout)["paused_since"] is None
    assert "reason" in study("recruit", *where, "--pause", cwd=tmp_path, expect=2).stderr
    assert "paused since" in study("recruit", *where, "--pause", "--reason", "a bug", cwd=tmp_path).stdout
    assert "open" in study("recruit", *where, "--resume", "--reason", "fixed", cwd=tmp_path).stdout
    made = study("create-links", *where, "--count", 2, "--short", "--qr", tmp_path / "codes", "--base-url",
                 "https://study.example.org", cwd=tmp_path).stdout.split()  # fmt: skip
    assert all(link.startswith("https://study.example.org/i/") for link in made)
    codes = sorted((tmp_path / "codes").iterdir())
    assert [code.name for code in codes] == ["link_0001.svg", "link_0002.svg"]
    assert codes[0].read_text().startswith("<svg")


def test_links_are_not_used_up_where_no_codes_can_be_written(tmp_path):
    app, where = launched(tmp_path, "links")
    app.close()
    roster = tmp_path / "roster.txt"
    roster.write_text("anna\nben\n")
    (tmp_path / "codes").write_text("a file")
    asked = ["create-links", *where, "--labels", roster, "--base-url", "https://study.example.org"]
    said = study(*asked, "--qr", tmp_path / "codes", cwd=tmp_path, expect=2).stderr
    assert "nothing can be written there" in said
    assert "--qr" in said
    assert len(study(*asked, cwd=tmp_path).stdout.split("\n")) == 3
