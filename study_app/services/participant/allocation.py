"""One allocation: the ledger so far, the seed, the newcomer's baseline, one more row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from study_app.domain.allocation import decision_seed, derived_salt
from study_app.domain.errors import NotAllowed
from study_app.domain.ledger import LedgerRow, ReplayCache, append, genesis
from study_app.domain.records import Kind, Participant
from study_app.domain.sentences import REFUSALS
from study_app.domain.study.sequential.sections import FIRST
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.clusters import disguised
from study_app.services.context import StudyContext
from study_app.services.ledgers import ledger_gaps, ledger_seed, versions
from study_app.services.participant.baseline import baseline
from study_app.services.participant_status import OUTCOME_STATUSES, current_status


def allocate(
    context: StudyContext, unit: UnitOfWork, study: Study, participant: Participant, cache: ReplayCache
) -> LedgerRow:
    """Append the participant's row to their ledger and return it; the caller holds the ledger's lock.

    Args:
        context: the study.
        unit: the transaction.
        study: the version that the participant keeps.
        participant: the newcomer.
        cache: keeps the replay of the ledger from one allocation of this process to the next.

    Raises:
        SealingKeyMissing: the real seed cannot be opened.
        LedgerBroken: the stored ledger is not what the algorithm made.
        NotAllowed: the real seed is published.
    """
    kind = participant.kind
    stored = unit.allocations(kind)
    # Read inside the transaction that holds the lock: a baseline that changed in between would belong to no row.
    raw = _profile(study, baseline(unit, context.content_of(participant), study, participant))
    profile = disguised(unit, study, kind, raw, LedgerRow.parse(stored[0]).levels if stored else {})
    return _append(context, unit, study, participant, cache, profile, stored)


def allocate_again(
    context: StudyContext, unit: UnitOfWork, study: Study, participant: Participant, cache: ReplayCache
) -> LedgerRow:
    """Append the row of a participant who did not respond to the ledger of the second decision, and return it.

    Takes and raises what `allocate` does.
    """
    stored = unit.allocations(participant.kind, 2)
    return _append(context, unit, study, participant, cache, {FIRST: participant.arm}, stored, 2)


def _append(
    context: StudyContext,
    unit: UnitOfWork,
    study: Study,
    participant: Participant,
    cache: ReplayCache,
    profile: Mapping[str, Any],
    stored: Sequence[Mapping[str, Any]],
    number: int = 1,
) -> LedgerRow:
    """Decide and append, under one of the decisions' schemes."""
    kind = participant.kind
    if kind == "real" and context.state(unit) == "unsealed":
        # Of a published seed every place to come is known.
        raise NotAllowed(REFUSALS("closed"))
    seed = ledger_seed(context, unit, kind, participant.study_hash)
    named = [*(str(row["study_hash"]) for row in stored), participant.study_hash]
    name = kind if number == 1 else f"{kind}:{number}"
    # Only rows that the kept replay has not seen are read in full and recomputed.
    replay, end = cache.take(
        name,
        versions(context, unit, kind, named, seed, number),
        lambda index: [LedgerRow.parse(row) for row in stored if int(row["allocation_index"]) >= index],
        ledger_gaps(unit, kind, number),
    )
    scheme = study.allocation if number == 1 else study.second_scheme
    back = [] if scheme.replacement == "none" else _returned(context, unit, kind, stored, number)
    decision = replay.decide(participant.study_hash, profile, back)
    commitment = unit.meta("commitment") or "" if kind == "real" else ""
    salt = context.seal.new_salt() if kind == "real" else derived_salt(decision_seed(seed, number), decision.index)
    row = append(
        end.row_hash if end else genesis(kind, commitment, number),
        decision,
        participant_id=participant.id,
        profile=profile,
        ledger=kind,
        method=scheme.method,
        study_hash=participant.study_hash,
        allocated_at=_moment(context, participant, stored),
        salt=salt,
        number=number,
    )
    unit.append_allocation(row.record())
    if kind == "real":
        # An anchor is published for ever, so it must not name a row that is rolled back.
        unit.after_commit(lambda: context.anchor(row))
    # Before the commit: should that fail, the cache finds no such row in the store next time and drops the replay.
    cache.put(name, replay, row)
    return row


def _moment(context: StudyContext, participant: Participant, stored: Sequence[Mapping[str, Any]]) -> datetime:
    """Now, taken under the ledger's lock, but no earlier than the row before and what the participant did before.

    The clocks of two servers differ, and one may be set back.
    """
    before = [LedgerRow.parse(stored[-1]).allocated_at] if stored else []
    return max([context.now(), participant.allocated_at or participant.enrolled_at, *before])


def _profile(study: Study, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in study.allocation.variables}


def _returned(
    context: StudyContext, unit: UnitOfWork, kind: Kind, stored: Sequence[Mapping[str, Any]], number: int
) -> list[int]:
    """Allocations whose slot goes back now, by the replacement policy: people who left before the outcome.

    People are named by their allocation index, for the row of who had their data erased does not say any more whose
    it was.
    """
    already = {index for row in stored for index in LedgerRow.parse(row).returned}
    left = {
        person.allocation_index if number == 1 else person.second_index
        for person in unit.participants()
        if person.kind == kind and current_status(context, person) in OUTCOME_STATUSES
    }
    return sorted(index for index in left - already if index is not None)
