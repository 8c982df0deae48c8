"""Verify: a dataset against itself, its ledger's seed and the log of edits. Reads the directory and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from study_app.domain.ledger import Anchor
from study_app.services.verify.allocation import check_ledgers, check_participants
from study_app.services.verify.derived import Derived
from study_app.services.verify.files import check_files, check_manifest, check_tables, check_versions
from study_app.services.verify.log import check_log
from study_app.services.verify.opened import open_dataset
from study_app.services.verify.people import check_arms, check_known, check_records, check_visits
from study_app.services.verify.registered import check_anchors, check_registration, read_prereg
from study_app.services.verify.report import Finding, VerifyReport


def verify(dataset: Path, *, prereg: Mapping[str, Any] | None = None, anchors: Collection[Anchor] = ()) -> VerifyReport:
    """Check a dataset directory and name every breach.

    Args:
        dataset: the folder that `export` wrote.
        prereg: the registration as published; None: the copy in the dataset.
        anchors: row hashes of the real ledger that were written down elsewhere.

    Raises:
        UserError: there is no dataset at this path.
    """
    report = VerifyReport(str(dataset))
    opened = open_dataset(Path(dataset), report)
    check_files(opened)
    check_versions(opened)
    check_registration(opened, prereg)
    check_tables(opened)
    check_manifest(opened)
    if report.counts.get("table_unreadable") or "participants" not in opened.files:
        report.note("ledgers, log and participants were not checked: a table cannot be read")
        return report
    check_ledgers(opened)
    check_anchors(opened, anchors)
    check_participants(opened)
    derived = Derived(opened)
    log = check_log(opened, derived.take)
    derived.check_rest()
    check_known(opened, log)
    check_visits(opened)
    check_arms(opened, log)
    check_records(opened, log)
    return report


__all__ = ["Finding", "VerifyReport", "read_prereg", "verify"]
