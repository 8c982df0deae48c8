"""What the manifest says of acts after an unblinding, against the unblindings and looks that it lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from study_app.dataset.measures.late_judgements import is_late
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.schema import moment


def check_blinding(opened: UntrustedDataset) -> None:
    """Recompute which exclusions followed the same person's first look at what tells an arm.

    How many ratings a person gave after theirs is not recomputed: persons have numbers here which no table ties to the
    names of raters.
    """
    if not opened.own:
        return
    if opened.public:
        _check_counts(opened)
        return
    since = _first_looks(opened)
    for act in opened.acts("exclusions"):
        # Exports of older versions do not tell who excluded.
        if "after_unblinding" in act:
            _check_exclusion(opened, act, since)
    for row in opened.acts("judgements_after_unblinding"):
        if row.get("by") not in since:
            what = f"{row.get('by')} is said to have judged after an unblinding, and none of theirs is in the audit log"
            opened.report.add("unblinding_differs", "manifest.json", None, what)


def check_late_judgements(opened: UntrustedDataset) -> None:
    """Recompute how many ratings of the table people gave after the unsealing, by rubric."""
    if opened.public or not opened.own:
        return
    audit = opened.manifest.get("audit")
    # Of previews and simulated participants ratings are in the table, and not in the audit summary.
    if not isinstance(audit, dict) or "judgements_after_unsealing" not in audit or opened.kinds != ["real"]:
        return
    unsealed = min((moment(str(act.get("at"))) for act in opened.acts("unsealings")), default=None)
    found = Counter(
        str(row["rubric"])
        for row in opened.rows("ratings")
        if isinstance(row["rated_at"], datetime)
        and is_late(str(row["object"]), str(row["rater"]), row["rated_at"], unsealed)
    )
    said = {str(row.get("rubric")): row.get("n") for row in opened.acts("judgements_after_unsealing")}
    for rubric in sorted(found.keys() | said.keys()):
        if found[rubric] != said.get(rubric, 0):
            what = f"{said.get(rubric, 0)} ratings by {rubric} are said to be made after unsealing, {found[rubric]} are"
            opened.report.add("unblinding_differs", "manifest.json", None, what)


def _first_looks(opened: UntrustedDataset) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for act in (*opened.acts("unblindings"), *opened.acts("looks")):
        if "by" in act:
            at, by = moment(str(act.get("at"))), str(act["by"])
            found[by] = min(at, found.get(by, at))
    return found


def _check_exclusion(opened: UntrustedDataset, act: Mapping[str, Any], since: Mapping[str, datetime]) -> None:
    by, at = str(act.get("by")), moment(str(act.get("at")))
    if since.get(by) == at:
        # Of one millisecond the manifest does not tell which came first.
        return
    due = by in since and since[by] < at
    if act["after_unblinding"] != due:
        looked = f"looked first at {since[by].isoformat()}" if by in since else "never looked"
        what = (
            f"{by} excluded {act.get('participant_id')} at {act.get('at')} and {looked}: after_unblinding is not {due}"
        )
        opened.report.add("unblinding_differs", "manifest.json", None, what)


def _check_counts(opened: UntrustedDataset) -> None:
    """Hold the counts of a dataset for everybody against each other: nothing follows an unblinding that was not."""
    audit = opened.manifest.get("audit")
    counts = audit.get("counts") if isinstance(audit, dict) else None
    if not isinstance(counts, dict) or "looks" not in counts:
        return
    looks = counts.get("unblindings", 0) + counts["looks"]
    after = counts.get("exclusions_after_unblinding", 0)
    if after > counts.get("exclusions", 0) or (not looks and (after or counts.get("judgements_after_unblinding", 0))):
        what = (
            f"{after} of {counts.get('exclusions', 0)} exclusions, or judgements, after {looks} unblindings and looks"
        )
        opened.report.add("unblinding_differs", "manifest.json", None, what)
