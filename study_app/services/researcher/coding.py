"""Codes of queries by people, blind to outcome, participant and arm; their disagreements, and what settles them.

A coder meets neither participant, time, arm nor what others gave; the order of participants differs from coder to
coder. Replies are shown only where every arm with an assistant has the same one: otherwise they would tell arms apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codebook import LABELS, join
from study_app.domain.interaction.codes import ADJUDICATED, REASON_RUBRIC, RUBRIC, check_coder, people
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import AuditEntry, Kind, Rating, Turn
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.looks import check_not_seen, looked_at, note_look
from study_app.services.researcher.judging.rating import shuffled

Given = Mapping[str, tuple[str, ...]]
"""Coder -> labels, each coder's newest."""
_UNCODED: Given = {}


@dataclass(frozen=True)
class QueryForCoding:
    """A query as a coder meets it."""

    turn_id: str
    task: str
    message: str
    code: str
    """The program at the moment of asking."""
    before: tuple[tuple[str, str], ...]
    """(message, reply) of the same person's earlier turns; replies are empty where they would tell arms apart."""
    coders: int
    """How many others have coded it."""


@dataclass(frozen=True)
class Disagreement:
    """A query that people coded differently."""

    query: QueryForCoding
    codings: tuple[tuple[str, ...], ...]
    """Labels of each coder, in an order that reveals no names."""


@dataclass(frozen=True)
class Adjudication:
    """An adjudicated query."""

    turn_id: str
    message: str
    codings: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    reason: str
    who: str


@dataclass(frozen=True)
class LabelCount:
    """How coders used one label, over the queries that two people or more coded."""

    label: str
    all_gave: int
    some_gave: int
    none_gave: int


class Codings:
    """Hands out queries to code, shows disagreements, takes codes and decisions."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def queries_for(self, coder: str, kind: Kind) -> Sequence[QueryForCoding]:
        """Return queries that this coder has still to code, each person's as asked.

        Settled queries need no further coder. Who has settled any has seen what others gave, and is not handed the
        queries that people disagree on.
        """
        with self.context.registry.begin(write=False) as unit:
            given, queries = _given(unit), self._queries(unit, coder, kind)
            settles, seen = coder in _deciders(unit), looked_at(unit, coder)
        return queries.where(
            lambda turn: (
                coder not in (codes := given.get(turn.id, _UNCODED))
                and ADJUDICATED not in codes
                and f"turn:{turn.id}" not in seen
                and not (settles and _differ(codes))
            )
        )

    def code(self, coder: str, turn_id: str, labels: Sequence[str]) -> None:
        """Take a coding; no label at all is one, too.

        Raises:
            NotAllowed: a label is not of the code book, the name is one that stands for a decision or a program, or the
                query is gone, settled, or one of which the coder has seen others' codes.
        """
        check_coder(coder)
        value = _rating_of_labels(labels)
        with self.context.registry.begin() as unit:
            # Until this is committed no other person can settle the query.
            unit.lock("judgements")
            # The page may be older than an erasure: a code of what is gone would belong to no one and be counted.
            if not any(turn.id == turn_id for turn in _turns(unit, *LEDGERS)):
                raise NotAllowed("this query is not there any more; reload the page")
            if ADJUDICATED in _given(unit).get(turn_id, {}):
                raise NotAllowed("the codes of this query are settled; reload the page")
            check_not_seen(unit, coder, f"turn:{turn_id}")
            rating = Rating(self.context.fresh_id(), f"turn:{turn_id}", coder, value, RUBRIC, self.context.now())
            unit.add_rating(rating)

    def look(self, viewer: str, turn_id: str) -> None:
        """Record that a person is shown what others gave on a query; they code it no more."""
        note_look(self.context, viewer, f"turn:{turn_id}")

    def disagreements(self, viewer: str, kind: Kind) -> list[Disagreement]:
        """Open disagreements that this person may see.

        A coder sees only those on queries that they have coded themselves, so that no one codes after having seen what
        others gave; who has coded nothing may settle any.
        """
        with self.context.registry.begin(write=False) as unit:
            given, queries = _given(unit), self._queries(unit, viewer, kind)
        codes_too = any(viewer in codes for codes in given.values())

        def is_open(turn: Turn) -> bool:
            codes = given.get(turn.id, _UNCODED)
            return _differ(codes) and ADJUDICATED not in codes and (viewer in codes or not codes_too)

        return [Disagreement(view, _nameless(given[view.turn_id], view.turn_id)) for view in queries.where(is_open)]

    def settle(self, who: str, turn_id: str, labels: Sequence[str], reason: str) -> None:
        """Record the adjudicated coding of a query, why, and in the audit log by whom.

        Raises:
            NotAllowed: no reason, a label that is not of the code book, or nothing to settle (any more).
        """
        check_coder(who, "person")
        value, reason = _rating_of_labels(labels), reason.strip()
        if not reason:
            raise NotAllowed("give a reason")
        with self.context.registry.begin() as unit:
            # Two people who settle the same query at the same moment would each find it open.
            unit.lock("judgements")
            codes = _given(unit).get(turn_id, {})
            if not _differ(codes) or ADJUDICATED in codes:
                raise NotAllowed("there is nothing to settle about this query any more")
            now, name = self.context.now(), f"turn:{turn_id}"
            unit.add_rating(Rating(self.context.fresh_id(), name, ADJUDICATED, value, RUBRIC, now))
            why = Rating(self.context.fresh_id(), name, who, reason, REASON_RUBRIC, now)
            unit.add_rating(why)
            # A reason may repeat what was asked: it is erased with the query, and the audit log, which never changes,
            # names its rating.
            detail = {"turn_id": turn_id, "codes": value, "reason": why.rating_id}
            unit.add_audit(AuditEntry(now, who, "adjudicate", "", detail))

    def settled(self, kind: Kind) -> list[Adjudication]:
        """Return what was settled, the newest first."""
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            messages = {turn.id: turn.message for turn in _turns(unit, kind)}
            reasons = [rating for rating in unit.ratings() if rating.rubric == REASON_RUBRIC]
        found = []
        for rating in sorted(reasons, key=lambda rating: rating.rated_at, reverse=True):
            turn = rating.object.removeprefix("turn:")
            if turn in messages:
                codes = given[turn]
                labels = codes.get(ADJUDICATED, ())
                found.append(
                    Adjudication(turn, messages[turn], _nameless(codes, turn), labels, rating.value, rating.rater)
                )  # fmt: skip
        return found

    def agreement(self, kind: Kind) -> tuple[int, int, list[LabelCount]]:
        """Return queries that two people or more coded, how many of them with the same labels, and counts by label.

        Plain counts: kappa and its interval come with the analysis (`study code-queries`, the report).
        """
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            votes = [[codes[who] for who in people(codes)] for t in _turns(unit, kind) if (codes := given.get(t.id))]
        twice = [labels for labels in votes if len(labels) > 1]
        rows = []
        for label in LABELS:
            uses = [sum(label in labels for labels in each) / len(each) for each in twice]
            # Exact comparisons of floats: k of k is 1.0 and 0 of k is 0.0, whatever k is.
            rows.append(LabelCount(label, uses.count(1.0), sum(0 < use < 1 for use in uses), uses.count(0.0)))
        return len(twice), sum(len(set(each)) == 1 for each in twice), rows

    def _queries(self, unit: UnitOfWork, viewer: str, kind: Kind) -> _Queries:
        """Return every query as this person meets it, in their own order of people."""
        alike = all(study.assisted_alike for study in self.context.versions_met(unit))
        turns = _turns(unit, kind)
        # Whole persons are shuffled and not queries: each is read behind what the same person asked before.
        order = {who: shuffled(who, viewer) for who in {turn.participant_id for turn in turns}}
        turns.sort(key=lambda turn: (order[turn.participant_id], turn.asked_at))
        return _Queries(turns, range(len(turns)), _given(unit), alike)


class _Queries(Sequence[QueryForCoding]):
    """Queries of many people, each made as a coder meets it when it is looked at: a board shows one of ten thousands.

    Args:
        turns: everybody's, each person's together and as asked.
        shown: places in `turns`.
        given: codes.
        alike: whether replies may be shown.
    """

    def __init__(self, turns: Sequence[Turn], shown: Sequence[int], given: Mapping[str, Given], alike: bool) -> None:
        self._turns = turns
        self._shown = shown
        self._given = given
        self._alike = alike

    def where(self, wanted: Callable[[Turn], bool]) -> _Queries:
        """Return some of them; each still has behind it everything that the same person asked before."""
        shown = [place for place in self._shown if wanted(self._turns[place])]
        return _Queries(self._turns, shown, self._given, self._alike)

    def __len__(self) -> int:
        return len(self._shown)

    @overload
    def __getitem__(self, index: int) -> QueryForCoding: ...

    @overload
    def __getitem__(self, index: slice) -> list[QueryForCoding]: ...

    def __getitem__(self, index: int | slice) -> QueryForCoding | list[QueryForCoding]:
        if isinstance(index, slice):
            return [self._made(place) for place in self._shown[index]]
        return self._made(self._shown[index])

    def _made(self, place: int) -> QueryForCoding:
        turn, first = self._turns[place], place
        while first and self._turns[first - 1].participant_id == turn.participant_id:
            first -= 1
        # Behind the view: a query is coded by what was there when it was asked, without the reply to it.
        before = tuple((each.message, each.reply if self._alike else "") for each in self._turns[first:place])
        others = len(people(self._given.get(turn.id, _UNCODED)))
        return QueryForCoding(turn.id, turn.task, turn.message, turn.code, before, others)


def _turns(unit: UnitOfWork, *kinds: Kind) -> list[Turn]:
    return [turn for kind in kinds for turn in unit.turns_of(kind)]


def _given(unit: UnitOfWork) -> dict[str, dict[str, tuple[str, ...]]]:
    """Turn -> rater -> labels, each rater's newest."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for rating in sorted(unit.ratings(), key=lambda rating: rating.rated_at):
        if rating.rubric == RUBRIC:
            # In the code book's order and without repetitions, so that codings with the same labels compare equal.
            labels = tuple(label for label in LABELS if label in rating.value.split(";"))
            found.setdefault(rating.object.removeprefix("turn:"), {})[rating.rater] = labels
    return found


def _deciders(unit: UnitOfWork) -> set[str]:
    return {rating.rater for rating in unit.ratings() if rating.rubric == REASON_RUBRIC}


def _differ(codes: Given) -> bool:
    return len({codes[who] for who in people(codes)}) > 1


def _nameless(codes: Given, turn_id: str) -> tuple[tuple[str, ...], ...]:
    return tuple(codes[who] for who in sorted(people(codes), key=lambda who: shuffled(turn_id, who)))


def _rating_of_labels(labels: Sequence[str]) -> str:
    strange = sorted(set(labels) - set(LABELS))
    if strange:
        raise NotAllowed(f"'{strange[0]}' is not a label; use {', '.join(LABELS)}")
    return join(labels)
