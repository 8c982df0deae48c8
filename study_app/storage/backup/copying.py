"""`study backup` and `study restore`: a database and its folder `var`, to and from an archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

from sqlalchemy import Connection

from study_app.dataset.integrity.anchors import KeptAnchor, kept_now, parse_lines
from study_app.domain.errors import NotAllowed, UserError
from study_app.domain.ledger import DECISIONS, LedgerRow, head
from study_app.domain.text_files import decode_text
from study_app.ports import RESTORED
from study_app.private_files import be_private_folder, write_private
from study_app.storage.anchor_file import FILE_NAME, AnchorFile
from study_app.storage.backup import table_rows as rows
from study_app.storage.backup.archive import FILE, TABLE, Manifest, Restored, new_archive, open_archive
from study_app.storage.engine import DatabaseEngine
from study_app.storage.migrate import bring_up_to_date
from study_app.storage.unit_of_work import SqlUnitOfWork

SECRET = ("*.key", "console.*")
"""What of the folder `var` a backup holds only when asked: who has both can open the seed."""
PLAIN = (FILE_NAME,)
IN_USE_SECONDS = 15.0
"""Since the last sign of life of a server; one that was stopped has said goodbye."""


def back_up(url: str, var: Path, file: Path, at: datetime, version: str, *, secrets: bool = False) -> Manifest:
    """Write a backup of one moment, while others read and write.

    Raises:
        UserError: the file is there already.
        InfrastructureError: the database cannot be read, or is not a study's.
    """
    database = DatabaseEngine(url, create=False)
    try:
        # One read transaction is one snapshot: participants go on meanwhile, and no table is newer than another.
        with new_archive(file) as archive, database.begin(write=False) as connection:
            rows.check_is_study(database, connection)
            for table in rows.table_names(connection):
                if table not in rows.PASSING:
                    archive.add(TABLE.format(table), rows.lines_of(connection, table), counted=True)
            # After the tables: anchors of what came meanwhile are anchors too, and none that the copy needs is missing.
            for path in _files(var, secrets=secrets):
                archive.add(FILE.format(path.name), [path.read_bytes()])
            return archive.finish(
                study_id=rows.meta_of(connection, "study_id"),
                state=rows.meta_of(connection, "state") or "draft",
                made_at=at.isoformat(timespec="seconds"),
                package_version=version,
                database="sqlite" if database.is_sqlite else "postgresql",
                revision=rows.revision(connection),
                secrets=secrets,
            )
    finally:
        database.close()


def _files(var: Path, *, secrets: bool) -> Iterator[Path]:
    for pattern in (*PLAIN, *(SECRET if secrets else ())):
        yield from (path for path in sorted(var.glob(pattern)) if path.is_file() and not path.is_symlink())


def restore(
    url: str, var: Path, file: Path, at: datetime, anchors: Path | None = None, *, yes: bool = False
) -> Restored:
    """Put a backup back: all of it, or nothing where something is wrong.

    Args:
        url: the database; made where it is missing.
        var: the study's folder; what is in it stays, and anchors are joined.
        file: the backup.
        at: now.
        anchors: a file of anchors that were kept elsewhere.
        yes: whether what the database holds may be replaced.

    Raises:
        UserError: the file is not a whole backup, or another key is in `var`.
        NotAllowed: the database is not empty, or another study's.
        InfrastructureError: it cannot be written.
    """
    with open_archive(file) as (archive, manifest):
        kept = _anchors(archive, manifest, anchors)
        _check_files(archive, manifest, var)
        database = DatabaseEngine(url)
        try:
            last = _what_is_there(database, manifest, at, yes=yes)
            be_private_folder(var)
            # First: whatever happens next, no place that a participant has held is forgotten.
            _join_anchors(AnchorFile(var / FILE_NAME), [*kept, *last])
            restored = Restored(manifest.made_at, manifest.study_id, _sha256(file), 0)
            count = _replace(database, archive, manifest, restored)
        finally:
            database.close()
        for name in manifest.files:
            # Keys come last and replace none: had the transaction failed, a new key would not fit the database that
            # stayed.
            if name != FILE_NAME and not (var / name).exists():
                write_private(var / name, archive.read(FILE.format(name)))
    return Restored(restored.made_at, restored.study_id, restored.sha256, count)


def _replace(database: DatabaseEngine, archive: ZipFile, manifest: Manifest, restored: Restored) -> int:
    """In one transaction: what was there goes, what was kept comes."""
    count = 0
    with database.begin(write=True) as connection:
        rows.empty(connection)
        rows.make_tables(connection, manifest.revision)
        made = set(rows.table_names(connection))
        if (unknown := sorted(set(manifest.tables) - made)) or not manifest.tables:
            raise UserError(f"the backup has a table that its version does not have: {', '.join(unknown) or 'none'}")
        for table in [name for name in rows.table_names(connection) if name in manifest.tables]:
            with archive.open(TABLE.format(table)) as lines:
                count += rows.fill(database, connection, table, lines)
        # An older version's tables are brought up to date when the study is opened, where its key can sign them.
        rows.put_meta(connection, RESTORED, restored.as_json())
    return count


def _what_is_there(database: DatabaseEngine, manifest: Manifest, at: datetime, *, yes: bool) -> list[KeptAnchor]:
    """Return an anchor of what is about to be replaced; nothing for an empty database."""
    with database.begin(write=False) as connection:
        rows.check_is_no_other_program_s(database, connection)
        if rows.is_empty(connection):
            return []
        there = rows.meta_of(connection, "study_id")
    if there is not None and there != manifest.study_id:
        raise NotAllowed(
            f"{database.describe()} holds the study '{there}', the backup is of '{manifest.study_id}'; name another "
            "database"
        )
    _check_unused(database, at)
    if not yes:
        raise NotAllowed(
            f"{database.describe()} is not empty; what it holds would be replaced: make a backup of it, then say "
            "--yes, or name another database"
        )
    # The chain is read below by this version's tables; what is there may be older.
    bring_up_to_date(database)
    with database.begin(write=False) as connection:
        return _state(connection, manifest.study_id, at)


def _check_unused(database: DatabaseEngine, at: datetime) -> None:
    """Refuse while a server may still write.

    Raises:
        NotAllowed: one gave a sign of life just now.
    """
    with database.begin(write=False) as connection:
        beats = rows.beats(connection)
    # Absolute: the clock of another machine may be ahead of this one's.
    if any(abs((at - beat).total_seconds()) < IN_USE_SECONDS for beat in beats):
        raise NotAllowed(
            f"{database.describe()} is used by a server that runs; stop it (study serve) and try again in "
            f"{IN_USE_SECONDS:.0f} seconds"
        )


def _state(connection: Connection, study_id: str, at: datetime) -> list[KeptAnchor]:
    unit = SqlUnitOfWork(connection)
    if (unit.meta("state") or "draft") == "draft":
        return []
    ends = [head(LedgerRow.parse(row) for row in unit.allocations("real", decision)[-1:]) for decision in DECISIONS]
    return [kept_now(study_id, at, unit.chain_heads(), *ends)]


def _anchors(archive: ZipFile, manifest: Manifest, more: Path | None) -> list[KeptAnchor]:
    texts = [(archive.read(FILE.format(name)), name) for name in manifest.files if name == FILE_NAME]
    texts += [(more.read_bytes(), str(more))] if more is not None else []
    found = []
    for content, name in texts:
        try:
            found += parse_lines(decode_text(content, name))
        except ValueError as error:
            raise UserError(f"{name}: {error}; give a file of anchors, or restore without it") from None
    return found


def _join_anchors(store: AnchorFile, anchors: list[KeptAnchor]) -> None:
    known = {anchor.line() for anchor in store.read()}
    for anchor in anchors:
        if anchor.line() not in known:
            store.append(anchor)


def _check_files(archive: ZipFile, manifest: Manifest, var: Path) -> None:
    """Refuse before anything is changed where another key than the backup's is there.

    Raises:
        UserError: one is.
    """
    for name in manifest.files:
        there = var / name
        if name.endswith(".key") and there.exists() and there.read_bytes() != archive.read(FILE.format(name)):
            raise UserError(f"{there}: is another key than the backup's; name another folder with STUDY_VAR")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
