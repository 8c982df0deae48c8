"""Who was unblinded during the trial, and what they did afterwards, as the dataset's manifest tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.data.cell_types import objects_in
from analysis.data.dataset import Dataset
from analysis.data.view import View

_COUNTS = ("unblindings", "looks", "exclusions_after_unblinding", "judgements_after_unblinding")


def blinding_section(dataset: Dataset, shown: View) -> dict[str, Any]:
    """Return the unblindings, first looks, and acts after one; empty where no real participant was unblinded.

    A dataset for everybody has counts only.
    """
    audit = dataset.manifest.get("audit")
    if not isinstance(audit, Mapping) or "real" not in shown.kinds:
        return {}
    if isinstance(audit.get("counts"), Mapping):
        counts = {name: int(audit["counts"].get(name) or 0) for name in _COUNTS}
        return {"counts": counts} if counts["unblindings"] or counts["looks"] else {}
    ends = _ends(dataset)
    unblindings = [
        {
            "at": str(act.get("at")),
            "by": str(act.get("by", "not recorded")),
            "participant_id": str(act.get("participant_id")),
            "during": _during(str(act.get("at")), ends.get(str(act.get("participant_id")))),
            "why": str(act.get("why", "")),
        }
        for act in objects_in(audit.get("unblindings"))
    ]
    looks = [{name: str(act.get(name)) for name in ("at", "by", "seen")} for act in objects_in(audit.get("looks"))]
    if not unblindings and not looks:
        return {}
    excluded = [act for act in objects_in(audit.get("exclusions")) if act.get("after_unblinding")]
    judged = objects_in(audit.get("judgements_after_unblinding"))
    return {
        "counts": {
            "unblindings": len(unblindings),
            "looks": len(looks),
            "exclusions_after_unblinding": len(excluded),
            "judgements_after_unblinding": sum(int(row.get("n") or 0) for row in judged),
        },
        "unblindings": unblindings,
        "looks": looks,
        "exclusions": [{name: str(act.get(name)) for name in ("at", "by", "participant_id")} for act in excluded],
        "judgements": [{name: row.get(name) for name in ("by", "rubric", "n")} for row in judged],
    }


def _ends(dataset: Dataset) -> dict[str, pd.Timestamp]:
    people = dataset.tables["participants"]
    if "finished_at" not in people:
        return {}
    ended = people[people["finished_at"].notna()]
    return {str(who): at for who, at in zip(ended["participant_id"], ended["finished_at"], strict=True)}


def _during(at: str, end: pd.Timestamp | None) -> bool:
    """Whether the participant was still on their way: an act after their end cannot have changed what they did."""
    moment = pd.to_datetime(at, utc=True, errors="coerce")
    return end is None or bool(moment < pd.to_datetime(end, utc=True))
