"""Heads that are kept where the database does not reach: a file, a second machine, a mail.

One line of JSON each. An anchor shows no arm: of the records it has hashes and not how many there are, which
beside a masked export would tell how much that export withholds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from study_app.dataset.integrity.chain import Head, join
from study_app.domain.ledger import Anchor
from study_app.domain.ledger.row import timestamp

SCHEMA = "study-anchor/1"
_BEGIN = '{"at": "'
"""With which each line begins."""
_HASH = r"^[0-9a-f]{64}$"


@dataclass(frozen=True)
class KeptAnchor:
    """Where the chain of records and the real ledger stood at one moment."""

    study_id: str
    at: str
    """ISO 8601, UTC."""
    heads: tuple[str, ...]
    """Of every chain of records, in hex, in order."""
    ledger: Anchor | None
    """The last row of the real ledger; None while it is empty."""
    second: Anchor | None = None
    """The last row of the ledger of the second decision; None while it is empty, and in studies without one."""

    @property
    def join(self) -> str:
        """One hash over all heads."""
        return join(self.heads)

    def line(self) -> str:
        """As a line of an anchor file, without its end."""
        record = {"schema": SCHEMA, "study_id": self.study_id, "at": self.at, "heads": self.heads, "join": self.join}
        places: dict[str, Any] = {"ledger": asdict(self.ledger) if self.ledger else None}
        return json.dumps(record | places | ({"second": asdict(self.second)} if self.second else {}), sort_keys=True)


def kept_now(
    study_id: str, at: datetime, heads: Sequence[Head], ledger: Anchor | None, second: Anchor | None = None
) -> KeptAnchor:
    """Return the anchor of this moment."""
    return KeptAnchor(study_id, timestamp(at), tuple(sorted(h.head for h in heads if h.position)), ledger, second)


class _Ledger(BaseModel):
    model_config = ConfigDict(extra="forbid")
    index: int = Field(ge=1, le=2**31)
    row_hash: str = Field(pattern=_HASH)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_: str = Field(alias="schema", pattern=f"^{SCHEMA}$")
    study_id: str
    at: datetime
    heads: list[Annotated[str, Field(pattern=_HASH)]] = Field(max_length=10_000)
    join: str = Field(pattern=_HASH)
    ledger: _Ledger | None
    second: _Ledger | None = None


def parse_line(text: str) -> KeptAnchor:
    """Read one line back.

    Raises:
        ValueError: it is not an anchor, or its hash over the heads is not theirs; the message says which.
    """
    try:
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise ValueError(f"not an anchor ({'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']})") from None
    heads = tuple(line.heads)
    if join(heads) != line.join:
        raise ValueError("its hash over the heads is not that of the heads: the line was changed")
    places = [None if place is None else Anchor(place.index, place.row_hash) for place in (line.ledger, line.second)]
    return KeptAnchor(line.study_id, timestamp(line.at), heads, *places)


def parse_lines(text: str) -> list[KeptAnchor]:
    """Read an anchor file.

    Raises:
        ValueError: a line is not an anchor; the message has its number. A last line without an end may have been cut
            off by a power failure and is left out, also where an earlier version wrote the next one right behind it.
    """
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(parse_line(line))
        except ValueError as error:
            if (whole := _behind_a_cut(line)) is not None:
                found.append(whole)
                continue
            if number == len(lines) and not text.endswith("\n"):
                break
            raise ValueError(f"line {number}: {error}") from None
    return found


def _behind_a_cut(line: str) -> KeptAnchor | None:
    """Return the anchor that stands on one line behind the beginning of another; None where there is none."""
    begin = line.rfind(_BEGIN)
    if begin <= 0 or not line.startswith(_BEGIN[:begin]):
        return None
    try:
        return parse_line(line[begin:])
    except ValueError:
        return None


def last_index(anchors: Iterable[KeptAnchor], study_id: str, decision: int = 1) -> int:
    """Return the highest place in one decision's real ledger that any anchor names; 0 where none does."""
    places = (a.ledger if decision == 1 else a.second for a in anchors if a.study_id == study_id)
    return max((place.index for place in places if place is not None), default=0)
