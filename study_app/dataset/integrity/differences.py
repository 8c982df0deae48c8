"""Rows of the database that are not as they were stored, as an export lists them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

What = Literal["changed", "added", "removed", "erased"]

MOST = 200
"""Differences that an export lists; the rest is counted."""


@dataclass(frozen=True)
class Difference:
    """One row that is not what the chain of records says of it."""

    what: What
    table: str
    key: str


def stated(differences: Iterable[Difference], *, named: bool) -> dict[str, Any]:
    """Return what an export says of them.

    Args:
        differences: of the whole database.
        named: whether tables and keys may be shown: they could tell arms.
    """
    found = list(differences)
    counts = dict(sorted(Counter(each.what for each in found).items()))
    return {"counts": counts, **({"rows": [asdict(each) for each in found[:MOST]]} if named else {})}
