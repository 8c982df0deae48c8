"""Seeds, versions and gaps of the ledgers in the database."""

from __future__ import annotations

from collections.abc import Iterable

from study_app.domain.allocation import preview_seed, simulated_seed
from study_app.domain.errors import InfrastructureError
from study_app.domain.ledger import Version, version_of
from study_app.domain.records import Kind
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext

GAPS = "ledger_gaps"
"""Places of the real ledger that were lost with a part of the database, as a list of [from, to]."""


def gaps_key(decision: int = 1) -> str:
    """Return where the database keeps the lost places of one decision's ledger."""
    return GAPS if decision == 1 else f"{GAPS}_{decision}"


def ledger_gaps(unit: UnitOfWork, kind: Kind = "real", decision: int = 1) -> tuple[tuple[int, int], ...]:
    """Places of a ledger that are never given again: only the real one is anchored."""
    kept = unit.meta_value(gaps_key(decision)) if kind == "real" else ()
    return tuple((low, high) for low, high in kept or ())


def ledger_seed(context: StudyContext, unit: UnitOfWork, kind: Kind, study_hash: str) -> bytes:
    """Return the seed of a ledger: sealed for real participants, public for the others."""
    if kind == "preview":
        return preview_seed(study_hash)
    if kind == "simulated":
        return simulated_seed(study_hash)
    sealed = unit.meta("sealed_seed")
    if sealed is None:
        raise InfrastructureError("the study is not launched: there is no sealed seed; run study launch")
    return context.seal.open(sealed)


def versions(
    context: StudyContext,
    unit: UnitOfWork,
    kind: Kind,
    study_hashes: Iterable[str],
    seed: bytes | None,
    decision: int = 1,
) -> list[Version]:
    """Return the versions of those hashes, each with the seed that rows of this ledger were drawn from."""
    found: list[Version | None] = []
    for study_hash in dict.fromkeys(study_hashes):
        study = context.version(unit, study_hash)
        if study is not None:
            # Public seeds derive from the hash of the version, so each version has its own.
            own = seed if kind == "real" else ledger_seed(context, unit, kind, study_hash)
            found.append(version_of(study_hash, study, own, decision))
    return [version for version in found if version is not None]
