"""When a page of Streamlit has drawn what it was asked for."""

from __future__ import annotations

from playwright.sync_api import Page


def drawn(page: Page) -> None:
    """Wait until no script of the page runs."""
    # `wait_for_function` asks again by evaluating a text, which the content security policy of the pages refuses.
    page.locator('[data-test-script-state="running"]').first.wait_for(state="detached")
