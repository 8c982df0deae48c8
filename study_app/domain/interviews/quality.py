"""What a topic of an interview brought, by rule: the same for every language whose words are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study_app.domain.events.words import Quality
from study_app.domain.interviews.wording import CONFUSED, REFUSED, holds, word_count

SUBSTANTIVE_WORDS = 12
"""Words from which an answer counts as one that says something; below it a rule asks for a concrete moment."""


@dataclass(frozen=True)
class Said:
    """One answer on a topic."""

    outcome: str
    """See `AnswerOutcome`; empty while the question waits."""
    answer: str


def quality_of(turns: Sequence[Said], language: str) -> Quality:
    """Return what a topic's turns brought, in order.

    Nothing asked or nothing decided yet: not_reached. Words from `SUBSTANTIVE_WORDS` on, over all answers: substantive.
    Below that, what the last answer says decides: it refuses, it does not understand, or it is short.
    """
    done = [turn for turn in turns if turn.outcome]
    if not done:
        return "not_reached"
    given = [turn.answer for turn in done if turn.answer.strip()]
    if not given:
        return "refused"
    if holds(REFUSED, given[-1], language):
        return "refused"
    if sum(word_count(answer) for answer in given) >= SUBSTANTIVE_WORDS:
        return "substantive"
    return "confused" if holds(CONFUSED, given[-1], language) else "minimal"
