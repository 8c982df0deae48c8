"""When a page of Streamlit has drawn what it was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

_COMMITTED = 300
"""Milliseconds of the page's own clock after which a field of Streamlit has passed its value on: sliders wait 200."""


def drawn(page: Page) -> None:
    """Wait until no script of the page runs."""
    # `wait_for_function` asks again by evaluating a text, which the content security policy of the pages refuses.
    page.locator('[data-test-script-state="running"]').first.wait_for(state="detached")


def committed(page: Page) -> None:
    """Wait until what was entered is more than drawn: a form that is sent before sends the value of before."""
    # A timer of the page itself comes after the field's own, however busy the page is; a wait of the test need not.
    page.evaluate(f"new Promise(resolve => setTimeout(resolve, {_COMMITTED}))")


def comes(page: Page, holds: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something outside of the page that a click there leads to, such as a row of the database.

    Args:
        page: on which it was clicked.
        holds: looks; true once it is there.
        what: is waited for, for the message.
        seconds: to wait.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} did not come within {seconds:g} s"
        page.wait_for_timeout(100)
