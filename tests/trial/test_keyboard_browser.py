"""The whole way from the welcome page to the completion code, by keyboard alone and in the window of a phone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import cut_off
from support.browser.keyboard import KeyboardWalker
from support.browser.walker import Walker
from support.paths import ROOT
from support.server import StudyServer, logged_errors
from support.trials.shipped import variant

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
ONE_ARM_AFTER_THE_OTHER = ("block_sizes = [2, 4, 6]", "block_sizes = [2]")


def without_device_check() -> tuple[str, str]:
    """The stage that lets no phone through, taken out."""
    stage = re.search(r'\[\[stages\]\]\nid = "device".*?(?=\[\[stages\]\])', (ROOT / "study.toml").read_text(), re.S)
    assert stage is not None
    return stage[0], ""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyboard")
    server = StudyServer(folder, variant(folder, ONE_ARM_AFTER_THE_OTHER)).start()
    yield server
    server.stop()


def seen(page, name: str) -> None:
    """A screenshot of every station, on request: STUDY_SCREENSHOTS names the folder."""
    if folder := os.environ.get("STUDY_SCREENSHOTS"):
        page.wait_for_timeout(300)
        size = page.viewport_size
        page.screenshot(path=Path(folder) / f"{size['width']}_{name.replace(' ', '_')}.png")


@pytest.mark.parametrize("turn", [1, 2])
def test_the_whole_way_is_gone_by_keyboard_alone(server, page, turn):
    walker = KeyboardWalker(page, server.url, seen)
    _, code = walker.whole_way()
    assert code == "TRIO-DONE"
    assert walker.hidden == [], "what has the focus is in sight"
    assert page.problems == []
    assert not logged_errors(server.folder)


def everything_in_reach(page, name: str) -> None:
    """Nothing lies beyond the window's sides, and every control can be scrolled to and touched."""
    seen(page, name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert cut_off(page) == [], name
    for control in page.query_selector_all("button, input[type=text], textarea"):
        if control.is_visible() and not control.is_disabled():
            control.scroll_into_view_if_needed()
            box = control.bounding_box()
            assert box["x"] >= -1, (name, control)
            assert box["x"] + box["width"] <= 391, (name, control)
            control.click(trial=True)
    for editor in page.locator(".cm-editor").all():
        assert editor.bounding_box()["height"] > 100, (name, "an editor has room for its lines")


class PhoneWalker(Walker):
    """A participant on a phone; the page that asks for a computer is not on the way."""

    def device(self) -> None:
        pass


def test_the_whole_way_is_gone_in_the_window_of_a_phone(tmp_path, chromium):
    server = StudyServer(tmp_path, variant(tmp_path, ONE_ARM_AFTER_THE_OTHER, without_device_check())).start()
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(20_000)
    try:
        for _ in range(2):
            context.clear_cookies()
            page = context.new_page()
            problems: list[str] = []
            page.on("pageerror", lambda error, problems=problems: problems.append(str(error)))
            _, code = PhoneWalker(page, server.url, everything_in_reach).whole_way()
            assert code == "TRIO-DONE"
            expect(page.get_by_text("Thank you").first).to_be_visible()
            assert problems == []
            page.close()
        assert not logged_errors(tmp_path)
    finally:
        context.close()
        server.stop()
