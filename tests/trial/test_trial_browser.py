"""The participant's way in a real browser: both arms, with every awkward thing a person can do."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from support.browser.placing import place
from support.browser.walker import Walker, solution
from support.server import StudyServer
from support.trials.shipped import variant

from study_app.domain.editing.edits import replay
from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

FIRST = "first program in Python"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    study = variant(folder, ("block_sizes = [2, 4, 6]", "block_sizes = [2]"))
    server = StudyServer(folder, study).start()
    yield server
    server.stop()


def opened(server):
    return open_registry(server.database)


def newest(unit):
    return unit.participants()[-1]


SHOWN_ALIKE = re.compile(r"consent|eligibility|device|background|warmup.*|quiz.*|exit|debrief")
"""Stations that are the same page in both arms."""


LIKE_ANOTHER = re.compile(r"quiz [3-9]|trio_users.*")
"""Stations of which an earlier one is the same kind of page."""


LEFT_TO_THE_SECOND = re.compile(r"background|quiz intro|quiz 2|trio_timer run")
"""Stations like an earlier one of which the first participant reloads only that."""


def reload_in_one_arm(page, name: str) -> None:
    """Reload where the arms' pages differ, and where the first participant did not."""
    if not SHOWN_ALIKE.fullmatch(name) or LEFT_TO_THE_SECOND.fullmatch(name):
        reload_here(page, name)


def reload_first(page, name: str) -> None:
    """Reload on the first station of each kind."""
    if not LEFT_TO_THE_SECOND.fullmatch(name):
        reload_here(page, name)


def reload_here(page, name: str) -> None:
    """Reload; the walk goes on only if the participant is where they were."""
    if name in ("welcome", "asked") or LIKE_ANOTHER.fullmatch(name):
        return
    before = page.get_by_role("heading", level=1).first.inner_text()
    # Who pressed the button at the foot of the last screen must not miss the first question of this one.
    # Asked from here: the page's policy refuses a text that it would have to evaluate again and again.
    for _ in range(50):
        if page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop") == 0:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError(f"{name} does not begin at its head")
    page.wait_for_timeout(300)
    page.reload()
    expect(page.get_by_role("heading", level=1).first).to_have_text(before, timeout=20_000)
    page.wait_for_timeout(400)
    if name == "exit":
        numbers = page.get_by_role("radiogroup", name=re.compile("hurried")).locator("label")
        expect(numbers).to_have_count(21)
        assert len({round(number.bounding_box()["y"]) for number in numbers.all()}) == 1, "a scale is one row"


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def walks(request, server, walked, chromium):
    """Return the participants who walked, by arm; one, or one in each arm."""
    while len(walked) < request.param:
        walk(server, walked, chromium)
    return walked


@pytest.fixture(scope="module")
def walked():
    """Return what the walks of this file fill: arm -> participant, code, errors of the page."""
    return {}


def walk(server, found, chromium) -> None:
    """Walk and reload on the way: the first participant on every kind of station."""
    reload = reload_in_one_arm if found else reload_first
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    arm, code = Walker(page, server.url, reload).whole_way()
    registry = opened(server)
    with registry.begin(write=False) as unit:
        found[arm] = (newest(unit), code, errors)
    registry.close()
    context.close()


def test_each_arm_walks_from_the_welcome_page_to_the_completion_code(walks):
    assert set(walks) <= {"ai", "no_ai"}
    for arm, (participant, code, errors) in walks.items():
        assert participant.arm == arm
        assert participant.status == "completed"
        assert code == "TRIO-DONE"
        assert errors == []


def test_reloads_make_no_second_visit_and_no_second_submission(server, walks):
    registry = opened(server)
    with registry.begin(write=False) as unit:
        for participant, _, _ in walks.values():
            stages = [visit.stage for visit in unit.visits(participant.id)]
            assert len(stages) == len(set(stages))
            assert all(visit.ended_at for visit in unit.visits(participant.id) if visit.stage != "debrief")
            submissions = [run.task for run in unit.runs(participant.id) if run.kind == "submission"]
            assert submissions == ["warmup", "trio_timer", "trio_users"]
    registry.close()


def test_the_typed_solutions_pass_every_check(server, walks):
    registry = opened(server)
    for _ in range(120):
        with registry.begin(write=False) as unit:
            if all(run.ended_by for run in unit.runs() if run.kind == "submission"):
                break
        time.sleep(0.5)
    with registry.begin(write=False) as unit:
        for participant, _, _ in walks.values():
            for run in unit.runs(participant.id):
                if run.kind == "submission":
                    assert run.ended_by == "exit", "graded"
                    checks = run.checks
                    assert checks
                    assert all(check["passed"] for check in checks), run.task
    registry.close()


def test_every_page_s_events_are_without_gap_and_replay_to_the_submission(server, walks):
    registry = opened(server)
    with registry.begin(write=False) as unit:
        for participant, _, _ in walks.values():
            pages: dict[str, list] = {}
            for event in unit.events(participant.id):
                pages.setdefault(event.page, []).append(event)
            for events in pages.values():
                assert sorted(event.seq for event in events) == list(range(1, len(events) + 1))
            for run in unit.runs(participant.id):
                if run.kind == "submission":
                    edits = [
                        event.details
                        for event in sorted(pages[run.page], key=lambda event: event.seq)
                        if event.payload.get("task") == run.task and event.seq <= (run.seq or 10**9)
                    ]
                    assert replay(edits) == run.code
    registry.close()


def test_only_the_ai_arm_met_an_assistant(server, walks):
    registry = opened(server)
    with registry.begin(write=False) as unit:
        for arm, (participant, _, _) in walks.items():
            assert len(unit.turns(participant.id)) == (1 if arm == "ai" else 0)
    registry.close()


@pytest.mark.slow
def test_answers_given_before_a_reload_are_there_after_it(server, page):
    walker = Walker(page, server.url)
    walker.start()
    walker.consent()
    walker.choose(FIRST, "More than two years ago")
    page.wait_for_timeout(500)
    page.reload()
    group = page.get_by_role("radiogroup", name=re.compile(FIRST))
    expect(group.get_by_role("radio", name="More than two years ago")).to_be_checked()


def test_no_consent_and_no_eligibility_have_an_exit_with_a_code_of_their_own(server, page):
    walker = Walker(page, server.url)
    walker.start()
    walker.button("I do not agree").click()
    assert walker.completion_code() == "TRIO-NO-CONSENT"
    page.context.clear_cookies()
    walker.start()
    walker.consent()
    walker.choose(FIRST, "Within the last year")
    walker.choose("How often do you write", "Every day or nearly")
    walker.choose("How often have you used AI", "Regularly")
    walker.pick("Which of these Python libraries", "asyncio")
    walker.button("Continue").click()
    assert walker.completion_code() == "TRIO-SCREENED"


@pytest.mark.slow
def test_leaving_gives_a_code_and_can_delete_what_was_written(server, page):
    walker = Walker(page, server.url)
    walker.start()
    walker.consent()
    walker.eligibility()
    expect(page.get_by_role("heading", name="You need a computer")).to_be_visible()
    walker.button("Leave the study").click()
    page.get_by_text("Also delete everything").click()
    walker.button("Leave now").click()
    assert walker.completion_code() == "TRIO-LEFT"
    registry = opened(server)
    with registry.begin(write=False) as unit:
        person = newest(unit)
        assert person.status == "withdrawn"
        assert unit.answers(person.id) == []
    registry.close()


@pytest.mark.slow
def test_an_unanswered_question_is_marked_and_nothing_is_lost(server, page):
    walker = Walker(page, server.url)
    walker.start()
    walker.consent()
    walker.choose(FIRST, "More than two years ago")
    walker.button("Continue").click()
    expect(page.get_by_text("Please answer this question.")).to_have_count(3)
    expect(page.get_by_role("alert").filter(has_text="open")).to_have_text("Three questions above are still open.")
    gap = page.get_by_role("radiogroup", name=re.compile("How often do you write"))
    expect(gap).to_have_attribute("aria-invalid", "true")
    expect(gap.get_by_role("radio").first).to_be_focused()
    expect(gap).to_be_in_viewport()
    group = page.get_by_role("radiogroup", name=re.compile(FIRST))
    expect(group.get_by_role("radio", name="More than two years ago")).to_be_checked()


def to_warmup(server, walker: Walker) -> None:
    walker.start()
    place(server, walker.page, "warmup", left=timedelta(minutes=9), arm=None)
    expect(walker.editor()).to_be_visible(timeout=20_000)


@pytest.mark.slow  # by default: the same of a form, in tests/ui/screens/test_forms_browser.py
def test_a_second_tab_takes_over_and_the_first_says_so(server, page):
    walker = Walker(page, server.url)
    to_warmup(server, walker)
    second = page.context.new_page()
    second.goto(server.url)
    expect(second.get_by_role("textbox", name="Code editor")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("paragraph").filter(has_text="You continued in another window")).to_be_visible()


@pytest.mark.slow
def test_back_leads_nowhere_that_changes_anything(server, page):
    walker = Walker(page, server.url)
    to_warmup(server, walker)
    page.go_back()
    page.wait_for_timeout(500)
    page.goto(server.url)
    expect(walker.editor()).to_be_visible(timeout=20_000)


@pytest.mark.slow
def test_the_workspace_needs_no_scrolling_at_1366_by_768(server, page):
    walker = Walker(page, server.url)
    to_warmup(server, walker)
    sizes = page.evaluate(
        "[document.documentElement.scrollHeight, innerHeight, document.documentElement.scrollWidth, innerWidth]"
    )
    assert sizes[0] <= sizes[1]
    assert sizes[2] <= sizes[3]
    for name in ("Run", "Submit task"):
        box = walker.button(name).bounding_box()
        assert box["y"] + box["height"] <= 768
    assert page.get_by_label("Time left").first.is_visible()


def test_the_whole_of_a_task_can_be_done_by_keyboard(server, page):
    walker = Walker(page, server.url)
    to_warmup(server, walker)
    walker.editor().focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(solution("warmup"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Output").first).to_contain_text("Passed", timeout=20_000)
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement?.innerText || ''").strip() == "Submit task":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your promise")).to_be_visible(timeout=20_000)


BOTH_STREAMS = """import sys


def sign(words):
    print("one", words)
    print("two", file=sys.stderr)
    print("three")
    return ["+--+"]


print("first", end=" ")
sign([])
input("Your name? ")
"""


@pytest.mark.slow
def test_output_examples_and_error_line_are_the_same_after_a_reload(server, page):
    walker = Walker(page, server.url)
    to_warmup(server, walker)
    walker.write(BOTH_STREAMS)
    walker.press("Run")
    status = page.locator(".sa-run-status")
    expect(status).to_contain_text("examples pass", timeout=30_000)
    lines = page.locator(".sa-lines").inner_text()
    assert lines.splitlines()[:3] == ["first one []", "two", "three"]
    assert lines.index("Your name?") < lines.index("Traceback")
    assert "input() is not available here" in lines
    page.get_by_role("tab", name="Examples").click()
    before = [
        page.locator(".sa-output").inner_text(),
        status.inner_text(),
        page.locator(".sa-error-gutter").inner_text(),
    ]
    assert before[2] == "13"
    page.reload()
    expect(status).to_contain_text("examples pass", timeout=20_000)
    assert page.locator(".sa-lines").text_content().rstrip("\n") == lines.rstrip("\n")
    page.get_by_role("tab", name="Examples").click()
    after = [
        page.locator(".sa-output").inner_text(),
        status.inner_text(),
        page.locator(".sa-error-gutter").inner_text(),
    ]
    assert after == before


@pytest.mark.slow
def test_a_phone_can_read_up_to_the_device_check_that_asks_for_a_computer(server, chromium):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile/15E148",
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    walker = Walker(page, server.url)
    walker.start()
    walker.consent()
    walker.eligibility()
    expect(page.get_by_text("This looks like a phone")).to_be_visible()
    expect(walker.button("Continue")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.mark.slow  # by default: the same of the editor alone, in tests/ui/components/test_component_log.py
def test_a_killed_server_loses_nothing_that_the_browser_had(tmp_path, page):
    server = StudyServer(tmp_path, variant(tmp_path)).start()
    try:
        walker = Walker(page, server.url)
        to_warmup(server, walker)
        walker.write("# first\n")
        page.wait_for_timeout(2500)
        walker.editor().press_sequentially("# before the kill\n", delay=10)
        server.kill()
        walker.editor().press_sequentially("# while it was away\n", delay=10)
        page.wait_for_timeout(1500)
        server.start()
        walker.editor().press_sequentially("# after\n", delay=10)
        expect(page.get_by_text("Saved")).to_be_visible(timeout=40_000)
        shown = page.evaluate("document.querySelector('.cm-content').cmTile?.view?.state.doc.toString() ?? null")
        registry = open_registry(server.database)
        for _ in range(60):
            with registry.begin(write=False) as unit:
                text = unit.document(newest(unit).id, "warmup").text
            if "# after" in text:
                break
            time.sleep(0.5)
        page.screenshot(path=tmp_path / "end.png")
        with registry.begin(write=False) as unit:
            person = newest(unit)
            visits = [visit.stage for visit in unit.visits(person.id)]
        registry.close()
        for line in ("# first", "# before the kill", "# while it was away", "# after"):
            assert text.count(line) == 1, text
        assert shown in (None, text)
        assert len(visits) == len(set(visits))
    finally:
        server.stop()
