"""Every screen passes axe-core, light and dark; the way from welcome to code can be gone by keyboard alone."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import cut_off, findings
from support.browser.placing import place
from support.browser.walker import Walker
from support.server import StudyServer
from support.trials.shipped import variant

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("npm") is None, reason="axe-core comes by npm"),
]

SCREENS = ("welcome", "consent", "eligibility", "device", "background", "warmup", "instructions", "tasks", "quiz")
SCREENS += ("exit", "end")
BY_DEFAULT = ("tasks", "exit")
"""The workspace, and questions with scales."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("axe")
    server = StudyServer(folder, variant(folder)).start()
    yield server
    server.stop()


def show(server, page, screen: str, *, entered: bool = False) -> None:
    """Bring a screen up to its last part; a browser that has `entered` goes straight to its stage."""
    if not entered:
        page.goto(f"{server.url}/enter")
        if screen == "welcome":
            return
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("button", name="I agree")).to_be_visible()
    if screen == "end":
        page.get_by_role("button", name="I do not agree").click()
        expect(page.get_by_text("Completion code")).to_be_visible()
    elif screen != "consent":
        open_for = timedelta(minutes=9) if screen in ("tasks", "quiz") else None
        place(server, page, screen, left=open_for, arm="ai")
        expect(page.get_by_role("button", name="Leave the study").first).to_be_visible()
        if screen == "tasks":
            expect(page.get_by_role("textbox", name="Code editor")).to_be_visible()
    page.wait_for_timeout(300)


@pytest.mark.parametrize(
    ("scheme", "screens"),
    [
        pytest.param("light", BY_DEFAULT, id="light"),
        pytest.param("light", tuple(sorted(set(SCREENS) - set(BY_DEFAULT))), id="light others", marks=pytest.mark.slow),
        pytest.param("dark", SCREENS, id="dark", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_on_any_screen(server, chromium, scheme, screens):
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    found = {}
    entry = ("welcome", "consent", "end")
    for screen in screens:
        page = context.new_page()
        # The welcome page is before the entry, the last page behind a button of the consent page.
        entered = screen not in entry and bool(context.cookies())
        if screen == "end":
            context.clear_cookies()
        show(server, page, screen, entered=entered)
        found[screen] = findings(page)
        page.close()
    context.close()
    assert {screen: lines for screen, lines in found.items() if lines} == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_with_code_with_gaps_and_before_a_clock_starts(server, chromium, scheme):
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    page = context.new_page()
    show(server, page, "consent")
    found = {}
    for stage in ("warmup", "quiz"):
        place(server, page, stage)
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        found[f"before {stage}"] = findings(page)
    for step in range(7):
        place(server, page, "quiz", left=timedelta(minutes=9), step=step)
        expect(page.get_by_text(f"Page {step + 1} of 7")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("Continue|Submit quiz"))).to_be_visible()
        found[f"quiz {step + 1}"] = findings(page)
    page.get_by_role("button", name="Submit quiz").click()
    expect(page.get_by_role("button", name="Go back")).to_be_visible()
    found["question about gaps"] = findings(page)
    place(server, page, "exit")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Please answer this question.").first).to_be_visible()
    found["survey with gaps"] = findings(page)
    context.close()
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.slow
def test_axe_finds_nothing_in_the_dialog_of_leaving(server, page):
    show(server, page, "device")
    page.get_by_role("button", name="Leave the study").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize(
    "screen",
    [
        "exit",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("background", "consent", "instructions", "quiz", "tasks")
        ),
    ],
)
@pytest.mark.slow
def test_at_four_hundred_percent_nothing_has_to_be_scrolled_sideways(server, chromium, screen):
    context = chromium.new_context(viewport={"width": 320, "height": 256})
    context.set_default_timeout(20_000)
    page = context.new_page()
    show(server, page, screen)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert cut_off(page) == []
    context.close()


def tab_to(page, name: str | re.Pattern[str], limit: int = 80) -> None:
    """Reach a control by Tab alone."""
    wanted = name if isinstance(name, re.Pattern) else re.compile(rf"^{re.escape(name)}$")
    for _ in range(limit):
        page.keyboard.press("Tab")
        label = page.evaluate("(document.activeElement.innerText || document.activeElement.ariaLabel || '').trim()")
        if wanted.search(label):
            return
    raise AssertionError(f"{name} is not reached by Tab")


@pytest.mark.slow  # by default: a task by keyboard in test_trial_browser.py, each kind of answer in tests/ui/screens
def test_consent_promise_and_leaving_work_by_keyboard_alone(server, page):
    page.goto(f"{server.url}/enter")
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="I agree")).to_be_visible()
    tab_to(page, "I agree")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Can you take part?")).to_be_visible()
    place(server, page, "instructions")
    expect(page.get_by_role("checkbox")).to_be_visible()
    Walker(page, server.url).settle()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type === 'checkbox'"):
            break
    page.keyboard.press("Space")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Code editor")).to_be_visible()
    tab_to(page, "Leave the study")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stay in the study")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Completion code")).to_be_visible()
