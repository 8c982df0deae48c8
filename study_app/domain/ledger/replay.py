"""Walking a ledger in its order: the next decision in a running trial, and the recomputation of an old one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from study_app.domain.allocation import Allocator, Decision, Scheme, decision_seed, draws
from study_app.domain.allocation.arms import AllocationOption, Arm
from study_app.domain.allocation.options import options
from study_app.domain.errors import InfrastructureError
from study_app.domain.ledger.row import LedgerRow
from study_app.domain.study.study import Study


class LedgerBroken(InfrastructureError):
    """The stored ledger is not what the algorithm gives; allocation stops until `verify` has named the cause."""


@dataclass(frozen=True)
class Version:
    """What one version of the study says about allocation."""

    study_hash: str
    scheme: Scheme
    arms: tuple[Arm, ...]
    seed: bytes | None = None
    """The ledger's seed; None while it is sealed."""


def version_of(study_hash: str, study: Study, seed: bytes | None, decision: int = 1) -> Version | None:
    """Return what a study says about one of its decisions; None where it does not have that one.

    Args:
        study_hash: of the version.
        study: that version.
        seed: the ledger's own, from which that of a later decision follows; None while it is sealed.
        decision: 1 to an arm, 2 of those who did not respond.
    """
    if decision == 1:
        return Version(study_hash, study.allocation, study.arms, seed)
    if not study.second_decision:
        return None
    own = None if seed is None else decision_seed(seed, decision)
    return Version(study_hash, study.second_scheme, study.second_decision.arms, own)


Gap = tuple[int, int]


def after_gaps(index: int, gaps: Iterable[Gap]) -> int:
    """Return the first place from an index on that is not lost."""
    # In ascending order, so that a single pass also crosses a gap that begins where another ends.
    for low, high in sorted(gaps):
        if low <= index <= high:
            index = high + 1
    return index


class LedgerReplay:
    """The state that a ledger's rows have left behind.

    Each row is allocated under the version of the study that it names. Versions that agree in scheme and weighted arms
    share their counts and open blocks: an amendment of anything else changes nothing here. Where an amendment did
    change allocation, the new regime counts from zero, beside the old one while people who started under that still
    arrive; clusters met before keep their arm.

    Args:
        versions: The versions of the study that rows may name.
        gaps: First and last of places that were lost with a part of the database, and are never given again.
    """

    def __init__(self, versions: Iterable[Version], gaps: Iterable[Gap] = ()) -> None:
        self.versions = {version.study_hash: version for version in versions}
        self.next_index = 1
        self._gaps = tuple(gaps)
        self._clusters: dict[tuple[str, str], str] = {}
        self._regimes: dict[tuple[Scheme, tuple[AllocationOption, ...]], Allocator] = {}

    def learn(self, versions: Iterable[Version], gaps: Iterable[Gap] = ()) -> LedgerReplay:
        """Replace the versions that rows may name, and the places that are lost."""
        self.versions = {version.study_hash: version for version in versions}
        self._gaps = tuple(gaps)
        return self

    def pass_gaps(self) -> None:
        """Skip the places that are lost."""
        self.next_index = after_gaps(self.next_index, self._gaps)

    def decide(self, study_hash: str, profile: Mapping[str, Any], returned: Iterable[int] = ()) -> Decision:
        """Allocate a newcomer with these baseline values, and note it.

        Raises:
            LedgerBroken: no such version, or its seed is sealed.
        """
        version = self._version(study_hash)
        self.pass_gaps()
        return self._decide(version, version.scheme.levels(profile), returned, None)

    def recompute(self, row: LedgerRow) -> Decision:
        """Return what the algorithm gives where this row stands, and note that.

        With the seed sealed, the row's own draw stands in for it, which suffices wherever no block sizes are drawn.

        Raises:
            LedgerBroken: no such version, or a category that its scheme needs is not in the row.
        """
        version = self._version(row.study_hash)
        lacking = [name for name in version.scheme.variables if name not in row.levels]
        if lacking:
            raise LedgerBroken(_broken(row, f"holds no category of {', '.join(lacking)}"))
        return self._decide(version, row.levels, row.returned, row.draw)

    def feed(self, rows: Iterable[LedgerRow]) -> LedgerReplay:
        """Walk over rows of a running trial, checking each.

        Raises:
            LedgerBroken: an index is out of order, or an arm is not the one that the algorithm gives.
        """
        for row in rows:
            self.pass_gaps()
            if row.allocation_index != self.next_index:
                raise LedgerBroken(_broken(row, f"stands where row {self.next_index} is due"))
            if self.recompute(row).arm != row.arm:
                raise LedgerBroken(_broken(row, "does not hold the arm that the algorithm gives"))
        return self

    def _version(self, study_hash: str) -> Version:
        if study_hash not in self.versions:
            raise LedgerBroken(f"version {study_hash[:12]} of the study is unknown; export and run `study verify`")
        return self.versions[study_hash]

    def _decide(
        self, version: Version, levels: Mapping[str, str], returned: Iterable[int], draw: float | None
    ) -> Decision:
        allocator = self._allocator(version)
        # One numbering for the whole ledger, whichever regime decides: the index also selects the draws.
        allocator.next_index = self.next_index
        decision = allocator.allocate_levels(levels, self._uniforms(version, draw), returned)
        self.next_index += 1
        return decision

    def _uniforms(self, version: Version, draw: float | None) -> tuple[float, ...]:
        if version.seed is not None:
            return draws(version.seed, self.next_index)
        if draw is None:
            raise LedgerBroken("the seed is sealed; open it with the sealing key before anyone is allocated")
        # The 0.0 stands for the draw of a block size, which is unknown while the seed is sealed. `verify` therefore
        # does not recompute schemes with blocks until the seed is open.
        return (0.0, draw)

    def _allocator(self, version: Version) -> Allocator:
        regime = (version.scheme, options(version.scheme, version.arms))
        if regime not in self._regimes:
            self._regimes[regime] = Allocator(version.scheme, version.arms, self._clusters)
        return self._regimes[regime]


def _broken(row: LedgerRow, what: str) -> str:
    return f"ledger {row.ledger}: row {row.allocation_index} {what}; stop enrolment, export and run `study verify`"
