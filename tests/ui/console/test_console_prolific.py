"""Acts on Prolific from the console: shown first, carried out after a confirmation, recorded with who asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console_room import Trial
from streamlit.testing.v1 import AppTest
from support.loopback_prolific import TOKEN, LoopbackProlific

from study_app.bootstrap import install
from study_app.services.participant.enrolment import EntryRequest

pytestmark = pytest.mark.usefixtures("main_module")
PID, STUDY = "a" * 24, "s" * 24


@pytest.fixture
def prolific():
    with LoopbackProlific() as server:
        server.submissions[STUDY] = [{"id": "one", "participant_id": PID, "status": "AWAITING REVIEW"}]
        yield server


@pytest.fixture
def trial(tmp_path, prolific):
    """A launched trial in which one person from Prolific has completed."""
    made = Trial(tmp_path, launched=True, entry="prolific")
    made.app.settings = replace(
        made.app.settings,
        environment={"STUDY_PROLIFIC_TOKEN": TOKEN, "STUDY_PROLIFIC_URL": prolific.address},
    )
    entry = EntryRequest(prolific_pid=PID, prolific_study=STUDY, prolific_session="b" * 24)
    who = made.app.enrol.enter(entry).participant.id
    with made.app.context.registry.begin() as unit:
        unit.touch(who, status="completed")
    yield made
    made.close()


def board(trial: Trial, monkeypatch, role: str = "full") -> AppTest:
    def script() -> None:
        import os

        from study_app.bootstrap import current
        from study_app.secrets.console_accounts import ConsoleUser
        from study_app.services.researcher.monitoring import Monitor
        from study_app.ui.console.pages.recruiting import board
        from study_app.ui.console.session import ConsoleSession

        board.render(
            ConsoleSession(current(), ConsoleUser("anna", os.environ["TEST_ROLE"]), Monitor(current().context))
        )

    install(trial.app)
    monkeypatch.setenv("TEST_ROLE", role)
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    return page


def carried_out(page: AppTest) -> AppTest:
    """Confirm what is shown."""
    page.button(key="panel_show").click().run()
    assert page.button(key="panel_do").disabled
    page.checkbox(key="panel_sure").check().run()
    page.button(key="panel_do").click().run()
    assert not page.exception
    assert not page.error
    return page


def test_an_approval_is_shown_first_and_carried_out_once_it_is_confirmed(trial, prolific, monkeypatch):
    page = board(trial, monkeypatch)
    page.button(key="panel_show").click().run()
    assert prolific.submissions[STUDY][0]["status"] == "AWAITING REVIEW"
    carried_out(page)
    assert prolific.submissions[STUDY][0]["status"] == "APPROVED"
    with trial.app.context.registry.begin(write=False) as unit:
        [entry] = [each for each in unit.audit() if each.what.startswith("pay: ")]
    assert (entry.what, entry.who) == ("pay: approve", "anna")


def test_a_message_and_a_group_reach_the_people_of_the_chosen_statuses(trial, prolific, monkeypatch):
    page = board(trial, monkeypatch)
    page.segmented_control(key="panel_act").set_value("Write").run()
    page.text_area(key="panel_text").set_value("Thank you.").run()
    carried_out(page)
    assert prolific.messages == [(PID, "Thank you.")]
    page.segmented_control(key="panel_act").set_value("Add to group").run()
    page.text_input(key="panel_group").set_value("g1").run()
    carried_out(page)
    assert prolific.groups == {"g1": {PID}}


def test_a_monitor_sees_no_acts_on_prolific(trial, monkeypatch):
    page = board(trial, monkeypatch, "monitor")
    assert not [each for each in page.button if each.label == "Show what would be done"]


def test_without_a_token_the_board_says_what_is_needed(trial, monkeypatch):
    trial.app.settings = replace(trial.app.settings, environment={})
    page = board(trial, monkeypatch)
    assert "STUDY_PROLIFIC_TOKEN" in "\n".join(str(getattr(each, "proto", "")) for each in page.main)
