"""Who is paid for what: status, code, minutes and bonus of each participant and session, for a panel or by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from study_app.dataset.measures.baseline import all_passed, last_submissions
from study_app.domain.events import Event, saying
from study_app.domain.events.server import SessionCompleted
from study_app.domain.records import Answer, Kind, Participant, RunRecord, Visit
from study_app.domain.shown_times import MOVES, ShownTimes, limits
from study_app.domain.study.sections import BonusRule
from study_app.domain.study.study import Study, StudySession
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.boards import given_back_to
from study_app.services.participant_status import current_status

COLUMNS = (
    "prolific_pid", "session", "status", "code", "minutes", "bonus", "participant_id", "label", "study_id",
    "session_id", "note",
)  # fmt: skip
NOT_SCORED = "not all answers or programs are scored yet, so there is no bonus yet"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Span = tuple[str, str, int, int | None]
"""A visit as the database gives it, who, stage, begun and ended: of a trial's ten thousands no object is made."""


@dataclass(frozen=True)
class Payment:
    """What one participant is paid for one session."""

    prolific_pid: str
    session: str
    status: str
    code: str
    """The completion code of this outcome; empty while it goes on."""
    minutes: float | None
    """From the first page of the session to its last."""
    bonus: float | None
    """By the study's rules; None while something is not scored, 0 for who did not complete the session."""
    participant_id: str
    label: str
    study_id: str
    """The panel's study of the session; empty where unknown, as where one of several leads back into it."""
    session_id: str
    """The panel's; of later sessions only a digest is kept."""
    note: str
    studies: tuple[str, ...] = ()
    """The panel's studies in one of which the session was handed in."""

    def cells(self) -> list[str]:
        """For a table."""
        row: dict[str, Any] = asdict(self)
        row["minutes"] = "" if self.minutes is None else f"{self.minutes:.1f}"
        row["bonus"] = "" if self.bonus is None else f"{self.bonus:.2f}"
        return [str(row[name]) for name in COLUMNS]


def payments(
    context: StudyContext, unit: UnitOfWork, kind: Kind = "real", people: Sequence[Participant] | None = None
) -> list[Payment]:
    """Return the payments of everybody who has come as far as a session, in order of enrolment.

    People whose data were erased are left out: their ids are gone.

    Args:
        context: the study.
        unit: a transaction.
        kind: of participants.
        people: all of that kind, where they are read already.
    """
    everybody, now = unit.participants_of(kind) if people is None else people, context.now()
    visits: dict[str, list[_Span]] = defaultdict(list)
    levelled = hides_arms(context.state(unit), kind)
    # Each by the version that they met: an amendment changes neither their limits nor what they were promised.
    met = {person.study_hash: context.study_of(unit, person) for person in everybody}
    times = _times(unit, kind, everybody, met) if levelled else {}
    for span in unit.spans(kind):
        who, stage, begun, ended = span
        if who in times:
            span = (who, stage, begun, _shown_end(times[who], who, stage, begun, ended))
        visits[who].append(span)
    done: dict[str, set[str]] = defaultdict(set)
    for event, completed in saying(unit.events_of_kind(kind, SessionCompleted.kind), SessionCompleted):
        done[event.participant_id].add(completed.session)
    earned = _Earned.read(met.values(), unit)
    found: list[Payment] = []
    sessions = {name: {stage.id: stage.session for stage in study.stages} for name, study in met.items()}
    for person in everybody:
        if person.data_withdrawn:
            continue
        study = met[person.study_hash]
        session_of = sessions[person.study_hash]
        there: dict[str, list[_Span]] = {}
        for span in visits.get(person.id, ()):
            there.setdefault(session_of[span[1]], []).append(span)
        found += _of_person(study, person, current_status(context, person, now), there, done[person.id], earned)
    return found


def _times(
    unit: UnitOfWork, kind: Kind, people: Sequence[Participant], met: Mapping[str, Study]
) -> dict[str, ShownTimes]:
    """Return what levels the times of those to whom outages of the assistant gave time back."""
    given = given_back_to(unit, kind)
    kinds = MOVES if given else frozenset[str]()
    mine: dict[str, list[Event]] = defaultdict(list)
    for event in sorted((e for each in kinds for e in unit.events_of_kind(kind, each)), key=lambda e: e.event_id or 0):
        mine[event.participant_id].append(event)
    bounds = {name: limits(study) for name, study in met.items()}
    return {one.id: ShownTimes.of(bounds[one.study_hash], mine[one.id]) for one in people if one.id in given}


def _shown_end(times: ShownTimes, who: str, stage: str, begun: int, ended: int | None) -> int | None:
    """Return when a stay ended as it may be shown: without time that only some arms are given back."""
    if ended is None:
        return None
    start = _EPOCH + timedelta(milliseconds=begun)
    shown = times.moment(_EPOCH + timedelta(milliseconds=ended), Visit(who, stage, start))
    return round((shown - _EPOCH) / timedelta(milliseconds=1))


def _of_person(
    study: Study,
    person: Participant,
    status: str,
    visits: Mapping[str, list[_Span]],
    done: set[str],
    earned: _Earned,
) -> Iterator[Payment]:
    """Yield what a person is paid for each session, of which `visits` holds what they visited."""
    for number, session in enumerate(study.sessions):
        here = visits.get(session.id, [])
        finished = session.id in done or (person.status == "completed" and number == len(study.sessions) - 1)
        if not here and not finished and number:
            continue
        outcome = "completed" if finished else status
        bonus = earned.bonus(study, session, person.id) if finished else 0.0
        first = number == 0
        studies = tuple(filter(None, [person.prolific_study])) if first else session.studies
        yield Payment(
            prolific_pid=person.prolific_pid or "",
            session=session.id,
            status=outcome,
            code=_code(study, session, person, outcome),
            minutes=_minutes(here),
            bonus=bonus,
            participant_id=person.id,
            label=person.label or "",
            study_id=studies[0] if len(studies) == 1 else "",
            session_id=(person.prolific_session or "") if first else "",
            note=NOT_SCORED if bonus is None else "",
            studies=studies,
        )


def _code(study: Study, session: StudySession, person: Participant, outcome: str) -> str:
    if outcome == "completed":
        return study.session_code(session)
    codes = study.recruitment.codes
    if person.place == "refused":
        return codes.full
    known = {"declined": codes.declined, "screened_out": codes.screened_out, "withdrawn": codes.withdrawn}
    if person.status == "abandoned":
        # Their last page gives them this one; who is only silent has seen none yet.
        known["abandoned"] = codes.withdrawn
    return known.get(outcome, "")


def _minutes(visits: Iterable[_Span]) -> float | None:
    over = [(begun, ended) for _, _, begun, ended in visits if ended is not None]
    return (max(ended for _, ended in over) - min(begun for begun, _ in over)) / 60_000 if over else None


@dataclass(frozen=True)
class _Earned:
    """What bonuses count, by participant; read only where a rule needs it."""

    answers: Mapping[str, list[Answer]]
    runs: Mapping[str, list[RunRecord]]

    @classmethod
    def read(cls, studies: Iterable[Study], unit: UnitOfWork) -> _Earned:
        """From the database, what the rules of any of these versions count."""
        needs = {rule.per for study in studies for rule in study.recruitment.bonus}
        answers, runs = defaultdict(list), defaultdict(list)
        for answer in unit.answers() if "quiz_points" in needs else ():
            answers[answer.participant_id].append(answer)
        for run in unit.runs() if "tasks_passed" in needs else ():
            runs[run.participant_id].append(run)
        return cls(answers, runs)

    def bonus(self, study: Study, session: StudySession, who: str) -> float | None:
        """Return what a session adds to a participant's bonus; None while something that it counts is not scored."""
        if not study.recruitment.bonus:
            return 0.0
        total = 0.0
        for rule in study.recruitment.bonus:
            # The most that a rule pays holds for the participant, so that of a session depends on those before it.
            before = study.sessions[: study.sessions.index(session)]
            counts = [self._count(study, each, rule, who) for each in (*before, session)]
            if None in counts:
                return None
            known = [count or 0.0 for count in counts]
            total += rule.pays(sum(known)) - rule.pays(sum(known[:-1]))
        return round(total, 2)

    def _count(self, study: Study, session: StudySession, rule: BonusRule, who: str) -> float | None:
        if rule.per == "sessions_completed":
            return 1
        if rule.per == "quiz_points":
            main = next((quiz.stage for quiz in study.quizzes if quiz.role == "main"), None)
            if main is None or main.session != session.id:
                return 0
            given = [answer for answer in self.answers.get(who, []) if answer.bank and answer.stage == main.id]
            points = [answer.points for answer in given]
            return None if None in points else sum(point or 0.0 for point in points)
        stages = {stage.id for stage in study.main_task_stages if stage.session == session.id}
        last = last_submissions(self.runs.get(who, []), stages)
        if any(run.ended_by is None and run.grading is None for run in last):
            return None
        return sum(all_passed(run) for run in last)
