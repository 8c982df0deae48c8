"""The places of a study: reserved at consent, freed on leaving or expiry, used at allocation.

Only real participants need one. Whether one is free is decided under the lock of the real ledger, which the caller
holds, so that no more people are allocated than the study has places. Nothing here writes another participant's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from study_app.domain.records import Kind, Participant
from study_app.domain.study.sections import Quota
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant_status import OUTCOME_STATUSES, current_status

LOCK_ALLOCATION = "allocation"
"""Prefix of the locks of the ledgers; the ledger's name follows a colon."""

RESUMED_RECRUITMENT = "resume recruitment"
"""The act of letting newcomers in again, as the audit log names it."""
RECRUITMENT_PAUSED = "recruitment_paused"
"""Where the database keeps since when no newcomers are let in; empty once they are again."""


def recruitment_paused(unit: UnitOfWork) -> datetime | None:
    """Since when researchers let no newcomers in for now; None while they do."""
    kept = unit.meta(RECRUITMENT_PAUSED)
    return datetime.fromisoformat(kept) if kept else None


def lock_ledger(unit: UnitOfWork, participant: Participant) -> None:
    """Wait for the lock of the participant's ledger; held to the end of the transaction."""
    unit.lock(f"{LOCK_ALLOCATION}:{participant.kind}")


def holds(participant: Participant, now: datetime) -> bool:
    """Whether a place is reserved for the participant now; while researchers have paused them its time stands still."""
    until = participant.place_until
    return participant.place == "held" and until is not None and (participant.paused_at or now) < until


def gave_up_place(context: StudyContext, participant: Participant) -> bool:
    """Return whether a person on their way was silent so long that their place is free for others."""
    if participant.kind != "real" or participant.over or _takes(context, participant, context.now()):
        return False
    # Who has not consented yet has none to give up; who is at work on a long stage, or may still begin a session, was
    # not silent, and is asked at the allocation.
    had_one = participant.place == "held" and current_status(context, participant) == "abandoned"
    return participant.arm is not None or had_one


def place_for(context: StudyContext, unit: UnitOfWork, participant: Participant) -> bool:
    """Whether there is a place for the participant: their own, or a free one of the study and of each quota they meet.

    The caller holds the lock of the participant's ledger.
    """
    if participant.kind != "real" or holds(participant, context.now()):
        return True
    if places_taken(context, unit, besides=participant.id) >= context.study.recruitment.target_n:
        return False
    return quota_filled_since(context, unit, participant) is None


def places_taken(
    context: StudyContext, unit: UnitOfWork, besides: str = "", people: Sequence[Participant] | None = None
) -> int:
    """How many places are used or held by real participants other than `besides`; `people` where they are read."""
    now = context.now()
    everybody = unit.participants_of("real") if people is None else people
    return sum(_takes(context, person, now) for person in everybody if person.id != besides)


def full_quota(
    context: StudyContext, unit: UnitOfWork, participant: Participant, answers: Mapping[str, Any]
) -> Quota | None:
    """Return the quota that others have filled and these answers meet, or None; previews meet none.

    The caller holds the lock of the participant's ledger, so that no more people are let in than a quota has room for.
    """
    if participant.kind == "preview":
        return None
    recruitment = context.study.recruitment
    met = [quota for quota in recruitment.quotas if quota.meets(answers.get(quota.question))]
    return next(
        (each for each in met if quota_taken(context, unit, each, participant) >= each.limit(recruitment.target_n)),
        None,
    )


def quota_filled_since(context: StudyContext, unit: UnitOfWork, participant: Participant) -> Quota | None:
    """Return the quota that a participant without a place meets by earlier answers, and that others have filled."""
    asked = {quota.question for quota in context.study.recruitment.quotas}
    answers = {
        question: response
        for question in asked
        for person, response in unit.answers_to(question, participant.kind)
        if person.id == participant.id
    }
    return full_quota(context, unit, participant, answers)


def quota_taken(
    context: StudyContext, unit: UnitOfWork, quota: Quota, besides: Participant | None = None, kind: Kind = "real"
) -> int:
    """How many with the quota's answer use or hold a place, other than `besides`; of the kind of that participant."""
    given = unit.answers_to(quota.question, kind if besides is None else besides.kind)
    others = [person for person, response in given if besides is None or person.id != besides.id
              if quota.meets(response)]  # fmt: skip
    now = context.now()
    return sum(_takes(context, person, now) for person in others)


def held_from(context: StudyContext, start: datetime) -> dict[str, Any]:
    """Return the columns of a participant whose place is reserved, counted from that moment."""
    hours = context.study.recruitment.abandoned_after_hours
    return {"place": "held", "place_until": start + timedelta(hours=hours)}


def _takes(context: StudyContext, person: Participant, now: datetime) -> bool:
    if person.arm is None:
        # In a study without allocation, a participant who has finished keeps the place.
        return (person.place == "held" and person.status == "completed") if person.over else holds(person, now)
    status = current_status(context, person, now)
    if context.study.recruitment.target_counts == "completed":
        return status in ("in_progress", "completed")
    returns = context.study.allocation.replacement == "return_slot"
    return not (returns and status in OUTCOME_STATUSES)
