"""Keeping a replay between allocations, so that the thousandth costs no more than the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from study_app.domain.ledger.replay import Gap, LedgerReplay, Version
from study_app.domain.ledger.row import Anchor, LedgerRow, head


class ReplayCache:
    """One replay per ledger, trusted only where the stored ledger still holds the row that it ends with.

    A replay that is taken is gone from the cache until it is put back, so a failed transaction leaves nothing wrong
    behind; one put back before a commit that then fails is not found in the store again, and is dropped.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Anchor, LedgerReplay]] = {}
        self._lock = Lock()

    def take(
        self,
        ledger: str,
        versions: Iterable[Version],
        load: Callable[[int], Sequence[LedgerRow]],
        gaps: Iterable[Gap] = (),
    ) -> tuple[LedgerReplay, Anchor | None]:
        """Return the replay at the stored ledger's end, and that end; None of an empty ledger.

        Args:
            ledger: real, preview or simulated.
            versions: The study's versions as they are now.
            load: Gives the stored rows from an index on, in order; called under the ledger's lock.
            gaps: Places that are lost.

        Raises:
            LedgerBroken: the stored ledger is not what the algorithm made.
        """
        with self._lock:
            kept = self._kept.pop(ledger, None)
        known = list(versions)
        if kept is not None:
            anchor, replay = kept
            # From the cached row itself, not from the one after it: only its hash shows that the stored history is the
            # one that was replayed.
            rows = load(anchor.index)
            if rows and Anchor(rows[0].allocation_index, rows[0].row_hash) == anchor:
                return replay.learn(known, gaps).feed(rows[1:]), head(rows)
        # Nothing cached, or the cached row is not in the store (its transaction failed, or the database was restored):
        # replay the ledger from its first row.
        rows = load(1)
        return LedgerReplay(known, gaps).feed(rows), head(rows)

    def put(self, ledger: str, replay: LedgerReplay, last: LedgerRow) -> None:
        """Keep a replay that has just decided this row."""
        with self._lock:
            self._kept[ledger] = (Anchor(last.allocation_index, last.row_hash), replay)
