"""The console's board Protocol in a real browser: the picture, and every screen as each arm sees it."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import findings
from support.server import StudyServer
from support.trials.shipped import variant

from study_app.secrets.console_accounts import Account
from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protocol")
    (folder / "var").mkdir()
    Account(folder / "var").set(PASSWORD)
    server = StudyServer(folder, variant(folder), console=True).start()
    yield server
    server.stop()


def sign_in(server, page) -> None:
    for _ in range(120):
        try:
            page.goto(f"{server.console_url}/login")
            break
        except Exception:
            page.wait_for_timeout(500)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()


@pytest.mark.slow
def test_the_protocol_shows_the_study_and_every_screen_by_arm_and_stores_nothing(server, page):
    sign_in(server, page)
    page.goto(f"{server.console_url}/protocol")
    expect(page.get_by_role("img", name=re.compile("Stages: .*Arms: No assistant, AI assistant"))).to_be_visible()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    frame = page.frame_locator(".st-key-picture iframe")
    expect(frame.get_by_role("heading", name="Before you begin")).to_be_visible()
    if shutil.which("npm"):
        assert findings(page) == []
    for arm, there in (("no_ai", 0), ("ai", 1)):
        page.goto(f"{server.console_url}/protocol?screen=tasks/0/stage&arm={arm}&embed=true")
        expect(page.get_by_role("textbox", name="Code editor")).to_be_visible()
        expect(page.get_by_role("button", name="Send", exact=True)).to_have_count(there)
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.goto(f"{server.console_url}/protocol?screen=quiz/1/stage&arm=ai&embed=true")
    expect(page.get_by_role("group", name=re.compile("^Question .* of 15")).first).to_be_visible()
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        assert unit.participants() == []
        assert list(unit.events()) == []
    registry.close()
