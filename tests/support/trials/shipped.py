"""Variants of the shipped study."""

from __future__ import annotations

from pathlib import Path

from support.paths import ROOT


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
