"""Paths of a study file against the names on the disk, and recordings against the one spelling of a path.

Disks of Windows and macOS take `Tasks/Trio` for `tasks/trio`, and letters with composed accents for those with separate
ones; a server's disk does not, and a study's hash does not either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from study_app.content.library import FolderLibrary
from study_app.domain.content.content_paths import alike, spelled
from study_app.domain.errors import Problem
from study_app.domain.study.contradictions.named_content import path_problems


def spelling_problems(library: FolderLibrary) -> Iterator[Problem]:
    """Yield paths that name what the disk has under another spelling, each with that spelling."""
    in_study_file = set(library.study.content_paths())
    for key, path in library.content_paths():
        if (key, path) not in in_study_file:
            yield from (Problem(library.file, *finding) for finding in path_problems(key, path))
        there = spelled_on_disk(library.root, path) if path == spelled(path) else path
        if there not in ("", path):
            what = f"'{path}' is spelled '{there}' on the disk; other disks, and the study's hash, tell the two apart"
            yield Problem(library.file, key, what, f"write '{there}', or rename what it names")


def spelled_on_disk(root: Path, path: str) -> str:
    """Return a path with the names that the disk has; empty where it has none, or several to choose from."""
    here, names = root, []
    for part in PurePosixPath(path).parts:
        found = part if part in ("/", "..") else _named_alike(here, part)
        if not found:
            return ""
        names.append(found)
        here = here / found
    return PurePosixPath(*names).as_posix()


def _named_alike(folder: Path, name: str) -> str:
    """Return an entry of a folder by its name, or the only one that some disks take for it."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return ""
    found = [name] if name in entries else [each for each in entries if alike(each) == alike(name)]
    return found[0] if len(found) == 1 else ""
