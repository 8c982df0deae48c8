"""People's codes of interviews: blind to participant, arm and programs, the gold sample first; what settles them.

A coder meets neither what a program nor what others gave, and not whether an interview is of the gold sample: the order
is drawn for each coder within the sample, and within the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import ADJUDICATED, check_coder, people
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.marks import AUDIT, AUDIT_CRITERIA, AUDIT_SCALE, REASON, interview_object
from study_app.domain.themes.transcripts import InterviewText, Passage
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.looks import looked_at, note_look
from study_app.services.researcher.judging.rating import shuffled
from study_app.services.researcher.themes.gold import PEOPLE
from study_app.services.researcher.themes.reading import Coded, Codes, EndedInterview, differ, holding, rating_of


@dataclass(frozen=True)
class ToSettle:
    """An answer that people coded differently."""

    interview_id: str
    topic: str
    passages: tuple[Passage, ...]
    codings: tuple[frozenset[str], ...]
    """Codes of each coder, in an order that reveals no names."""


class InterviewBoard:
    """Hands out interviews to code, takes codes, shows and settles disagreements, takes audits."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def book(self) -> Codebook | None:
        """Return the frozen codebook; None before the freeze."""
        with self.context.registry.begin(write=False) as unit:
            return Coded(self.context, unit, "preview").frozen

    def waiting(self, coder: str, kind: Kind) -> list[InterviewText]:
        """Return the interviews that this person has still to code, those of the gold sample first.

        What two people have coded needs no third. Who has settled any disagreement has seen what others gave, and is
        not handed the interviews that people disagree on.
        """
        with self.context.registry.begin(write=False) as unit:
            coded, seen = Coded(self.context, unit, kind), looked_at(unit, coder)
        if coded.frozen is None:
            return []
        codes, draws = coded.codes(), coded.draws()
        settles = coder in {rater for _, _, rater in coded.newest(REASON)}
        found = [
            each
            for each in coded.to_code()
            if (given := [codes.get(key, {}) for key in each.answered])
            and any(coder not in one for one in given)
            and any(len(people(one)) < PEOPLE for one in given)
            and not (settles and any(map(differ, given)))
            and not any(interview_object(*key) in seen for key in each.answered)
        ]
        drawn = {each for each, draw in draws.items() if draw.drawn}
        found.sort(key=lambda each: (each.id not in drawn, shuffled(each.id, coder)))
        return [each.transcript for each in found]

    def code(self, coder: str, interview_id: str, codes: Mapping[str, Collection[str]]) -> None:
        """Take one person's codes of every topic of an interview.

        Args:
            coder: who codes.
            interview_id: which interview.
            codes: topic -> codes; a topic without any was read and has none.

        Raises:
            NotAllowed: no codebook is frozen, the interview is not for coding, a topic is missing, a code is strange
                or cannot occur there, an answer is settled, the coder has seen what others gave, or the name is one
                that stands for a decision or a program.
        """
        check_coder(coder)
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = holding(self.context, unit, interview_id)
            interview = _known(coded, interview_id)
            if missing := [topic for topic in interview.transcript.topics if topic not in codes]:
                raise NotAllowed(f"the topic '{missing[0]}' has no codes; leave it without any by an empty list")
            check_open(coded, coder, interview_id, looked_at(unit, coder))
            for topic in interview.transcript.topics:
                value = _rating_of_codes(coded.book, topic, codes[topic])
                unit.add_rating(rating_of(self.context, (interview_id, topic), coder, value, coded.book.version))

    def look(self, viewer: str, key: tuple[str, str]) -> None:
        """Record that a person is shown what others gave on an answer; they code its interview no more."""
        note_look(self.context, viewer, interview_object(*key))

    def disagreements(self, viewer: str, kind: Kind) -> list[ToSettle]:
        """Return open disagreements that this person may see: on what they coded; all of them, if they code none."""
        with self.context.registry.begin(write=False) as unit:
            coded = Coded(self.context, unit, kind)
        if coded.frozen is None:
            return []
        codes = coded.codes()
        codes_too = any(viewer in given for given in codes.values())
        return [
            ToSettle(*key, coded.by_id[key[0]].transcript.on(key[1]), _nameless(given, key))
            for key, given in sorted(codes.items())
            if differ(given) and ADJUDICATED not in given and (viewer in given or not codes_too)
        ]

    def settle(self, who: str, key: tuple[str, str], codes: Collection[str], reason: str) -> None:
        """Record the adjudicated codes of an answer and why, and in the audit log by whom.

        Raises:
            NotAllowed: no reason, a strange code, or nothing to settle (any more).
        """
        check_coder(who, "person")
        reason = reason.strip()
        if not reason:
            raise NotAllowed("give a reason")
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = holding(self.context, unit, key[0])
            # Read under the lock: two who settle at once would each find the answer open.
            given = coded.codes().get(key, {})
            if not differ(given) or ADJUDICATED in given:
                raise NotAllowed("there is nothing to settle about this answer any more")
            value = _rating_of_codes(coded.book, key[1], codes)
            unit.add_rating(rating_of(self.context, key, ADJUDICATED, value, coded.book.version))
            why = rating_of(self.context, key, who, reason, REASON)
            unit.add_rating(why)
            # A reason may repeat what was said: it is erased with the interview, and the audit log, which never
            # changes, names its rating.
            detail = {"interview_id": key[0], "topic": key[1], "codes": value, "reason": why.rating_id}
            unit.add_audit(AuditEntry(self.context.now(), who, "adjudicate", "", detail))

    def to_audit(self, auditor: str, kind: Kind) -> list[InterviewText]:
        """Return the interviews of the gold sample whose holding this person has not judged."""
        with self.context.registry.begin(write=False) as unit:
            coded = Coded(self.context, unit, kind)
        judged = {interview for criterion in AUDIT_CRITERIA for interview, _, who in coded.newest(AUDIT + criterion)
                  if who == auditor}  # fmt: skip
        drawn = [each for each, draw in coded.draws().items() if draw.drawn and each in coded.by_id]
        open_ones = [each for each in drawn if each not in judged]
        return [coded.by_id[each].transcript for each in sorted(open_ones, key=lambda each: shuffled(each, auditor))]

    def audit(self, auditor: str, interview_id: str, judged: Mapping[str, int]) -> None:
        """Take a person's judgement of how an interview was held.

        Raises:
            NotAllowed: a criterion is missing or not judged on the scale, or there is no such interview.
        """
        check_coder(auditor, "auditor")
        if set(judged) != set(AUDIT_CRITERIA) or any(value not in AUDIT_SCALE for value in judged.values()):
            raise NotAllowed(f"judge each criterion from {AUDIT_SCALE[0]} to {AUDIT_SCALE[-1]}")
        with self.context.registry.begin() as unit:
            # With it an erasure either comes first, and the interview is not found, or takes this judgement along.
            unit.lock("themes")
            holding(self.context, unit, interview_id)
            for criterion, value in judged.items():
                rubric = AUDIT + criterion
                unit.add_rating(rating_of(self.context, (interview_id, ""), auditor, str(value), rubric))


def check_open(coded: Coded, coder: str, interview_id: str, seen: Collection[str]) -> None:
    """Check that an interview waits for this coder's own codes still.

    Raises:
        NotAllowed: an answer of it is settled, or they have seen what others gave.
    """
    for key, given in coded.codes().items():
        if key[0] == interview_id and ADJUDICATED in given:
            raise NotAllowed(f"the codes of the topic '{key[1]}' of interview '{interview_id}' are settled")
        if key[0] == interview_id and interview_object(*key) in seen:
            raise NotAllowed(f"'{coder}' has seen what others gave on interview '{interview_id}'; settle it instead")


def _known(coded: Coded, interview_id: str) -> EndedInterview:
    found = next((each for each in coded.to_code() if each.id == interview_id), None)
    if found is None:
        raise NotAllowed("this interview is not for coding: it is gone, or the codebook was drawn from it")
    return found


def _rating_of_codes(book: Codebook, topic: str, codes: Collection[str]) -> str:
    try:
        value = book.join(codes)
    except ValueError as error:
        raise NotAllowed(str(error)) from None
    if strange := [code for code in codes if not book.applies(code, topic)]:
        raise NotAllowed(f"'{strange[0]}' is not a code of the topic '{topic}'")
    return value


def _nameless(codes: Codes, key: tuple[str, str]) -> tuple[frozenset[str], ...]:
    return tuple(codes[who] for who in sorted(people(codes), key=lambda who: shuffled("#".join(key), who)))
