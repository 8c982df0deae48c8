"""A new screen is met from its title, also by who does not see it come."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_the_focus_goes_to_the_title_of_each_new_screen_and_the_next_tab_into_it(person):
    # A walker may press before the page's own script has run; that it has shows in Streamlit's link, which it rewords.
    expect(person.page.get_by_role("link", name="Skip to the page's content")).to_be_attached()
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
