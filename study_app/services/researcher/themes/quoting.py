"""Quotes for the report: suggested redactions, confirmed by a person, of themes that enough people have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from study_app.dataset.disclosure.patterns import redacted
from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import agreed, people
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.marks import CLAUDE, LEAST_QUOTED, QUOTE, RULES, quote_value
from study_app.services.context import StudyContext
from study_app.services.researcher.themes.reading import Coded, EndedInterview, holding, rating_of

REMOVED = "[…]"
_INSIDE = re.compile(r"(?<=[^\s.!?:] )[A-ZÄÖÜÉÈÀÁÍÓÚÑ]\w{2,}(?: [A-ZÄÖÜÉÈÀÁÍÓÚÑ]\w{2,})?")
_NOUNS_ARE_CAPITALISED = ("de",)


@dataclass(frozen=True)
class QuoteCandidate:
    """An answer that may be quoted once a person has read and redacted it."""

    interview_id: str
    topic: str
    code: str
    answer: str
    suggested: str
    """The answer with everything replaced that a pattern takes for an identifier or a name."""


class Quotes:
    """Offers answers of themes that enough people have, and takes what a person releases."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def candidates(self, code: str, kind: Kind) -> list[QuoteCandidate]:
        """Return answers with a code that may be quoted: consent allows it, and enough people have the theme.

        Raises:
            NotAllowed: no codebook is frozen, or it has no such code.
        """
        with self.context.registry.begin(write=False) as unit:
            coded = Coded(self.context, unit, kind)
        if code not in coded.book.labels:
            raise NotAllowed(f"'{code}' is not a code of {coded.book.version}")
        having = _having(coded, code)
        # People are counted and not interviews, of which one person may have held several.
        if len({coded.by_id[interview].participant_id for interview, _ in having}) < LEAST_QUOTED:
            return []
        done = {key for key, value in coded.last(QUOTE).items() if value}
        return [
            _candidate(coded.by_id[interview], topic, code)
            for interview, topic in sorted(having)
            if coded.by_id[interview].shared and (interview, topic) not in done
        ]

    def release(self, who: str, candidate: QuoteCandidate, words: str) -> None:
        """Release words of an answer as a person redacted them; empty words take a quote back.

        Raises:
            NotAllowed: the rules on quotes do not allow it (any more), or words are left that are not of the answer.
        """
        words = " ".join(words.split())
        with self.context.registry.begin() as unit:
            # With it an erasure either comes first, and the interview is not found, or takes these words along.
            unit.lock("themes")
            coded = holding(self.context, unit, candidate.interview_id)
            if not coded.by_id[candidate.interview_id].shared:
                raise NotAllowed("the participant does not let their words leave, or took their data back")
            having = _having(coded, candidate.code)
            enough = len({coded.by_id[each].participant_id for each, _ in having}) >= LEAST_QUOTED
            if words and (not enough or (candidate.interview_id, candidate.topic) not in having):
                raise NotAllowed(f"fewer than {LEAST_QUOTED} people have the theme, or this answer has it no more")
            if strange := _not_said(words, coded.by_id[candidate.interview_id].transcript.answers(candidate.topic)):
                raise NotAllowed(
                    f"'{strange}' is not what was said; shorten the answer or put {REMOVED} for a part of it"
                )
            value = quote_value(candidate.code, words) if words else ""
            key = (candidate.interview_id, candidate.topic)
            unit.add_rating(rating_of(self.context, key, who, value, QUOTE))
            detail = {"interview_id": key[0], "topic": key[1], "code": candidate.code, "released": bool(words)}
            unit.add_audit(AuditEntry(self.context.now(), who, "release quote", "", detail))


def _having(coded: Coded, code: str) -> set[tuple[str, str]]:
    """Return the answers with a code: by people where they coded, by a program elsewhere."""
    labels = coded.book.labels
    found = set()
    to_code = {each.id for each in coded.to_code()}
    for key, given in coded.codes().items():
        by_program = given.get(CLAUDE, given.get(RULES, frozenset()))
        codes = agreed(given, labels) if people(given) else by_program
        if code in (codes or ()) and key[0] in to_code:
            found.add(key)
    return found


def _candidate(interview: EndedInterview, topic: str, code: str) -> QuoteCandidate:
    answer = interview.transcript.answers(topic)
    suggested = suggested_redaction(answer, interview.transcript.language)
    return QuoteCandidate(interview.id, topic, code, answer, suggested)


def suggested_redaction(text: str, language: str = "en") -> str:
    """Return a text redacted as for a release, and without capitalised words within sentences.

    A suggestion only: no pattern knows every name, and a person reads each text. Where nouns are capitalised anyway,
    names are left to that person.
    """
    plain = redacted(text, REMOVED)
    return plain if language in _NOUNS_ARE_CAPITALISED else _INSIDE.sub(REMOVED, plain)


def _not_said(quote: str, answer: str) -> str:
    """Return a part of a quote that does not stand in the answer; empty where all of them do."""
    said = " ".join(answer.split())
    parts = [part.strip() for part in quote.split(REMOVED)]
    return next((part for part in parts if part and part not in said), "")
