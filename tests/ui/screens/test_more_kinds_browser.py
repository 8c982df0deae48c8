"""Sliders, rankings and matrices in a real browser: by keyboard, through a reload, with axe, on a phone, too."""

from __future__ import annotations

import json
import sqlite3

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import findings
from support.server import StudyServer

pytestmark = pytest.mark.browser

OPTIONS = '[{ value = 1, label = "No" }, { value = 2, label = "So so" }, { value = 3, label = "Yes" }]'
STUDY = f"""
schema = "study/1"
id = "kinds"
title = "Kinds"
[[arms]]
id = "only"
control = true
[allocation]
method = "permuted_blocks"
block_sizes = [1]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
title = "About the tasks"
[[stages.questions]]
id = "sure"
kind = "slider"
prompt = "How sure are you?"
low = 0
high = 100
low_label = "not at all"
high_label = "entirely"
unit = "%"
[[stages.questions]]
id = "best"
kind = "ranking"
prompt = "What helped most?"
options = [
  {{ value = "notes", label = "The notes" }},
  {{ value = "web", label = "The web" }},
  {{ value = "luck", label = "Luck" }},
]
[[stages.questions]]
id = "tasks"
kind = "matrix"
prompt = "How were the tasks?"
options = {OPTIONS}
rows = [{{ id = "clear", label = "They were clear" }}, {{ id = "fun", label = "They were fun" }}]
[[stages]]
id = "debrief"
kind = "debrief"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "study.toml").write_text(STUDY)
    server = StudyServer(folder, folder / "study.toml").start()
    yield server
    server.stop()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    yield page
    context.close()


def test_each_new_kind_is_answered_by_keyboard_kept_through_a_reload_and_handed_in(server, page, tmp_path):
    page.goto(f"{server.url}/enter")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="I agree").click()
    slider = page.get_by_role("slider", name="How sure are you?")
    expect(slider).to_have_attribute("aria-valuetext", "Move the slider to answer.")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Please answer this question.")).to_have_count(3)
    assert findings(page) == []
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "51 %")
    for name in ("Luck", "The notes"):
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")
    clear = page.get_by_role("radiogroup", name="They were clear")
    clear.get_by_role("radio", name="So so").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Please give every option a place.")).to_be_visible()
    expect(page.get_by_text("Please answer every row.")).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Luck")).to_have_attribute("aria-pressed", "true")
    expect(clear.get_by_role("radio", name="So so")).to_be_checked()
    expect(slider).to_have_value("51")
    page.get_by_role("button", name="The web").click()
    page.get_by_role("radiogroup", name="They were fun").get_by_role("radio", name="Yes").check(force=True)
    assert findings(page) == []
    page.screenshot(path=tmp_path / "laptop.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Completion code").first).to_be_visible()
    with sqlite3.connect(server.folder / "study.db") as connection:
        given = dict(connection.execute("select item, response from answers").fetchall())
    assert {name: json.loads(value) for name, value in given.items()} == {
        "sure": 51,
        "best": ["luck", "notes", "web"],
        "tasks": {"clear": 2, "fun": 3},
    }
