"""A new screen is met from its title, also by who does not see it come."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

import study_app.ui.components

TOP = Path(study_app.ui.components.__file__).with_name("assets") / "top.js"
TWO_RUNS = """async (script) => {
  const top = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const run = (screen, followed) => top({ parentElement: document.body, data: { screen, followed, connection_lost: "",
    skip: "" } });
  run("consent:0:stage", false);
  await new Promise((done) => setTimeout(done, 300));
  run("about:0:stage", true);
}"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_the_focus_goes_to_the_title_of_each_new_screen_and_the_next_tab_into_it(person):
    person.to_quiz()
    expect(person.page.get_by_role("heading", name="Quiz", level=1)).to_be_focused()
    person.page.keyboard.press("Tab")
    expect(person.field("pick").get_by_role("radio").first).to_be_focused()
    person.go_on()
    person.at("quiz 2")
    expect(person.page.get_by_role("heading", name="Quiz", level=1)).to_be_focused()
    person.page.reload()
    person.at("quiz 2")
    expect(person.page.get_by_role("heading", name="Quiz", level=1)).not_to_be_focused()


def test_the_focus_goes_to_the_title_also_where_the_pages_script_comes_after_the_next_screen(page):
    # Streamlit gives a component that is loaded late the first data first, with the next screen on the page already.
    page.set_content('<div class="page-head"><h1 data-screen="about:0:stage">About you</h1></div>')
    page.evaluate(TWO_RUNS, TOP.read_text())
    expect(page.get_by_role("heading", name="About you", level=1)).to_be_focused()
