"""Guesses of who wrote a reply to a fixed question: blind to treatment, other replies, and what others guessed."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.persona_checks.guessing import RUBRIC, UNSURE, guessable, object_of, persona_of
from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import check_coder
from study_app.domain.records import Rating
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import all_replies
from study_app.services.researcher.judging.rating import shuffled


@dataclass(frozen=True)
class ReplyToGuess:
    """A reply, as a coder meets it."""

    name: str
    """What the guess is stored under; never shown."""
    task: str
    message: str
    reply: str


class PersonaGuesses:
    """Hands out replies to the fixed questions of a round, and takes guesses.

    Nothing of a participant is in them, so that a guess does not reveal an arm.
    """

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def personas(self) -> tuple[str, ...]:
        """Return those that a reply may be of, in the study's order; fewer than two: nothing to tell apart."""
        given = [arm.persona for arm in self.context.study.arms_met if arm.persona]
        return tuple(dict.fromkeys(given))

    def waiting(self, coder: str) -> list[ReplyToGuess]:
        """Return the replies that this person has still to guess, in an order drawn for them."""
        with self.context.registry.begin(write=False) as unit:
            done = {each.object for each in unit.ratings() if each.rubric == RUBRIC and each.rater == coder}
            replies = [each for each in self._replies(unit) if object_of(each) not in done]
        found = [ReplyToGuess(object_of(each), each.task, each.message, each.reply) for each in replies]
        return sorted(found, key=lambda each: shuffled(each.name, coder))

    def guess(self, coder: str, name: str, persona: str) -> None:
        """Take a guess; a second one of the same person replaces the first.

        Raises:
            NotAllowed: the name stands for a program, or there is no such reply or persona.
        """
        check_coder(coder)
        if persona not in (*self.personas(), UNSURE):
            raise NotAllowed(f"'{persona}' is not a persona of this study; use {', '.join((*self.personas(), UNSURE))}")
        with self.context.registry.begin() as unit:
            # No lock: these are replies to fixed questions, which no erasure of a participant can take away meanwhile.
            if name not in {object_of(each) for each in self._replies(unit)}:
                raise NotAllowed("there is no such reply to guess; reload the page")
            unit.add_rating(Rating(self.context.fresh_id(), name, coder, persona, RUBRIC, self.context.now()))

    def given(self) -> int:
        """Return how many guesses there are; how many are right, and chance, come with the analysis."""
        with self.context.registry.begin(write=False) as unit:
            names = {object_of(each) for each in self._replies(unit)}
            newest = {(each.object, each.rater) for each in unit.ratings() if each.rubric == RUBRIC}
        return sum(name in names for name, _ in newest)

    def _replies(self, unit: UnitOfWork) -> list[ModelReply]:
        known = set(self.personas())
        # Rounds outlive an amendment: of a persona that the study has no more every guess would be wrong.
        return [each for each in guessable(all_replies(unit)) if persona_of(each.treatment) in known]
