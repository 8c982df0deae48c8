"""Ledgers of allocations, single-use links, the audit log, and what people judge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select, update

from study_app.domain.records import AuditEntry, Kind, Link, Rating, TextReview
from study_app.domain.study.study import canonical_json
from study_app.storage.aggregates.rows import (
    ALLOCATIONS,
    AUDIT,
    LATER_ALLOCATIONS,
    LINKS,
    RATINGS,
    REVIEWS,
    SqlRows,
)
from study_app.storage.engine import ERASES


class SqlLedgers(SqlRows):
    """Lists that only grow."""

    def append_allocation(self, row: Mapping[str, Any]) -> None:
        """See ports.UnitOfWork."""
        self._must_last()
        keys = {name: row[name] for name in ("participant_id", "ledger", "allocation_index")}
        table, named = _ledger_of(row.get("decision", 1))
        self.connection.execute(table.insert(), keys | named | {"row": dict(row)})
        self.chain.seal(table.name, (*named.values(), row["ledger"], row["allocation_index"]))

    def allocations(self, ledger: Kind | None = None, decision: int = 1) -> list[dict[str, Any]]:
        """See ports.UnitOfWork."""
        table, named = _ledger_of(decision)
        query = select(table.c.row).order_by(table.c.ledger, table.c.allocation_index)
        query = query.where(*(table.c[name] == value for name, value in named.items()))
        if ledger is not None:
            query = query.where(table.c.ledger == ledger)
        return [dict(row.row) for row in self.connection.execute(query)]

    def erase_allocation(self, allocation_index: int, ledger: Kind, row: Mapping[str, Any]) -> None:
        """See ports.UnitOfWork."""
        table, named = _ledger_of(row.get("decision", 1))
        where = [table.c.allocation_index == allocation_index, table.c.ledger == ledger]
        where += [table.c[name] == value for name, value in named.items()]
        self.connection.info[ERASES] = True
        # The column is unique and the place in the ledger must stay: later rows are chained to it, and counts rest on
        # it.
        values = {"row": dict(row), "participant_id": f"erased-{ledger}-{allocation_index}"}
        self.connection.execute(update(table).where(*where).values(**values))
        self.chain.seal(table.name, (*named.values(), ledger, allocation_index))

    def forget_label_of_link(self, participant_id: str) -> None:
        """See ports.UnitOfWork."""
        of_person = LINKS.c.participant_id == participant_id
        self.connection.execute(update(LINKS).where(of_person).values(label=None))
        for token in self.connection.execute(select(LINKS.c.token_hash).where(of_person)).scalars().all():
            self.chain.seal("links", (token,))

    def add_link(self, link: Link) -> None:
        """See ports.UnitOfWork."""
        self._insert(LINKS, link)
        self.chain.seal("links", (link.token_hash,))

    def link(self, token_hash: str) -> Link | None:
        """See ports.UnitOfWork."""
        return self._one(Link, select(LINKS).where(LINKS.c.token_hash == token_hash))

    def links(self) -> list[Link]:
        """See ports.UnitOfWork."""
        return self._rows(Link, select(LINKS).order_by(LINKS.c.number))

    def take_link(self, token_hash: str, participant_id: str) -> bool:
        """See ports.UnitOfWork."""
        where = (LINKS.c.token_hash == token_hash, LINKS.c.participant_id.is_(None))
        query = update(LINKS).where(*where).values(participant_id=participant_id)
        taken = self.connection.execute(query).rowcount == 1
        if taken:
            self.chain.seal("links", (token_hash,))
        return taken

    def add_audit(self, entry: AuditEntry) -> None:
        """See ports.UnitOfWork."""
        # Each entry holds the hash of the last: two writers must not both follow the same one.
        self.lock("audit")
        last = self.connection.execute(
            select(AUDIT.c.row_hash).order_by(AUDIT.c.number.desc()).limit(1)
        ).scalar_one_or_none()
        chained = replace(entry, previous_hash=last or "", row_hash="")
        body = asdict(chained) | {"at": entry.at.isoformat(timespec="milliseconds"), "detail": dict(entry.detail)}
        digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        self._insert_numbered(AUDIT, replace(chained, detail=dict(entry.detail), row_hash=digest))

    def audit(self) -> list[AuditEntry]:
        """See ports.UnitOfWork."""
        return self._rows(AuditEntry, select(AUDIT).order_by(AUDIT.c.number))

    def add_rating(self, rating: Rating) -> None:
        """See ports.UnitOfWork."""
        # A rating that comes again, as by a second click, changes nothing: judgements are never overwritten.
        if self._insert_new(RATINGS, asdict(rating)):
            self._chain_rating(rating)

    def _chain_rating(self, rating: Rating) -> None:
        self._chain("ratings", asdict(rating), final=True, owner=rating.object)

    def ratings(self) -> list[Rating]:
        """See ports.UnitOfWork."""
        return self._rows(Rating, select(RATINGS).order_by(RATINGS.c.number))

    def add_text_review(self, review: TextReview) -> None:
        """See ports.UnitOfWork."""
        self.words.check(review.participant_id)
        self._insert_numbered(REVIEWS, review)

    def text_reviews(self) -> list[TextReview]:
        """See ports.UnitOfWork."""
        rows = self._rows(TextReview, select(REVIEWS).order_by(REVIEWS.c.number))
        # In the order of storing, so that of several decisions on one text the last stays in the dictionary.
        return list({review.key: review for review in rows}.values())


def _ledger_of(decision: int) -> tuple[Any, dict[str, int]]:
    """Return the table of a decision's ledger, and what names the decision there."""
    return (ALLOCATIONS, {}) if decision == 1 else (LATER_ALLOCATIONS, {"decision": decision})
