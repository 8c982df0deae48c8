"""Looks that were taken, as the database keeps them: what each found is sealed until the trial is unsealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from study_app.domain.records import Kind
from study_app.ports import UnitOfWork
from study_app.services.context import Seal

PUBLIC = ("look", "n", "target", "kind", "information", "at", "study_hash", "decision", "boundary", "digest")
"""What may be known of a look while arms are hidden."""


def kept_looks(unit: UnitOfWork, kind: Kind) -> list[dict[str, Any]]:
    """Return looks that were taken, oldest first, as stored."""
    found: list[dict[str, Any]] = unit.meta_value(_key(kind)) or []
    return found


def keep_looks(unit: UnitOfWork, kind: Kind, looks: Sequence[dict[str, Any]]) -> None:
    """Store them all."""
    unit.set_meta_value(_key(kind), list(looks))


def open_looks(unit: UnitOfWork, seal: Seal) -> None:
    """Store what the looks at real participants found without its seal; part of unsealing a trial.

    Raises:
        SealingKeyMissing: they cannot be opened.
    """
    looks = kept_looks(unit, "real")
    if looks:
        # Every one is opened before any is stored: where the key is missing, unsealing is refused as a whole.
        keep_looks(unit, "real", [_opened(entry, seal) for entry in looks])


def known_looks(
    unit: UnitOfWork, kinds: Sequence[Kind], hidden: bool, seal: Seal | None = None
) -> list[dict[str, Any]]:
    """Return looks for a dataset's manifest: with what they found where arms are shown.

    Args:
        unit: of the database.
        kinds: whose looks.
        hidden: whether arms are.
        seal: opens results that are still sealed, for the next look.

    Raises:
        SealingKeyMissing: they cannot be opened.
    """
    found = []
    for kind in kinds:
        for entry in kept_looks(unit, kind):
            shown = {name: entry[name] for name in PUBLIC if name in entry}
            whole = entry if hidden or seal is None else _opened(entry, seal)
            found.append(shown if hidden or "opened" not in whole else {**shown, "opened": whole["opened"]})
    return found


def _opened(entry: dict[str, Any], seal: Seal) -> dict[str, Any]:
    if "opened" in entry:
        return entry
    rest = {name: value for name, value in entry.items() if name != "sealed"}
    return {**rest, "opened": json.loads(seal.open(entry["sealed"]))}


def _key(kind: Kind) -> str:
    return f"interim_looks:{kind}"
