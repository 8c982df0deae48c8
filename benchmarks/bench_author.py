"""From an edit of a study's file to its picture in an open page, under `study serve --author`.

    python benchmarks/bench_author.py --repeats 10

Edits by turns a sentence of the consent page and the brief of an open task, and waits in Chromium until the new words
are on the page. Prints JSON: seconds of each edit, median and p95, and whether p95 is under one second; 1 if it is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Page, sync_playwright  # noqa: E402
from support.browser.launching import ARGUMENTS, chromium_path  # noqa: E402
from support.server import StudyServer  # noqa: E402

LIMIT_SECONDS = 1.0
SENTENCE = "There are no risks beyond those of everyday work at a computer."
SHOWN = "words => document.body.innerText.includes(words)"


def seconds_of(page: Page, file: Path, text: str, words: str) -> float:
    """Write a file, and wait until the words are on the page."""
    began = time.perf_counter()
    file.write_text(text)
    page.wait_for_function(SHOWN, arg=words, polling=20)
    return time.perf_counter() - began


def measured(server: StudyServer, page: Page, repeats: int) -> dict[str, list[float]]:
    """Seconds of every edit, by what was edited."""
    good, brief = server.study.read_text(), server.folder / "tasks" / "trio_timer" / "brief.md"
    task = brief.read_text()
    page.goto(server.url)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="I agree", exact=True).wait_for()
    consent = [
        seconds_of(page, server.study, good.replace(SENTENCE, f"Edit {n} of it."), f"Edit {n} of it.")
        for n in range(repeats)
    ]
    page.goto(f"{server.url}/author/go?screen=tasks/0/stage&arm=ai")
    page.get_by_label("Code editor").wait_for()
    tasks = [
        seconds_of(page, brief, f"Edit {n} of the brief.\n\n{task}", f"Edit {n} of the brief.") for n in range(repeats)
    ]
    return {"consent": consent, "brief": tasks}


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        for name in ("tasks", "quizzes", "assistants"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "study.toml", folder / "study.toml")
        server = StudyServer(folder, folder / "study.toml", arguments=("--author",), forked=False).start()
        try:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            found = measured(server, browser.new_page(), repeats)
            browser.close()
        finally:
            server.stop()
    every = sorted(value for values in found.values() for value in values)
    p95 = every[min(len(every) - 1, int(0.95 * len(every)))]
    report = {
        "seconds": {name: [round(value, 3) for value in values] for name, values in found.items()},
        "p50": round(statistics.median(every), 3),
        "p95": round(p95, 3),
        "load_average": os.getloadavg()[0],
        "limit_seconds": LIMIT_SECONDS,
        "within": p95 < LIMIT_SECONDS,
    }
    print(json.dumps(report, indent=2))
    return 0 if report["within"] else 1


if __name__ == "__main__":
    sys.exit(main())
