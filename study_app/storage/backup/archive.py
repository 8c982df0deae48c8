"""The file of a backup: a zip archive of tables, files and a manifest with the hash of each."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from study_app.domain.errors import UserError

MANIFEST = "manifest.json"
TABLE = "tables/{}.jsonl"
FILE = "var/{}"
_PIECE = 1 << 20
_MOST_OF_MANIFEST = 16 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)
"""What reading a part of a damaged or foreign archive raises; an encrypted one is a RuntimeError."""


class Part(BaseModel):
    """One file of the archive."""

    model_config = ConfigDict(extra="forbid")
    path: Annotated[str, Field(pattern=r"^(tables|var)/[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    lines: int | None = None
    """Of a table: rows and the line of names."""


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(extra="forbid")
    schema_: Literal["study-backup/1"] = Field(alias="schema")
    study_id: str
    state: str
    made_at: str
    package_version: str
    database: Literal["sqlite", "postgresql"]
    revision: str
    """Version of the tables."""
    secrets: bool
    """Whether sealing key and console accounts are in it."""
    parts: list[Part]

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return [part.path[len("tables/") : -len(".jsonl")] for part in self.parts if part.path.startswith("tables/")]

    @property
    def files(self) -> list[str]:
        """Names of the files of the folder `var`."""
        return [part.path.removeprefix("var/") for part in self.parts if part.path.startswith("var/")]


@dataclass
class ArchiveWriter:
    """Writes the parts and remembers their hashes."""

    zip: zipfile.ZipFile
    parts: list[dict[str, object]] = field(default_factory=list)

    def add(self, path: str, pieces: Iterable[bytes], *, counted: bool = False) -> None:
        """Add a file, piece by piece."""
        digest, count = hashlib.sha256(), 0
        # The size of a streamed part is not known when its header is written; without zip64 a log over 4 GiB fails at
        # its end.
        with self.zip.open(path, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                count += 1
        self.parts.append({"path": path, "sha256": digest.hexdigest()} | ({"lines": count} if counted else {}))

    def finish(self, **facts: object) -> Manifest:
        """Write the manifest."""
        manifest = Manifest.model_validate({"schema": "study-backup/1", **facts, "parts": self.parts})
        self.zip.writestr(MANIFEST, json.dumps(manifest.model_dump(by_alias=True), indent=2))
        return manifest


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Provide a writer; the file has its name only once it is whole and on the disk, for its owner only.

    Raises:
        UserError: there is a file of that name.
    """
    if path.exists():
        raise UserError(f"{path}: there is such a file already; choose another name, or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, for a link cannot cross file systems; mkstemp makes it readable by its owner only.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
                yield ArchiveWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name was taken meanwhile; a rename would replace what is there.
        os.link(draft, path)
    finally:
        Path(draft).unlink()


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Provide an archive whose every hash was compared.

    Raises:
        UserError: it is not a backup, or was changed or cut off.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise UserError(f"{path}: is not a backup of a study, or was cut off ({error}); name another") from None
    with archive:
        try:
            manifest = Manifest.model_validate_json(_manifest_text(archive))
        except (KeyError, ValidationError, *_UNREADABLE) as error:
            raise UserError(f"{path}: has no manifest of a backup ({type(error).__name__}); name another") from None
        check_parts(path, archive, manifest)
        yield archive, manifest


def _manifest_text(archive: zipfile.ZipFile) -> bytes:
    """Return the manifest; of one that unpacks to more than any has, no more than is needed to refuse it."""
    with archive.open(MANIFEST) as file:
        text = file.read(_MOST_OF_MANIFEST + 1)
    return text if len(text) <= _MOST_OF_MANIFEST else b""


def check_parts(path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Compare what is in the archive with its manifest.

    Raises:
        UserError: a part is missing, changed, or not in the manifest.
    """
    there, named = sorted(archive.namelist()), sorted([MANIFEST, *(part.path for part in manifest.parts)])
    # A name that comes twice in the archive is caught here, too: which of the two is read would depend on the reader.
    if there != named:
        raise UserError(f"{path}: its files are not those of its manifest; take another copy")
    for part in manifest.parts:
        digest = hashlib.sha256()
        try:
            with archive.open(part.path) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except _UNREADABLE:
            digest = hashlib.sha256(b"unreadable")
        if digest.hexdigest() != part.sha256:
            raise UserError(f"{path}: {part.path} was changed or damaged; take another copy")


@dataclass(frozen=True)
class Restored:
    """What was put back, as the audit log keeps it."""

    made_at: str
    study_id: str
    sha256: str
    rows: int

    def as_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), sort_keys=True)
