"""Watches every page of a browser for what the content security policy of its app refuses to load."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

REFUSED = re.compile(r"Content.Security.Policy")
refused: list[str] = []
"""What browsers said since the last test."""


def watch(browser: Browser) -> Browser:
    """Note what pages of this browser are refused."""
    new_context, new_page = browser.new_context, browser.new_page

    def watched_context(**settings: Any) -> BrowserContext:
        context = new_context(**settings)
        context.on("console", _note)
        return context

    def watched_page(**settings: Any) -> Page:
        page = new_page(**settings)
        page.context.on("console", _note)
        return page

    browser.new_context, browser.new_page = watched_context, watched_page  # type: ignore[method-assign]
    return browser


def taken() -> list[str]:
    """Return what was noted, and begin anew."""
    noted = list(refused)
    refused.clear()
    return noted


def _note(message: ConsoleMessage) -> None:
    if REFUSED.search(message.text):
        refused.append(f"{message.page.url if message.page else ''}: {message.text}")
