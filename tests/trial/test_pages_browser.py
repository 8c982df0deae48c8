"""Pages that ask nothing: no press is lost, and what a participant has to know is in sight."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from support.browser.placing import place
from support.browser.walker import Walker
from support.server import StudyServer
from support.trials.shipped import variant

from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOWN = (
    ("[placeholder] Dr A. Example, Department of Psychology, University of X", "Dr A. Example, University of X"),
    ("[placeholder] Ethics committee of the University of X, no. 2026-17", "Committee of X, no. 2026-17"),
    ("[placeholder] You receive 20 pounds within a week.", "You receive 20 pounds."),
    ('pay_when_leaving = ""', 'pay_when_leaving = "If you leave early you are paid by the minute."'),
    ("minimum_age = 18", "minimum_age = 21"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    server = StudyServer(folder, variant(folder, *SHOWN)).start()
    yield server
    server.stop()


def stage_of(server, who: str) -> str:
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        found = unit.participant(who).stage
    registry.close()
    return found


@pytest.mark.slow
def test_consent_names_the_study_s_facts_and_keeps_both_answers_in_sight(server, page):
    Walker(page, server.url).start()
    for fact in ("Dr A. Example", "no. 2026-17", "20 pounds", "paid by the minute", "at least 21", "no risks beyond"):
        expect(page.get_by_text(fact).first).to_be_attached()
    for name in ("I agree", "I do not agree"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["y"] + box["height"] <= 768


@pytest.mark.slow  # by default: the same of a quiz, in tests/ui/screens/test_forms_browser.py
@pytest.mark.parametrize("stage", ["consent", "device", "warmup", "instructions"])
def test_a_press_while_the_server_is_away_is_carried_out_when_it_is_back(tmp_path, page, stage):
    server = StudyServer(tmp_path, variant(tmp_path)).start()
    try:
        walker = Walker(page, server.url)
        walker.start()
        who = place(server, page, stage)
        button = walker.button("I agree" if stage == "consent" else "Continue")
        expect(button).to_be_visible()
        if stage == "instructions":
            page.get_by_role("checkbox").check()
        walker.settle()
        server.kill()
        expect(page.get_by_text("No connection to the server")).to_be_visible()
        button.click()
        expect(page.get_by_text("Your click has been kept")).to_be_visible()
        server.start()
        expect(page.get_by_text("No connection")).to_have_count(0, timeout=60_000)
        following = {"consent": "Can you take part", "device": "About your", "warmup": "", "instructions": ""}[stage]
        if following:
            expect(page.get_by_role("heading", level=1)).to_contain_text(following, timeout=60_000)
            assert stage_of(server, who) != stage
        else:
            expect(walker.editor()).to_be_visible(timeout=60_000)
    finally:
        server.stop()


def test_two_quick_presses_go_one_stage_on(server, page):
    walker = Walker(page, server.url)
    walker.start()
    who = place(server, page, "device")
    walker.button("Continue").dblclick()
    expect(page.get_by_role("heading", name="About your experience")).to_be_visible()
    assert stage_of(server, who) == "background"


@pytest.mark.slow
def test_leaving_says_what_becomes_of_the_payment_and_staying_is_the_first_choice(server, page):
    walker = Walker(page, server.url)
    walker.start()
    who = place(server, page, "warmup", left=timedelta(minutes=9))
    expect(walker.editor()).to_be_visible()
    walker.button("Leave the study").click()
    dialog = page.get_by_role("dialog", name="Leave the study?")
    expect(dialog).to_contain_text("paid by the minute")
    stay, leave = (dialog.get_by_role("button", name=name) for name in ("Stay in the study", "Leave now"))
    expect(stay).to_be_focused()
    assert stay.bounding_box()["x"] > leave.bounding_box()["x"] + leave.bounding_box()["width"]
    gap = dialog.get_by_text("cannot come back").bounding_box()["y"] - dialog.get_by_role("heading").bounding_box()["y"]
    assert gap > 25, "the lines do not stick together"
    stay.click()
    expect(dialog).to_be_hidden()
    assert stage_of(server, who) == "warmup"
    walker.button("Leave the study").click()
    leave.click()
    assert walker.completion_code() == "TRIO-LEFT"


@pytest.mark.slow
def test_the_promise_is_asked_for_where_it_is_missing(server, page):
    walker = Walker(page, server.url)
    walker.start()
    who = place(server, page, "instructions")
    walker.button("Continue").click()
    expect(page.get_by_text("Please tick the box to continue.")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_be_focused()
    assert stage_of(server, who) == "instructions"


@pytest.mark.slow
def test_after_an_expiry_the_next_page_says_what_was_handed_in(server, page):
    Walker(page, server.url).start()
    for stage, ended, words in (
        ("instructions", "warmup", "The code in the editor at that moment was handed in."),
        ("quiz", "tasks", "The code in the editor at that moment was handed in."),
        ("exit", "quiz", "The answers on the page at that moment were handed in."),
    ):
        place(server, page, stage, ended=ended)
        expect(page.get_by_text("Time is up")).to_contain_text(words)


@pytest.mark.slow
def test_every_timed_part_says_before_that_its_clock_starts_on_continue(server, page):
    Walker(page, server.url).start()
    for stage, words in (
        ("warmup", "You have 10 minutes. The clock starts when you press Continue."),
        ("instructions", "You have 35 minutes for both tasks together. The clock starts when you press Continue."),
        ("quiz", "You have 25 minutes. The clock starts when you press Continue."),
    ):
        place(server, page, stage)
        expect(page.get_by_text(words)).to_be_visible()


@pytest.mark.slow
def test_progress_stands_on_every_page_and_only_falls(server, page):
    Walker(page, server.url).start()
    seen = []
    for stage in ("consent", "eligibility", "device", "background", "warmup", "instructions", "quiz", "exit"):
        place(server, page, stage)
        line = page.get_by_text(re.compile(r"^Part \d+ of 9, about (\d+ minutes|one minute) left$"))
        expect(line).to_be_visible()
        part, minutes = re.findall(r"\d+", line.inner_text())[::2]
        seen.append((int(part), -int(minutes)))
    assert seen == sorted(seen)
    assert [part for part, _ in seen] == [1, 2, 3, 4, 5, 6, 8, 9]


@pytest.mark.slow
def test_the_code_can_be_copied(server, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    walker = Walker(page, server.url)
    walker.start()
    walker.button("I do not agree").click()
    assert walker.completion_code() == "TRIO-NO-CONSENT"
    walker.button("Copy").click()
    expect(walker.button("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "TRIO-NO-CONSENT"


@pytest.mark.slow
def test_a_phone_shows_a_link_with_which_a_computer_goes_on(server, chromium):
    phone = chromium.new_context(
        viewport={"width": 390, "height": 844}, user_agent="Mozilla/5.0 (iPhone) Mobile/15E148"
    )
    page = phone.new_page()
    Walker(page, server.url).start()
    who = place(server, page, "device")
    link = page.locator(".code-box").inner_text()
    assert link.startswith(f"{server.url}/enter?move=")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    computer = chromium.new_context(viewport={"width": 1366, "height": 768})
    other = computer.new_page()
    other.goto(link)
    other.get_by_role("button", name="Start").click()
    expect(other.get_by_role("heading", name="You need a computer")).to_be_visible()
    Walker(other, server.url).press("Continue")
    expect(other.get_by_role("heading", name="About your experience")).to_be_visible()
    assert stage_of(server, who) == "background"
    phone.close()
    computer.close()


@pytest.mark.slow
def test_a_browser_that_keeps_no_cookies_gets_a_sentence(server, chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/enter?label=k")
    context.clear_cookies()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Your browser did not keep our cookie")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="I agree")).to_be_visible(timeout=20_000)
    context.close()


@pytest.mark.slow  # by default: the same of the editor, in tests/ui/components/test_component_time.py
@pytest.mark.parametrize("stage", ["quiz", "warmup"])
def test_the_last_minutes_are_seen_and_look_different_from_each_other(server, chromium, stage):
    shown = []
    for left, words in (
        (timedelta(minutes=5, seconds=8), "Five minutes left"),
        (timedelta(seconds=70), "One minute left"),
    ):
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        Walker(page, server.url).start()
        place(server, page, stage, left=left)
        shown.append((page, words))
    colours = []
    for page, words in shown:
        note = page.locator(".sa-time-note")
        expect(note).to_contain_text(words, timeout=60_000)
        expect(note).to_be_visible()
        colours.append(note.evaluate("note => getComputedStyle(note).backgroundColor"))
        assert re.match(r"^[0-5]:\d\d – ", page.title()), "the tab's title shows the time"
        page.context.close()
    assert colours[0] != colours[1]
