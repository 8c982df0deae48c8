"""The codebook's way: a random half sealed for drawing it up, people's edits outside, the freeze."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.interaction.codes import SAMPLER
from study_app.domain.records import AuditEntry, Kind, Rating
from study_app.domain.themes.borrowed import borrowed_words
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.marks import CODEBOOK, CODEBOOK_OBJECT, HALF, INDUCE
from study_app.domain.themes.sampling import halves
from study_app.domain.themes.transcripts import InterviewText
from study_app.services.context import StudyContext
from study_app.services.researcher.themes.reading import Coded, rating_of

OF_PEOPLE: tuple[Kind, ...] = ("real", "preview")
"""Whose words are those of people: what simulated participants say is the platform's."""


class Codebooks:
    """Divides interviews, hands out the half to draw a codebook from, and freezes what people made of it."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def sealed_half(self, who: str, kind: Kind) -> list[InterviewText]:
        """Return the random half to draw a codebook from, drawn at the first call and the same at each later one.

        Raises:
            NotAllowed: no interview has ended, or a codebook is frozen: what came after it is for coding only.
        """
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.context, unit, kind)
            if not coded.all:
                raise NotAllowed("no interview with an answer has ended yet")
            known = coded.halves()
            if not known:
                if coded.frozen is not None:
                    raise NotAllowed(f"{coded.frozen.version} is frozen; all interviews are for coding by it")
                # Drawn here and at once in the audit log: no one can try seeds until a half suits them.
                known = halves(coded.by_id, seed := secrets.token_hex(16))
                for each, half in known.items():
                    unit.add_rating(rating_of(self.context, (each, ""), SAMPLER, half, HALF))
                detail = {"interviews": len(known), "seed": seed, "kind": kind}
                unit.add_audit(AuditEntry(self.context.now(), who, "divide interviews", "to draw a codebook", detail))
            return [each.transcript for each in coded.all if known.get(each.id) == INDUCE]

    def note_proposal(self, who: str, detail: dict[str, Any]) -> None:
        """Keep in the audit log what proposed a codebook.

        The log is never changed, and an erasure does not reach it: nothing that participants said may stand there, and
        a model's reply may repeat it.
        """
        with self.context.registry.begin() as unit:
            unit.add_audit(AuditEntry(self.context.now(), who, "propose codebook", "", detail))

    def freeze(self, who: str, book: Codebook, reason: str) -> str:
        """Freeze a codebook: from now on interviews are coded by it; returns its version.

        Raises:
            NotAllowed: no reason, this content is in force already, or it says that it was induced and no half was
                sealed, or a half was sealed and it does not say so.
            ProblemsFound: it repeats words of participants.
        """
        reason = reason.strip()
        if not reason:
            raise NotAllowed("give a reason, such as who read and agreed on the codes")
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            ratings = sorted(unit.ratings(), key=lambda rating: rating.rated_at)
            people = [Coded(self.context, unit, kind) for kind in OF_PEOPLE]
            # Simulated interviews are for rehearsal: a half of them that was opened says nothing of the trial's.
            self._refuse(ratings, book, opened=any(coded.halves() for coded in people))
            if problems := borrowed_words(book, (text for coded in people for text in _answers(coded))):
                raise ProblemsFound(problems)
            now, name = self.context.now(), CODEBOOK_OBJECT + book.version
            unit.add_rating(Rating(self.context.fresh_id(), name, who, book.canonical(), CODEBOOK, now))
            detail = {"version": book.version, "sha256": book.sha256, "codes": list(book.labels)}
            unit.add_audit(AuditEntry(now, who, "freeze codebook", reason, detail))
        return book.version

    def _refuse(self, ratings: list[Rating], book: Codebook, *, opened: bool) -> None:
        if book.induced and not any(rating.rubric == HALF for rating in ratings):
            raise NotAllowed("induced: no half was sealed to draw it from; run: study code interviews induce")
        if opened and not book.induced:
            raise NotAllowed(
                "induced: a half of the interviews was opened to draw a codebook from; set induced = true, so that "
                "shares are estimated from the other half"
            )
        named = [rating.object for rating in ratings if rating.rubric == CODEBOOK]
        if named and named[-1] == CODEBOOK_OBJECT + book.version:
            raise NotAllowed(f"{book.version} is frozen already")
        if CODEBOOK_OBJECT + book.version in named:
            raise NotAllowed(f"{book.version} was frozen before another one; change its id to take it up again")


def _answers(coded: Coded) -> Iterator[str]:
    return (each.transcript.answers(topic) for each in coded.all for topic in each.transcript.topics)
