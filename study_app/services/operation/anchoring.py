"""Keeping heads where the database does not reach, and noticing a database that is behind them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from study_app.dataset.integrity.anchors import KeptAnchor, kept_now, last_index
from study_app.domain.ledger import DECISIONS, Anchor, LedgerRow, head
from study_app.domain.records import AuditEntry
from study_app.ports import RESTORED, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.ledgers import gaps_key, ledger_gaps
from study_app.services.operation.held_acts import hold_acts

GAP_ACT, LOST_ACT, RESTORED_ACT = "ledger gap", "log lost", "restore"
EVERY = timedelta(minutes=1)
AGAIN = timedelta(seconds=5)
"""After an anchor that could not be kept."""
SENT_EVERY = timedelta(hours=1)


def _known(anchor: KeptAnchor) -> str:
    """Under which key the database remembers that it was anchored so."""
    return f"anchored:{anchor.join}"


class AnchorStore(Protocol):
    """Where anchors are kept; see study_app.storage.anchor_file."""

    def append(self, anchor: KeptAnchor) -> None:
        """Keep one more."""
        ...

    def read(self) -> list[KeptAnchor]:
        """Return all that are kept."""
        ...

    def send(self, anchor: KeptAnchor) -> None:
        """Hand one on to somewhere else."""
        ...


class Anchoring:
    """Writes an anchor for every allocation and every minute in which something was stored."""

    def __init__(self, context: StudyContext, store: AnchorStore) -> None:
        self.context = context
        self.store = store
        self._lock = threading.Lock()
        self._last: KeptAnchor | None = None
        self._sent: KeptAnchor | None = None
        self._due = context.now()
        self._send_due = context.now()

    def now(self) -> KeptAnchor:
        """Return the anchor of this moment, not kept."""
        with self.context.registry.begin(write=False) as unit:
            places = [self._ledger(unit, decision) for decision in DECISIONS]
            return kept_now(self.context.study.id, self.context.now(), unit.chain_heads(), *places)

    def allocated(self, row: LedgerRow) -> None:
        """Keep an anchor that names the place of an allocation that was just committed."""
        with self.context.registry.begin(write=False) as unit:
            heads = unit.chain_heads()
            places = [self._ledger(unit, decision) for decision in DECISIONS]
        places[row.decision - 1] = Anchor(row.allocation_index, row.row_hash)
        try:
            self._keep(kept_now(self.context.study.id, self.context.now(), heads, *places))
        except OSError:
            # Of a copy from before it, this place would be given again: the next look keeps it, not one in a minute.
            self._due = self.context.now()
            raise

    def keep(self) -> None:
        """Keep the anchor of this moment."""
        self._keep(self.now())

    def _keep(self, anchor: KeptAnchor) -> None:
        with self._lock:
            # An idle study would otherwise write a line a minute for ever, each of which the next start reads.
            if self._last is None or replace(anchor, at=self._last.at) != self._last:
                # First here: an anchor that the database does not know is one that it has lost.
                with self.context.registry.begin() as unit:
                    unit.set_meta(_known(anchor), anchor.at)
                self.store.append(anchor)
                self._last = anchor

    def tick(self) -> None:
        """Keep an anchor each minute, and hand one on each hour; nothing before launch. Called every second."""
        now = self.context.now()
        if now < self._due:
            return
        # Of one that fails, noted before it is kept: a disk that stays full is not tried, and logged, each second.
        self._due = now + AGAIN
        with self.context.registry.begin(write=False) as unit:
            if self.context.state(unit) == "draft":
                self._due = now + EVERY
                return
        self.keep()
        self._due = now + EVERY
        if now >= self._send_due and self._last is not None and self._last != self._sent:
            # Noted before it is sent, for a mail server that hangs must not be asked again each second.
            self._send_due, self._sent = now + SENT_EVERY, self._last
            self.store.send(self._last)

    def check(self) -> list[str]:
        """Compare the database with what was kept; what is lost is recorded in the audit log, and said.

        Places of the ledger that the database has lost are never given again: who was there got an arm.
        """
        said = self._restored()
        kept = [anchor for anchor in self.store.read() if anchor.study_id == self.context.study.id]
        return list(dict.fromkeys(said + (self._compared(kept) if kept else [])))

    def _restored(self) -> list[str]:
        """Record that the database was put back from a backup, once."""
        with self.context.registry.begin(write=False) as unit:
            detail = unit.meta_value(RESTORED)
        if not detail:
            return []
        with self.context.registry.begin() as unit:
            unit.set_meta_value(RESTORED, None)
            self._audit(unit, RESTORED_ACT, detail, why="a backup was put back")
            held = self._hold(unit, detail["made_at"])
        what = f"The database was put back from a backup of {detail['made_at']}; what came after it is not there."
        return [what, *held]

    def _compared(self, kept: Sequence[KeptAnchor]) -> list[str]:
        with self.context.registry.begin() as unit:
            if self.context.state(unit) == "draft":
                return []
            lost = [line for decision in DECISIONS for line in self._lost_places(unit, kept, decision)]
            return [*lost, *self._lost_records(unit, kept)]

    def _hold(self, unit: UnitOfWork, since: str) -> list[str]:
        if self.context.state(unit) == "draft":
            return []
        hold_acts(unit, since)
        return [
            "Bonuses, messages and reminders wait until a person has said which of them went out in what is lost: "
            "study pay --settle"
        ]

    def _lost_places(self, unit: UnitOfWork, kept: Sequence[KeptAnchor], decision: int) -> list[str]:
        gaps = ledger_gaps(unit, decision=decision)
        ledger = self._ledger(unit, decision)
        # Places that were lost before are gaps already; only what lies beyond them is new.
        there = max([ledger.index if ledger else 0, *(high for _, high in gaps)])
        named = last_index(kept, self.context.study.id, decision)
        if named <= there:
            return []
        unit.set_meta_value(gaps_key(decision), [*gaps, (there + 1, named)])
        detail: dict[str, object] = {"from": there + 1, "to": named}
        self._audit(unit, GAP_ACT, detail | ({"decision": decision} if decision > 1 else {}))
        which = f" of decision {decision}" if decision > 1 else ""
        return [
            f"The database has lost allocations {there + 1} to {named}{which}, which were anchored: it was restored "
            "from a copy, or its log was lost. These places are not given again; check who held them before you "
            "continue."
        ]

    def _lost_records(self, unit: UnitOfWork, kept: Sequence[KeptAnchor]) -> list[str]:
        lost = [anchor for anchor in kept if unit.meta(_known(anchor)) is None]
        if not lost:
            return []
        for anchor in lost:
            unit.set_meta(_known(anchor), "lost")
        self._audit(unit, LOST_ACT, {"from": lost[0].at, "to": lost[-1].at, "anchors": len(lost)})
        return [
            f"The database has lost what was stored from before {lost[0].at} to {lost[-1].at}, as its anchors show; "
            "study verify --anchor names it.",
            *self._hold(unit, lost[0].at),
        ]

    def _ledger(self, unit: UnitOfWork, decision: int) -> Anchor | None:
        return head(LedgerRow.parse(row) for row in unit.allocations("real", decision)[-1:])

    def _audit(
        self, unit: UnitOfWork, what: str, detail: dict[str, object], why: str = "the database is behind its anchors"
    ) -> None:
        unit.add_audit(AuditEntry(at=self.context.now(), who="server", what=what, why=why, detail=detail))
