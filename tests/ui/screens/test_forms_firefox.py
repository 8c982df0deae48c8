"""The form tests and one whole walk in Firefox, where one is installed."""

from __future__ import annotations

import pytest
import test_forms_browser
from support.browser.walker import Walker
from support.server import StudyServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
CHROMIUM_ONLY = {"test_a_laptop_that_slept_for_150_seconds_goes_on_where_it_was"}
"""Tests that start their own browser."""
globals().update(
    {name: test for name, test in vars(test_forms_browser).items() if name.startswith("test_")}
    | dict.fromkeys(CHROMIUM_ONLY)
)


@pytest.fixture
def page(firefox):
    context = firefox.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    context.close()


def test_a_participant_walks_from_the_welcome_to_the_code_in_firefox(tmp_path, page):
    server = StudyServer(tmp_path).start()
    try:
        _, code = Walker(page, server.url).whole_way()
        assert code == "TRIO-DONE"
        assert page.problems == []
    finally:
        server.stop()
