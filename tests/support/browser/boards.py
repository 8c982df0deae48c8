"""A board of the console in a real browser, and what is wrong with it."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Page, expect
from support.browser.accessibility import findings
from support.server import StudyServer

PASSWORD = "correct horse battery"
PICTURES = os.environ.get("STUDY_TEST_PICTURES", "")
"""A folder: boards are drawn into it, to be looked at."""
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
HIDDEN = """() => [...document.querySelectorAll(".sc-scroll")].filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.firstElementChild.getAttribute("aria-label"))"""
"""Tables whose last columns lie behind their edge."""
CUT_OFF = """() => [...document.querySelectorAll("[data-testid=stMain] *")].filter((each) => {
  const box = each.getBoundingClientRect();
  if (!box.width || !box.height || box.right <= innerWidth + 1) return false;
  for (let around = each.parentElement; around; around = around.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(around).overflowX)
      && around.getBoundingClientRect().right <= innerWidth + 1) return false;
  }
  return true;
}).map((each) => each.outerHTML.slice(0, 120))"""
"""What the window cuts off, and nothing around it scrolls."""


def signed_in(server: StudyServer, chromium: Browser, width: int) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{server.console_url}/login")
    page.get_by_label("Name").fill("full")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=60_000)
    return page


def drawn(server: StudyServer, page: Page, board: str) -> None:
    """Open a board of simulated people where it has some, and wait until it is drawn."""
    page.goto(f"{server.console_url}/{board}")
    expect(page.locator("h1, h2").first).to_be_visible(timeout=60_000)
    settled(page)
    kinds = page.get_by_text("Simulated", exact=True)
    if kinds.count():
        kinds.first.click()
        settled(page)


def settled(page: Page) -> None:
    """Wait until the page's script is over."""
    page.wait_for_timeout(300)
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(300)


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the board that is shown, a line each."""
    found = ["wider than the window"] if page.evaluate(TOO_WIDE) else []
    found += [f"cut off: {each}" for each in page.evaluate(CUT_OFF)]
    found += [f"columns behind the edge: {each}" for each in page.evaluate(HIDDEN)]
    if page.get_by_test_id("stException").count():
        found.append(page.get_by_test_id("stException").first.inner_text()[:500])
    if shutil.which("npm") is not None:
        found += findings(page)
    if PICTURES:
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        width = page.viewport_size["width"]
        page.set_viewport_size({"width": width, "height": min(max(900, height + 20), 6000)})
        page.wait_for_timeout(500)
        page.screenshot(path=f"{PICTURES}/{name}_{width}.png")
        page.set_viewport_size({"width": width, "height": 900})
    return found
