"""The gold sample: a random part of the interviews that people code, each with its probability of being drawn."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import ADJUDICATED, SAMPLER, people
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.marks import CLAUDE, GOLD, RULES
from study_app.domain.themes.sampling import fully_coded, gold_sample
from study_app.services.context import StudyContext
from study_app.services.researcher.themes.reading import Coded, differ, rating_of

PEOPLE = 2
"""People who code each drawn interview."""


@dataclass(frozen=True)
class GoldDrawn:
    """What one draw did."""

    drawn: int
    considered: int
    """Interviews that were in no earlier draw."""

    def lines(self) -> list[str]:
        """For people."""
        return [f"{self.drawn} of {self.considered} interviews drawn for people to code."]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return vars(self)


@dataclass(frozen=True)
class CodingStatus:
    """Where the coding stands; nothing here is by arm."""

    interviews: int
    to_code: int
    """Of them, those that the codebook is applied to."""
    codebook: str
    """Version; empty before the freeze."""
    by_rules: int
    by_claude: int
    gold: int
    gold_coded: int
    """Drawn interviews that two people have coded whole."""
    disagreements: int
    """Answers that wait to be settled."""

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"Interviews: {self.interviews}, to code: {self.to_code}. Codebook: {self.codebook or 'not frozen'}.",
            f"Coded whole by rules: {self.by_rules}, by claude: {self.by_claude}.",
            f"Gold sample: {self.gold}, coded by {PEOPLE} people: {self.gold_coded}. To settle: {self.disagreements}.",
        ]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return vars(self)


class GoldSample:
    """Draws interviews for people, and says how far coding has come."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def draw(self, who: str, kind: Kind, *, share: float, least: int) -> GoldDrawn:
        """Draw from the interviews that were in no earlier draw.

        Args:
            who: who asks for it.
            kind: whose interviews.
            share: of those interviews.
            least: so many at least, or all where there are fewer.

        Raises:
            NotAllowed: no codebook is frozen, or there is no interview to draw from.
        """
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.context, unit, kind)
            earlier = coded.draws()
            waiting = [each.id for each in coded.to_code() if each.id not in earlier]
            if not waiting:
                raise NotAllowed("every interview was in a draw already, or none has ended yet")
            seed = secrets.token_hex(16)
            sample = gold_sample(waiting, seed, share=share, least=least)
            # Those that were left as well: without its probability an interview could not stand for others.
            for each in sorted(sample):
                unit.add_rating(rating_of(self.context, (each, ""), SAMPLER, sample[each].value(), GOLD))
            drawn = sum(each.drawn for each in sample.values())
            detail = {"drawn": drawn, "considered": len(waiting), "seed": seed, "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), who, "draw gold sample", "", detail))
        return GoldDrawn(drawn, len(waiting))

    def status(self, kind: Kind) -> CodingStatus:
        """Return where the coding stands."""
        with self.context.registry.begin(write=False) as unit:
            coded = Coded(self.context, unit, kind)
        if coded.frozen is None:
            return CodingStatus(len(coded.all), 0, "", 0, 0, 0, 0, 0)
        codes, to_code = coded.codes(), coded.to_code()
        topics = {each.id: each.transcript.topics for each in to_code}
        # By interviews and not by answers: one that lacks a topic cannot count as coded.
        whole = {
            program: len(fully_coded(topics, {key for key, given in codes.items() if program in given}))
            for program in (RULES, CLAUDE)
        }
        drawn = [each for each, draw in coded.draws().items() if draw.drawn and each in topics]
        twice = fully_coded(topics, {key for key, given in codes.items() if len(people(given)) >= PEOPLE})
        open_ones = sum(differ(given) and ADJUDICATED not in given for given in codes.values())
        return CodingStatus(
            len(coded.all), len(to_code), coded.book.version, whole[RULES], whole[CLAUDE], len(drawn),
            sum(each in twice for each in drawn), open_ones,
        )  # fmt: skip
