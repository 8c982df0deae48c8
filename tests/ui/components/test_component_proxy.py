"""What a proxy in front of the server answers itself, with a page: people read what to do, and nothing is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from support.browser.component_browser import EDITOR, editor_text, paste
from support.loopback_proxy import LoopbackProxy

pytestmark = [pytest.mark.browser]


@pytest.fixture
def proxy(component_server):
    with LoopbackProxy(component_server.port) as proxy:
        yield proxy


@pytest.fixture
def page(person, proxy):
    page = person.context.new_page()
    page.goto(proxy.url)
    page.get_by_label(EDITOR).click(timeout=30_000)
    return page


def kept(person, page) -> None:
    """Wait until the server has what the editor shows, and the page says so."""
    person.wait_for(lambda: person.replayed() == editor_text(page))
    assert person.gaps() == []
    page.get_by_text("Saved", exact=True).wait_for()


@pytest.mark.slow
def test_a_batch_that_is_too_long_for_a_proxy_is_sent_in_parts(person, proxy, page):
    page.route("**/api/events", lambda route: route.abort())
    page.keyboard.press("Control+End")
    for number in range(6):
        paste(page, f"# part {number}" + "x" * 1500 + "\n")
    page.get_by_text("Offline").wait_for()
    proxy.longest = 4000
    page.unroute("**/api/events")
    kept(person, page)
    assert person.events("event_refused") == []


@pytest.mark.slow
def test_what_is_too_long_for_a_proxy_is_said_until_it_is_shorter_and_the_rest_is_kept(person, proxy, page):
    proxy.longest = 4000
    page.keyboard.press("Control+End")
    paste(page, "# " + "x" * 6000)
    page.get_by_text("Too long to be saved").wait_for()
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_label("Output").get_by_text("This is longer than can be sent.")).to_be_visible()
    page.get_by_role("button", name="Submit task").click()
    expect(page.get_by_role("status").filter(has_text="This is longer than can be sent.").first).to_be_visible()
    page.get_by_label("Your message").fill("a question about all of it")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".sa-notice")).to_contain_text("This is longer than can be sent.")
    expect(page.get_by_label("Your message")).to_have_value("a question about all of it")
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+z")
    page.keyboard.type("# short again\n")
    kept(person, page)


@pytest.mark.slow
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_a_proxy_cannot_reach_is_away_and_everything_is_sent_once_it_is_back(person, proxy, page, status):
    proxy.down = status
    page.keyboard.type("x = 1\n")
    page.get_by_text("Offline").wait_for()
    page.wait_for_timeout(7000)
    expect(page.locator(".sa-saving")).to_contain_text("Offline")
    proxy.down = None
    kept(person, page)


@pytest.mark.parametrize("status", [pytest.param(400, marks=pytest.mark.slow), 403])
def test_a_proxy_that_refuses_everything_is_told_with_its_number_and_nothing_is_given_up(person, proxy, page, status):
    proxy.down = status
    page.keyboard.type("x = 1\n")
    page.get_by_text(f"Not saved (error {status})").wait_for()
    proxy.down = None
    kept(person, page)
    assert person.events("event_refused") == []
