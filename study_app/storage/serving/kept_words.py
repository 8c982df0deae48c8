"""Whether the words of a participant may still be stored: the one place where what an erasure promises is kept.

Everything that adds words of a participant (programs, messages, answers, texts, events that quote them) asks here
first. The question holds the participant's row to the end of the transaction, as an erasure does from its beginning: so
what was being stored as the erasure began is erased by it, and what comes later finds the data deleted.
"""

from __future__ import annotations

from study_app.domain.errors import NotAllowed
from study_app.storage.driver import Driver

_ERASED = "SELECT data_withdrawn FROM participants WHERE id = ?"


class KeptWords:
    """What one transaction knows of participants whose rows it holds."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        # SQLite has one writer at a time, who reads what the last has committed.
        self._query = _ERASED if driver.one_writer else f"{_ERASED} FOR NO KEY UPDATE"
        self._erased: dict[str, bool] = {}

    def held(self, participant_id: str, *, erased: bool) -> None:
        """Note a participant whose row this transaction holds."""
        self._erased[participant_id] = erased

    def forget(self) -> None:
        """Ask anew: a savepoint that was rolled back has let go of rows, or this transaction erases a person."""
        self._erased.clear()

    def may_keep(self, participant_id: str) -> bool:
        """Return whether their words may be stored; their erasure waits from here to the end of the transaction."""
        erased = self._erased.get(participant_id)
        if erased is None:
            row = self._driver.one(self._query, (participant_id,))
            erased = self._erased[participant_id] = row is not None and bool(row[0])
        return not erased

    def check(self, participant_id: str) -> None:
        """Refuse words of a participant whose data were deleted.

        Raises:
            NotAllowed: they were.
        """
        if not self.may_keep(participant_id):
            raise NotAllowed("the data of this participant have been deleted; nothing more is kept of them")
