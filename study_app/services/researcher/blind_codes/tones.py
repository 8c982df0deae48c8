"""Tones of messages and replies by people, blind to participant, task, arm, context, and what others gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import check_coder, people
from study_app.domain.interaction.tone import REPLY, TONES, VERSION, TextForTone
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import Kind, Rating
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.rating import shuffled


class ToneCodes:
    """Hands out texts, takes tones, counts how often people agree."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def waiting(self, coder: str, kind: Kind) -> list[TextForTone]:
        """Return the texts that this person has still to code, in an order drawn for them.

        Replies are among them only where every arm with an assistant has the same one: they would tell arms apart.
        """
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            texts = [each for each in texts_of(self.context, unit, kind) if coder not in given.get(each.name, {})]
        return sorted(texts, key=lambda each: shuffled(each.name, coder))

    def code(self, coder: str, name: str, tone: str) -> None:
        """Take a tone; a second one of the same person replaces the first.

        Raises:
            NotAllowed: the name stands for a program, there is no such text, or no such tone.
        """
        check_coder(coder)
        if tone not in TONES:
            raise NotAllowed(f"'{tone}' is not a tone; use {', '.join(TONES)}")
        with self.context.registry.begin() as unit:
            # With it an erasure either comes first, and the text is not found, or takes this tone along.
            unit.lock("judgements")
            if not any(each.name == name for kind in LEDGERS for each in texts_of(self.context, unit, kind)):
                raise NotAllowed("there is no such text to code; reload the page")
            rating = Rating(self.context.fresh_id(), f"turn:{name}", coder, tone, VERSION, self.context.now())
            unit.add_rating(rating)

    def counts(self, kind: Kind) -> tuple[int, int, Mapping[str, int]]:
        """Return texts that two people or more coded, how many of them alike, and codes given by tone."""
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            votes = [list(given.get(each.name, {}).values()) for each in texts_of(self.context, unit, kind)]
        twice = [tones for tones in votes if len(tones) > 1]
        return len(twice), sum(len(set(tones)) == 1 for tones in twice), Counter(t for tones in votes for t in tones)


def texts_of(context: StudyContext, unit: UnitOfWork, kind: Kind) -> Iterator[TextForTone]:
    """Yield the messages, and the replies where every arm with an assistant has the same one."""
    # Of every version: who began before an amendment has the assistants of then.
    alike = all(study.assisted_alike for study in context.versions_met(unit))
    known = {person.id for person in unit.participants() if person.kind == kind and not person.data_withdrawn}
    for turn in unit.turns():
        if turn.participant_id in known and turn.message.strip():
            yield TextForTone(turn.id, turn.message)
        if turn.participant_id in known and turn.reply.strip() and alike:
            yield TextForTone(turn.id + REPLY, turn.reply)


def _given(unit: UnitOfWork) -> dict[str, dict[str, str]]:
    """Name of a text -> person -> tone, each person's newest."""
    found: dict[str, dict[str, str]] = {}
    for rating in sorted(unit.ratings(), key=lambda rating: rating.rated_at):
        if rating.rubric == VERSION and people([rating.rater]):
            found.setdefault(rating.object.removeprefix("turn:"), {})[rating.rater] = rating.value
    return found
