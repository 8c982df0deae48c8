"""What a crashed tab could not send is sent by the page that its participant comes back to, and then is gone here."""

from __future__ import annotations

import contextlib
import json

import pytest
from playwright.sync_api import Error, expect
from support.browser.form_page import until
from support.browser.kept_words import KEPT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_last_page_sends_what_a_crashed_tab_left_and_keeps_nothing_of_it(server, person):
    page = person.page
    page.route("**/api/events", lambda route: route.abort())
    person.box("words").click()
    page.keyboard.type("typed as the line went down")
    expect(page.locator(".sa-saving")).to_contain_text("Offline")
    with contextlib.suppress(Error):
        page.goto("chrome://crash", timeout=3000)
    page = person.page.context.new_page()
    act = {"stage": "about", "act": "leave", "erase": False}
    assert page.request.post(f"{server.url}/api/act", data=act, headers={"Origin": server.url}).ok
    page.goto(server.url)
    expect(page.get_by_text("You have left the study")).to_be_visible(timeout=60_000)
    expect(page.locator(".sa-form")).to_have_count(0)

    def sent() -> bool:
        typed = [payload for _, payload in person.events("answer_edit") if payload["field"] == "words"]
        return "typed" in "".join(change["insert"] for edit in typed for change in edit["changes"])

    until(sent)
    until(lambda: page.evaluate(KEPT, "drafts") == page.evaluate(KEPT, "events") == [])
    assert json.dumps(person.answers("about")) == "{}"
