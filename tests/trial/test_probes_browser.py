"""A probe of affect in a real browser: one tap, a slider, by keyboard alone, in a phone's window, over a reload."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser.accessibility import axe, cut_off, findings
from support.server import StudyServer
from support.trials.probe_study import probe_study

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SOON = "[[probes]]\nat_minutes = [0.05]\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # Fetched before any card is on the screen: it stays for a minute only.
    axe()
    folder = tmp_path_factory.mktemp("felt")
    languages = {'title = "One off"': 'title = "One off"\nlanguages = ["en", "de", "es", "fr"]'}
    server = StudyServer(folder, probe_study(folder, SOON, **languages)).start()
    yield server
    server.stop()


def seen(page: Page, name: str) -> None:
    """A screenshot, on request: STUDY_SCREENSHOTS names the folder."""
    if folder := os.environ.get("STUDY_SCREENSHOTS"):
        page.wait_for_timeout(300)
        page.screenshot(path=Path(folder) / f"{page.viewport_size['width']}_{name}.png")


def to_task(page: Page, server: StudyServer) -> None:
    """Through the pages before the task."""
    page.set_default_timeout(60_000)
    page.goto(f"{server.url}/enter")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="I agree").click(timeout=60_000)
    page.get_by_role("textbox").first.fill("3")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Work.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".cm-content")).to_be_visible(timeout=60_000)


def card(page: Page):
    return page.get_by_role("dialog", name="How do you feel right now?")


def answered(server: StudyServer) -> list[dict]:
    """Payloads of the newest person's answers."""
    with sqlite3.connect(server.database.removeprefix("sqlite:///")) as connection:
        rows = connection.execute(
            "SELECT participant_id, payload FROM events WHERE kind = 'probe_answered' ORDER BY event_id"
        )
        found = [(who, json.loads(payload)) for who, payload in rows]
    return [payload for who, payload in found if who == found[-1][0]]


def test_one_tap_and_the_slider_answer_and_the_work_stays_as_it_was(server, page):
    to_task(page, server)
    page.locator(".cm-content").click()
    page.keyboard.type("# at work")
    expect(card(page)).to_be_visible(timeout=60_000)
    before = page.locator(".cm-content").bounding_box()
    left = page.get_by_role("timer", name="Time left").inner_text()
    expect(page.get_by_role("button", name="Submit task")).to_be_disabled()
    page.keyboard.type("not typed 5")
    seen(page, "card")
    assert [line for line in findings(page) if "sa-probe" in line or "dialog" in line] == []
    assert page.locator("[aria-selected=true][role=gridcell]").count() == 0, (
        "keys that were on their way answer nothing"
    )
    page.get_by_role("button", name="Done").click()
    expect(card(page).get_by_role("alert")).to_contain_text("press Skip")
    page.get_by_role("gridcell", name="Pleasantness 3 of 9, energy 8 of 9").click()
    slider = page.get_by_role("slider", name="From calm to desperate")
    assert slider.get_attribute("aria-valuetext") == "not set"
    slider.fill("72")
    seen(page, "answered")
    assert page.get_by_role("timer", name="Time left").inner_text() == left, "the clock stands"
    page.get_by_role("button", name="Done").click()
    expect(card(page)).to_be_hidden()
    assert page.locator(".cm-content").bounding_box() == before, "the editor has not moved"
    page.keyboard.type(", on")
    expect(page.locator(".cm-content")).to_contain_text("# at work, on")
    expect(page.locator(".cm-content")).not_to_contain_text("not typed")
    (said,) = answered(server)
    assert (said["valence"], said["arousal"], said["calm_desperate"], said["outcome"]) == (3, 8, 72, "answered")
    assert 0 < said["seconds"] <= 60


@pytest.mark.slow
def test_the_card_is_answered_by_keyboard_alone_and_outlives_a_reload(server, page):
    to_task(page, server)
    expect(card(page)).to_be_visible(timeout=60_000)
    page.reload()
    expect(card(page)).to_be_visible(timeout=60_000)
    page.keyboard.press("Tab")
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Enter", "Tab", "ArrowRight", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(card(page)).to_be_hidden()
    assert [(said["valence"], said["arousal"], said["calm_desperate"]) for said in answered(server)] == [(4, 7, 51)]
    assert page.problems == []


@pytest.mark.slow
def test_skip_takes_the_card_away(server, page):
    to_task(page, server)
    expect(card(page)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Skip").click()
    expect(card(page)).to_be_hidden()
    assert [said["outcome"] for said in answered(server)] == ["skipped"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_the_card_fits_a_phone_and_a_laptop_in_every_language(server, chromium, width, language):
    height = 740 if width == 360 else 800
    context = chromium.new_context(viewport={"width": width, "height": height}, locale=language, has_touch=width == 360)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{server.url}/enter?lang={language}")
    page.locator("form button, button[type=submit]").last.click()
    for button in (re.compile("^(I agree|Ich stimme zu|Acepto|J’accepte)$"),):
        page.get_by_role("button", name=button).click(timeout=60_000)
    on = re.compile("^(Continue|Weiter|Continuar|Continuer)$")
    page.get_by_role("textbox").first.fill("3")
    page.get_by_role("button", name=on).click()
    expect(page.get_by_text("Work.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name=on).click()
    dialog = page.locator(".sa-probe")
    expect(dialog).to_be_visible(timeout=60_000)
    seen(page, f"{language}_card")
    assert cut_off(page) == []
    assert [line for line in findings(page) if "sa-probe" in line] == []
    box = dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height, "all of it is in sight"
    smallest = min(cell.bounding_box()["height"] for cell in page.get_by_role("gridcell").all())
    assert smallest >= 24
    context.close()
