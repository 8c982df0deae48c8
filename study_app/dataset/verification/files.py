"""Files against the manifest, and tables against the codebook."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

from study_app.dataset.border.folders import text_in
from study_app.dataset.integrity.record_hashes import PATH as RECORDS
from study_app.dataset.integrity.record_hashes import Records
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.schema import TABLES, Column, TableName, TableSchema, parsed_json, value
from study_app.dataset.schema.cells import FORMULA_STARTS
from study_app.dataset.schema.csv_rows import uneven
from study_app.dataset.schema.tables import ADDED_LATER, IDS
from study_app.domain.study.study import canonical_json


def check_files(opened: UntrustedDataset) -> None:
    """Every listed file is there with its hash, and nothing else is."""
    report = opened.report
    listed = {str(e["path"]): e for key in ("files", "other_files") for e in opened.listed(key) if "path" in e}
    for name, entry in listed.items():
        if not _is_there(opened.path, name):
            report.add("file_missing", name[:200], None, "is in the manifest and not in the folder")
        elif _sha256(opened.path / name) != entry.get("sha256"):
            report.add("file_altered", name, None, "its bytes do not have the hash in the manifest")
    if opened.own:
        # A link is none of ours, wherever it leads, and neither is a pipe.
        present = (path for path in opened.path.rglob("*") if path.is_symlink() or not path.is_dir())
        names = {path.relative_to(opened.path).as_posix() for path in present}
        # Archives lay files beside these two folders, such as a licence.
        ours = {name for name in names if name.split("/")[0] in ("data", "materials")}
        for name in sorted(ours - set(listed)):
            report.add("file_unlisted", name, None, "is in the folder and not in the manifest")
        _check_names(opened)
    report.note(f"{len(listed)} files against the manifest")


def _check_names(opened: UntrustedDataset) -> None:
    """One file for each table, of the study that the manifest names."""
    study_id = str(opened.manifest.get("study_id"))
    for table, files in opened.candidates.items():
        for file in files:
            name = file.relative_to(opened.path).as_posix()
            if not file.name.startswith(f"study-{study_id}_"):
                opened.report.add("file_misnamed", name, None, f"is not of study {study_id}")
            if len(files) > 1:
                opened.report.add("file_misnamed", name, None, f"is one of {len(files)} files of table {table}")


def _is_there(folder: Path, name: str) -> bool:
    """Return whether the folder itself holds such a file; a forged path may be any text."""
    try:
        path = folder / name
        return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_versions(opened: UntrustedDataset) -> None:
    """Each version of the study has the hash that it is named by."""
    report, entries = opened.report, opened.listed("versions")
    for entry in entries:
        name = str(entry.get("file"))
        try:
            text = text_in(opened.path, name)
        except (OSError, ValueError):
            report.add("version_missing", name, None, "this version of the study is not readable in the materials")
            continue
        if entry.get("materials") is None and entry is not entries[-1]:
            report.note(
                f"version {str(entry.get('study_hash'))[:12]}: a past draft; what it named is not known any more"
            )
            continue
        content = canonical_json({"study": text, "materials": entry.get("materials", {})})
        if hashlib.sha256(content.encode()).hexdigest() != entry.get("study_hash"):
            report.add("version_altered", name, None, "the study file or its list of materials lacks the study's hash")
    _check_published(opened, entries[-1].get("materials") if entries else None)
    _check_study_file(opened, str(entries[-1].get("file")) if entries else "")
    newest = entries[-1].get("study_hash") if entries else None
    if opened.own and newest != opened.manifest.get("study_hash"):
        report.add("version_altered", "manifest.json", None, "study_hash is not the newest version's")
    report.note(f"{len(entries)} version(s) of the study against their hashes")


def _check_published(opened: UntrustedDataset, materials: Any) -> None:
    """Briefs and starters are those of the version in force, which names them with their hashes."""
    hashes = materials if isinstance(materials, dict) else {}
    for path in sorted(filter(Path.is_file, (opened.path / "materials" / "tasks").glob("*/*"))):
        named = [digest for name, digest in hashes.items() if name.endswith("/".join(path.parts[-2:]))]
        if named and _sha256(path) not in named:
            file = path.relative_to(opened.path).as_posix()
            opened.report.add("material_altered", file, None, "is not what the version in force names")


def _check_study_file(opened: UntrustedDataset, newest: str) -> None:
    """Check that the study file that readers open first is the version in force."""
    name = "materials/study.json"
    try:
        same = text_in(opened.path, name).strip() == text_in(opened.path, newest)
    except (OSError, ValueError):
        same = not opened.own
    if opened.own and not same:
        opened.report.add("version_altered", name, None, "is not the version in force")


def check_tables(opened: UntrustedDataset) -> None:
    """Every table is there with the codebook's columns, readable cells, unique ids and the manifest's count."""
    expected = opened.tables if opened.own else {}
    records = Records()
    for name in TABLES:
        if name in opened.files:
            _check_table(opened, name, expected.get(name), records)
        elif opened.own and name in expected:
            opened.report.add("file_missing", f"table {name}", None, "there is no such table under data/")
    if opened.own:
        _check_records(opened, records.to_json())
    opened.report.note(f"{len(opened.files)} tables against the codebook")


def _check_records(opened: UntrustedDataset, found: dict[str, dict[str, str]]) -> None:
    """Whose rows are not those that were exported: by the hash of each participant's rows in each table."""
    report = opened.report
    try:
        stated = parsed_json(text_in(opened.path, RECORDS))
        pairs = {(table, name): digest for table, rows in stated.items() for name, digest in rows.items()}
    except (OSError, ValueError, AttributeError):
        report.add("records_unreadable", RECORDS, None, "is missing, or holds no hashes of records")
        return
    now = {(table, name): digest for table, rows in found.items() for name, digest in rows.items()}
    for table, name in sorted({*pairs, *now}):
        whose = f"of {name}" if name else "as a whole"
        if (table, name) not in now:
            report.add("record_removed", opened.relative(table), None, f"the rows {whose} are gone")
        elif pairs.get((table, name)) != now[table, name]:
            report.add("record_altered", opened.relative(table), None, f"the rows {whose} are not those exported")
    report.note(f"{len(pairs)} records against their hashes")


def _check_table(opened: UntrustedDataset, name: TableName, table: TableSchema | None, records: Records) -> None:
    report, file = opened.report, opened.relative(name)
    try:
        count = _check_rows(opened, name, table, records)
    except ValueError as error:
        report.add("table_unreadable", file, None, str(error))
        return
    # Without a count there is nothing to compare: that the file is not listed is said elsewhere.
    stated = next((entry.get("rows") for entry in opened.listed("files") if entry.get("path") == file), count)
    if stated != count:
        report.add("row_count", file, None, f"has {count} rows, the manifest says {stated}")


def _check_header(opened: UntrustedDataset, name: TableName, header: list[str], table: TableSchema) -> None:
    """Wrong columns are a finding; those that an earlier version did not write yet are named and taken as empty."""
    absent = [column for column in ADDED_LATER.get(name, ()) if column in table.names and column not in header]
    if header != [column for column in table.names if column not in absent]:
        opened.report.add("wrong_columns", opened.relative(name), 1, _header_difference(header, table))
        return
    version = opened.manifest.get("package_version", "unknown")
    what = "paused time counts as 0" if "paused_seconds" in absent else "they are taken as empty"
    opened.report.note(
        f"{name} by an earlier version (the manifest says {version}), which wrote no {', '.join(absent)}: {what}"
    )


def _check_rows(opened: UntrustedDataset, name: TableName, table: TableSchema | None, records: Records) -> int:
    report, file = opened.report, opened.relative(name)
    rows = opened.raw(name)
    _, header = next(rows, (1, []))
    if table is not None and header != list(table.names):
        _check_header(opened, name, header, table)
    columns = _columns(opened, name, header, table)
    seen: Counter[tuple[str, ...]] = Counter()
    count = 0
    for number, cells in rows:
        count += 1
        if wrong := uneven(header, cells):
            report.add("ragged_row", file, number, wrong)
            continue
        row = dict(zip(header, cells, strict=True))
        records.add(name, row.get("participant_id", ""), [cells])
        for column in columns:
            _check_cell(opened, file, number, column, row[column.name])
        key = tuple(row.get(part, "") for part in IDS.get(name, ()))
        if any(key):
            seen[key] += 1
            # Said once, however often it comes.
            if seen[key] == 2:
                report.add("duplicate_id", file, number, f"{' '.join(key)} comes twice")
    return count


def _columns(opened: UntrustedDataset, name: TableName, header: list[str], table: TableSchema | None) -> list[Column]:
    if table is None:
        return []
    return [column for column in table.columns if column.name in header]


def _header_difference(header: list[str], table: TableSchema) -> str:
    missing = [name for name in table.names if name not in header]
    foreign = [name for name in header if name not in table.names]
    twice = [name for name, count in Counter(header).items() if count > 1]
    parts = [("missing", missing), ("unknown", foreign), ("twice", twice)]
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names) or "the columns are out of order"


def _check_cell(opened: UntrustedDataset, file: str, number: int, column: Column, cell: str) -> None:
    if cell == "":
        return
    report = opened.report
    try:
        found = value(column, cell)
    except ValueError:
        report.add("malformed_cell", file, number, f"{column.name}: {cell[:80]!r} is not a valid {column.type}")
        return
    if column.guarded and file.endswith(".csv") and cell[0] in FORMULA_STARTS and cell[0] != "'":
        report.add("unguarded_cell", file, number, f"{column.name}: {cell[:40]!r} would be run by a spreadsheet")
    if column.levels and str(found) not in column.levels:
        report.add("out_of_range", file, number, f"{column.name}: {found!r} is not one of {column.range}")
    elif column.type in ("integer", "number") and not _within(column, found):
        report.add("out_of_range", file, number, f"{column.name}: {found!r} is not {column.range}")


def _within(column: Column, found: Any) -> bool:
    return (column.low is None or found >= column.low) and (column.high is None or found <= column.high)
