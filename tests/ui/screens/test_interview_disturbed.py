"""An interview in a real browser while server, connection and tabs come and go: no word is lost, no question twice."""

from __future__ import annotations

import sqlite3

import pytest
from playwright.sync_api import expect
from support.browser.form_page import until
from support.server import StudyServer
from support.trials.interview_study import LONG, write_interview_study

pytestmark = pytest.mark.browser
BUSY = 60_000
"""Milliseconds that a busy machine may take."""
FIRST, SECOND = "How did you begin with the work?", "Which moment was the hardest for you?"
BEFORE, AWAY, AFTER = "First I read the task twice,", " then I wrote a small loop", " and looked at what it printed."
SAVED = ".sa-saving[data-state=saving_saved]"


@pytest.fixture
def server(tmp_path):
    server = StudyServer(tmp_path, write_interview_study(tmp_path)).start()
    yield server
    server.stop()


@pytest.fixture
def page(chromium, server):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en")
    context.set_default_timeout(BUSY)
    page = context.new_page()
    page.goto(f"{server.url}/enter")
    for name in ("Start", "I agree"):
        page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("heading", name="What comes")).to_be_visible(timeout=BUSY)
    page.get_by_role("button", name="Continue", exact=True).click()
    at(page, FIRST)
    yield page
    context.close()


def at(page, question):
    expect(page.get_by_text(question, exact=True)).to_be_visible(timeout=BUSY)


def box(page):
    return page.get_by_role("textbox", name="Your answer")


def write(page, words):
    box(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(words)


def go_on(page, to):
    page.get_by_role("button", name="Continue", exact=True).click()
    at(page, to)


def on_record(server):
    """Questions and answers of the one participant, in the order of the log."""
    with sqlite3.connect(server.folder / "study.db") as connection:
        asked, answered = (
            [
                row[0]
                for row in connection.execute(
                    f"select json_extract(payload, '$.{key}') from events where kind = ? order by event_id", (kind,)
                )
            ]
            for kind, key in (("interview_asked", "question"), ("interview_answered", "answer"))
        )
    return asked, answered


def saved_words(server):
    """What the server has of the answer that is being written."""
    with sqlite3.connect(server.folder / "study.db") as connection:
        rows = connection.execute("select text from documents where task like 'answers:talk:%'").fetchall()
    return " ".join(text for (text,) in rows)


def nothing_is_lost(server, answer):
    assert on_record(server) == ([FIRST, SECOND], [answer])


@pytest.mark.slow
def test_a_server_that_is_killed_in_the_middle_of_an_answer_loses_no_word_and_asks_nothing_twice(server, page):
    write(page, BEFORE)
    server.kill()
    try:
        write(page, AWAY)
        expect(page.locator(".sa-saving")).to_contain_text("Offline", timeout=BUSY)
    finally:
        server.start()
    write(page, AFTER)
    go_on(page, SECOND)
    nothing_is_lost(server, BEFORE + AWAY + AFTER)


@pytest.mark.slow  # by default: a killed server, above
def test_a_server_that_is_killed_as_an_answer_is_handed_in_takes_it_once(server, page):
    write(page, LONG)
    server.kill()
    page.get_by_role("button", name="Continue", exact=True).click()
    server.start()
    at(page, SECOND)
    nothing_is_lost(server, LONG)


@pytest.mark.slow  # by default: a killed server, above
def test_what_is_written_offline_is_handed_in_once_the_connection_is_back(server, page):
    write(page, BEFORE)
    page.context.set_offline(True)
    write(page, AWAY)
    expect(page.locator(".sa-saving")).to_contain_text("Offline", timeout=BUSY)
    page.context.set_offline(False)
    write(page, AFTER)
    go_on(page, SECOND)
    nothing_is_lost(server, BEFORE + AWAY + AFTER)


@pytest.mark.slow  # by default: a killed server, above
def test_a_second_tab_has_the_question_and_the_words_and_the_first_one_says_so(server, page):
    write(page, BEFORE)
    until(lambda: BEFORE in saved_words(server))
    other = page.context.new_page()
    other.goto(server.url)
    at(other, FIRST)
    expect(box(other)).to_have_value(BEFORE, timeout=BUSY)
    write(other, AWAY)
    go_on(other, SECOND)
    nothing_is_lost(server, BEFORE + AWAY)
    # The first tab is behind by now: what it sends counts for nothing, and it shows where the interview is.
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text(SECOND, exact=True).or_(page.get_by_text("another window")).first).to_be_visible(
        timeout=BUSY
    )
    nothing_is_lost(server, BEFORE + AWAY)


@pytest.mark.slow  # by default: tests/ui/screens/test_interview_browser.py
def test_a_reload_after_each_step_shows_the_same_question(server, page):
    write(page, LONG)
    expect(page.locator(SAVED)).to_be_visible(timeout=BUSY)
    page.reload()
    at(page, FIRST)
    expect(box(page)).to_have_value(LONG, timeout=BUSY)
    go_on(page, SECOND)
    page.reload()
    at(page, SECOND)
    expect(box(page)).to_have_value("")
    nothing_is_lost(server, LONG)
