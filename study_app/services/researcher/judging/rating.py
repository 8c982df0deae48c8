"""Human judgements of answers that a person has to rate, blind to arm.

A rater meets neither participant, time, arm nor what others gave; the order differs from rater to rater. The points of
an answer are the mean of its raters' newest ratings, or what a settled disagreement says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.interaction.codes import ADJUDICATED, check_coder
from study_app.domain.interaction.codes import people as people_of
from study_app.domain.quiz.answer_ratings import (
    POINTS,
    REASON,
    WHOLE,
    AnswerName,
    Awarded,
    differ,
    newest,
    points_of,
    value_of,
)
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.judged_by_people import criteria, needs_person, source_of
from study_app.domain.quiz.keys import AnyKey, ChoiceKey, CodeKey, TextKey
from study_app.domain.quiz.scoring import rate
from study_app.domain.records import Answer, AuditEntry, Kind, Participant, Rating
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.late_changes import CutOff, cut_off_lately, has_left
from study_app.services.researcher.judging.looks import check_not_seen, looked_at, note_look


@dataclass(frozen=True)
class AnswerForRating:
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
    source: str = ""
    """Bank, version, form and concept of the question."""


@dataclass(frozen=True)
class OwnRating:
    """An answer that a rater has rated, with their newest rating of it."""

    answer: AnswerForRating
    awarded: Awarded


@dataclass(frozen=True)
class Dispute:
    """An answer that people rated differently."""

    answer: AnswerForRating
    ratings: tuple[Awarded, ...]
    """Points by criterion of each rater, in an order that reveals no names."""


class RatingQueue:
    """Hands out what waits for a person, shows disagreements, takes ratings and decisions."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def answers_for(self, rater: str, kind: Kind) -> list[AnswerForRating]:
        """Answers that this rater has not rated: unrated ones first, else in the rater's own order.

        Settled answers need no further rater. Settling a disagreement shows what others gave, so its settler is not
        handed the answers that people disagree on.
        """
        with self.context.registry.begin(write=False) as unit:
            given, views, seen = _given(unit), self._views(unit, kind), looked_at(unit, rater)
            settles = rater in {rating.rater for rating in unit.ratings() if rating.rubric == REASON}
        mine = [
            view
            for view in views
            if rater not in (known := given.get(view.object, {}))
            and view.object not in seen
            and ADJUDICATED not in known
            and not (settles and differ(known))
        ]
        return sorted(mine, key=lambda view: (view.raters > 0, shuffled(view.object, rater)))

    def own(self, rater: str, kind: Kind) -> list[OwnRating]:
        """Return what this rater has rated, in their own order.

        Rating it again corrects it, and both ratings are kept.
        """
        with self.context.registry.begin(write=False) as unit:
            given, views = _given(unit), self._views(unit, kind)
        mine = [view for view in views if rater in given.get(view.object, {})]
        mine.sort(key=lambda view: shuffled(view.object, rater))
        return [OwnRating(view, given[view.object][rater]) for view in mine]

    def rate(self, rater: str, name: str, awarded: Mapping[str, float]) -> float:
        """Take a rating, or the correction of one's own; returns the answer's points over all raters.

        Args:
            rater: who rates.
            name: `AnswerForRating.object`.
            awarded: points by criterion.

        Raises:
            NotAllowed: no such answer waits, it is settled, the rater has seen what others gave, the points are not of
                its rubric, or the name stands for a decision or a program.
        """
        check_coder(rater, "rater")
        with self.context.registry.begin() as unit:
            # What others gave is read before it is settled, or summed up in the answer's points: of two people at the
            # same moment each would miss the other's, for a transaction on Postgres sees only what is committed.
            unit.lock("judgements")
            if ADJUDICATED in _given(unit).get(name, {}):
                raise NotAllowed("the points of this answer are settled; reload the page")
            check_not_seen(unit, rater, name)
            return self._take(unit, rater, name, awarded)

    def look(self, viewer: str, name: str) -> None:
        """Record that a person is shown what others gave on an answer; they rate it no more."""
        note_look(self.context, viewer, name)

    def disputes(self, viewer: str, kind: Kind) -> list[Dispute]:
        """Open disagreements that this person may see.

        A rater sees only those on answers that they have rated themselves, so that no one rates after having seen what
        others gave; a person who has rated nothing may settle any.
        """
        with self.context.registry.begin(write=False) as unit:
            given, views = _given(unit), self._views(unit, kind)
        rates_too = any(viewer in known for known in given.values())
        return [
            Dispute(view, _nameless(known, view.object))
            for view in views
            if differ(known := given.get(view.object, {}))
            and ADJUDICATED not in known
            and (viewer in known or not rates_too)
        ]

    def settle(self, who: str, name: str, awarded: Mapping[str, float], reason: str) -> float:
        """Record what an answer is worth after a disagreement, why, and in the audit log by whom; returns its points.

        Raises:
            NotAllowed: no reason, points that are not of the rubric, or nothing to settle (any more).
        """
        check_coder(who, "person")
        reason = reason.strip()
        if not reason:
            raise NotAllowed("give a reason")
        with self.context.registry.begin() as unit:
            unit.lock("judgements")
            known = _given(unit).get(name, {})
            if not differ(known) or ADJUDICATED in known:
                raise NotAllowed("there is nothing to settle about this answer any more")
            points = self._take(unit, ADJUDICATED, name, awarded)
            now = self.context.now()
            why = Rating(self.context.fresh_id(), name, who, reason, REASON, now)
            unit.add_rating(why)
            # A reason may repeat the answer: it is erased with it, and the audit log, which never changes, names its
            # rating.
            detail = {"object": name, "points": points, "reason": why.rating_id}
            unit.add_audit(AuditEntry(now, who, "adjudicate", "", detail))
        return points

    def _take(self, unit: UnitOfWork, rater: str, name: str, awarded: Mapping[str, float]) -> float:
        about = AnswerName.parse(name)
        person = unit.participant(about.participant_id) if about is not None else None
        given = unit.answers(person.id) if person is not None else []
        answer = next((one for one in given if one.bank and _object(one) == name), None)
        asked = None if person is None or answer is None else self._asked(unit, person, answer.stage, answer.item)
        if person is None or answer is None or asked is None or not asked.waits(answer.response):
            raise NotAllowed("this answer does not wait for a rating any more")
        if not self._is_final(person, answer.stage, cut_off_lately(self.context, unit)):
            raise NotAllowed("this answer may still change; rate it later")
        item, key = asked.item, asked.key
        _points(item, key, awarded)
        rating = Rating(self.context.fresh_id(), name, rater, value_of(awarded), POINTS, self.context.now())
        unit.add_rating(rating)
        points = points_of(_given(unit)[name], lambda each: _points(item, key, each))
        if not unit.set_points(replace(answer, points=points, max_points=item.points, scored_by="human")):
            # Erased since it was read: kept, the rating and its reason would outlive what they are about.
            raise NotAllowed("this answer does not wait for a rating any more")
        return points

    def _views(self, unit: UnitOfWork, kind: Kind) -> list[AnswerForRating]:
        """Return every answer that a person has to judge, once it is final.

        What concerns a question is found out once and not for each of thousands of answers to it.
        """
        given = _given(unit)
        people = {person.id: person for person in unit.participants_of(kind)}
        versions = {person.study_hash: person for person in people.values()}
        asked: dict[tuple[str, str, str], _Asked | None] = {}
        found, cut_off = [], cut_off_lately(self.context, unit)
        for who, stage, item, response in unit.quiz_answers(kind, self._judged_items(unit, versions.values())):
            person = people[who]
            question = (person.study_hash, stage, item)
            if question not in asked:
                asked[question] = self._asked(unit, person, stage, item)
            about = asked[question]
            if about is not None and about.waits(response) and self._is_final(person, stage, cut_off):
                name = str(AnswerName(who, stage, item))
                found.append(about.view(name, response, len(people_of(given.get(name, {})))))
        return found

    def _is_final(self, person: Participant, stage: str, cut_off: CutOff) -> bool:
        return (person.id, stage) not in cut_off and has_left(self.context, person, stage)

    def _judged_items(self, unit: UnitOfWork, of_each_version: Iterable[Participant]) -> set[str]:
        """Return the items that a person may have to judge, in whichever version of the study."""
        found: set[str] = set()
        for person in of_each_version:
            for quiz in self.context.study_of(unit, person).quizzes:
                bank = self.context.content_of(person).bank(quiz.stage.bank)
                # Of items with options no answer needs a person, and those are most.
                found |= {item.id for item in bank.items if not item.options}
        return found

    def _asked(self, unit: UnitOfWork, person: Participant, stage_id: str, item_id: str) -> _Asked | None:
        """Return what a question asks, its key and where it comes from; None where it is not known."""
        try:
            stage = self.context.study_of(unit, person).stage(stage_id)
            content = self.context.content_of(person)
            item, key = content.bank(stage.bank).item(item_id), content.keys(stage.bank)[item_id]
            return _Asked(item, key, source_of(content.bank(stage.bank), item, stage.form))
        # Of an earlier version whose content is gone: a person cannot judge by a key that is not there.
        except (KeyError, ProblemsFound):
            return None


@dataclass
class _Asked:
    """A question of a quiz, as graders meet it."""

    item: Item
    key: AnyKey
    source: str
    _judged: dict[object, bool] = field(default_factory=dict)

    def waits(self, response: object) -> bool:
        """Return whether a person has to judge this response; found out once for all who gave it."""
        if not isinstance(response, str):
            return False
        if response not in self._judged:
            self._judged[response] = needs_person(self.item, self.key, response)
        return self._judged[response]

    def view(self, name: str, response: object, raters: int) -> AnswerForRating:
        """Return a response to it for a rater."""
        return AnswerForRating(
            name, self.item, str(response), self._criteria, self._accepted, self.key.why, raters, self.source
        )

    @cached_property
    def _criteria(self) -> tuple[tuple[str, str, float], ...]:
        return criteria(self.item, self.key)

    @cached_property
    def _accepted(self) -> tuple[str, ...]:
        if isinstance(self.key, CodeKey) and self.key.solution:
            return (self.key.solution,)
        return tuple(accept.sample() for accept in self.key.accept) if isinstance(self.key, TextKey) else ()


def _points(item: Item, key: AnyKey, awarded: Awarded) -> float:
    if not isinstance(key, ChoiceKey) and key.rubric:
        try:
            return rate(item, key, awarded).points or 0.0
        except ValueError as problem:
            raise NotAllowed(str(problem)) from None
    if set(awarded) != {WHOLE} or not 0 <= awarded[WHOLE] <= item.points:
        raise NotAllowed(f"give 0 to {item.points:g} points")
    return awarded[WHOLE]


def _given(unit: UnitOfWork) -> dict[str, dict[str, dict[str, float]]]:
    """Object -> rater -> points by criterion, each rater's newest."""
    return newest((r.object, r.rater, r.value) for r in unit.ratings() if r.rubric == POINTS)


def _nameless(given: Mapping[str, Awarded], name: str) -> tuple[Awarded, ...]:
    return tuple(given[who] for who in sorted(people_of(given), key=lambda who: shuffled(name, who)))


def _object(answer: Answer) -> str:
    return str(AnswerName(answer.participant_id, answer.stage, answer.item))


def shuffled(name: str, rater: str) -> str:
    """Return a sort key: each rater's own order, the same on every call."""
    # A digest and not `random`: the same order on every server and at every call, with nothing to be stored.
    return hashlib.sha256(f"{rater}\n{name}".encode()).hexdigest()
