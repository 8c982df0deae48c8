"""Finds notes by words in any language: beginnings of words, rare ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log

from study_app.assistant.embedded.languages.wanted import WORD, plain
from study_app.assistant.notebook import Kind, Note, Notebook

_STEM = 5
"""Letters by which two words are taken as forms of one."""


def stems(text: str) -> list[str]:
    """Words without accents, cut to their beginnings."""
    return [word[:_STEM] for word in WORD.findall(plain(text))]


def notes_on(notebook: Notebook, said: Iterable[str], kinds: Iterable[Kind], limit: int = 2) -> list[Note]:
    """Return the notes that share words with the message, rare words first."""
    notes = [note for kind in kinds for note in notebook.of_kind(kind)]
    words = {note: Counter(stems(f"{note.title} {note.title} {note.also} {note.body}")) for note in notes}
    spread = Counter(word for counted in words.values() for word in counted)
    asked = {word for word in said if 0 < spread[word] <= max(1, len(notes) // 2)}

    def score(note: Note) -> float:
        titled = set(stems(f"{note.title} {note.also}"))
        return sum(
            log(1 + len(notes) / spread[word]) * (3 if word in titled else 1) for word in asked & set(words[note])
        )

    ranked = sorted(((score(note), -place, note) for place, note in enumerate(notes)), key=lambda one: one[:2])
    best = ranked[::-1]
    top = best[0][0] if best else 0.0
    return [note for value, _, note in best if value > 0 and value >= top / 2][:limit]
