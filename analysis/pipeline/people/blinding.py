"""Who was unblinded during the trial, and what they did afterwards, as the dataset's manifest tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.data.cell_types import objects_in
from analysis.data.dataset import Dataset
from analysis.data.view import View

_COUNTS = (
    "unblindings", "looks", "exclusions_after_unblinding", "judgements_after_unblinding", "judgements_after_unsealing",
)  # fmt: skip


def blinding_section(dataset: Dataset, shown: View) -> dict[str, Any]:
    """Return the unblindings, first looks, and acts after one or after the unsealing; empty where there was none.

    A dataset for everybody has counts only.
    """
    audit = dataset.manifest.get("audit")
    if not isinstance(audit, Mapping) or "real" not in shown.kinds:
        return {}
    if isinstance(audit.get("counts"), Mapping):
        counts = {name: int(audit["counts"].get(name) or 0) for name in _COUNTS}
        return {"counts": counts} if counts["unblindings"] or counts["looks"] or counts[_COUNTS[-1]] else {}
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
    late = objects_in(audit.get("judgements_after_unsealing"))
    if not unblindings and not looks and not late:
        return {}
    excluded = [act for act in objects_in(audit.get("exclusions")) if act.get("after_unblinding")]
    judged = objects_in(audit.get("judgements_after_unblinding"))
    return {
        "counts": {
            "unblindings": len({act["participant_id"] for act in unblindings}),
            "looks": len(looks),
            "exclusions_after_unblinding": len(excluded),
            "judgements_after_unblinding": sum(int(row.get("n") or 0) for row in judged),
            "judgements_after_unsealing": sum(int(row.get("n") or 0) for row in late),
        },
        "unblindings": unblindings,
        "looks": looks,
        "exclusions": [{name: str(act.get(name)) for name in ("at", "by", "participant_id")} for act in excluded],
        "judgements": [{name: row.get(name) for name in ("by", "rubric", "n")} for row in judged],
        "late_judgements": [{name: row.get(name) for name in ("rubric", "n")} for row in late],
    }


def _ends(dataset: Dataset) -> dict[str, tuple[pd.Timestamp | None, bool]]:
    """Return the end of each participant who is not under way any more, and whether it is known exactly.

    Of who fell silent or was excluded before the end, the end of their last stage is all that is known.
    """
    people = dataset.tables["participants"]
    if "finished_at" not in people:
        return {}
    under_way = people["status"] == "in_progress" if "status" in people else people["finished_at"].isna()
    visits = dataset.tables.get("visits", pd.DataFrame())
    last = visits.groupby("participant_id")["ended_at"].max() if "ended_at" in visits else pd.Series(dtype=object)
    gone = people[~under_way | people["finished_at"].notna()]
    return {
        str(who): (at, True) if pd.notna(at) else (last.get(who), False)
        for who, at in zip(gone["participant_id"], gone["finished_at"], strict=True)
    }


def _during(at: str, end: tuple[pd.Timestamp | None, bool] | None) -> bool | None:
    """Return whether the participant was still on their way: an act after their end cannot have changed what they did.

    None where that is not known: after the last stage that is known to have ended, of who did not finish.
    """
    if end is None:
        return True
    moment = pd.to_datetime(at, utc=True, errors="coerce")
    if pd.notna(end[0]) and moment < pd.to_datetime(end[0], utc=True):
        return True
    return False if end[1] else None
