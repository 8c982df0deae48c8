"""Human judgements of answers that a person has to rate, blind to arm.

A rater meets neither participant, time, arm nor what others gave; the order differs from rater to rater. The points of
an answer are the mean of its raters' newest ratings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.item_keys import AnyKey, ChoiceKey, CodeKey, TextKey
from study_app.domain.items import Item
from study_app.domain.participant import Answer, Kind
from study_app.domain.scoring import rate, score
from study_app.ports import Rating, Unit
from study_app.services.world import World

POINTS = "points"
"""Rubric of ratings of answers; their value is JSON, points by criterion."""
WHOLE = "points"
"""The one criterion of an item without a rubric of its own."""


@dataclass(frozen=True)
class ToRate:
    """An answer as a rater meets it."""

    object: str
    item: Item
    response: str
    criteria: tuple[tuple[str, str, float], ...]
    """Id, text, most points."""
    accepted: tuple[str, ...]
    """Answers that the key takes, as a yardstick."""
    why: str
    raters: int
    """How many others have rated it."""


class Ratings:
    """Hands out what waits for a person and takes the judgement."""

    def __init__(self, world: World) -> None:
        self.world = world

    # -- answers -------------------------------------------------------------------------------------------------------

    def answers_for(self, rater: str, kind: Kind) -> list[ToRate]:
        """Answers that this rater has not rated: those that nobody has rated first, else in the rater's own order."""
        with self.world.registry.begin(write=False) as unit:
            given = _raters(unit.ratings(), POINTS)
            found = [view for answer in self._open_answers(unit, kind) if (view := self._view(unit, answer, given))]
        mine = [view for view in found if rater not in given.get(view.object, ())]
        return sorted(mine, key=lambda view: (view.raters > 0, shuffled(view.object, rater)))

    def rate(self, rater: str, name: str, awarded: Mapping[str, float]) -> float:
        """Take a rating; returns the answer's points over all raters.

        Args:
            rater: who rates.
            name: `ToRate.object`.
            awarded: points by criterion.

        Raises:
            NotAllowed: no such answer waits, or the points are not of its rubric.
        """
        with self.world.registry.begin() as unit:
            answer = next((a for a in unit.answers() if _object(a) == name), None)
            parts = self._parts(unit, answer) if answer is not None else None
            if answer is None or parts is None:
                raise NotAllowed("this answer does not wait for a rating any more")
            item, key = parts
            _points(item, key, awarded)
            now = self.world.now()
            value = json.dumps(dict(awarded), sort_keys=True)
            unit.add_rating(Rating(self.world.fresh_id(), name, rater, value, POINTS, now))
            newest = {r.rater: json.loads(r.value) for r in unit.ratings() if (r.object, r.rubric) == (name, POINTS)}
            points = fmean(_points(item, key, each) for each in newest.values())
            unit.set_points(replace(answer, points=points, max_points=item.points, scored_by="human"))
        return points

    def _open_answers(self, unit: Unit, kind: Kind) -> Iterable[Answer]:
        people = {person.id for person in unit.participants() if person.kind == kind and not person.data_withdrawn}
        return (answer for answer in unit.answers() if answer.bank and answer.participant_id in people)

    def _parts(self, unit: Unit, answer: Answer) -> tuple[Item, AnyKey] | None:
        """Item and key of an answer that a person has to judge; None for every other."""
        participant = unit.participant(answer.participant_id)
        if participant is None:
            return None
        try:
            folder = self.world.study_of(unit, participant).stage(answer.stage).bank
            item = self.world.content.bank(folder).item(answer.item)
            key: AnyKey = self.world.content.keys(folder)[answer.item]
        except (KeyError, ProblemsFound):
            return None
        return (item, key) if needs_person(item, key, json.loads(answer.response)) else None

    def _view(self, unit: Unit, answer: Answer, given: Mapping[str, set[str]]) -> ToRate | None:
        parts = self._parts(unit, answer)
        if parts is None:
            return None
        item, key = parts
        accepted = tuple(accept.sample() for accept in key.accept) if isinstance(key, TextKey) else ()
        if isinstance(key, CodeKey) and key.solution:
            accepted = (key.solution,)
        response = str(json.loads(answer.response))
        raters = len(given.get(_object(answer), ()))
        return ToRate(_object(answer), item, response, criteria(item, key), accepted, key.why, raters)


def needs_person(item: Item, key: AnyKey, response: object) -> bool:
    """Whether a person has to judge: an answered item with a rubric only, or a text that no accepted answer matches."""
    if isinstance(key, ChoiceKey) or not isinstance(response, str) or not response.strip():
        return False
    if isinstance(key, CodeKey):
        return not key.checks
    return score(item, key, response).needs_review or not key.accept


def criteria(item: Item, key: AnyKey) -> tuple[tuple[str, str, float], ...]:
    """What is rated: the rubric, or the answer as a whole."""
    rubric = () if isinstance(key, ChoiceKey) else key.rubric
    if rubric:
        return tuple((criterion.id, criterion.text, criterion.points) for criterion in rubric)
    return ((WHOLE, "What the answer is worth as a whole", item.points),)


def _points(item: Item, key: AnyKey, awarded: Mapping[str, float]) -> float:
    if not isinstance(key, ChoiceKey) and key.rubric:
        try:
            return rate(item, key, awarded).points or 0.0
        except ValueError as problem:
            raise NotAllowed(str(problem)) from None
    if set(awarded) != {WHOLE} or not 0 <= awarded[WHOLE] <= item.points:
        raise NotAllowed(f"give 0 to {item.points:g} points")
    return awarded[WHOLE]


def _raters(ratings: Iterable[Rating], rubric: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rating in ratings:
        if rating.rubric == rubric:
            found.setdefault(rating.object, set()).add(rating.rater)
    return found


def _object(answer: Answer) -> str:
    return f"answer:{answer.participant_id}:{answer.stage}:{answer.item}"


def shuffled(name: str, rater: str) -> str:
    """A sort key: an order of its own for each rater, the same on every call."""
    return hashlib.sha256(f"{rater}\n{name}".encode()).hexdigest()
