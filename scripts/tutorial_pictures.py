"""Pictures for the tutorial, of a study that `study new` wrote: welcome, workspace with a figure, quiz, report.

usage: tutorial_pictures.py [FOLDER]      (default folder: docs/tutorial/images)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402
from support.browser.launching import ARGUMENTS, chromium_path  # noqa: E402
from support.browser.placing import place  # noqa: E402
from support.browser.walker import Walker  # noqa: E402
from support.server import StudyServer  # noqa: E402

STUDY = Path(sys.executable).with_name("study")
LEFT = timedelta(minutes=18, seconds=12)
DRAWING = """import matplotlib.pyplot as plt
from sortedcontainers import SortedList


def middle(scores):
    ordered = SortedList(scores)
    return ordered[len(ordered) // 2]


scores = [30, 10, 20, 50, 40]
plt.figure(figsize=(5, 2.4))
plt.plot(SortedList(scores), "o-")
plt.title(f"middle: {middle(scores)}")
"""


def study(*arguments: str, folder: Path) -> None:
    """Run a command of the tutorial."""
    subprocess.run([str(STUDY), *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def made(folder: Path) -> Path:
    """Return the tutorial's study; its programs may draw, too."""
    study("new", "first_trial", folder=folder)
    pack = folder / "first_trial" / "tasks" / "middle_scores" / "task.toml"
    pack.write_text(pack.read_text().replace('["sortedcontainers"]', '["sortedcontainers", "matplotlib"]'))
    return folder / "first_trial" / "study.toml"


def reported(folder: Path) -> Path:
    """Return the report of simulated participants."""
    study("simulate", "first_trial/study.toml", "--participants", "40", "--seed", "1", folder=folder)
    study("export", "first_trial/study.toml", "--out", "dataset", "--include-simulated", folder=folder)
    study("analyze", "dataset", "--out", "results", "--include-simulated", folder=folder)
    return folder / "results" / "report.html"


def workspace(walker: Walker, page: Page, server: StudyServer) -> None:
    """The task in the arm with an assistant, a program run that draws."""
    place(server, page, "tasks", left=LEFT, arm="full")
    expect(walker.editor()).to_be_visible()
    walker.settle()
    walker.write(DRAWING)
    walker.press("Run")
    expect(page.get_by_role("img", name="Figure 1")).to_be_visible()
    page.get_by_role("img", name="Figure 1").scroll_into_view_if_needed()


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "tutorial" / "images")
    target = parser.parse_args().folder
    target.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="study-tutorial-"))
    server = StudyServer(folder, made(folder)).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.set_default_timeout(60_000)
            walker = Walker(page, server.url, lambda page, name: page.screenshot(path=target / f"{name}.png"))
            walker.start()
            workspace(walker, page, server)
            page.wait_for_timeout(800)
            page.screenshot(path=target / "workspace.png")
            place(server, page, "quiz", left=LEFT, step=1)
            expect(page.get_by_role("textbox", name="Code answer")).to_be_visible()
            page.wait_for_timeout(800)
            page.screenshot(path=target / "quiz.png")
            page.goto(reported(folder).as_uri())
            page.wait_for_timeout(800)
            page.screenshot(path=target / "report.png")
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
