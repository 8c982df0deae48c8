"""The time left that a page shows is the server's, whatever the page is drawn again for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_change_between_light_and_dark_does_not_set_the_clock_back(person):
    page = person.page
    page.route("**/api/**", lambda route: route.abort())
    left = page.locator(".sa-clock-value")
    before = seconds_of(left.inner_text())
    page.wait_for_timeout(6000)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".sa-form[data-scheme=dark]")).to_be_visible()
    page.wait_for_timeout(500)
    assert seconds_of(left.inner_text()) <= before - 5


def seconds_of(face: str) -> int:
    """The time left in seconds."""
    total = 0
    for part in face.split(":"):
        total = total * 60 + int(part)
    return total
