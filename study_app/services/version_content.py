"""What each locked version of the study shows and asks, kept in the database beside its text.

An amendment replaces the files on the disk; participants who started before it go on with the files of their version,
on every replica and after a restart.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from study_app.domain.content.content_library import ContentLibrary
from study_app.ports import Assistant, UnitOfWork


@dataclass(frozen=True)
class Edition:
    """Content and assistants of one version."""

    content: ContentLibrary
    assistants: Mapping[str, Assistant]
    """By the id under [assistants]."""


def keep_content(unit: UnitOfWork, study_hash: str, content: ContentLibrary) -> None:
    """Keep every file of a version: texts as they are, for they are compared later, the others in base64."""
    unit.set_meta_value(_texts_key(study_hash), dict(sorted(content.texts().items())))
    coded = {path: base64.b64encode(raw).decode() for path, raw in sorted(content.binaries().items())}
    unit.set_meta_value(_binaries_key(study_hash), coded)


def kept_texts(unit: UnitOfWork, study_hash: str) -> dict[str, str]:
    """Path -> content of the text files of a version; empty where none were kept."""
    found: dict[str, str] = unit.meta_value(_texts_key(study_hash)) or {}
    return found


def kept_content(unit: UnitOfWork, study_hash: str) -> dict[str, bytes] | None:
    """Path -> content of every file of a version; None where not all were kept, as before they were."""
    coded: dict[str, str] | None = unit.meta_value(_binaries_key(study_hash))
    if coded is None:
        return None
    texts = {path: text.encode() for path, text in kept_texts(unit, study_hash).items()}
    return texts | {path: base64.b64decode(text) for path, text in coded.items()}


def keep_published_banks(unit: UnitOfWork, study_hash: str, banks: Mapping[str, str]) -> None:
    """Keep the public halves of a version's item banks, by name: all that a dataset has of its content."""
    unit.set_meta_value(_banks_key(study_hash), dict(sorted(banks.items())))


def published_banks(unit: UnitOfWork, study_hash: str) -> dict[str, str]:
    """Name -> public half of the item banks of a version that came from a dataset; empty of any other."""
    found: dict[str, str] = unit.meta_value(_banks_key(study_hash)) or {}
    return found


def altered_files(files: Mapping[str, bytes], locked: Mapping[str, str]) -> list[str]:
    """Return the paths whose content is not what a version was locked with, and those that it lacks.

    Args:
        files: path -> content, as kept.
        locked: path -> SHA-256, of the version.
    """
    return [path for path, digest in locked.items() if hashlib.sha256(files.get(path, b"")).hexdigest() != digest]


def _texts_key(study_hash: str) -> str:
    return f"version_texts:{study_hash}"


def _binaries_key(study_hash: str) -> str:
    return f"version_binaries:{study_hash}"


def _banks_key(study_hash: str) -> str:
    return f"version_banks:{study_hash}"
