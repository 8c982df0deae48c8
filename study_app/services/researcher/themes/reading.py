"""What is stored of interviews and their codes, as the services on themes read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from study_app.dataset.measures.interviews.history import KINDS, Held, interviews_of
from study_app.dataset.measures.interviews.themes import codebook_in_force
from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import people
from study_app.domain.records import Answer, Kind, Rating
from study_app.domain.study.interviewing.placement import SHARED
from study_app.domain.study.study import Study
from study_app.domain.themes.codebook import Codebook, split
from study_app.domain.themes.marks import (
    GOLD,
    HALF,
    INDUCE,
    GoldDraw,
    gold_draw,
    interview_object,
    interview_of,
)
from study_app.domain.themes.transcripts import InterviewText, Passage
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.late_changes import cut_off_lately

Codes = dict[str, frozenset[str]]
"""Coder -> codes, each coder's newest."""
MISSING = "no codebook is frozen yet; run: study code interviews freeze FILE"


@dataclass(frozen=True)
class EndedInterview:
    """One interview that has ended, with an answer."""

    participant_id: str
    transcript: InterviewText
    shared: bool
    """Whether the participant lets their words leave."""

    @property
    def id(self) -> str:
        """Return its id."""
        return self.transcript.interview_id

    @property
    def answered(self) -> list[tuple[str, str]]:
        """Return (interview, topic) of each answered topic."""
        return [(self.id, topic) for topic in self.transcript.topics]


KINDS_OF_PEOPLE: tuple[Kind, ...] = get_args(Kind)


class Coded:
    """A moment of the database: interviews of one kind of participant, and the ratings about them."""

    def __init__(self, context: StudyContext, unit: UnitOfWork, kind: Kind) -> None:
        # In order of time: the last of each rater is the one that holds, and of codebooks the last one frozen.
        self.ratings = sorted(unit.ratings(), key=lambda rating: rating.rated_at)
        self.all = list(_interviews(context, unit, kind))
        self.by_id = {each.id: each for each in self.all}
        self.frozen = codebook_in_force(self.ratings)

    @property
    def book(self) -> Codebook:
        """Return the frozen codebook.

        Raises:
            NotAllowed: none is frozen.
        """
        if self.frozen is None:
            raise NotAllowed(MISSING)
        return self.frozen

    def halves(self) -> dict[str, str]:
        """Return interview -> `induce` or `code`, of those that were divided."""
        return self._values(HALF)

    def draws(self) -> dict[str, GoldDraw]:
        """Return interview -> its draw, of those that were drawn from."""
        return {each: draw for each, value in self._values(GOLD).items() if (draw := gold_draw(value)) is not None}

    def to_code(self) -> list[EndedInterview]:
        """Return the interviews that the codebook is applied to: of an induced one, those it was not drawn from."""
        if not self.book.induced:
            return self.all
        halves = self.halves()
        return [each for each in self.all if halves.get(each.id) != INDUCE]

    def codes(self) -> dict[tuple[str, str], Codes]:
        """Return (interview, topic) -> coder -> codes by the frozen codebook."""
        found: dict[tuple[str, str], Codes] = {}
        for rating in self.ratings:
            key = interview_of(rating.object)
            if rating.rubric == self.book.version and key is not None and key[0] in self.by_id:
                found.setdefault(key, {})[rating.rater] = split(rating.value)
        return found

    def newest(self, rubric: str) -> dict[tuple[str, str, str], str]:
        """Return (interview, topic, rater) -> the newest value by a rubric."""
        return {
            (*key, rating.rater): rating.value
            for rating in self.ratings
            if rating.rubric == rubric and (key := interview_of(rating.object)) is not None and key[0] in self.by_id
        }

    def last(self, rubric: str) -> dict[tuple[str, str], str]:
        """Return (interview, topic) -> the newest value by a rubric, of any rater."""
        found = {}
        for rating in self.ratings:
            key = interview_of(rating.object)
            if rating.rubric == rubric and key is not None and key[0] in self.by_id:
                found[key] = rating.value
        return found

    def _values(self, rubric: str) -> dict[str, str]:
        return {interview: value for (interview, _, _), value in self.newest(rubric).items()}


def holding(context: StudyContext, unit: UnitOfWork, interview_id: str) -> Coded:
    """Return the interviews among which one is, whatever kind of participant it is of.

    Raises:
        NotAllowed: there is none of that id (any more).
    """
    for kind in KINDS_OF_PEOPLE:
        coded = Coded(context, unit, kind)
        if interview_id in coded.by_id:
            return coded
    raise NotAllowed("there is no such interview any more; reload the page")


def _interviews(context: StudyContext, unit: UnitOfWork, kind: Kind) -> list[EndedInterview]:
    found, cut_off = [], cut_off_lately(context, unit)
    for person in unit.participants():
        # Their interviews are gone from the log, too; this spares the search for what is not there.
        if person.kind != kind or person.data_withdrawn:
            continue
        study = context.study_of(unit, person)
        for held in interviews_of(unit.events_of(person.id, KINDS)):
            # Left by a deadline or a withdrawal, it is over without a word of that in the log.
            over = held.closed is not None or person.stage != held.stage
            # What arrives late may still change its last answer, and a code is of what was read.
            over = over and (person.id, held.stage) not in cut_off
            if over and any(question.answer.strip() for question in held.questions):
                shared = _shares(study, held.stage, unit.answers(person.id))
                found.append(EndedInterview(person.id, transcript_of(held), shared))
    return found


def _shares(study: Study, stage: str, answers: list[Answer]) -> bool:
    asked = next((each.sharing for each in study.stages if each.id == stage), "")
    return bool(asked) and any(not each.bank and each.item == asked and each.response == SHARED for each in answers)


def transcript_of(held: Held) -> InterviewText:
    """Return an interview as coders read it."""
    passages = (Passage(each.asked.topic, each.asked.question, each.answer) for each in held.questions)
    return InterviewText(held.id, held.first.language, tuple(passages))


def differ(codes: Mapping[str, frozenset[str]]) -> bool:
    """Return whether people coded an answer differently."""
    return len({codes[who] for who in people(codes)}) > 1


def rating_of(context: StudyContext, key: tuple[str, str], rater: str, value: str, rubric: str) -> Rating:
    """Return a rating of an interview or one of its topics, made now."""
    return Rating(context.fresh_id(), interview_object(*key), rater, value, rubric, context.now())
