"""What participants write on quiz pages and surveys is kept, whatever happens; each time the row is looked at."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time

import pytest
from playwright.sync_api import expect
from support.browser.form_page import FormPage, processes_with, same, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
STAGES = [pytest.param("about", marks=pytest.mark.slow), "quiz"]
WRITTEN = {"about": "words", "quiz": "fix"}
NEXT = {"about": "quiz", "quiz": "quiz 2"}


def come_to(person: FormPage, stage: str) -> None:
    if stage == "quiz":
        person.to_quiz()


def write(person: FormPage, stage: str, text: str) -> None:
    person.box(WRITTEN[stage]).click()
    person.page.keyboard.press("Control+End")
    person.page.keyboard.type(text, delay=15)


def hand_in(person: FormPage, stage: str) -> dict:
    """Go on; what stood on the screen at that moment is what the database has."""
    shown = person.screen()
    person.go_on()
    person.at(NEXT[stage])
    assert same(shown, person.answers(stage)), (shown, person.answers(stage))
    return shown


# -- what may happen while a participant writes -----------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_a_deadline_hands_in_what_stands_in_the_box_that_is_being_written_in(person, stage):
    come_to(person, stage)
    write(person, stage, "pass # first")
    person.end_in(stage, 6)
    person.page.wait_for_timeout(2100)
    write(person, stage, " and the last words")
    shown = person.screen()
    until(lambda: person.rows("select 1 from visits where stage = ? and ended_by = 'deadline' and participant_id = ?",
                              stage, person.participant_id))  # fmt: skip
    until(lambda: same(shown, person.answers(stage)))
    assert "and the last words" in str(person.answers(stage)[WRITTEN[stage]])


@pytest.mark.slow  # by default: each kind through a reload, in test_more_kinds_browser.py
@pytest.mark.parametrize("stage", ["about", "quiz"])
def test_a_reload_while_typing_loses_no_letter(person, stage):
    come_to(person, stage)
    write(person, stage, "pass # kept through a reload")
    before = person.screen()
    person.page.reload()
    person.at(stage)
    assert person.screen() == before
    write(person, stage, ", twice")
    hand_in(person, stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_server_loses_nothing_and_the_first_press_afterwards_counts(server, person, stage):
    come_to(person, stage)
    write(person, stage, "pass # before")
    server.kill()
    try:
        write(person, stage, ", while it was away")
        expect(person.page.locator(".sa-saving")).to_contain_text("Offline")
    finally:
        server.start()
    write(person, stage, ", and after")
    shown = hand_in(person, stage)
    assert "before, while it was away, and after" in shown[WRITTEN[stage]]


@pytest.mark.slow  # by default: a killed server, above
@pytest.mark.parametrize("stage", STAGES)
def test_offline_everything_can_be_written_and_a_press_is_repeated_once_the_connection_is_back(person, stage):
    come_to(person, stage)
    context = person.page.context
    context.set_offline(True)
    write(person, stage, "pass # offline")
    expect(person.page.locator(".sa-saving")).to_contain_text("Offline")
    shown = person.screen()
    person.go_on()
    expect(person.page.get_by_role("alert")).to_contain_text("cannot be reached")
    assert person.screen() == shown
    context.set_offline(False)
    person.at(NEXT[stage])
    assert same(shown, person.answers(stage))


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["about", "quiz"])
def test_60_seconds_offline_lose_nothing_and_the_page_says_so_all_the_while(person, stage):
    come_to(person, stage)
    write(person, stage, "pass # before")
    until(lambda: "before" in str(person.draft(stage)))
    saving = person.page.locator(".sa-saving")
    person.page.context.set_offline(True)
    end = time.monotonic() + 60
    write(person, stage, ", offline")
    person.choose({"about": "role", "quiz": "pick"}[stage], 1)
    expect(saving).to_contain_text("Offline \u2013 your work is kept")
    times = 0
    while time.monotonic() < end:
        write(person, stage, f", line {(times := times + 1)}")
        person.page.wait_for_timeout(2500)
        expect(saving).to_contain_text("Offline \u2013 your work is kept", timeout=1)
    assert "line" not in str(person.draft(stage))
    shown = person.screen()
    person.page.context.set_offline(False)
    expect(saving).to_have_text("Saved", timeout=60_000)
    assert person.screen() == shown
    until(lambda: str(person.draft(stage)[WRITTEN[stage]]) == shown[WRITTEN[stage]])
    assert hand_in(person, stage) == shown
    assert "before, offline, line 1, line 2, line 3" in shown[WRITTEN[stage]]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.slow
def test_a_second_window_goes_on_with_what_stands_in_the_first_which_is_closed_for_writing(server, person, stage):
    come_to(person, stage)
    write(person, stage, "pass # in the first")
    until(lambda: "in the first" in str(person.draft(stage)))
    second = FormPage(server, person.page.context.new_page())
    second.participant_id = person.participant_id
    second.page.goto(server.url)
    second.at(stage)
    assert second.screen() == person.screen()
    write(second, stage, ", and in the second")
    expect(person.page.locator(".sa-veil")).to_contain_text("You continued in another window")
    hand_in(second, stage)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.slow
def test_a_double_click_hands_one_page_in(person, stage):
    come_to(person, stage)
    write(person, stage, "pass # once")
    shown = person.screen()
    if stage == "quiz":
        person.choose("pick", 0)
        person.box("say").fill("2")
        shown = person.screen()
    person.button("Continue").dblclick()
    person.at(NEXT[stage])
    assert same(shown, person.answers(stage))
    handed = [payload for kind, payload in person.events("answered") if payload["items"][0] in shown]
    assert len(handed) == 1


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.slow
def test_back_leads_to_where_one_was_with_everything_written(person, stage):
    come_to(person, stage)
    write(person, stage, "pass # before back")
    before = person.screen()
    person.page.evaluate("history.pushState({}, '', '/?x=1')")
    person.page.go_back()
    person.page.goto(person.server.url)
    person.at(stage)
    assert person.screen() == before
    hand_in(person, stage)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", ["about", "quiz"])
def test_a_laptop_that_slept_for_150_seconds_goes_on_where_it_was(server, chromium, stage):
    mark = f"--study-test-{stage}-{os.getpid()}"
    arguments = ["--no-sandbox", "--disable-gpu", mark]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments)
    try:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        person = FormPage(server, page).start()
        come_to(person, stage)
        write(person, stage, "pass # before the lid was closed")
        asleep = processes_with(mark)
        for process in asleep:
            os.kill(process, signal.SIGSTOP)
        time.sleep(150)
        for process in asleep:
            os.kill(process, signal.SIGCONT)
        write(person, stage, ", and opened again")
        shown = hand_in(person, stage)
        assert "before the lid was closed, and opened again" in shown[WRITTEN[stage]]
    finally:
        browser.close()


# -- what is not an answer ---------------------------------------------------------------------------------------------


def test_what_is_deleted_or_taken_back_is_in_no_answer_and_no_event(person):
    person.box("words").fill("my secret name")
    person.box("words").fill("")
    person.choose("extra", 0)
    person.field("extra").get_by_role("button", name="Clear my answer").click()
    person.choose("tools", 1)
    person.choose("tools", 1)
    person.box("remark").fill("stays")
    hand_in(person, "about")
    assert person.answers("about") == {"remark": "stays"}
    everything = person.rows("select payload from events where participant_id = ?", person.participant_id)
    assert not [payload for (payload,) in everything if "secret" in payload or '"yes"' in payload]
    erased = [payload for kind, payload in person.events("answer_edit", "answer_set") if payload == {"erased": True}]
    assert len(erased) == 6


@pytest.mark.slow
def test_a_choice_taken_back_offline_stays_taken_back_after_a_reload(person):
    person.box("words").fill("kept")
    person.choose("extra", 0)
    until(lambda: person.draft("about") == {"words": "kept", "extra": "yes"})
    person.page.evaluate("""() => { const real = fetch; window.fetch = (url, options) =>
        String(url).endsWith("/api/events") ? Promise.reject(new TypeError("offline")) : real(url, options) }""")
    person.field("extra").get_by_role("button", name="Clear my answer").click()
    person.box("remark").fill("written offline")
    expect(person.page.locator(".sa-saving")).to_contain_text("Offline")
    assert person.draft("about")["extra"] == "yes"
    person.page.reload()
    person.at("about")
    assert person.screen()["remark"] == "written offline"
    assert person.screen()["extra"] is None
    hand_in(person, "about")
    assert person.answers("about") == {"words": "kept", "remark": "written offline"}


@pytest.mark.slow
def test_numbers_are_checked_as_they_are_shown(person):
    person.box("years").fill("999")
    person.box("hours").fill("about 7")
    person.button("Continue").click()
    expect(person.field("years")).to_contain_text("Please write a number from 0 to 60.")
    expect(person.field("hours")).to_contain_text("Please write a number, such as 3 or 2.5.")
    expect(person.box("years")).to_be_focused()
    expect(person.page.get_by_role("alert")).to_have_text("Two answers above need a change.")
    person.box("years").fill("2,5")
    person.button("Continue").click()
    expect(person.field("years")).to_contain_text("Please write a whole number.")
    person.box("years").fill("10")
    person.box("hours").fill("2,5")
    hand_in(person, "about")
    assert person.answers("about") == {"years": 10, "hours": 2.5}


@pytest.mark.slow
def test_an_over_long_paste_gets_a_sentence_and_loses_nothing(person):
    person.box("words").fill("short")
    person.page.evaluate("navigator.clipboard.writeText('x'.repeat(12000))")
    person.box("words").press("Control+End")
    person.page.keyboard.press("Control+v")
    expect(person.field("words")).to_contain_text("longer than 10,000 characters")
    expect(person.box("words")).to_have_value("short")


@pytest.mark.slow
def test_a_page_that_the_server_does_not_take_says_so_and_is_handed_in_once_it_does(person):
    behind = {"error": "an event is missing", "reason": "behind"}
    person.page.route("**/api/answers", lambda route: route.fulfill(status=409, json=behind))
    person.box("words").fill("kept")
    person.go_on()
    expect(person.page.locator(".sa-form-note")).to_contain_text("could not be handed in yet")
    person.page.unroute("**/api/answers")
    person.at("quiz")
    assert person.answers("about")["words"] == "kept"
    assert len(person.events("submit_pressed")) == 1, "a repeat by the page is not a press"


def test_leaving_a_quiz_page_with_gaps_asks_and_going_back_keeps_everything(person):
    person.to_quiz()
    person.box("say").fill("2")
    person.button("Continue").click()
    expect(person.page.get_by_text("Two questions on this page are unanswered.")).to_be_visible()
    person.button("Go back").click()
    expect(person.box("say")).to_have_value("2")
    person.choose("pick", 1)
    person.box("fix").click()
    person.page.keyboard.press("Control+a")
    person.page.keyboard.insert_text("for n in range(3):\n    print(n)")
    shown = person.screen()
    person.button("Continue").click()
    person.at("quiz 2")
    assert same(shown, person.answers("quiz"))


@pytest.mark.slow
def test_quiz_items_have_the_names_that_screen_readers_say(person):
    person.to_quiz()
    page = person.page
    for number in (1, 2, 3):
        expect(page.get_by_role("group", name=f"Question {number} of 5", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="run(main)", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Your answer", exact=True)).to_be_visible()
    code = page.get_by_role("textbox", name="Code answer", exact=True)
    code.click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert "\n    print(n)" in person.screen()["fix"]
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(code).not_to_be_focused()
    expect(page.locator(".sa-item-code .tok-number").first).to_be_visible()
    left, right = (person.field("fix").locator(name).bounding_box() for name in (".sa-item-code", ".sa-code-box"))
    assert left["x"] + left["width"] <= right["x"]


@pytest.mark.slow
def test_answers_pasted_and_time_away_are_in_the_events(person):
    person.to_quiz()
    person.page.evaluate("navigator.clipboard.writeText('from elsewhere')")
    person.box("say").click()
    person.page.keyboard.press("Control+v")
    until(lambda: person.draft("quiz").get("say") == "from elsewhere")
    (paste,) = [payload for kind, payload in person.events("paste_attempt")]
    assert (paste["field"], paste["length"], paste["from"], paste["target"]) == ("say", 14, "outside", "answer")
    (edit,) = [payload for kind, payload in person.events("answer_edit")]
    assert edit["kind"] == "paste"


@pytest.mark.slow
def test_a_survey_with_a_limit_shows_its_clock(person):
    expect(person.page.get_by_role("timer", name="Time left")).to_have_text(re.compile(r"Time left\s*59:\d\d"))


@pytest.mark.slow
def test_each_number_of_a_scale_stands_under_its_button_and_the_ends_at_the_ends(person):
    steps = person.field("ease").locator(".sa-step-option")
    for place in range(7):
        button, number = (steps.nth(place).locator(part).bounding_box() for part in ("input", "span"))
        assert abs(button["x"] + button["width"] / 2 - number["x"] - number["width"] / 2) < 2
        assert number["y"] >= button["y"] + button["height"]
    parts = (".sa-scale-steps", ".sa-scale-ends :first-child", ".sa-scale-ends :last-child")
    whole, low, high = (person.field("ease").locator(part).bounding_box() for part in parts)
    assert abs(low["x"] - whole["x"]) < 2
    assert abs(high["x"] + high["width"] - whole["x"] - whole["width"]) < 2
