"""Who is due for a later session: when it opens and closes for each, and how often they were reminded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from study_app.domain.records import Kind, Participant
from study_app.domain.study.study import StudySession
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.boards import given_back_to
from study_app.services.levelling.times import given_at_end
from study_app.services.participant_status import closes_at_of, current_status

DueState = Literal["waiting", "due", "begun", "missed"]
_REMINDED, _OPTED_OUT = "reminded", "no_reminders"


@dataclass(frozen=True)
class DuePerson:
    """A participant and the later session that is theirs next."""

    participant: Participant
    session: StudySession
    number: int
    opens_at: datetime
    closes_at: datetime | None
    state: DueState
    reminded: int
    """Reminders that went out."""
    opted_out: bool


def due_people(
    context: StudyContext, unit: UnitOfWork, kind: Kind = "real", now: datetime | None = None
) -> list[DuePerson]:
    """Return everybody on their way to a later session or on its first page, by the day it opens for them."""
    now = now or context.now()
    facts = _SessionFacts(unit.metas(f"{_REMINDED}:"), unit.metas(f"{_OPTED_OUT}:"), unit.begun_sessions(kind))
    people = (_due(context, unit, person, facts, now) for person in unit.participants_of(kind))
    return sorted(filter(None, people), key=lambda each: (each.opens_at, each.participant.id))


def levelled_due(
    context: StudyContext, unit: UnitOfWork, kind: Kind, people: Sequence[DuePerson], now: datetime | None = None
) -> list[DuePerson]:
    """Return later sessions as they may be shown: their window is counted from the end of the session before."""
    given, now = given_back_to(unit, kind), now or context.now()
    found = [levelled(context, unit, one, now) if one.participant.id in given else one for one in people]
    return sorted(found, key=lambda each: (each.opens_at, each.participant.id))


def due_as_shown(context: StudyContext, unit: UnitOfWork, kind: Kind, now: datetime) -> list[DuePerson]:
    """Return everybody on their way to a later session, with windows that tell no arm while arms are hidden."""
    people = due_people(context, unit, kind, now)
    return levelled_due(context, unit, kind, people, now) if hides_arms(context.state(unit), kind) else people


def levelled(context: StudyContext, unit: UnitOfWork, one: DuePerson, now: datetime) -> DuePerson:
    """Return a person's later session without the time that outages of the assistant gave back before it."""
    who = one.participant
    # Only some arms are given time back, for an assistant that failed; a window moved by it would show the arm.
    back = given_at_end(unit, context.study_of(unit, who), who.id)
    closes_at = None if one.closes_at is None else one.closes_at - back
    opened = one.state == "waiting" and now >= one.opens_at - back
    return replace(one, opens_at=one.opens_at - back, closes_at=closes_at, state="due" if opened else one.state)


def due_person(context: StudyContext, unit: UnitOfWork, person: Participant, now: datetime) -> DuePerson | None:
    """Return when a participant's later session is due; None where none is theirs next."""
    if person.opens_at is None or person.over:
        return None
    begun = {person.id} if unit.visit(person.id, person.stage) is not None else set()
    session = context.study_of(unit, person).session_of(context.study_of(unit, person).stage(person.stage)).id
    keys = (f"{_REMINDED}:{person.id}:{session}", f"{_OPTED_OUT}:{person.id}")
    known = {key: value for key in keys if (value := unit.meta(key)) is not None}
    return _due(context, unit, person, _SessionFacts(known, known, begun), now)


@dataclass(frozen=True)
class _SessionFacts:
    """What the database says of later sessions, of many people at once."""

    reminded: Mapping[str, str]
    opted_out: Mapping[str, str]
    begun: Collection[str]


def _due(
    context: StudyContext, unit: UnitOfWork, person: Participant, facts: _SessionFacts, now: datetime
) -> DuePerson | None:
    if person.opens_at is None or person.over or person.exclusion_reason is not None:
        return None
    study = context.study_of(unit, person)
    stage = study.stage(person.stage)
    return DuePerson(
        person,
        study.session_of(stage),
        study.wave(stage),
        person.opens_at,
        closes_at_of(study, stage, person),
        _state(context, person, now, begun=person.id in facts.begun),
        int(facts.reminded.get(f"{_REMINDED}:{person.id}:{stage.session}", "0")),
        f"{_OPTED_OUT}:{person.id}" in facts.opted_out,
    )


def _state(context: StudyContext, person: Participant, now: datetime, *, begun: bool) -> DueState:
    if person.opens_at is not None and now < person.opens_at:
        return "waiting"
    # Before the window is looked at: who has begun in time has missed nothing, however long they take.
    if begun:
        return "begun"
    return "due" if current_status(context, person, now) == "in_progress" else "missed"


def passed_reminders(person: DuePerson, now: datetime) -> int:
    """Return how many of the session's reminders are due by now; none for people who are not to be reminded."""
    if person.state != "due" or person.opted_out:
        return 0
    return sum(now >= person.opens_at + timedelta(days=days) for days in person.session.remind_days)


@dataclass(frozen=True)
class Pending:
    """A person who is to be reminded now."""

    person: DuePerson
    """With the window as it may be shown."""
    count: int
    """How many of the session's reminders are used up with this one."""


def pending_reminders(context: StudyContext, unit: UnitOfWork) -> list[Pending]:
    """Return who is to be reminded at this moment; one mail for all days that have passed."""
    now = context.now()
    counted = [Pending(person, passed_reminders(person, now)) for person in due_as_shown(context, unit, "real", now)]
    return [each for each in counted if each.count > each.person.reminded]


def reminders_of(unit: UnitOfWork, participant_id: str, session: str) -> int:
    """Return how many of a session's reminders have been used up for a participant."""
    return int(unit.meta(f"{_REMINDED}:{participant_id}:{session}") or 0)


def use_reminders(unit: UnitOfWork, participant_id: str, session: str, count: int) -> None:
    """Write down that so many of a session's reminders are used up."""
    unit.set_meta(f"{_REMINDED}:{participant_id}:{session}", str(count))


def opt_out(unit: UnitOfWork, participant_id: str, moment: datetime) -> None:
    """Send this participant no reminder any more."""
    unit.set_meta(f"{_OPTED_OUT}:{participant_id}", moment.isoformat(timespec="milliseconds"))
