"""Pictures of what participants of the shipped study see, for the README: the workspace of both arms, and the quiz.

usage: screenshots.py [FOLDER] [--width 1366] [--height 768] [--dark]      (default folder: docs/images)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402
from support.browser.launching import ARGUMENTS, chromium_path  # noqa: E402
from support.browser.placing import place  # noqa: E402
from support.browser.walker import Walker, solution  # noqa: E402
from support.server import StudyServer  # noqa: E402

QUESTION = "Why are all my ticks printed at once?"
LEFT = timedelta(minutes=28, seconds=41)


def workspace(walker: Walker, page: Page, server: StudyServer, arm: str) -> None:
    """The first task with a mistake in it, run once; with an assistant, asked about it."""
    place(server, page, "tasks", left=LEFT, arm=arm)
    expect(walker.editor()).to_be_visible()
    walker.settle()
    walker.write(solution("trio_timer").replace("await trio.sleep(interval)", "trio.sleep(interval)"))
    walker.press("Run")
    expect(page.locator(".sa-run-status")).to_contain_text("examples pass", timeout=60_000)
    if arm == "ai":
        walker.ask(QUESTION)


def quiz(page: Page, server: StudyServer) -> None:
    """The page of the quiz where code is corrected."""
    place(server, page, "quiz", left=LEFT, step=1)
    expect(page.get_by_role("textbox", name="Code answer")).to_be_visible()


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--width", type=int, default=1366)
    parser.add_argument("--height", type=int, default=768)
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    server = StudyServer(Path(tempfile.mkdtemp(prefix="study-pictures-"))).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            for name in ("workspace_ai", "workspace_no_ai", "quiz"):
                size = {"width": options.width, "height": options.height}
                context = browser.new_context(viewport=size, color_scheme="dark" if options.dark else "light")
                context.set_default_timeout(60_000)
                page = context.new_page()
                walker = Walker(page, server.url)
                walker.start()
                if name == "quiz":
                    quiz(page, server)
                else:
                    workspace(walker, page, server, name.removeprefix("workspace_"))
                page.wait_for_timeout(800)
                page.screenshot(path=options.folder / f"{name}.png")
                context.close()
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
