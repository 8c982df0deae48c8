"""A person guesses personas on the board Coding through a browser, by the words of replies alone."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import findings
from support.browser.drawing import drawn
from support.clock import HandClock
from support.server import StudyServer, wait_until_up
from support.trials.export_world import open_app
from support.trials.persona_study import VOICES, voiced

from study_app.secrets.console_accounts import Account
from study_app.services.researcher.blind_codes.persona_guesses import PersonaGuesses

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

BUSY = 120_000
PASSWORD = "correct horse battery"


def test_a_guess_is_saved_and_the_next_reply_comes(tmp_path, chromium):
    file = voiced(tmp_path)
    app = open_app(tmp_path, HandClock(), file)
    with ThreadPoolExecutor(1) as thread:  # Playwright's loop holds the main one
        thread.submit(app.model_watch.round, "probe", "test").result()
    count = len(PersonaGuesses(app.context).waiting("eva"))
    app.close()
    Account(tmp_path / "var").set(PASSWORD, "eva", "full")
    server = StudyServer(tmp_path, file, console=True).start()
    try:
        wait_until_up(f"{server.console_url}/healthz")
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(BUSY)
        page = context.new_page()
        page.goto(f"{server.console_url}/login")
        page.get_by_label("Name").fill("eva")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=BUSY)
        page.goto(f"{server.console_url}/coding")
        drawn(page)
        page.get_by_role("radio", name="Personas", exact=True).click()
        expect(page.get_by_text(f"{count} replies wait for you")).to_be_visible(timeout=BUSY)
        drawn(page)
        shown = page.inner_text(".stMain")
        assert not any(f"full+{name}" in shown for name in VOICES)
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        assert findings(page) == [], findings(page)
        page.screenshot(path=f"{tmp_path}/personas.png", full_page=True)
        page.get_by_role("radio", name=re.compile("^warm")).first.locator("xpath=ancestor::label").click()
        drawn(page)
        page.get_by_role("button", name="Save guess").click()
        expect(page.get_by_text(f"{count - 1} replies wait for you")).to_be_visible(timeout=BUSY)
        expect(page.get_by_text("1 guess(es) so far")).to_be_visible(timeout=BUSY)
        context.close()
    finally:
        server.stop()
