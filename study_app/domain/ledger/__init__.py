"""The ledger of allocations: its rows, their chain, and what `verify` finds in it."""

from study_app.domain.ledger.replay import LedgerBroken, LedgerReplay, Version, version_of
from study_app.domain.ledger.replay_cache import ReplayCache
from study_app.domain.ledger.row import (
    COLUMNS,
    DECISIONS,
    LEDGERS,
    Anchor,
    LedgerName,
    LedgerRow,
    append,
    genesis,
    head,
    rehash,
)
from study_app.domain.ledger.verify import Breach, parse_rows, verify_ledger

__all__ = [
    "COLUMNS",
    "DECISIONS",
    "LEDGERS",
    "Anchor",
    "Breach",
    "LedgerBroken",
    "LedgerName",
    "LedgerReplay",
    "LedgerRow",
    "ReplayCache",
    "Version",
    "append",
    "genesis",
    "head",
    "parse_rows",
    "rehash",
    "verify_ledger",
    "version_of",
]
