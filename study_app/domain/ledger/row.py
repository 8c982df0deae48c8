"""One allocation as the ledger keeps it, and the chain that holds the rows together.

A row has a header, which stays, and a payload (who, with which raw baseline values), which can be erased on request.
The header holds a salted hash of the payload; the row's hash covers header and predecessor. Erasing a payload together
with its salt therefore breaks nothing, and what was erased cannot be guessed from the hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from study_app.domain.allocation import ALGORITHM, Decision
from study_app.domain.study.study import canonical_json

LedgerName = Literal["real", "preview", "simulated"]
LEDGERS: tuple[LedgerName, ...] = get_args(LedgerName)
DECISIONS = (1, 2)
"""Of a participant: to an arm, and of those who did not respond among second treatments."""


@dataclass(frozen=True)
class Anchor:
    """A row's hash written down elsewhere: in the registration, the audit log, a mail to a colleague."""

    index: int
    row_hash: str


@dataclass(frozen=True)
class LedgerRow:
    """One row of `allocations`; the fields are its columns, in order."""

    participant_id: str
    """Payload; empty once erased."""
    allocation_index: int
    """1..n over the ledger."""
    ledger: str
    """real, preview or simulated."""
    method: str
    stratum: str
    arm: str
    """For a crossover the order, such as `ai>no_ai`."""
    probabilities: tuple[float, ...]
    """Of each arm in the order of the study file, at this allocation."""
    draw: float
    """The uniform in [0, 1) that chose among them."""
    study_hash: str
    """The version of the study that the participant started with, and whose scheme allocated."""
    allocated_at: datetime
    """UTC, to the millisecond."""
    previous_hash: str
    """The row hash of the row before; of the first: the genesis hash."""
    row_hash: str
    """SHA-256 of the header."""
    levels: dict[str, str]
    """Categories by variable: all that the rule looked at. They stay after an erasure, tied to no person."""
    imbalance: tuple[float, ...]
    """Minimisation: the score of each arm."""
    returned: tuple[int, ...]
    """Allocations whose slots went back just before this one, by the replacement policy."""
    algorithm: str
    """Version of rules and generator."""
    profile: dict[str, Any] | None
    """Payload: the raw baseline values that the categories come from; None once erased."""
    salt: str
    """Payload: hex; empty once erased."""
    payload_hash: str
    """SHA-256 of salt and payload."""
    decision: int = 1
    """Which randomisation: 1 to an arm, 2 of those who did not respond; each has an index and a chain for itself."""

    @property
    def erased(self) -> bool:
        """Whether the payload was erased on request."""
        return not self.salt

    def erase(self) -> LedgerRow:
        """Return the row without its payload; the chain still holds."""
        return replace(self, participant_id="", profile=None, salt="")

    def computed_hash(self) -> str:
        """Return the hash that the header as it stands must have."""
        content = {name: getattr(self, name) for name in _HEADER} | {"allocated_at": timestamp(self.allocated_at)}
        # Rows of before there were several decisions keep their hashes.
        content |= {"decision": self.decision} if self.decision != 1 else {}
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()

    def computed_payload_hash(self) -> str:
        """Return the hash that the payload as it stands must have."""
        # Without a random salt, a payload that was erased could be found by hashing every plausible one.
        payload = {"participant_id": self.participant_id, "profile": self.profile}
        return hashlib.sha256(f"{self.salt}:{canonical_json(payload)}".encode()).hexdigest()

    def record(self) -> dict[str, str | int | float]:
        """Return the row as cells of a table.

        JSON in cells that hold more than one value, empty for what was erased.
        """
        cells: dict[str, str | int | float] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _JSON_CELLS:
                value = "" if value is None else canonical_json(value)
            cells[field.name] = timestamp(value) if isinstance(value, datetime) else value
        return cells

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> LedgerRow:
        """Read a row back from cells, typed or text.

        Raises:
            ValueError: a cell is missing or cannot be read; the message names it.
        """
        return cls(**{field.name: _cell(field.name, record) for field in fields(cls)})


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(LedgerRow))
_PAYLOAD = ("participant_id", "profile", "salt")
_HEADER = tuple(name for name in COLUMNS if name not in (*_PAYLOAD, "row_hash", "allocated_at", "decision"))
_JSON_CELLS = ("probabilities", "levels", "imbalance", "returned", "profile")
_TUPLES = ("probabilities", "imbalance", "returned")


def timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def genesis(ledger: str, commitment: str = "", decision: int = 1) -> str:
    """Return what the first row is chained to; the real ledger names the seed's commitment, and so its registration."""
    which = f":decision {decision}" if decision != 1 else ""
    return hashlib.sha256(f"study-ledger/1:{ledger}:{commitment}{which}".encode()).hexdigest()


def append(
    previous_hash: str,
    decision: Decision,
    *,
    participant_id: str,
    profile: Mapping[str, Any],
    ledger: LedgerName,
    method: str,
    study_hash: str,
    allocated_at: datetime,
    salt: str,
    number: int = 1,
) -> LedgerRow:
    """Return the row of a decision, chained to its predecessor.

    Args:
        previous_hash: The last row's hash; `genesis(...)` for the first.
        decision: What allocation gave.
        participant_id: The dataset's identifier, random and stable.
        profile: The baseline values of the scheme's variables and no others.
        ledger: Which of the three.
        method: The scheme's method.
        study_hash: The version of the study whose scheme allocated.
        allocated_at: Now.
        salt: 16 random bytes in hex; for preview and simulated ledgers `derived_salt`.
        number: Which of a participant's decisions it is.
    """
    # Cut to the millisecond, as exported files hold it: the hash must be reproducible from them.
    whole_ms = allocated_at.astimezone(UTC)
    bare = LedgerRow(
        participant_id=participant_id,
        allocation_index=decision.index,
        ledger=ledger,
        method=method,
        stratum=decision.stratum,
        arm=decision.arm,
        probabilities=decision.probabilities,
        draw=decision.draw,
        study_hash=study_hash,
        allocated_at=whole_ms.replace(microsecond=whole_ms.microsecond // 1000 * 1000),
        previous_hash=previous_hash,
        row_hash="",
        levels=dict(decision.levels),
        imbalance=decision.imbalance,
        returned=decision.returned,
        algorithm=ALGORITHM,
        profile=dict(profile),
        salt=salt,
        payload_hash="",
        decision=number,
    )
    return rehash(bare)


def rehash(row: LedgerRow) -> LedgerRow:
    """Return the row with both hashes computed anew from what it says."""
    # The payload of an erased row is gone; its hash cannot be computed anew and stays as it is.
    sealed = row if row.erased else replace(row, payload_hash=row.computed_payload_hash())
    return replace(sealed, row_hash=sealed.computed_hash())


def head(rows: Iterable[LedgerRow]) -> Anchor | None:
    """Return the last row's index and hash, to be written down where no database reaches; None of an empty ledger."""
    last = max(rows, key=lambda row: row.allocation_index, default=None)
    return None if last is None else Anchor(last.allocation_index, last.row_hash)


def _cell(name: str, record: Mapping[str, Any]) -> Any:
    if name == "decision" and _absent(record.get(name)):
        return 1
    if name not in record:
        raise ValueError(f"column '{name}' is missing")
    try:
        return _typed(name, record[name])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"column '{name}' cannot be read: {str(record[name])[:80]!r}") from error


def _typed(name: str, value: Any) -> Any:
    if name in _JSON_CELLS:
        return _json_cell(name, value)
    if name in ("allocation_index", "decision"):
        # Data frames turn whole numbers into floats where a column has an empty cell: 3.0 is 3, and 3.5 is an error.
        if float(value) != int(float(value)):
            raise ValueError(value)
        return int(float(value))
    if name == "draw":
        return float(value)
    if name == "allocated_at":
        return _parsed_moment(value)
    return "" if _absent(value) else str(value)


def _json_cell(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = json.loads(value) if value else None
    if _absent(value):
        if name != "profile":
            raise ValueError("empty")
        return None
    if name not in _TUPLES:
        return _mapping(name, value)
    kind = int if name == "returned" else float
    return tuple(kind(entry) for entry in value)


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return {str(key): str(entry) if name == "levels" else entry for key, entry in value.items()}


def _parsed_moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
