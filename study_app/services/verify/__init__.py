"""Verify: a dataset against itself, its ledger's seed and the log of edits. Reads the directory and nothing else."""

from __future__ import annotations

from pathlib import Path

from study_app.services.verify.allocation import check_ledgers, check_participants
from study_app.services.verify.files import check_files, check_manifest, check_tables, check_versions
from study_app.services.verify.log import check_log
from study_app.services.verify.opened import open_dataset
from study_app.services.verify.people import check_arms, check_derived, check_known, check_records, check_visits
from study_app.services.verify.report import Finding, VerifyReport


def verify(dataset: Path) -> VerifyReport:
    """Check a dataset directory and name every breach.

    Raises:
        UserError: there is no dataset at this path.
    """
    report = VerifyReport(str(dataset))
    opened = open_dataset(Path(dataset), report)
    check_files(opened)
    check_versions(opened)
    check_tables(opened)
    check_manifest(opened)
    if report.counts.get("table_unreadable") or "participants" not in opened.files:
        report.note("ledgers, log and participants were not checked: a table cannot be read")
        return report
    check_ledgers(opened)
    check_participants(opened)
    log = check_log(opened)
    check_known(opened, log)
    check_visits(opened)
    check_arms(opened, log)
    check_records(opened, log)
    check_derived(opened, log)
    return report


__all__ = ["Finding", "VerifyReport", "verify"]
