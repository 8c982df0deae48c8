"""Ledgers made by the real algorithm, for the tests to look at and to tamper with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.ledger import LedgerReplay, LedgerRow, Version, append, genesis
from study_app.domain.ledger.commitment import commitment

ARMS = (Arm(id="ai"), Arm(id="no_ai"))
SEED = bytes(range(32))
BLOCKS = Scheme(method="stratified_blocks", strata=["experience"])
MINIMISED = Scheme(method="minimisation", factors=["experience", {"variable": "warmup_minutes", "cuts": (5, 8)}])
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def version(scheme=BLOCKS, seed=SEED, study_hash="v1", arms=ARMS):
    return Version(study_hash, scheme, arms, seed)


def origin(of):
    return genesis("real", commitment(of.seed or SEED, of.scheme, of.arms))


def make(number=40, of=None, returns=None) -> list[LedgerRow]:
    """A real ledger of so many participants."""
    of = of or version()
    replay, rows, previous = LedgerReplay([of]), [], origin(of)
    for place in range(1, number + 1):
        profile = newcomer(of.scheme, place)
        decision = replay.decide(of.study_hash, profile, (returns or {}).get(place, ()))
        rows.append(
            append(
                previous,
                decision,
                participant_id=f"p{place:03d}",
                profile=profile,
                ledger="real",
                method=of.scheme.method,
                study_hash=of.study_hash,
                allocated_at=START + timedelta(minutes=place),
                salt=f"{place * 7919:032x}",
            )
        )
        previous = rows[-1].row_hash
    return rows


def newcomer(scheme, place):
    values = {"experience": ("1-3", "4-6", "7+")[place % 3], "warmup_minutes": 3 + place % 7, "label": f"c{place % 5}"}
    return {name: values[name] for name in scheme.variables}
