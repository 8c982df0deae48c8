"""One allocation: the ledger so far, the seed, the newcomer's baseline, one more row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from study_app.domain.allocation import derived_salt, preview_seed, simulated_seed
from study_app.domain.errors import InfrastructureError
from study_app.domain.ledger import LedgerRow, Replay, Version, append, genesis
from study_app.domain.participant import Kind, Participant
from study_app.domain.protocol import Study
from study_app.ports import Unit
from study_app.services.baseline import baseline
from study_app.services.world import World

OUTCOME_STATUSES = ("withdrawn", "abandoned", "excluded")


def allocate(world: World, unit: Unit, study: Study, participant: Participant) -> LedgerRow:
    """Append the participant's row to their ledger and return it; the caller holds the ledger's lock.

    Raises:
        SealingKeyMissing: the real seed cannot be opened.
        LedgerBroken: the stored ledger is not what the algorithm made.
    """
    kind = participant.kind
    rows = [LedgerRow.parse(row) for row in unit.allocations(kind)]
    seed = ledger_seed(world, unit, kind, participant.study_hash)
    named = [*(row.study_hash for row in rows), participant.study_hash]
    replay = Replay(versions(world, unit, kind, named, seed)).feed(rows)
    profile = _profile(study, baseline(unit, study, participant))
    decision = replay.decide(participant.study_hash, profile, _returned(unit, study, rows))
    previous = rows[-1].row_hash if rows else genesis(kind, unit.meta("commitment") or "" if kind == "real" else "")
    salt = world.seal.new_salt() if kind == "real" else derived_salt(seed, decision.index)
    row = append(
        previous,
        decision,
        participant_id=participant.id,
        profile=profile,
        ledger=kind,
        method=study.allocation.method,
        study_hash=participant.study_hash,
        allocated_at=world.now(),
        salt=salt,
    )
    unit.append_allocation(row.record())
    return row


def ledger_seed(world: World, unit: Unit, kind: Kind, study_hash: str) -> bytes:
    """The seed of a ledger: sealed for real participants, public for the others."""
    if kind == "preview":
        return preview_seed(study_hash)
    if kind == "simulated":
        return simulated_seed(study_hash)
    sealed = unit.meta("sealed_seed")
    if sealed is None:
        raise InfrastructureError("the study is not launched: there is no sealed seed; run study launch")
    return world.seal.open(sealed)


def versions(world: World, unit: Unit, kind: Kind, study_hashes: Iterable[str], seed: bytes | None) -> list[Version]:
    """The versions of those hashes, each with the seed that rows of this ledger were drawn from."""
    found = []
    for study_hash in dict.fromkeys(study_hashes):
        study = world.version(unit, study_hash)
        if study is not None:
            # Public seeds derive from the hash of the version, so each version has its own.
            own = seed if kind == "real" else ledger_seed(world, unit, kind, study_hash)
            found.append(Version(study_hash, study.allocation, study.arms, own))
    return found


def _profile(study: Study, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in study.allocation.variables}


def _returned(unit: Unit, study: Study, rows: list[LedgerRow]) -> list[int]:
    """Allocations whose slot goes back now, by the replacement policy: people who left before the outcome."""
    if study.allocation.replacement == "none":
        return []
    already = {index for row in rows for index in row.returned}
    left = {person.id for person in unit.participants() if person.status in OUTCOME_STATUSES}
    return [row.allocation_index for row in rows if row.participant_id in left and row.allocation_index not in already]
