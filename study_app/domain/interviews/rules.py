"""The rules on how a question of an interview is worded."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from study_app.domain.interviews.wording import (
    ARM_WORDS,
    LEADING,
    PRAISE,
    SHIPPED,
    STRONG_PRAISE,
    TAGS,
    Phrases,
    language_of,
    phrase_in,
    words_of,
)

LONGEST_QUESTION = 400
"""Characters of a question that a model words."""
LONGEST_SUMMARY = 1_500
QUESTION_MARKS = "?\uff1f\u061f\u037e"
"""Of Latin, Chinese and Japanese, Arabic, Greek."""
_SENTENCE_END = re.compile("[.!?\u2026\u3002\uff01\uff1f\u061f\n]")
_CLOSING = "\"'\u201d\u2019\u00bb)*_ "
_CLAUSE_END = re.compile(r"[,;:\u2013\u2014]| - ")
_OPENING_WORDS = 2
"""Words at the beginning of a question within which a judgement is one of the answer before: `How nice to hear?`"""


def broken_by_wording(
    question: str, language: str, *, earlier: Collection[str] = (), forbidden: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the rules that a model's wording breaks, by name, in a fixed order.

    Args:
        question: as it would be shown.
        language: of the interview.
        earlier: questions that were asked before.
        forbidden: words that would tell arms apart, such as their labels.
    """
    text = question.strip()
    if not text:
        return ("empty",)
    found = {
        "too_long": len(text) > LONGEST_QUESTION,
        "one_question": not _asks_once(text, language),
        "praise": praises(text),
        "leading": _leads(text),
        "language": language_of(text, language) != language,
        "repeat": " ".join(words_of(text)) in {" ".join(words_of(each)) for each in earlier},
        "arm": tells_arm(text, forbidden),
        "characters": not _writable(text),
    }
    return tuple(name for name, broken in found.items() if broken)


def _asks_once(text: str, language: str) -> bool:
    marks = QUESTION_MARKS + (";" if language == "el" else "")
    asked = sum(char in marks for char in text)
    return asked == 1 and text.rstrip(_CLOSING)[-1:] in marks


def praises(text: str) -> bool:
    """Return whether a text judges what the participant said."""
    return _any(STRONG_PRAISE, text) or any(_praise_in(sentence, asks) for sentence, asks in _sentences(text))


def _praise_in(sentence: str, asks: bool) -> bool:
    if not asks:
        return _any(PRAISE, sentence)
    opening, *rest = _CLAUSE_END.split(sentence, maxsplit=1)
    return _any(PRAISE, opening if rest else " ".join(words_of(opening)[:_OPENING_WORDS]))


def _sentences(text: str) -> list[tuple[str, bool]]:
    """Return the sentences of a text, each with whether it asks."""
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        found.append((text[start : match.start()], match.group() in QUESTION_MARKS))
        start = match.end()
    return [*found, (text[start:], False)]


def _leads(text: str) -> bool:
    last = words_of(text)[-1:]
    # A statement that a last word makes a question: `You used it often, right?`
    tagged = any(last == [tag] for tags in TAGS.values() for tag in tags) and "," in text
    return tagged or _any(LEADING, text)


def tells_arm(text: str, forbidden: Sequence[str]) -> bool:
    """Return whether a text speaks of arms, or names one."""
    named = [" ".join(words_of(each)) for each in forbidden]
    return _any(ARM_WORDS, text) or phrase_in([each for each in named if each], text) is not None


def _any(phrases: Phrases, text: str) -> bool:
    # Of every language: a rule that could be broken by changing the language would be none.
    return any(phrase_in(phrases[language], text) is not None for language in SHIPPED)


def _writable(text: str) -> bool:
    return text.isprintable() or all(char.isprintable() or char == "\n" for char in text)


def broken_by_summary(summary: str, language: str, forbidden: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the rules that a model's summary breaks: it tells what was said, and judges, asks and reveals nothing."""
    text = summary.strip()
    if not text:
        return ("empty",)
    found = {
        "too_long": len(text) > LONGEST_SUMMARY,
        "one_question": any(mark in text for mark in QUESTION_MARKS),
        "praise": _any(STRONG_PRAISE, text),
        "language": language_of(text, language) != language,
        "arm": tells_arm(text, forbidden),
        "characters": not _writable(text),
    }
    return tuple(name for name, broken in found.items() if broken)


def said_by(phrases: Sequence[str], answers: Sequence[str]) -> set[str]:
    """Return the phrases that stand in answers: what a participant says may be taken up."""
    return {phrase for phrase in phrases if any(phrase_in([" ".join(words_of(phrase))], each) for each in answers)}
