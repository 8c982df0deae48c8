"""What is in the way of some people: by axe-core, which comes by npm when a test asks for it, and by looking."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from playwright.sync_api import Page
from support.paths import ROOT

PINNED = Path(__file__).parent / "axe"
RUN = """
async () => {
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
    "best-practice"] });
  return found.violations.map((each) => [each.id, each.help, each.nodes.map((node) => node.html.slice(0, 160)
    + " | " + (node.any[0]?.message ?? ""))]);
}
"""

CUT_OFF = """() => { const ROOTS = ".sa-form, .sa-room, .sa-page, body";
return [...document.querySelectorAll(".sa-form *, .sa-room *, .sa-page *")].filter((each) => {
  const box = each.getBoundingClientRect();
  if (!box.width || !box.height || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
  for (let around = each.parentElement; !around.matches(ROOTS); around = around.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(around).overflowX)) {
      const room = around.getBoundingClientRect();
      return room.right > innerWidth + 1;
    }
  }
  return true;
}).map((each) => each.outerHTML.slice(0, 90)); }"""
"""What a window cuts off at its sides, and nothing around it scrolls."""


@cache
def axe() -> str:
    """The engine's source, fetched once for each version that the lock names."""
    lock = (PINNED / "package-lock.json").read_bytes()
    kept = ROOT / "build" / "axe" / f"{hashlib.sha256(lock).hexdigest()}.js"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            work = Path(folder) / "axe"
            shutil.copytree(PINNED, work)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=work, check=True, capture_output=True)
            # Whole or not at all: another process may fetch it at the same moment.
            (work / "node_modules/axe-core/axe.min.js").replace(kept)
    return kept.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """What axe finds on the page, a line each."""
    if not page.evaluate("typeof window.axe !== 'undefined'"):
        page.evaluate(axe())
    return [f"{rule}: {words}: {node}" for rule, words, nodes in page.evaluate(RUN) for node in nodes]


def cut_off(page: Page) -> list[str]:
    """What cannot be read in a narrow window without scrolling the page sideways."""
    return list(page.evaluate(CUT_OFF))
