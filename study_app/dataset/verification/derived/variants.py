"""A participant's class of hack follows from those of their submissions."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.domain.tasks.hacks import HACK_CLASSES


def check_hack_class(opened: UntrustedDataset, person: UntrustedRow, runs: Sequence[UntrustedRow]) -> None:
    """Hold `hack_class` of a participant against the submissions.

    Those of submissions take packs, which a dataset does not bring; datasets of earlier versions have none of them.
    """
    found = person.values.get("hack_class")
    if not found or not any("hack_class" in run.values for run in runs):
        return
    classes = [str(run["hack_class"]) for run in runs if run["hack_class"] in HACK_CLASSES]
    order: list[str] = [*HACK_CLASSES]
    due = min(classes, key=order.index, default=None)
    if found != due:
        what = f"{person['participant_id']}: hack_class is {found}, the submissions give {due}"
        opened.report.add("derived_differs", opened.relative("participants"), person.number, what)
