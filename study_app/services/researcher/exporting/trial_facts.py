"""Facts of the trial that an export reads from the database beside the rows."""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterable, Sequence
from typing import Any

from study_app.dataset.redaction import Mask
from study_app.domain.allocation import options
from study_app.domain.ledger import LEDGERS, LedgerRow, genesis, head
from study_app.domain.records import Kind
from study_app.domain.study.study import Study
from study_app.domain.trial_state import State
from study_app.ports import UnitOfWork


def mask_of(unit: UnitOfWork, state: State, studies: Iterable[Study]) -> Mask:
    """Return the mask of an export.

    The names of a closed study's arms follow from the sealed seed as stored, which no export shows: they stay the same
    from export to export, and cannot be computed from what is public.
    """
    key = (unit.meta("sealed_seed") or "").encode()
    arms = {option.id for study in studies for option in options(study.allocation, study.arms)}

    def digest(arm: str) -> bytes:
        return hmac.new(key, f"mask:{arm}".encode(), hashlib.sha256).digest()

    # In the order of the digests: in that of the ids, anyone who knows the study file would know the arms.
    named = {arm: f"arm_{_letters(place)}" for place, arm in enumerate(sorted(arms, key=digest))}
    return Mask(state, named if state == "closed" else {})


def _letters(place: int) -> str:
    letters = string.ascii_lowercase
    return letters[place] if place < len(letters) else _letters(place // len(letters) - 1) + letters[place % 26]


def ledgers(unit: UnitOfWork, kinds: Sequence[Kind], decision: int = 1) -> dict[str, Any]:
    """Genesis, length and head of each ledger of a decision: an anchor against later rewriting."""
    found: dict[str, Any] = {}
    for name in LEDGERS:
        if name in kinds:
            rows = unit.allocations(name, decision)
            last = head(LedgerRow.parse(row) for row in rows)
            found[name] = {
                "genesis": genesis(name, (unit.meta("commitment") or "") if name == "real" else "", decision),
                "rows": len(rows),
                "last": last.index if last else 0,
                "head": last.row_hash if last else None,
            }
    return found


def seal_facts(unit: UnitOfWork, state: State) -> dict[str, Any]:
    """Return commitment, and the seed once it is out."""
    facts: dict[str, Any] = {"commitment": unit.meta("commitment"), "launched_at": unit.meta("launched_at")}
    if state == "unsealed":
        facts["revealed_seed"] = unit.meta("revealed_seed")
    return facts
