"""Which browsers are installed, and how a test starts them."""

from __future__ import annotations

import shutil

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ARGUMENTS += ["--disable-sync", "--no-first-run", "--disable-quic"]
WINDOWLESS = "chromium-headless-shell"


def chromium_path() -> str | None:
    """An installed Chromium or Chrome; None lets Playwright look for its own.

    The one without a window comes first, as with Playwright's own: the whole browser draws its tabs and menus beside
    each page, which takes a second of a processor for every new context.
    """
    names = (WINDOWLESS, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def firefox_path() -> str | None:
    """An installed Firefox."""
    return next((found for name in ("firefox-esr", "firefox") if (found := shutil.which(name))), None)
