"""Erasure: what a participant wrote goes for good, and of who they were only that they cannot come a second time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from study_app.dataset.measures.interviews.history import KINDS, interviews_of
from study_app.domain.errors import Conflict, SealingKeyMissing
from study_app.domain.events.server import DataWithdrawn
from study_app.domain.ledger import DECISIONS, LedgerRow
from study_app.domain.quiz.answer_ratings import AnswerName
from study_app.domain.records import NO_PLACE, Participant
from study_app.domain.tasks.hacks.coding import OBJECT as HACK_OBJECT
from study_app.domain.themes.marks import interview_object
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.identity import panel_session_key
from study_app.services.messages import set_message
from study_app.services.reasons import ERASED_REASON, erase_reasons

if TYPE_CHECKING:
    from study_app.services.participant.enrolment import EntryRequest

IDENTITY_KEY = "sealed_identity_key"
"""Where the database keeps the key of erased ids, encrypted under the sealing key, which is never in the database."""
ERASED = "erased:"
"""How what stands for an erased id begins."""
_FIELDS = ("prolific_pid", "prolific_session", "label")


def erase(context: StudyContext, unit: UnitOfWork, participant: Participant, who: str) -> None:
    """Erase everything a participant wrote and who they were; a second call does nothing.

    Raises:
        Conflict: they have not left, so that more could come, which no later erasure would find.
    """
    # First of all: what is being stored of them is erased as well, and what comes later finds their data deleted.
    participant = unit.hold(participant)
    if participant.data_withdrawn:
        return
    if not participant.over:
        raise Conflict("the participant is still on their way, so nothing was erased; end it first, or try again")
    # A judgement that is being made has found its object still there: without these locks it would be stored after the
    # erasure, and its reason could repeat what was erased. Always in this order, so that two erasures cannot block each
    # other.
    for name in ("judgements", "themes", "tones"):
        unit.lock(name)
    # First, for it is the log that names the interviews.
    talks = interviews_of(unit.events_of(participant.id, KINDS))
    unit.erase_ratings([interview_object(held.id) for held in talks])
    unit.erase_ratings(list(_judged(unit, participant.id)))
    erase_reasons(unit, participant.id)
    unit.erase_payloads(participant.id)
    ledgers = [unit.allocations(participant.kind, number) for number in DECISIONS]
    for row in map(LedgerRow.parse, chain.from_iterable(ledgers)):
        if row.participant_id == participant.id:
            unit.erase_allocation(row.allocation_index, participant.kind, row.erase().record())
    unit.forget_label_of_link(participant.id)
    _forget_returns(context, unit, participant)
    set_message(unit, participant.id, "")
    if participant.exclusion_reason not in (None, NO_PLACE):
        unit.touch(participant.id, exclusion_reason=ERASED_REASON)
    unit.touch(participant.id, data_withdrawn=True, prolific_study=None, **_forgotten_ids(context, unit, participant))
    unit.record(participant.id, participant.stage, context.now(), DataWithdrawn(who=who))


def _judged(unit: UnitOfWork, participant_id: str) -> Iterator[str]:
    """Yield what of a participant people and programs may have judged, in ratings whose reasons may repeat it."""
    yield f"participant:{participant_id}"
    yield from (f"turn:{turn.id}" for turn in unit.turns(participant_id))
    yield from (HACK_OBJECT + run.id for run in unit.runs(participant_id))
    yield from (str(AnswerName(each.participant_id, each.stage, each.item)) for each in unit.answers(participant_id))


def as_kept(context: StudyContext, unit: UnitOfWork, entry: EntryRequest) -> EntryRequest:
    """Return an entry with the ids of a person who was erased in the form in which they are kept.

    So who was erased is recognised, is shown the end again in the same session, and is refused in another.
    """
    sealed = unit.meta(IDENTITY_KEY)
    if sealed is None:
        return entry
    found: dict[str, str] = {}
    for name in _fields(context):
        value = getattr(entry, name)
        if value and unit.find(**{name: (kept := _forgotten(context.seal.open(sealed), name, value))}):
            found[name] = kept
    return replace(entry, **found) if found else entry


def _forgotten_ids(context: StudyContext, unit: UnitOfWork, participant: Participant) -> dict[str, str | None]:
    """Return what stands for a participant's ids from now on: a keyed hash, which nothing but an entry can repeat."""
    given = {name: value for name in _fields(context) if (value := getattr(participant, name))}
    if not given:
        return {}
    try:
        key = _key(context, unit)
    except SealingKeyMissing:
        # Without the key no person is let in, and what was promised to be erased is not kept until it is back.
        key = secrets.token_bytes(32)
    return {name: _forgotten(key, name, value) for name, value in given.items()}


def _forget_returns(context: StudyContext, unit: UnitOfWork, participant: Participant) -> None:
    """Forget the panel's ids of later sessions: the panel's list would show whose their plain hashes are."""
    versions = (context.study_of(unit, participant), context.study)
    for key in {panel_session_key(participant.id, each.id) for study in versions for each in study.sessions}:
        if unit.meta(key):
            unit.set_meta(key, "")


def _fields(context: StudyContext) -> tuple[str, ...]:
    """Return the ids that name one person: a label that names a group is none of them."""
    return tuple(name for name in _FIELDS if name != "label" or not context.study.label_names_group)


def _key(context: StudyContext, unit: UnitOfWork) -> bytes:
    sealed = unit.meta(IDENTITY_KEY)
    if sealed is None:
        if (seed := unit.meta("sealed_seed")) is not None:
            # A launched study has its sealing key already: where that is missing, `seal` would put another in its
            # place, and the study would look as if it had one.
            context.seal.open(seed)
        sealed = context.seal.seal(context.seal.new_seed())
        unit.set_meta(IDENTITY_KEY, sealed)
    return context.seal.open(sealed)


def _forgotten(key: bytes, name: str, value: str) -> str:
    # A keyed hash: panel ids can be enumerated, and a plain one could be reversed by trying them all.
    return ERASED + hmac.new(key, f"{name}:{value}".encode(), hashlib.sha256).hexdigest()
