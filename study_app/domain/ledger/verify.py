"""Detect tampering with a ledger, and name each breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from study_app.domain.allocation import ALGORITHM, Decision, draws
from study_app.domain.allocation.options import options
from study_app.domain.allocation.rules import pick
from study_app.domain.ledger.replay import Gap, LedgerReplay, Version, after_gaps
from study_app.domain.ledger.row import Anchor, LedgerRow

TOLERANCE = 1e-12
CLOCK_SLACK = timedelta(minutes=1)
"""Clocks of several servers differ, and are set back a little now and then; that is not a breach."""
MOST_MISSING = 100
"""Indices of one gap that are named one by one."""
_BLOCKS = ("permuted_blocks", "stratified_blocks")


@dataclass(frozen=True, order=True)
class Breach:
    """One thing that is not as the algorithm or the chain would have left it."""

    index: int
    """The row's allocation index; 0 for the ledger as a whole."""
    name: str
    """What kind, from a fixed list; see docs/explanation/allocation.md."""
    what: str
    """What was found, and what was expected."""

    def __str__(self) -> str:
        where = f"allocation {self.index}" if self.index else "ledger"
        return f"{where}: {self.name}: {self.what}"


def parse_rows(records: Iterable[Mapping[str, Any]]) -> tuple[list[LedgerRow], list[Breach]]:
    """Read the rows of a table; what cannot be read is a breach named `malformed_row`."""
    rows: list[LedgerRow] = []
    breaches: list[Breach] = []
    for position, record in enumerate(records, start=1):
        try:
            rows.append(LedgerRow.parse(record))
        except ValueError as error:
            breaches.append(Breach(position, "malformed_row", str(error)))
    return rows, breaches


def verify_ledger(
    rows: Sequence[LedgerRow],
    versions: Iterable[Version],
    *,
    genesis_hash: str | None = None,
    anchors: Collection[Anchor] = (),
    erasures: Collection[int] | None = None,
    gaps: Collection[Gap] = (),
) -> list[Breach]:
    """Check one ledger's rows, given in the order in which they are stored.

    Args:
        rows: All rows of one ledger.
        versions: The study's versions; with their seed where it is known, else recomputation goes as far as it can.
        genesis_hash: What the first row must be chained to; None: not checked.
        anchors: Hashes of rows published elsewhere; they find what a forger who holds the seed would make consistent.
        erasures: Indices of the payloads that the audit log says were erased; None: not checked.
        gaps: First and last of places that the audit log says were lost with a part of the database.

    Returns:
        The breaches in order of index; empty where there is nothing to find.
    """
    known = {version.study_hash: version for version in versions}
    structure = [*_structure(rows, gaps)]
    found = [
        *structure,
        *_times(rows),
        *_chain(rows, genesis_hash),
        *_anchored(rows, anchors),
        *_people(rows, erasures),
    ]
    for row in rows:
        found += _row_breaches(row, known.get(row.study_hash))
    found += _recomputed(rows, known, gaps, stop=min((breach.index for breach in structure), default=None))
    # Two checks can find the same breach; it is reported once.
    return sorted(set(found))


def _structure(rows: Sequence[LedgerRow], gaps: Collection[Gap]) -> Iterator[Breach]:
    counts = Counter(row.allocation_index for row in rows)
    for index, count in counts.items():
        if count > 1:
            yield Breach(index, "duplicate_index", f"{count} rows have this index")
    for low, high in pairwise([0, *sorted(index for index in counts if index > 0)]):
        # An index may be forged to any size: of a wide gap the first ones are named.
        for index in range(low + 1, min(high, low + 1 + MOST_MISSING)):
            if after_gaps(index, gaps) != index:
                continue
            more = f", nor has any up to {high - 1}" if index == low + MOST_MISSING < high - 1 else ""
            yield Breach(index, "missing_row", f"no row has this index{more}")
    for before, after in pairwise(rows):
        if after.allocation_index < before.allocation_index:
            yield Breach(after.allocation_index, "reordered", f"stands after row {before.allocation_index}")
    for row in rows:
        if row.allocation_index < 1:
            yield Breach(row.allocation_index, "malformed_row", "indices start at 1")
        if row.ledger != rows[0].ledger:
            yield Breach(row.allocation_index, "foreign_row", f"belongs to ledger {row.ledger}, not {rows[0].ledger}")
        if row.decision != rows[0].decision:
            what = f"is of decision {row.decision}, not {rows[0].decision}"
            yield Breach(row.allocation_index, "foreign_row", what)


def _times(rows: Sequence[LedgerRow]) -> Iterator[Breach]:
    for before, after in pairwise(rows):
        if after.allocated_at < before.allocated_at - CLOCK_SLACK:
            yield Breach(after.allocation_index, "time_backwards", "was allocated before the row that precedes it")


def _chain(rows: Sequence[LedgerRow], genesis_hash: str | None) -> Iterator[Breach]:
    if rows and genesis_hash is not None and rows[0].previous_hash != genesis_hash:
        yield Breach(rows[0].allocation_index, "broken_chain", "is not chained to the published commitment")
    for before, after in pairwise(rows):
        if after.previous_hash != before.row_hash:
            yield Breach(after.allocation_index, "broken_chain", f"is not chained to row {before.allocation_index}")
    for row in rows:
        if row.row_hash != row.computed_hash():
            yield Breach(row.allocation_index, "row_altered", "its content does not have its hash")
        if not row.erased and row.payload_hash != row.computed_payload_hash():
            yield Breach(row.allocation_index, "payload_altered", "participant or baseline values lack their hash")


def _anchored(rows: Sequence[LedgerRow], anchors: Collection[Anchor]) -> Iterator[Breach]:
    hashes = {row.allocation_index: row.row_hash for row in rows}
    for anchor in anchors:
        if anchor.index not in hashes:
            yield Breach(anchor.index, "row_removed", "its hash was published, and it is gone")
        elif hashes[anchor.index] != anchor.row_hash:
            yield Breach(anchor.index, "history_rewritten", "it or a row before differs from the published hash")


def _people(rows: Sequence[LedgerRow], erasures: Collection[int] | None) -> Iterator[Breach]:
    seen: dict[str, int] = {}
    for row in rows:
        if row.erased:
            yield from _erasure(row, erasures)
        elif not row.participant_id:
            yield Breach(row.allocation_index, "payload_altered", "names no participant, though not erased")
        elif row.participant_id in seen:
            yield Breach(
                row.allocation_index, "participant_twice", f"was allocated before, at {seen[row.participant_id]}"
            )
        else:
            seen[row.participant_id] = row.allocation_index


def _erasure(row: LedgerRow, erasures: Collection[int] | None) -> Iterator[Breach]:
    if row.participant_id or row.profile is not None:
        yield Breach(row.allocation_index, "payload_altered", "its salt is gone, its payload is not")
    if erasures is not None and row.allocation_index not in erasures:
        yield Breach(row.allocation_index, "erased_without_record", "the audit log knows of no erasure")


def _row_breaches(row: LedgerRow, version: Version | None) -> list[Breach]:
    if version is None:
        return [Breach(row.allocation_index, "unknown_version", f"names study {row.study_hash[:12]}, never launched")]
    return [Breach(row.allocation_index, name, what) for name, what in _contradictions(row, version)]


def _contradictions(row: LedgerRow, version: Version) -> Iterator[tuple[str, str]]:
    ids = [option.id for option in options(version.scheme, version.arms)]
    if row.algorithm != ALGORITHM:
        yield "wrong_algorithm", f"says {row.algorithm}, this is {ALGORITHM}"
    if row.method != version.scheme.method:
        yield "wrong_method", f"says {row.method}, the study says {version.scheme.method}"
    if row.profile is not None and row.levels != version.scheme.levels(row.profile):
        yield "wrong_levels", "its categories do not follow from its baseline values"
    elif set(row.levels) != set(version.scheme.variables):
        yield "wrong_levels", f"holds categories of {sorted(row.levels)}, not of {sorted(version.scheme.variables)}"
    if row.returned and version.scheme.replacement == "none":
        yield "wrong_return", "slots do not go back under this scheme"
    if row.arm not in ids:
        yield "unknown_arm", f"'{row.arm}' is not one of {', '.join(ids)}"
    if not 0 <= row.draw < 1:
        yield "wrong_draw", f"{row.draw} is not in [0, 1)"
    if not _distribution(row.probabilities, len(ids)):
        yield "wrong_probabilities", f"{list(row.probabilities)} are not {len(ids)} probabilities that sum to 1"
    elif row.arm in ids and pick(row.probabilities, row.draw) != ids.index(row.arm):
        yield "wrong_arm", f"draw and probabilities give {ids[pick(row.probabilities, row.draw)]}, not {row.arm}"


def _distribution(probabilities: Sequence[float], count: int) -> bool:
    within = len(probabilities) == count and all(0 <= entry <= 1 for entry in probabilities)
    return within and abs(sum(probabilities) - 1) <= TOLERANCE


def _recomputed(
    rows: Sequence[LedgerRow], known: Mapping[str, Version], gaps: Collection[Gap], stop: int | None
) -> Iterator[Breach]:
    """Compare each row with what the algorithm gives; rows behind a broken order have nothing to be compared with."""
    replay = LedgerReplay(known.values(), gaps)
    returned: set[int] = set()
    for row in rows:
        replay.pass_gaps()
        version = known.get(row.study_hash)
        if version is None or not set(version.scheme.variables) <= set(row.levels):
            return
        if stop is not None and row.allocation_index >= stop:
            return
        yield from _returns(row, returned)
        if version.seed is None and version.scheme.unit_method in _BLOCKS:
            # Block sizes come from the sealed seed, so the arm cannot be recomputed; the row still takes its place.
            replay.next_index += 1
            continue
        if version.seed is not None and row.draw != draws(version.seed, row.allocation_index)[1]:
            yield Breach(row.allocation_index, "wrong_draw", "the seed gives another draw")
        yield from _differences(row, replay.recompute(row))


def _returns(row: LedgerRow, returned: set[int]) -> Iterator[Breach]:
    for index in row.returned:
        if index >= row.allocation_index or index < 1 or index in returned:
            yield Breach(row.allocation_index, "wrong_return", f"slot {index} cannot have gone back here")
        returned.add(index)


def _differences(row: LedgerRow, decision: Decision) -> Iterator[Breach]:
    if row.arm != decision.arm:
        yield Breach(row.allocation_index, "wrong_arm", f"holds {row.arm}, the algorithm gives {decision.arm}")
    if row.stratum != decision.stratum:
        yield Breach(row.allocation_index, "wrong_stratum", f"holds {row.stratum}, not {decision.stratum}")
    if not _close(row.probabilities, decision.probabilities):
        expected = list(decision.probabilities)
        yield Breach(row.allocation_index, "wrong_probabilities", f"{list(row.probabilities)}, not {expected}")
    if not _close(row.imbalance, decision.imbalance):
        expected = list(decision.imbalance)
        yield Breach(row.allocation_index, "wrong_imbalance", f"{list(row.imbalance)}, not {expected}")


def _close(left: Sequence[float], right: Sequence[float]) -> bool:
    return len(left) == len(right) and all(abs(a - b) <= TOLERANCE for a, b in zip(left, right, strict=True))
