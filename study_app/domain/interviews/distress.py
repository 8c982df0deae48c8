"""Words of distress in an answer: what ends an interview, what a researcher is asked to read, and what is neither.

Everyday words such as "I can't go on" are about the work in one sentence and about a life in another. What stands
around them decides, and in doubt an answer is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from study_app.domain.interviews.distress_words import (
    AFTER_DISTRESS,
    ANEW,
    CONDITIONS,
    DISTRESS,
    DISTRESS_CLAUSES,
    LIFE,
    PLACES,
    POSSIBLE_DISTRESS,
    WORK,
)
from study_app.domain.interviews.wording import Phrases, phrase_in, words_of

_SENTENCES = re.compile(r"[;!?\u2026\u00a1\u00bf\n]|\.(?=\s|$)")
_CLAUSES = re.compile(r"[.,:()\"\u2013\u2014]|\s-\s")
_JOINING = frozenset(
    ("and", "but", "so", "now", "und", "aber", "jetzt", "doch", "y", "pero", "ahora", "et", "mais", "maintenant")
)
_REACH = 12
"""Words between a condition and the words of distress that it is still about."""
_NEAR = 6
"""Words within which a condition names what it is about."""
_DIRECTLY = 3
"""Words between a condition and the words of distress that are the condition themselves: "when I can't go on"."""


def _patterns(phrases: Phrases) -> dict[str, re.Pattern[str]]:
    # Of French, with what its apostrophe joins: `l'erreur` is one word here.
    joined = {"fr": "(?:[ld]|qu)?"}
    return {
        language: re.compile(rf"\b{joined.get(language, '')}(?:{'|'.join(listed)})\b")
        for language, listed in phrases.items()
    }


_WORK, _LIFE = _patterns(WORK), _patterns(LIFE)


def shows_distress(answer: str, more: Sequence[str] = ()) -> bool:
    """Return whether an answer holds words of distress, in any of the known languages or the plan's own words.

    Everyday ones count as a clause to themselves, words such as `and` before it apart, without a condition of the work:
    "I can't go on", and not "I can't go on to the next task".
    """
    own = [" ".join(words_of(each)) for each in more]
    phrases = [phrase for listed in DISTRESS.values() for phrase in listed]
    if phrase_in([*phrases, *(each for each in own if each)], answer) is not None:
        return True
    return any(
        not _of_the_work(sentence, number, begins, len(clause), language)
        for sentence in _sentences(answer)
        for number, clause in enumerate(sentence)
        for begins in (_beginning(clause),)
        for language, clauses in DISTRESS_CLAUSES.items()
        if " ".join(clause[begins:]) in clauses
    )


def may_show_distress(answer: str) -> bool:
    """Return whether an answer that ends nothing has words that may be of distress, in any known language.

    They end a clause, with nothing behind them but a word such as `today`, and have no condition of the work: "since
    then I feel I can't go on", and not "when the test fails I can't go on".
    """
    return any(
        not _of_the_work(sentence, number, at, end, language)
        for sentence in _sentences(answer)
        for number, clause in enumerate(sentence)
        for language, phrases in POSSIBLE_DISTRESS.items()
        for at, end in _places_of(phrases, clause)
        if _is_over(clause[end:], AFTER_DISTRESS[language])
    )


def _sentences(text: str) -> Iterator[list[list[str]]]:
    """Yield the sentences of a text, each as the words of its clauses."""
    for sentence in _SENTENCES.split(text):
        clauses = [words_of(part) for part in _CLAUSES.split(sentence)]
        yield [clause for clause in clauses if clause]


def _beginning(clause: Sequence[str]) -> int:
    return next((at for at, word in enumerate(clause) if word not in _JOINING), len(clause))


def _places_of(phrases: Sequence[str], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where phrases begin and end among words."""
    for phrase in phrases:
        size = len(phrase.split())
        for at in range(len(words) - size + 1):
            if " ".join(words[at : at + size]) == phrase:
                yield at, at + size


def _is_over(behind: Sequence[str], trailing: Sequence[str]) -> bool:
    """Whether a clause is over with these words: there are none, or others join it, behind a trailing phrase or not."""
    for phrase in ("", *trailing):
        size = len(phrase.split())
        if " ".join(behind[:size]) == phrase and (len(behind) == size or behind[size] in _JOINING):
            return True
    return False


def _of_the_work(sentence: Sequence[Sequence[str]], number: int, at: int, end: int, language: str) -> bool:
    """Return whether words of a clause have a condition of the work, in a sentence that names nothing of a life.

    Args:
        sentence: the words of its clauses.
        number: of the clause.
        at: where the words begin in it.
        end: where they end.
        language: of the words.
    """
    if _LIFE[language].search(" ".join(word for clause in sentence for word in clause)):
        return False
    before = [*sentence[:number], sentence[number][:at]]
    following = sentence[number + 1] if number + 1 < len(sentence) else []
    if _conditioned(before, following, language):
        return True
    # German has a comma before it: "dass ich nicht mehr kann, wenn der Test fehlschlägt".
    begins = _beginning(following)
    return any(
        place == begins and _names_work(following[place:], language) for place, _ in _conditions(following, language)
    )


def _conditioned(before: Sequence[Sequence[str]], following: Sequence[str], language: str) -> bool:
    """Whether the words before, clause by clause, have a condition of the work; the nearest clause is the last."""
    between = 0
    for number, clause in reversed(list(enumerate(before))):
        start = max((at + 1 for at, word in enumerate(clause) if word in ANEW), default=0)
        for at, end in _conditions(clause[start:], language):
            gap = between + len(clause) - start - end
            if gap <= _REACH and _names_work(clause[start + at :], language):
                return True
            # The words are the condition: "when I can't go on, I ask the assistant".
            if number == len(before) - 1 and gap <= _DIRECTLY and _names_work(following, language):
                return True
        for at, end in _places_of(PLACES[language], clause):
            led = [word for each in before[:number] for word in each] + list(clause[:at])
            if between + len(clause) - end <= _DIRECTLY and _names_work(led[-_NEAR:], language):
                return True
        if start:
            return False
        between += len(clause)
    return False


def _conditions(words: Sequence[str], language: str) -> Iterator[tuple[int, int]]:
    return _places_of(CONDITIONS[language], words)


def _names_work(words: Sequence[str], language: str) -> bool:
    return _WORK[language].search(" ".join(words[: _NEAR + 1])) is not None
