"""The content of a version that was amended since, unpacked from what the database keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from study_app.content.library import FolderLibrary
from study_app.domain.study.study import Study
from study_app.private_files import be_private_folder, write_private

UP, ROOT = "_up_", "_root_"
"""Folders that stand for `..` and `/`, so that no path of a study leads out of the version's folder."""


class KeptLibrary(FolderLibrary):
    """ports.ContentLibrary over the files of one version.

    Args:
        study: the version.
        folder: where its files are unpacked; what is there and differs is replaced.
        files: path, as the study names it -> content.
    """

    def __init__(self, study: Study, folder: Path, files: Mapping[str, bytes]) -> None:
        super().__init__(study, folder, "study.toml")
        self._kept = {path: hashlib.sha256(raw).hexdigest() for path, raw in files.items()}
        be_private_folder(folder)
        for path, raw in files.items():
            target = self.at(path)
            if not target.is_file() or target.read_bytes() != raw:
                be_private_folder(target.parent)
                write_private(target, raw)

    def at(self, path: str) -> Path:
        """Return where a path of the study lies in the version's folder."""
        names = {"..": UP, "/": ROOT}
        return self.root.joinpath(*(names.get(part, part) for part in PurePosixPath(path).parts))

    @property
    def requirements(self) -> None:
        """None: programs of every version run with the packages that are installed now."""
        return None

    def materials(self) -> Mapping[str, str]:
        """See ContentLibrary."""
        return self._kept
