"""Recordings in the place of models: as the audit log has them, and from that moment on only they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema.cells import moment
from study_app.dataset.verification.participants import declared_model
from study_app.dataset.verification.server_log import Log

GRACE = timedelta(minutes=1)
"""A question may have been on its way, and clocks of servers differ."""


def check_replacements(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Hold who answered each question against the replacements in the audit log.

    A treatment that names a model is answered by a recording only once the log says so, and by the model no more from
    then on; the recording is one of the files of a locked version.
    """
    if opened.public:
        return
    acts = {(str(act.get("assistant")), str(act.get("model"))): act for act in opened.acts("model_replacements")}
    by_model = _by_model(opened)
    if not acts and not by_model:
        return
    file, replayed = opened.relative("turns"), 0
    for row in opened.rows("turns"):
        act = acts.get((str(row["treatment"]), declared_model(row, log)))
        wrong = _wrong(row, act, by_model)
        replayed += row["assistant"] == "recorded" and act is not None
        if wrong is not None:
            opened.report.add("model_differs", file, row.number, wrong)
    _check_files(opened, acts)
    if acts:
        named = ", ".join(sorted(str(act.get("treatment")) for act in acts.values()))
        opened.report.note(f"{replayed} replies of recordings in a model's place ({named}), as the audit log has it")


def _wrong(row: UntrustedRow, act: Mapping[str, Any] | None, by_model: frozenset[str]) -> str | None:
    asked = row["asked_at"]
    since = None if act is None else moment(act_at(act))
    if row["assistant"] == "recorded":
        if since is None:
            treatment = str(row["treatment"])
            what = f"answered by a recording, and the audit log does not say that one replaced the model of {treatment}"
            return what if treatment in by_model else None
        # By its end: a question that was on its way when the model went was asked of it, and answered by the recording.
        ended = asked + timedelta(seconds=float(row["total_seconds"] or 0)) if isinstance(asked, datetime) else None
        return None if ended is None or ended + GRACE >= since else f"answered by a recording before {act_at(act)}"
    late = since is not None and isinstance(asked, datetime) and asked > since + GRACE
    if late and row["assistant"] == "claude" and row["reply"]:
        return f"answered by {row['model']} after a recording replaced it at {act_at(act)}"
    return None


def act_at(act: Mapping[str, Any] | None) -> str:
    """Return when a replacement was, as the manifest has it."""
    return str((act or {}).get("at"))


def _by_model(opened: UntrustedDataset) -> frozenset[str]:
    """Return the ids of the treatments that a model answers, as the published files of assistants have it."""
    found = set()
    for path in sorted((opened.path / "materials" / "assistants").glob("*.json")):
        try:
            spec = json.loads(path.read_bytes())
        except ValueError:
            continue
        if isinstance(spec, dict) and spec.get("provider") == "claude":
            found.add(str(spec.get("id")))
    return frozenset(found)


def _check_files(opened: UntrustedDataset, acts: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Check that each recording is one that a version was locked with."""
    locked = [entry.get("materials") for entry in opened.listed("versions")]
    for act in acts.values():
        hashes = {hashes.get(str(act.get("recording"))) for hashes in locked if isinstance(hashes, dict)}
        if act.get("sha256") not in hashes:
            what = f"the recording {act.get('recording')} that replaced a model is not one of a locked version"
            opened.report.add("model_differs", "manifest.json", None, what)
