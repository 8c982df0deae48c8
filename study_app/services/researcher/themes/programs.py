"""Codes by programs: rules over the codebook's keywords, and replies of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.answers import AnswerToCode, CodedReply
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.keywords import code_by_keywords
from study_app.domain.themes.marks import CLAUDE, REPLY, RULES
from study_app.ports.providers import InterviewCoder
from study_app.services.context import StudyContext
from study_app.services.researcher.provider_batches import CodingBatch
from study_app.services.researcher.themes.reading import Coded, EndedInterview, rating_of

_BATCH = "themes_batch:"
"""Fact under which a batch that runs at the provider is remembered, by kind of participant."""


class ProgramCoding:
    """Codes answers that a program has not coded yet, and keeps each reply as it came."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def by_rules(self, kind: Kind) -> int:
        """Code all answers by the codebook's keywords; returns how many were coded now.

        Raises:
            NotAllowed: no codebook is frozen, it has no keywords, or another one was frozen meanwhile.
        """
        book, waiting = self.waiting(RULES, kind)
        if not any(code.keywords for code in book.codes):
            raise NotAllowed(f"{book.version} has no keywords; add some and freeze again, or use --coder claude")
        found = []
        for each in waiting:
            matched = code_by_keywords(book, each.topic, each.answer)
            codes = tuple(one.code for one in matched)
            found.append((each, CodedReply(each.custom_id, codes, {})))
        return self._store(RULES, found, kind, version=book.version, keep_replies=False)

    def by_batch(
        self, coder: InterviewCoder, kind: Kind, *, seconds: float, pause: Callable[[float], None], chosen: str = ""
    ) -> dict[str, Any]:
        """Code all answers by a model: send a batch, or go on with the one that was sent, and store its replies.

        Args:
            coder: the model.
            kind: whose interviews.
            seconds: how long to wait for the batch to end.
            pause: waits for so many seconds.
            chosen: a batch whose replies to take, or `new`, after the database was put back.

        Returns: as `CodingBatch.finish`.

        Raises:
            NotAllowed: no codebook is frozen, or another one was frozen while the batch ran.
            UserError, AssistantUnavailable: as `CodingBatch.finish`.
        """
        book, waiting = self.waiting(CLAUDE, kind)
        batch = CodingBatch(
            self.context,
            coder,
            fact=_BATCH + kind,
            chosen=chosen,
            version=book.version,
            submit=partial(coder.submit, book),
            replies=partial(coder.replies, book=book),
            store=partial(self._store, CLAUDE, kind=kind, version=book.version),
        )
        return batch.finish(waiting, seconds=seconds, pause=pause)

    def waiting(self, program: str, kind: Kind) -> tuple[Codebook, list[AnswerToCode]]:
        """Return the frozen codebook, and the answers that a program has not coded by it.

        Raises:
            NotAllowed: no codebook is frozen.
        """
        with self.context.registry.begin(write=False) as unit:
            coded = Coded(self.context, unit, kind)
        done = {key for key, codes in coded.codes().items() if program in codes}
        return coded.book, [
            _answer(each, key[1]) for each in coded.to_code() for key in each.answered if key not in done
        ]

    def _store(
        self,
        program: str,
        found: Sequence[tuple[AnswerToCode, CodedReply]],
        kind: Kind,
        *,
        version: str,
        keep_replies: bool = True,
    ) -> int:
        """Store codes with the replies they were read from; returns how many answers were coded.

        A reply that could not be read is kept, and its answer stays uncoded.

        Raises:
            NotAllowed: another codebook than the one of that version is frozen by now.
        """
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.context, unit, kind)
            book, done = coded.book, coded.codes()
            # A batch may run for a day. Codes by one codebook, kept under the name of another, would look like its own.
            if book.version != version:
                raise NotAllowed(f"{book.version} was frozen while {program} coded by {version}; code again")
            known = {key for each in coded.to_code() for key in each.answered}
            count = 0
            for asked, reply in found:
                key = (asked.interview_id, asked.topic)
                # Erased while the batch ran: the reply, which may repeat what was said, is not kept either.
                if key not in known:
                    continue
                if keep_replies:
                    raw = json.dumps(reply.raw, ensure_ascii=False, sort_keys=True)
                    unit.add_rating(rating_of(self.context, key, program, raw, REPLY))
                if reply.codes is not None and program not in done.get(key, {}):
                    allowed = [code for code in reply.codes if book.applies(code, asked.topic)]
                    unit.add_rating(rating_of(self.context, key, program, book.join(allowed), book.version))
                    count += 1
            detail = {"version": book.version, "answers": count, "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), program, "code interviews", "", detail))
        return count


def _answer(interview: EndedInterview, topic: str) -> AnswerToCode:
    said: Sequence[str] = [each.question for each in interview.transcript.on(topic)]
    transcript = interview.transcript
    return AnswerToCode(interview.id, topic, transcript.language, tuple(said), transcript.answers(topic))
