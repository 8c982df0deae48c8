"""The content of a version that was amended since, from what the database keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from study_app.content.item_banks import load_bank, load_keys
from study_app.content.library import FolderLibrary
from study_app.domain.content.content_paths import name_of
from study_app.domain.quiz.items import Bank
from study_app.domain.quiz.keys import Keys
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


class EarlierBanks(FolderLibrary):
    """ports.ContentLibrary with the banks of a version, everything else as it is now.

    Args:
        version: the study as it was.
        now: the content of the study as it is now.
        banks: name of a bank of the version -> its public half, as datasets hold it.
    """

    def __init__(self, version: Study, now: FolderLibrary, banks: Mapping[str, str]) -> None:
        # Of the study of now: what the version names may have been renamed or removed by the amendment.
        super().__init__(now.study, now.root, now.file)
        named = dict.fromkeys(stage.bank for stage in version.stages if stage.bank)
        self._published = {folder: banks[name_of(folder)] for folder in named if name_of(folder) in banks}
        self._banks = {folder: Bank.model_validate_json(text) for folder, text in self._published.items()}

    def keys(self, folder: str) -> Keys:
        """See ContentLibrary; of an item that was dropped since there is no key."""
        if folder not in self._published:
            return super().keys(folder)
        there = self.at(folder)
        return load_keys(there, load_bank(there))

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Return the banks, as they were published."""
        for folder, text in self._published.items():
            yield f"quizzes/{name_of(folder)}.json", text.encode()
