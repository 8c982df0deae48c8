"""What is stored to be proven later: the ledgers of allocations and the chain of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from study_app.dataset.integrity.chain import Chained, Head
from study_app.dataset.integrity.differences import Difference
from study_app.domain.records import (
    Kind,
)


class LedgerRecords(Protocol):
    """Allocations and the chain of records, within one transaction."""

    def append_allocation(self, row: Mapping[str, Any]) -> None:
        """Append one row to the ledger of its decision; raises if its index or participant is already there."""
        ...

    def allocations(self, ledger: Kind | None = None, decision: int = 1) -> list[dict[str, Any]]:
        """Ledger rows of one decision in order of their index."""
        ...

    def erase_allocation(self, allocation_index: int, ledger: Kind, row: Mapping[str, Any]) -> None:
        """Replace a row of its decision's ledger by itself with its payload erased; it is forgotten whose it was."""
        ...

    def chain_heads(self) -> list[Head]:
        """Return where every chain of records stands."""
        ...

    def sign_heads(self, key: bytes) -> None:
        """Sign every head as it stands: what was stored before the launch is taken as it is."""
        ...

    def signed_meanwhile(self) -> bool:
        """Whether there are chains that were signed while the sealing key was missing, by a key that is at hand."""
        ...

    def adopt_heads(self) -> int:
        """Sign such chains with the study's key; returns how many entries they have."""
        ...

    def differences(
        self, *, events: bool, through: Callable[[Iterator[Chained]], Iterator[Chained]] = iter
    ) -> list[Difference]:
        """Return the rows that are not what the chain of records says of them.

        Args:
            events: also compare the events with their digests, as verify does where the dataset has them all.
            through: what every entry of every chain passes on its way, in the order of each chain, so that a long log
                is read once.
        """
        ...

    def chained_records(self) -> Iterator[Chained]:
        """Entries of everything but events, in the order of storing."""
        ...
