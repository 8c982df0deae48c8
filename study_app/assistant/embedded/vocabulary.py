"""Everyday words that say nothing about a subject, and families of words that mean one thing."""

from __future__ import annotations

from importlib import resources

from study_app.assistant.notebook import stemmed

_TEXT = resources.files(__package__).joinpath("vocabulary.txt").read_text(encoding="utf-8")
_CHAT, _, _FAMILIES = _TEXT.partition("\n[families]\n")

CHAT_WORDS = frozenset(
    form
    for line in _CHAT.splitlines()
    if not line.startswith("#")
    for word in line.split()
    for form in (word, stemmed(word))
)
"""Left out of a question before the notes are searched."""
FAMILIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = tuple(
    (
        tuple(part.strip() for part in left.split("|")),
        tuple(part.strip() for part in right.split(",")),
    )
    for left, _, right in (line.partition("->") for line in _FAMILIES.splitlines() if "->" in line)
)
"""(phrases that a participant may use, words of the notes)."""
