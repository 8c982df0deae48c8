"""Files for their owner only: databases, keys, accounts, datasets; no other account of the machine reads them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

OTHERS = 0o077
"""Rights of group and others, which no file of a study gives."""


def be_private() -> None:
    """From now on this process makes files that only their owner can read."""
    os.umask(OTHERS)


def make_private(path: Path) -> None:
    """Take the rights of others from a file or folder where it is ours; what is not ours stays as it is."""
    try:
        found = path.lstat()
        if found.st_uid == os.geteuid() and found.st_mode & OTHERS and not path.is_symlink():
            path.chmod(found.st_mode & 0o7777 & ~OTHERS)
    except OSError:
        return


def make_private_file(path: Path) -> None:
    """Make an empty file for the owner only, where there is none; its companions take its rights."""
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    make_private(path)


def be_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner only."""
    if not folder.parent.exists():
        be_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    make_private(folder)


def write_private(path: Path, content: bytes) -> None:
    """Write a file for the owner only; a reader finds meanwhile the old one or the new one whole."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


OURS = ("*.key", "*.anchors", "*.db", "*.db-wal", "*.db-shm", "console.*")
"""What the folder `var` holds of ours."""


def files_of(database: str, var: Path) -> list[Path]:
    """Return what of a study must be private.

    The folder `var` and our files in it, and an SQLite database with companions.
    """
    paths = [var, *sorted(path for pattern in OURS for path in var.glob(pattern))] if var.is_dir() else []
    if database.startswith("sqlite:///"):
        base = database.removeprefix("sqlite:///").partition("?")[0]
        paths += [path for suffix in ("", "-wal", "-shm") if (path := Path(f"{base}{suffix}")).is_file()]
    return list(dict.fromkeys(paths))


def open_to_others(paths: Iterable[Path]) -> list[Path]:
    """Return which of these files and folders other accounts could read, write or enter."""
    found = []
    for path in paths:
        try:
            if path.lstat().st_mode & OTHERS and not path.is_symlink():
                found.append(path)
        except OSError:
            continue
    return found
