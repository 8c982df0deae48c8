"""A real Chromium, and studies that a test can afford to wait for."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    context.close()


def variant(folder: Path, *changes: tuple[str, str]) -> Path:
    """The shipped study with some text of it exchanged, beside links to its content."""
    text = (ROOT / "study.toml").read_text()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    for name in ("tasks", "quizzes", "assistants"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    path = folder / "study.toml"
    path.write_text(text)
    return path
