"""Where the chains of records stand, and whose signature they bear."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update

from study_app.dataset.integrity import chain
from study_app.storage.chained import Signed
from study_app.storage.positions import SqlPositions
from study_app.storage.sealed.head_keys import STUDY
from study_app.storage.tables import ChainRow

CHAINS: Any = ChainRow.__table__  # type: ignore[attr-defined]
HEADS = select(CHAINS.c.id, CHAINS.c.position, CHAINS.c.head, CHAINS.c.mac, CHAINS.c.signer).order_by(CHAINS.c.id)


class SqlHeads(SqlPositions):
    """The part of ports.UnitOfWork about the heads of the chain of records."""

    def _heads(self, *, hold: bool = False) -> list[Signed]:
        """Return every chain; `hold` waits for who appends to one just now, and keeps all to the end."""
        # What this transaction appended is still in memory; without it the heads would be those of before.
        self.flush()
        # No other transaction may move a head between the check of its signature and the new signature.
        query = HEADS.with_for_update() if hold else HEADS
        return [Signed(row[0], row[1], bytes(row[2]), row[3], row[4]) for row in self.connection.execute(query)]

    def chain_heads(self) -> list[chain.Head]:
        """See ports.UnitOfWork."""
        return [chain.Head(h.chain, h.position, h.head.hex(), self._is_signed(h)) for h in self._heads()]

    def _is_signed(self, head: Signed) -> bool | None:
        if self._keys.study is None:
            return None
        key = self._keys.of(head.signer)
        return key is not None and head.by(key)

    def sign_heads(self, key: bytes) -> None:
        """See ports.UnitOfWork."""
        self._sign(self._heads(hold=True), key, STUDY)

    def signed_meanwhile(self) -> bool:
        """See ports.UnitOfWork."""
        return bool(self._of_interim(self._heads()))

    def adopt_heads(self) -> int:
        """See ports.UnitOfWork."""
        if self._keys.study is None:
            return 0
        heads = self._of_interim(self._heads(hold=True))
        self._sign(heads, self._keys.study, STUDY)
        return sum(head.position for head in heads)

    def _of_interim(self, heads: Collection[Signed]) -> list[Signed]:
        """Return the chains that were signed while the sealing key was missing, with a key that this process has."""
        found = ((head, self._keys.of(head.signer)) for head in heads if head.signer != STUDY)
        return [head for head, key in found if key is not None and head.by(key)]

    def sign_new(self, before: Collection[Signed]) -> None:
        """Sign the chains that were not there before, with the key that this process has."""
        known = {head.chain for head in before}
        if self._keys.now is not None:
            new = [head for head in self._heads(hold=True) if head.chain not in known]
            self._sign(new, self._keys.now, self._keys.signer)

    def _sign(self, heads: Collection[Signed], key: bytes, signer: str) -> None:
        for head in heads:
            values = {"mac": chain.mac(key, head.chain, head.position, head.head), "signer": signer}
            self.connection.execute(update(CHAINS).where(CHAINS.c.id == head.chain).values(**values))
