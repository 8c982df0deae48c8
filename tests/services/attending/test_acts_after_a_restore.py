"""What reached people before a database was put back reaches none of them a second time."""

from __future__ import annotations

import pytest
from support.loopback_prolific import TOKEN, LoopbackProlific
from support.trials.console_trial import NoSandbox
from support.trials.waves import STUDY, Waves

from study_app.bootstrap import start
from study_app.domain.errors import NotAllowed
from study_app.prolific import prolific_of
from study_app.services.attending.panel_acts import PanelActs
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.exporting.reimport import reimport
from study_app.services.researcher.panel.reminders import Reminders, Sent
from study_app.settings import Settings
from study_app.storage.backup import copying
from study_app.storage.restored_rows import put_back

PAID = STUDY.replace("codes = {{", 'bonus = [{{ per = "sessions_completed", amount = 2.0, most = 4.0 }}]\ncodes = {{')


class Outside:
    """Two people who have completed the first of two sessions, and what has reached each of them."""

    def __init__(self, folder, database_url, prolific) -> None:
        self.trial = Waves(folder, database_url, text=PAID)
        self.people = [self.trial.first_part(name) for name in ("p1", "p2")]
        self.trial.clock.advance(minutes=60 * 24 * 14 + 30)
        self.prolific = prolific
        prolific.submissions["firststudy"] = [
            {"id": f"sub{name}", "participant_id": name, "status": "AWAITING REVIEW"} for name in ("p1", "p2")
        ]
        self.mails: list[str] = []
        self.back_up("before.zip")

    @property
    def acts(self) -> PanelActs:
        panel = prolific_of({"STUDY_PROLIFIC_TOKEN": TOKEN, "STUDY_PROLIFIC_URL": self.prolific.address})
        return PanelActs(self.trial.app.context, panel)

    def back_up(self, name: str) -> None:
        settings = self.trial.settings
        copying.back_up(settings.database, settings.var, settings.var.parent / name, self.trial.clock.now(), "1")

    def pay(self) -> None:
        self.acts.pay(self.acts.bonuses(), "anna")

    def write(self) -> None:
        self.acts.send(self.acts.messages("Come back.", ["completed"]), "Come back.", "anna")

    def remind(self) -> list[Sent]:
        addresses = {name: f"{name}@example.org" for name in ("p1", "p2")}
        reminders = Reminders(self.trial.app.context, "https://study.example.org", addresses)
        return reminders.send(lambda reminder: self.mails.append(reminder.address) or "sent")

    def reach(self) -> None:
        for act in (self.pay, self.write, self.remind):
            act()

    def open_again(self) -> list[str]:
        """Open the database anew; return what its start says."""
        self.trial.app = start(self.trial.settings, clock=self.trial.clock, sandbox=NoSandbox())
        return self.trial.app.anchoring.check()

    def put_back(self, name: str) -> list[str]:
        settings, clock = self.trial.settings, self.trial.clock
        self.trial.app.close()
        copying.restore(settings.database, settings.var, settings.var.parent / name, clock.now(), yes=True)
        return self.open_again()

    @property
    def reached(self) -> tuple[dict[str, float], list[str], list[str]]:
        written = sorted(who for who, _text in self.prolific.messages)
        return dict(self.prolific.paid), written, sorted(self.mails)


ONCE = ({"p1": 2.0, "p2": 2.0}, ["p1", "p2"], ["p1@example.org", "p2@example.org"])


@pytest.fixture
def outside(tmp_path, database_url):
    with LoopbackProlific() as prolific:
        made = Outside(tmp_path, database_url, prolific)
        yield made
        made.trial.app.close()


@pytest.mark.sampled(2)
def test_a_restored_database_repeats_no_bonus_message_or_reminder(outside):
    outside.reach()
    assert outside.reached == ONCE
    assert any("study pay --settle" in line for line in outside.put_back("before.zip"))
    assert len(outside.acts.bonuses()) == 2, "the database takes them for owed"
    for act in (outside.pay, outside.write, outside.remind):
        with pytest.raises(NotAllowed, match="does not know which"):
            act()
    for kind in ("bonus", "message", "remind"):
        outside.acts.settle(f"restored:{kind}", done=True, reason="Prolific and the mail server show them", who="anna")
    assert (outside.acts.uncertain(), outside.acts.bonuses()) == ([], [])
    outside.pay()
    outside.remind()
    assert outside.reached == ONCE


@pytest.mark.slow
def test_after_a_restore_each_bonus_can_be_settled_alone(outside):
    outside.acts.pay(outside.acts.bonuses()[:1], "anna")
    [paid] = outside.prolific.paid
    outside.put_back("before.zip")
    [other] = [who for who, name in zip(outside.people, ("p1", "p2"), strict=True) if name != paid]
    assert sorted(outside.acts.uncertain()) == sorted([
        *(f"bonus:{who}:main" for who in outside.people), "restored:bonus", "restored:message", "restored:remind",
    ])  # fmt: skip
    outside.acts.settle(f"bonus:{other}:main", done=False, reason="not on Prolific", who="anna")
    with pytest.raises(NotAllowed, match="does not know which"):
        outside.pay()
    with pytest.raises(NotAllowed, match="no open act"):
        outside.acts.settle(f"bonus:{other}:nowhere", done=True, reason="looked", who="anna")
    # Completed in what was lost, paid, and completed a second time later.
    outside.acts.settle(f"bonus:{other}:later", done=True, reason="Prolific shows it", who="anna")
    outside.acts.settle("restored:bonus", done=True, reason="looked", who="anna")
    outside.pay()
    assert dict(outside.prolific.paid) == {"p1": 2.0, "p2": 2.0}
    outside.trial.second_part(other)
    outside.pay()
    assert dict(outside.prolific.paid) == {"p1": 2.0, "p2": 2.0}


@pytest.mark.slow
def test_what_was_not_done_goes_out_once_it_is_settled(outside):
    outside.put_back("before.zip")
    outside.acts.add(outside.acts.group("g", ["completed"]), "g", "anna")
    assert outside.prolific.groups == {"g": {"p1", "p2"}}, "a second time changes nothing, so it need not wait"
    for kind in ("bonus", "message", "remind"):
        outside.acts.settle(f"restored:{kind}", done=False, reason="nothing went out", who="anna")
    outside.reach()
    assert outside.reached == ONCE
    outside.put_back("before.zip")
    with pytest.raises(NotAllowed, match="does not know which"):
        outside.pay()


@pytest.mark.slow
def test_a_database_behind_its_anchors_holds_them_too(tmp_path):
    with LoopbackProlific() as prolific:
        outside = Outside(tmp_path, "", prolific)
        app = outside.trial.app
        app.anchoring.keep()
        app.close()
        older = (tmp_path / "study.db").read_bytes()
        outside.open_again()
        outside.reach()
        outside.trial.app.anchoring.keep()
        outside.trial.app.close()
        # Not by study restore: a copy of the file, put back by hand.
        (tmp_path / "study.db").write_bytes(older)
        assert any("study pay --settle" in line for line in outside.open_again())
        for act in (outside.pay, outside.write, outside.remind):
            with pytest.raises(NotAllowed, match="does not know which"):
                act()
        assert outside.reached == ONCE
        outside.trial.app.close()


@pytest.mark.slow
def test_a_dataset_that_is_put_into_a_database_holds_them_too(outside, tmp_path):
    outside.reach()
    app = outside.trial.app
    outside.trial.clock.advance(minutes=60 * 24 * 20)
    app.lifecycle.close("enough people", "anna")
    app.lifecycle.unseal("all is in", "anna")
    app.datasets.write(tmp_path / "data", DatasetRequest(identified=True), who="anna", via="cli")
    app.close()
    settings = Settings(
        study_file=outside.trial.file, database=f"sqlite:///{tmp_path}/again.db", var=tmp_path / "again", environment={}
    )
    outside.trial.app = start(settings, clock=outside.trial.clock, sandbox=NoSandbox())
    reimport(outside.trial.app.context, tmp_path / "data", put_back, who="anna")
    assert len(outside.acts.bonuses()) == 2
    with pytest.raises(NotAllowed, match="does not know which"):
        outside.pay()
    assert outside.reached == ONCE
