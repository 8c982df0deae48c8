"""A dataset directory, opened for verification: nothing in it is believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from study_app.dataset.border.folders import bounded_text, check_folder, text_in
from study_app.dataset.border.holding import held_rows
from study_app.dataset.border.parquet import batches
from study_app.dataset.disclosure.coarsening import recoded_levels, recoded_table
from study_app.dataset.findings import VerifyReport
from study_app.dataset.measures.interviews.themes import CODEBOOK_FILE, read_frozen
from study_app.dataset.reading.banks import VersionBanks
from study_app.dataset.schema import (
    TABLES,
    Column,
    TableName,
    TableSchema,
    guard,
    parsed_json,
    tables_of,
    timestamp,
    types_over_versions,
    value,
)
from study_app.dataset.schema.cells import number_text
from study_app.dataset.schema.columns import IMPORTED
from study_app.dataset.schema.csv_rows import csv_rows
from study_app.dataset.schema.file_names import table_of
from study_app.dataset.schema.versions import read_version
from study_app.domain.errors import UserError
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.study.interviewing.placement import topics_of
from study_app.domain.study.study import Study
from study_app.domain.themes.codebook import Codebook
from study_app.domain.trial_state import hides_arms


@dataclass(frozen=True)
class UntrustedRow:
    """One row: its number in the file, and its cells as values; what could not be read is missing."""

    number: int
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


@dataclass
class UntrustedDataset:
    """What the checks read."""

    path: Path
    report: VerifyReport
    manifest: dict[str, Any]
    files: dict[str, Path]
    """Table -> its file."""
    candidates: dict[str, list[Path]]
    """Table -> every file that is named like its own; more than one is a breach."""
    _kept: dict[str, list[UntrustedRow]] = field(default_factory=dict)

    # -- what the dataset says of itself -------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """State of the trial at export."""
        return str(self.manifest.get("state", ""))

    @property
    def own(self) -> bool:
        """Whether study-app exported it; an import of other data has its own layout.

        Nothing that an export always has may be there of an import: one word less would switch the checks off.
        """
        marks = ("schema", "versions", "ledgers", "commitment", "signature")
        return (
            self.manifest.get("allocation") != IMPORTED
            or any(mark in self.manifest for mark in marks)
            or "allocations" in self.files
            or (self.path / "materials").exists()
        )

    @property
    def allocation_applies(self) -> bool:
        """Whether there is an allocation to check."""
        return self.own

    def hides(self, kind: str) -> bool:
        """Return whether data of participants of this kind are withheld."""
        return hides_arms(self.state, kind)

    @cached_property
    def studies(self) -> dict[str, Study]:
        """Versions of the study by hash, newest first, then past drafts; those that cannot be read are left out."""
        found = {}
        entries = self.listed("versions")
        drafts = [entry for entry in entries[:-1] if entry.get("materials") is None]
        for entry in [*reversed([entry for entry in entries if entry not in drafts]), *drafts]:
            try:
                text = text_in(self.path, entry["file"])
                found[str(entry["study_hash"])] = read_version(text)
            except (OSError, KeyError, ValueError):
                continue
        return found

    @property
    def kinds(self) -> list[str]:
        """Kinds of participants that the export names; none where the manifest has no list of them."""
        kinds = self.manifest.get("kinds")
        return [str(kind) for kind in kinds] if isinstance(kinds, list) else []

    def listed(self, key: str) -> list[dict[str, Any]]:
        """Return a list of objects in the manifest; empty where it is none."""
        entries = self.manifest.get(key, [])
        return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []

    def whole_to(self, participant_id: str, page: str) -> int | None:
        """Return how far a page's log is whole by the export's own word; None where its browser left no gap."""
        for entry in self.listed("events_ahead"):
            if (entry.get("participant_id"), entry.get("page")) == (participant_id, page):
                count = entry.get("whole_to")
                return count if isinstance(count, int) else None
        return None

    def acts(self, name: str) -> list[dict[str, Any]]:
        """Acts of one kind in the audit log, as the manifest tells them."""
        audit = self.manifest.get("audit")
        entries = audit.get(name) if isinstance(audit, dict) else None
        return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []

    def study_of(self, row: UntrustedRow) -> Study | None:
        """Return the version that a participant started with; the newest where it was not kept."""
        return self.studies.get(str(row["study_hash"]), next(iter(self.studies.values()), None))

    @cached_property
    def banks(self) -> VersionBanks:
        """Item banks in the materials."""
        return VersionBanks(self.path / "materials", self.listed("versions"))

    @cached_property
    def codebook(self) -> Codebook | None:
        """Codebook of interviews in the materials."""
        try:
            return read_frozen(text_in(self.path, CODEBOOK_FILE))
        except (OSError, ValueError):
            return None

    @property
    def themes(self) -> tuple[str, ...]:
        """Codes of that codebook."""
        return self.codebook.labels if self.codebook is not None else ()

    @cached_property
    def plans(self) -> list[InterviewPlan]:
        """Plans of interviews in the materials."""
        found = []
        for path in sorted((self.path / "materials" / "interviews").glob("*.json")):
            try:
                found.append(InterviewPlan.model_validate_json(bounded_text(path)))
            except (OSError, ValueError):
                continue
        return found

    @cached_property
    def tables(self) -> dict[TableName, TableSchema]:
        """What the tables must look like, from the study's versions and banks in the materials."""
        studies = list(self.studies.values())
        identified, acts = bool(self.manifest.get("identified")), "agent_actions" in self.files
        versions = ((study, partial(self.banks.of, study_hash)) for study_hash, study in self.studies.items())
        types, topics = types_over_versions(versions), topics_of(self.plans)
        watched = "model_replies" in self.files or "model_looks" in self.files
        tables = tables_of(
            studies, types, identified=identified, acts=acts, topics=topics, themes=self.themes, watched=watched
        )
        recoded = recoded_levels(self.manifest)
        return {name: recoded_table(table, recoded) for name, table in tables.items()}

    @property
    def public(self) -> bool:
        """Whether it was made for everybody, without what people wrote."""
        return isinstance(self.manifest.get("public"), dict)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def relative(self, table: str) -> str:
        """Return a table's file, as findings name it."""
        return self.files[table].relative_to(self.path).as_posix() if table in self.files else f"table {table}"

    def header(self, table: str) -> list[str]:
        """Column names as the file has them."""
        return next(self._raw(table), (0, []))[1] if table in self.files else []

    def rows(self, table: TableName) -> list[UntrustedRow]:
        """Return all rows of a table, typed; empty where there is none. Not for events, which may be many."""
        if table not in self._kept:
            held = held_rows(self._raw(table), self.files[table]) if table in self.files else None
            self._kept[table] = [] if held is None else list(self._typed_rows(table, held))
        return self._kept[table]

    def by_participant(self, table: TableName) -> dict[str, list[UntrustedRow]]:
        """Rows of a table by participant."""
        found: dict[str, list[UntrustedRow]] = defaultdict(list)
        for row in self.rows(table):
            found[str(row["participant_id"])].append(row)
        return found

    def stream(self, table: TableName) -> Iterator[UntrustedRow]:
        """Rows of a table one by one."""
        if table in self.files:
            yield from self._typed_rows(table, self._raw(table))

    def _typed_rows(self, table: TableName, raw: Iterator[tuple[int, list[str]]]) -> Iterator[UntrustedRow]:
        _, header = next(raw, (0, []))
        known = {column.name: column for column in self.tables[table].columns}
        for number, cells in raw:
            yield UntrustedRow(number, {n: _typed(known.get(n), c) for n, c in zip(header, cells, strict=False)})

    def raw(self, table: str) -> Iterator[tuple[int, list[str]]]:
        """Header (as row 1) and rows as text, each with its number; from Parquet as CSV would hold them.

        Raises:
            BeyondLimits: it holds more than is read of a table.
            ValueError: the file is not a table.
        """
        yield from self._raw(table)

    def _raw(self, table: str) -> Iterator[tuple[int, list[str]]]:
        path = self.files[table]
        if path.suffix == ".parquet":
            yield from _parquet_rows(path, {column.name: column for column in self.tables[table].columns})  # type: ignore[index]
            return
        yield from csv_rows(path)


def _parquet_rows(path: Path, columns: dict[str, Column]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for batch in batches(path):
        if number == 0:
            number = 1
            yield number, batch.schema.names
        names = batch.schema.names
        for row in batch.to_pylist():
            number += 1
            yield number, [_as_cell(columns.get(name), row[name]) for name in names]


def _as_cell(column: Column | None, entry: Any) -> str:
    """As CSV holds it; text that begins like a formula gets the guard that CSV would have."""
    if entry is None:
        return ""
    if isinstance(entry, str):
        return guard(entry) if column is None or column.type == "text" else entry
    if isinstance(entry, datetime):
        return timestamp(entry)
    # Columns of other types than ours are held as their text, which the codebook then refuses.
    return number_text(entry) if isinstance(entry, int | float) else str(entry)


def _typed(column: Column | None, cell: str) -> Any:
    if column is None:
        return cell or None
    try:
        return value(column, cell)
    except ValueError:
        return None


def open_dataset(path: Path, report: VerifyReport) -> UntrustedDataset:
    """Open a dataset.

    Raises:
        BeyondLimits: it holds more than is read of a dataset.
        UserError: there is no dataset at this path at all.
    """
    if not path.is_dir() or not ((path / "manifest.json").is_file() or (path / "data").is_dir()):
        raise UserError(f"{path}: no dataset is there; give the directory that `study export --out` wrote")
    check_folder(path)
    manifest: dict[str, Any] = {}
    try:
        read = parsed_json(bounded_text(path / "manifest.json"))
        manifest = read if isinstance(read, dict) else {}
    except (OSError, ValueError):
        pass
    if not manifest:
        report.add("manifest_unreadable", "manifest.json", None, "is missing, or holds no JSON object")
    candidates: dict[str, list[Path]] = defaultdict(list)
    for file in sorted((path / "data").glob("*_data.*")):
        table = table_of(file.name)
        # A pipe would be waited for without end.
        if table in TABLES and (file.is_file() or file.is_dir()):
            candidates[table].append(file)
    files = {table: found[-1] for table, found in candidates.items()}
    return UntrustedDataset(path, report, manifest, files, candidates)


def kind_of(row: UntrustedRow) -> str:
    """Return which ledger a participant belongs to."""
    return "simulated" if row["is_simulated"] else "preview" if row["is_preview"] else "real"
