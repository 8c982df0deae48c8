"""Which recorded question is near to one that was not recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import bm25s

from study_app.assistant.notebook import STOPWORDS, stemmed
from study_app.domain.assistants.recording import NEAR, alike

_WORD = re.compile(r"\w+")


class NearQuestions:
    """Finds the nearest of some questions by BM25 over their distinct words.

    Args:
        questions: as they were asked.
    """

    def __init__(self, questions: Sequence[str]) -> None:
        self._words = [asked_words(question) for question in questions]
        self._known = frozenset[str]().union(*self._words)
        self._bm25 = bm25s.BM25() if self._known else None
        if self._bm25 is not None:
            self._bm25.index([sorted(words) for words in self._words], show_progress=False)
            # Asked for every word there is, a question gets the sum over its own: its score against itself.
            self._own = [float(score) for score in self._bm25.get_scores(sorted(self._known))]

    def nearest(self, message: str, allowed: Callable[[int], bool]) -> tuple[int, float] | None:
        """Return the place of the nearest question and its nearness; None where none reaches `NEAR`.

        Scores of two searches cannot be compared, so nearness is a share: how much of the recorded question's own score
        the message reaches, times how many of the message's distinct words the recorded question holds. It is 1 where
        both hold the same words, and 0 where they share none.

        Args:
            message: what is asked now.
            allowed: whether the question at a place may answer.
        """
        asked = asked_words(message)
        shared = sorted(asked & self._known)
        if self._bm25 is None or not shared:
            return None
        best: tuple[int, float] | None = None
        for place, score in enumerate(self._bm25.get_scores(shared)):
            if score <= 0 or not allowed(place):
                continue
            # Single precision: a question's parts can add up to a little more than their sum.
            covered = min(1.0, float(score) / self._own[place])
            nearness = covered * len(asked & self._words[place]) / len(asked)
            if nearness >= NEAR and (best is None or nearness > best[1]):
                best = (place, nearness)
        return best


def asked_words(message: str) -> frozenset[str]:
    """Return the distinct words by which questions are compared, of any script: no stop words, endings folded."""
    return frozenset(stemmed(word) for word in _WORD.findall(alike(message)) if word not in STOPWORDS)
