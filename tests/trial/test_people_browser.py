"""The page between two sessions, the way out of reminders, and the boards about people, in a browser."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from support.browser import boards
from support.browser.accessibility import findings
from support.server import StudyServer
from support.trials.waves import STUDY

from study_app.bootstrap import start
from study_app.secrets.console_accounts import Account
from study_app.services.identity import hashed
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"
OPT_OUT = "the-secret-of-a-mail"
TIMED = 'id = "now"\nkind = "survey"\nminutes = 30\n'


def launched(folder: Path) -> Path:
    """A launched study of two sessions, and one person who waits for the second."""
    file = folder / "study.toml"
    file.write_text(STUDY.format(entry="prolific").replace('id = "now"\nkind = "survey"\n', TIMED))
    app = start(Settings(file, f"sqlite:///{folder}/study.db", folder / "var", environment={}))
    app.lifecycle.launch()
    first = EntryRequest(prolific_pid="waiting", prolific_session="one", prolific_study="firststudy")
    who = app.enrol.enter(first).participant.id
    app.session.consent(who, True)
    app.session.continue_(who, "instructions")
    app.answers.submit_survey(who, "now", {"score_now": 5})
    with app.context.registry.begin() as unit:
        unit.set_meta(f"opt_out:{hashed(OPT_OUT)}", who)
    app.close()
    return file


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The participants' app alone."""
    folder = tmp_path_factory.mktemp("pages")
    server = StudyServer(folder, study=launched(folder)).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The study with its console."""
    folder = tmp_path_factory.mktemp("people")
    file = launched(folder)
    for name in ("full", "monitor", "grader"):
        Account(folder / "var").set(PASSWORD, name, name)
    server = StudyServer(folder, study=file, console=True).start()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            httpx.get(f"{server.console_url}/healthz", timeout=5)
            break
        except httpx.HTTPError:
            time.sleep(0.2)
    yield server
    server.stop()


def signed_in(server, chromium, name: str = "full", width: int = 1440):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{server.console_url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    return page


def test_the_page_between_sessions_has_code_window_and_contact(pages, chromium):
    page = chromium.new_context(timezone_id="America/New_York").new_page()
    page.goto(f"{pages.url}/enter?PROLIFIC_PID=waiting&SESSION_ID=one&STUDY_ID=firststudy")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("PARTONE")).to_be_visible()
    expect(page.get_by_text("You can begin it until")).to_be_visible()
    expect(page.get_by_text("ada@example.org").first).to_be_visible()
    assert (
        len(re.findall(r"\d\d:\d\d UTC \(\d+ \w+ 20\d\d, \d\d:\d\d, America/New_York\)", page.inner_text("main"))) == 2
    )
    expect(page).to_have_title("Thank you for now – Waves")
    # Only previews open the next part before its day.
    expect(page.get_by_role("button", name="Open the next part now")).to_have_count(0)
    if shutil.which("npm") is not None:
        assert findings(page) == []
    page.context.close()


@pytest.mark.slow
def test_in_a_narrow_window_the_overview_hides_no_column(server, chromium):
    page = boards.signed_in(server, chromium, 1024)
    boards.drawn(server, page, "overview")
    expect(page.get_by_role("columnheader", name="Median min")).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    assert boards.faults(page, "overview_of_two_sessions") == []
    page.context.close()


@pytest.mark.slow
def test_roles_see_their_boards_and_no_other(server, chromium):
    boards = {}
    for name in ("monitor", "grader"):
        page = signed_in(server, chromium, name)
        links = page.get_by_test_id("stSidebarNav").get_by_role("link")
        expect(links.first).to_be_visible()
        boards[name] = {link.strip() for link in links.all_inner_texts()}
        page.context.close()
    assert {"Participants", "Sessions", "Recruiting", "Links", "Audit"} <= boards["monitor"]
    assert not {"Replay", "Coding", "Release", "People", "Grading"} & boards["monitor"]
    assert boards["grader"] == {"Overview", "Grading"}


@pytest.mark.slow
def test_no_board_about_people_is_wider_than_the_window_and_axe_finds_nothing(server, chromium):
    page = signed_in(server, chromium, width=1024)
    found = {}
    for board in ("participants", "sessions", "recruiting"):
        page.goto(f"{server.console_url}/{board}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[board] = ["wider than the window"] if wide else []
        if shutil.which("npm") is not None:
            found[board] += findings(page)
    page.context.close()
    assert {board: lines for board, lines in found.items() if lines} == {}


@pytest.mark.slow
def test_a_person_stops_reminders_by_a_press_and_a_wrong_address_is_a_kind_page(server, chromium, page):
    page.goto(f"{server.url}/no-reminders?token={OPT_OUT}")
    if shutil.which("npm") is not None:
        assert findings(page) == []
    page.get_by_role("button", name="Do not remind me").click()
    expect(page.get_by_text("You will not be reminded any more.")).to_be_visible()
    console = signed_in(server, chromium)
    console.goto(f"{server.console_url}/sessions")
    expect(console.get_by_text("waiting").first).to_be_visible()
    console.context.close()
    answer = httpx.post(
        f"{server.url}/no-reminders", data={"token": "wrong"}, headers={"Origin": server.url, "Accept": "text/html"}
    )
    assert 400 <= answer.status_code < 500
    assert "<h1>" in answer.text
