"""Item banks in a dataset's materials: those of the version in force, and those of each version before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from study_app.dataset.border.folders import bounded_text
from study_app.dataset.schema.file_names import kept_banks
from study_app.domain.content.content_paths import name_of
from study_app.domain.quiz.items import Bank


class VersionBanks:
    """Banks by version and folder.

    Args:
        materials: the folder of the materials.
        versions: the manifest's entries of the versions, the one in force last.
    """

    def __init__(self, materials: Path, versions: Sequence[Mapping[str, Any]]) -> None:
        self._materials = materials
        self._files = {str(entry.get("study_hash")): entry.get("materials") for entry in versions}
        self._newest = str(versions[-1].get("study_hash")) if versions else ""
        self._read = cache(self._banks)

    def of(self, study_hash: str, folder: str) -> Bank | None:
        """Return the bank of a folder as a version has it, without its keys; None where the dataset lacks it."""
        name = name_of(folder)
        kept = self._read(kept_banks(study_hash))
        if name in kept:
            return kept[name]
        return None if self.replaced(study_hash, folder) else self._read("quizzes").get(name)

    def replaced(self, study_hash: str, folder: str) -> bool:
        """Whether an amendment changed a bank that was not kept: earlier releases exported the one in force only."""
        then, now = (_in_folder(self._files.get(name), folder) for name in (study_hash, self._newest))
        kept = name_of(folder) in self._read(kept_banks(study_hash))
        return not kept and then is not None and now is not None and then != now

    def _banks(self, place: str) -> dict[str, Bank]:
        found = {}
        for path in sorted((self._materials / place).glob("*.json")):
            try:
                found[path.stem] = Bank.model_validate_json(bounded_text(path))
            except (OSError, ValueError):
                continue
        return found


def _in_folder(hashes: object, folder: str) -> dict[str, Any] | None:
    if not isinstance(hashes, dict):
        return None
    return {path: digest for path, digest in hashes.items() if str(path).startswith(f"{folder}/")}
