"""Themes of a participant's interviews, as people or a program coded them by the codebook in force."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from study_app.dataset.measures.interviews.history import interviews_of
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.errors import ProblemsFound
from study_app.domain.interaction.codes import agreed
from study_app.domain.records import Rating
from study_app.domain.themes.codebook import Codebook, codebook_of, split
from study_app.domain.themes.marks import CLAUDE, CODEBOOK, CODEBOOK_OBJECT, RULES, interview_object

CODEBOOK_FILE = "materials/themes/codebook.json"
"""Of the codebook in force, in a dataset that shows arms."""


def read_frozen(text: str) -> Codebook | None:
    """Return the codebook in canonical JSON; None where it is none."""
    try:
        return codebook_of(json.loads(text))
    except (ValueError, ProblemsFound):
        return None


def codebook_in_force(ratings: Sequence[Rating]) -> Codebook | None:
    """Return the codebook that was frozen last; None where none is."""
    for rating in sorted(ratings, key=lambda rating: rating.rated_at, reverse=True):
        if rating.rubric == CODEBOOK:
            book = read_frozen(rating.value)
            if book is not None and rating.object == CODEBOOK_OBJECT + book.version:
                return book
    return None


def theme_column(code: str) -> str:
    """Return the column of a code in `participants`."""
    return f"theme_{code}"


def theme_columns(record: ParticipantRecord, book: Codebook | None) -> dict[str, Any]:
    """Return whether a participant has each theme: by people where they coded, else by Claude, else by the rules.

    Not corrected for a program's errors: shares come from the section on interviews of `results.json`. Empty where an
    answered topic is not coded, and for those without an interview.
    """
    if book is None:
        return {}
    found: set[str] = set()
    topics = 0
    for held in interviews_of(record.events):
        for topic in dict.fromkeys(each.asked.topic for each in held.questions if each.answer.strip()):
            topics += 1
            codes = _chosen(record.rated(interview_object(held.id, topic), book.version), book)
            # An answer that no one has coded may hold any of the themes, so none is known to be absent.
            if codes is None:
                return {}
            found |= codes
    return {theme_column(code): code in found for code in book.labels} if topics else {}


def _chosen(given: Mapping[str, str], book: Codebook) -> set[str] | None:
    by_rater = {rater: split(value) for rater, value in given.items()}
    by_people = agreed(by_rater, book.labels)
    if by_people is not None:
        return set(by_people)
    return next((set(by_rater[name]) for name in (CLAUDE, RULES) if name in by_rater), None)
