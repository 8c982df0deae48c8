"""Which items a quiz had in each version of a study: an amendment may add or drop some while people take part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from analysis.data.cell_types import objects_in
from analysis.data.dataset import Dataset
from study_app.dataset.border.folders import text_in
from study_app.dataset.reading.banks import VersionBanks
from study_app.dataset.schema.versions import read_version
from study_app.domain.study.study import Study

Asked = Mapping[str, Mapping[str, float]]
"""Version -> item -> points that it can earn; attention checks are left out."""
UNKNOWN = ""
"""Version of everybody where the dataset names none."""


def asked_by_stage(dataset: Dataset) -> dict[str, dict[str, dict[str, float]]]:
    """Return what each version asks at each quiz, by stage; nothing of versions that the materials do not hold."""
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    entries = objects_in(dataset.manifest.get("versions"))
    by_folder: dict[PurePosixPath, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        # In a pool each site has its own materials.
        by_folder[PurePosixPath(str(entry.get("file"))).parent.parent].append(entry)
    for folder, versions in by_folder.items():
        banks = VersionBanks(dataset.path / folder, versions)
        for entry in versions:
            study_hash, study = str(entry.get("study_hash")), _study(dataset, entry)
            for stage in (quiz.stage for quiz in study.quizzes) if study is not None else ():
                bank = banks.of(study_hash, stage.bank)
                if bank is not None:
                    items = (item for item in bank.items_of(stage.form or None) if item.type != "attention_check")
                    found[stage.id][study_hash] = {item.id: float(item.points) for item in items}
    return found


def asked_in(answers: pd.DataFrame, versions: Mapping[str, str], known: Asked) -> dict[str, dict[str, float]]:
    """Return what each version asked of people: as its bank says, else what one of its people was asked.

    Args:
        answers: of one quiz, to scored items.
        versions: participant -> version.
        known: by the banks.
    """
    if not {"participant_id", "item", "max_points"} <= set(answers.columns):
        return {}
    rows = pd.DataFrame({
        "version": [versions.get(str(person), UNKNOWN) for person in answers["participant_id"]],
        "item": answers["item"].astype(str).to_numpy(),
        "most": pd.to_numeric(answers["max_points"], errors="coerce").to_numpy(),
    })  # fmt: skip
    met = {
        str(version): {str(item): float(most) for item, most in part.groupby("item")["most"].max().items()}
        for version, part in rows.groupby("version")
    }
    return {version: {**items, **known.get(version, {})} for version, items in met.items()}


def _study(dataset: Dataset, entry: Mapping[str, Any]) -> Study | None:
    try:
        return read_version(text_in(dataset.path, entry.get("file")))
    except (OSError, ValueError):
        return None
