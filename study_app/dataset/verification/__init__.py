"""Verify: a dataset against itself, its ledger's seed and the log of edits. Reads the directory and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from study_app.dataset.border.limits import BeyondLimits
from study_app.dataset.findings import DatasetFinding, VerifyReport
from study_app.dataset.reading.dataset import UntrustedDataset, open_dataset
from study_app.dataset.verification.allocation import check_ledgers, check_participants
from study_app.dataset.verification.blinding import check_blinding, check_late_judgements
from study_app.dataset.verification.chain import check_chain
from study_app.dataset.verification.derived.measures import Derived
from study_app.dataset.verification.event_log import check_log
from study_app.dataset.verification.files import check_files, check_tables, check_versions
from study_app.dataset.verification.gate import check_gate
from study_app.dataset.verification.manifest import check_manifest
from study_app.dataset.verification.models.replaced import check_replacements
from study_app.dataset.verification.models.rounds import check_rounds
from study_app.dataset.verification.participants import (
    check_arms,
    check_known,
    check_models,
    check_records,
    check_visits,
)
from study_app.dataset.verification.pools import check_pool, sites_of
from study_app.dataset.verification.registration import check_anchors, check_looks, check_registration, read_prereg
from study_app.dataset.verification.rows_against_log import check_logged
from study_app.dataset.verification.second_decision import check_second_decision
from study_app.dataset.verification.server_log import Log
from study_app.dataset.verification.themes import check_themes
from study_app.domain.ledger import Anchor


def verify(
    dataset: Path,
    *,
    prereg: Mapping[str, Any] | None = None,
    anchors: Collection[Anchor] = (),
    heads: Collection[str] = (),
    second: Collection[Anchor] = (),
) -> VerifyReport:
    """Check a dataset directory and name every breach.

    Args:
        dataset: the folder that `export` wrote.
        prereg: the registration as published; None: the copy in the dataset.
        anchors: row hashes of the real ledger that were written down elsewhere.
        heads: heads of the chain of records that were kept elsewhere, in hex.
        second: row hashes of the real ledger of a second decision, likewise.

    Raises:
        BeyondLimits: a file holds more than is read of one.
        UserError: there is no dataset at this path.
    """
    report = VerifyReport(str(dataset))
    opened = open_dataset(Path(dataset), report)

    if "pool" in opened.manifest:
        for name, site in sites_of(opened):
            report.take(verify(site), name)
        check_pool(opened)
        return report

    def run(check: Callable[..., Any], *given: Any) -> Any:
        """Run a check on a dataset of any shape: a check that stops is a breach, and the others go on."""
        try:
            return check(*given)
        # The whole of it ends there: each later check would read the same file again, as far as its limit.
        except BeyondLimits:
            raise
        except Exception as error:
            what = f"{check.__name__} cannot be done: {type(error).__name__}: {error}"
            report.add("check_stopped", "", None, what[:300])
            return None

    run(check_files, opened)
    run(check_versions, opened)
    run(check_registration, opened, prereg)
    run(check_looks, opened)
    run(check_tables, opened)
    run(check_manifest, opened)
    run(check_blinding, opened)
    # Every later check joins tables: over one that cannot be read, its findings would name the wrong causes.
    if report.counts.get("table_unreadable") or "participants" not in opened.files:
        report.note("ledgers, log and participants were not checked: a table cannot be read")
        return report
    if opened.public:
        report.note(NOT_OF_PUBLIC)
    else:
        run(check_late_judgements, opened)
        run(check_ledgers, opened)
        run(check_anchors, opened, anchors)
        run(check_anchors, opened, second, 2)
        run(check_participants, opened)
        run(check_second_decision, opened)
    log = run(_check_events, opened) or {}
    for check in (check_known, check_arms, check_records, check_logged, check_models, check_gate):
        run(check, opened, log)
    run(check_visits, opened, log)
    run(check_themes, opened)
    run(check_rounds, opened)
    run(check_replacements, opened, log)
    if not opened.public:
        run(check_chain, opened, heads)
    return report


NOT_OF_PUBLIC = (
    "a dataset for everybody, without text and moments: its ledger was not recomputed, programs were not compared with "
    "edits, answers and columns not derived again, and no row compared with the chain of records; the rest is checked"
)
"""What verify says of such a dataset."""


def _check_events(opened: UntrustedDataset) -> dict[str, Log]:
    """Return the log, and what is derived from it beside the other tables: events are read once only."""
    if opened.public:
        return check_log(opened, lambda _name, _events: None)
    derived = Derived(opened)
    log = check_log(opened, derived.take)
    derived.check_rest()
    return log


__all__ = ["DatasetFinding", "VerifyReport", "read_prereg", "verify"]
