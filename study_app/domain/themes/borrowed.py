"""Words of participants in a codebook: it is published and outlives an erasure, so it is written in other words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from study_app.domain.errors import Problem
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.keywords import words_of

RUN = 6
"""So many words in a row, as a participant said them, are a quotation; fewer can be a common phrase."""


def borrowed_words(book: Codebook, answers: Iterable[str]) -> list[Problem]:
    """Return the texts of a codebook that repeat a run of words of an answer."""
    texts = dict(_texts(book))
    wanted = {run: key for key, text in texts.items() for run in _runs(words_of(text))}
    found: dict[str, str] = {}
    # Most codebooks have short texts, and then nothing needs to be compared.
    for answer in answers if wanted else ():
        for run in _runs(words_of(answer)):
            if run in wanted:
                found.setdefault(wanted[run], " ".join(run))
    return [
        Problem(
            book.version,
            key,
            f"has the words '{found[key]}' of an interview",
            "say it in other words: a codebook is published, and stays when a participant takes their data back",
        )
        for key in texts
        if key in found
    ]


def _texts(book: Codebook) -> Iterator[tuple[str, str]]:
    yield "title", book.title
    for code in book.codes:
        yield f"codes.{code.id}.title", code.title
        yield f"codes.{code.id}.definition", code.definition
        for kind, texts in (("keywords", code.keywords), ("examples", code.examples)):
            yield from ((f"codes.{code.id}.{kind}.{number}", text) for number, text in enumerate(texts, start=1))


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (words[start : start + RUN] for start in range(len(words) - RUN + 1))
