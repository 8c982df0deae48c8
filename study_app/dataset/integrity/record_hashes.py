"""One hash for each participant and table, so that an edited dataset names whose record was edited, and where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

PATH = "documentation/records.json"
OF_PARTICIPANTS = ("participants", "visits", "events", "runs", "turns", "answers", "compliance", "periods", "sessions")
ACTING = ("agent_actions", "interviews", "interview_turns", "probes")
"""Of participants as well; named only where a study has an assistant that acts, an interview, or probes of affect."""
WHOLE = ("ratings", "allocations", "model_looks", "model_replies")
"""Tables that stand for themselves: one hash over all rows, of those on models only where they have any. A sealed
ledger withholds what its own hashes are over."""


class Records:
    """Running SHA-256 over the cells of rows, as CSV has them, in the order of the file."""

    def __init__(self) -> None:
        self._running: dict[str, dict[str, Any]] = {table: {} for table in (*OF_PARTICIPANTS, *ACTING, *WHOLE)}

    def add(self, table: str, participant_id: str, rows: Sequence[Sequence[str]]) -> None:
        """Take the cells of rows in."""
        of_table = self._running[table]
        key = participant_id if table not in WHOLE else ""
        if not rows:
            return
        if key not in of_table:
            of_table[key] = hashlib.sha256()
        # Control characters and not commas, which texts have as well: a word could move from one cell to the next
        # unnoticed.
        joined = "\x1e".join(["\x1f".join(cells) for cells in rows])
        of_table[key].update(f"{joined}\x1e".encode())

    def to_json(self) -> dict[str, dict[str, str]]:
        """Table -> participant (or none, for a whole table) -> hash."""
        return {
            table: {name: running.hexdigest() for name, running in sorted(rows.items())}
            for table, rows in self._running.items()
            if rows or table not in (*ACTING, "model_looks", "model_replies")
        }
