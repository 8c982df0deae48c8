"""Codes by programs: rules over the codebook's keywords, and replies of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.answers import AnswerToCode, CodedReply
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.keywords import code_by_keywords
from study_app.domain.themes.marks import CLAUDE, REPLY, RULES
from study_app.ports.providers import InterviewCoder
from study_app.services.context import StudyContext
from study_app.services.researcher.themes.reading import Coded, EndedInterview, rating_of

POLL_SECONDS = 20.0
"""Between two questions whether a batch has ended."""
MOST_REQUESTS = 50_000
"""Answers in one batch; those beyond wait for the next one."""
_BATCH = "themes_batch:"
"""Fact under which a batch that runs at the provider is remembered, by kind of participant."""


class ProgramCoding:
    """Codes answers that a program has not coded yet, and keeps each reply as it came."""

    def __init__(self, world: StudyContext) -> None:
        self.world = world

    def by_rules(self, kind: Kind) -> int:
        """Code all answers by the codebook's keywords; returns how many were coded now.

        Raises:
            NotAllowed: no codebook is frozen, or it has no keywords.
        """
        book, waiting = self.waiting(RULES, kind)
        if not any(code.keywords for code in book.codes):
            raise NotAllowed(f"{book.version} has no keywords; add some and freeze again, or use --coder claude")
        found = []
        for each in waiting:
            matched = code_by_keywords(book, each.topic, each.answer)
            codes = tuple(one.code for one in matched)
            found.append((each, CodedReply(each.custom_id, codes, {})))
        return self._store(RULES, found, kind, keep_replies=False)

    def by_batch(
        self, coder: InterviewCoder, kind: Kind, *, seconds: float, pause: Callable[[float], None]
    ) -> dict[str, Any]:
        """Code all answers by a model: send a batch, or go on with the one that was sent, and store its replies.

        Args:
            coder: the model.
            kind: whose interviews.
            seconds: how long to wait for the batch to end.
            pause: waits for so many seconds.

        Returns:
            `batch`, `state` (`done`, `running`, or `nothing to code`), `coded`, `unreadable` and `left`: answers
            without a code, which the next call sends anew.

        Raises:
            NotAllowed: no codebook is frozen.
            UserError: the provider's key is not accepted.
            AssistantUnavailable: the provider cannot be reached; a batch that was sent is remembered.
        """
        book, waiting = self.waiting(CLAUDE, kind)
        batch = self._under_way(coder, kind, book, waiting)
        if batch is None:
            return {"batch": "", "state": "nothing to code", "coded": 0, "unreadable": 0, "left": 0}
        left = seconds
        while not coder.ended(batch):
            if left <= 0:
                return {"batch": batch, "state": "running", "coded": 0, "unreadable": 0, "left": len(waiting)}
            pause(min(POLL_SECONDS, left))
            left -= POLL_SECONDS
        by_id = {each.custom_id: each for each in waiting}
        found = [(by_id[reply.custom_id], reply) for reply in coder.replies(batch, book) if reply.custom_id in by_id]
        coded = self._store(CLAUDE, found, kind)
        self._remember(kind, None)
        counts = {"coded": coded, "unreadable": len(found) - coded, "left": len(waiting) - coded}
        return {"batch": batch, "state": "done", **counts}

    def _under_way(
        self, coder: InterviewCoder, kind: Kind, book: Codebook, waiting: Sequence[AnswerToCode]
    ) -> str | None:
        """Return the batch to wait for: one that was sent, also right before an interruption, else a new one.

        None where there is nothing to code.
        """
        known = self._batch(kind)
        if known is not None and known["version"] == book.version:
            name = known["id"] or coder.find(known["answers"], datetime.fromisoformat(known["since"]))
            if name and coder.ended(name) is not None:
                return str(name)
        if not waiting:
            return None
        sent = waiting[:MOST_REQUESTS]
        # Before it is sent: a process that ends before it knows the batch's id finds it by this.
        intent = {"id": "", "version": book.version, "since": self.world.now().isoformat(), "answers": len(sent)}
        self._remember(kind, intent)
        batch = coder.submit(book, sent)
        self._remember(kind, intent | {"id": batch})
        return batch

    def waiting(self, program: str, kind: Kind) -> tuple[Codebook, list[AnswerToCode]]:
        """Return the frozen codebook, and the answers that a program has not coded by it.

        Raises:
            NotAllowed: no codebook is frozen.
        """
        with self.world.registry.begin(write=False) as unit:
            coded = Coded(self.world, unit, kind)
        done = {key for key, codes in coded.codes().items() if program in codes}
        return coded.book, [
            _answer(each, key[1]) for each in coded.to_code() for key in each.answered if key not in done
        ]

    def _store(
        self, program: str, found: Sequence[tuple[AnswerToCode, CodedReply]], kind: Kind, *, keep_replies: bool = True
    ) -> int:
        """Store codes with the replies they were read from; returns how many answers were coded.

        A reply that could not be read is kept, and its answer stays uncoded.
        """
        with self.world.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.world, unit, kind)
            book, done = coded.book, coded.codes()
            known = {key for each in coded.to_code() for key in each.answered}
            count = 0
            for asked, reply in found:
                key = (asked.interview_id, asked.topic)
                if key not in known:
                    continue
                if keep_replies:
                    raw = json.dumps(reply.raw, ensure_ascii=False, sort_keys=True)
                    unit.add_rating(rating_of(self.world, key, program, raw, REPLY))
                if reply.codes is not None and program not in done.get(key, {}):
                    allowed = [code for code in reply.codes if book.applies(code, asked.topic)]
                    unit.add_rating(rating_of(self.world, key, program, book.join(allowed), book.version))
                    count += 1
            detail = {"version": book.version, "answers": count, "kind": kind}
            unit.add_audit(AuditEntry(self.world.now(), program, "code interviews", "", detail))
        return count

    def _batch(self, kind: Kind) -> dict[str, Any] | None:
        """Return what is remembered of a batch that runs at the provider."""
        with self.world.registry.begin(write=False) as unit:
            value = unit.meta_value(_BATCH + kind)
        return value if isinstance(value, dict) else None

    def _remember(self, kind: Kind, batch: dict[str, Any] | None) -> None:
        """Remember a batch, so that its replies are fetched after an interruption; None forgets it."""
        with self.world.registry.begin() as unit:
            unit.set_meta_value(_BATCH + kind, batch)


def _answer(interview: EndedInterview, topic: str) -> AnswerToCode:
    said: Sequence[str] = [each.question for each in interview.transcript.on(topic)]
    transcript = interview.transcript
    return AnswerToCode(interview.id, topic, transcript.language, tuple(said), transcript.answers(topic))
