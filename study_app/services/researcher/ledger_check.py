"""The ledgers in the database, recomputed in place where the sealing key is: for the doctor, while the trial runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from study_app.domain.errors import SealingKeyMissing
from study_app.domain.ledger import DECISIONS, LEDGERS, LedgerName, genesis, parse_rows, verify_ledger
from study_app.services.context import StudyContext
from study_app.services.ledgers import ledger_gaps, versions


@dataclass(frozen=True)
class Recomputed:
    """What one ledger's recomputation gave; it holds nothing that tells an arm."""

    ledger: LedgerName
    rows: int
    sealed: bool
    """The seed could not be opened here, so arms in blocks were not recomputed."""
    breaches: tuple[tuple[int, str], ...]
    """Allocation index and name of each breach. What was found and expected would show arms, and is left out."""

    decision: int = 1

    def __str__(self) -> str:
        ledger = self.ledger if self.decision == 1 else f"{self.ledger}, decision {self.decision}"
        if self.breaches:
            named = ", ".join(f"{index}: {name}" for index, name in self.breaches[:5])
            return f"{ledger}: {len(self.breaches)} breaches ({named}); stop enrolment and find out who changed it"
        how = "checked by its chain, the sealing key is not here" if self.sealed else "recomputed from the seed"
        return f"{ledger}: {self.rows} allocations {how}"


def recompute(context: StudyContext) -> list[Recomputed]:
    """Return every ledger that has rows, against the algorithm."""
    found = []
    with context.registry.begin(write=False) as unit:
        for name, decision in product(LEDGERS, DECISIONS):
            stored = unit.allocations(name, decision)
            if not stored:
                continue
            rows, malformed = parse_rows(stored)
            # Of previews and simulated people the seeds follow from the hashes of the versions; none is opened for
            # them.
            seed, sealed = b"", False
            if name == "real":
                try:
                    seed = context.seal.open(unit.meta("sealed_seed") or "")
                except SealingKeyMissing:
                    sealed = True
            named, opened = [row.study_hash for row in rows], None if sealed else seed
            known = versions(context, unit, name, named, opened, decision)
            origin = genesis(name, (unit.meta("commitment") or "") if name == "real" else "", decision)
            gaps = ledger_gaps(unit, name, decision)
            breaches = [*malformed, *verify_ledger(rows, known, genesis_hash=origin, gaps=gaps)]
            # Names alone: what a breach found and expected would say the arm.
            pairs = tuple(dict.fromkeys((breach.index, breach.name) for breach in breaches))
            found.append(Recomputed(name, len(stored), sealed, pairs, decision))
    return found
