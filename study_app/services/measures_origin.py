"""Where the submitted programs came from, and what was pasted from outside."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from study_app.domain.edits import ReplayMismatch, utf16_length
from study_app.domain.events import Event
from study_app.domain.participant import RunRecord
from study_app.domain.provenance import Attribution, Reply, Source, Tracker
from study_app.services.measures import Content, Dossier

log = logging.getLogger(__name__)

_COLUMNS: dict[str, Source] = {
    "typed_chars": "typed",
    "pasted_chars_assistant": "assistant",
    "pasted_chars_outside": "outside",
    "retyped_assistant_chars": "retyped",
    "pasted_chars_brief": "brief",
    "pasted_chars_notes": "notes",
    "starter_chars": "starter",
    "unknown_chars": "unknown",
}
BURST = 30
"""Characters without white space in one typed edit: more than a key, a completed bracket or a word's correction."""


def tracker_for(dossier: Dossier, content: Content, task: str) -> Tracker | None:
    """A tracker of one task, to be fed the participant's events; None where its pack is gone."""
    pack = content.pack_of(dossier.study, task)
    if pack is None:
        return None
    replies = [Reply(turn.id, turn.reply) for turn in dossier.turns]
    return Tracker(task, pack.starter, replies, pack.brief, pack.reference)


def attribution_of(dossier: Dossier, content: Content, run: RunRecord) -> Attribution | None:
    """Where a submitted program came from; None where the log does not show it."""
    tracker = tracker_for(dossier, content, run.task)
    if tracker is None or not _edited(dossier.events, run.task):
        return None
    try:
        for event in dossier.events:
            tracker.feed(event.page, event.kind, event.payload)
    except ReplayMismatch as error:
        log.warning("participant %s, task %s: %s; study verify says more", run.participant_id, run.task, error)
        return None
    return tracker.attribution(run.code)


def _edited(events: Iterable[Event], task: str) -> bool:
    return any(event.kind in ("load", "edit") and event.payload.get("task") == task for event in events)


def origins(dossier: Dossier, content: Content) -> dict[str, Any]:
    """Characters of the submitted main tasks by origin; missing where a program's log is missing."""
    submitted = [run for run in dossier.runs if run.kind == "submission" and run.stage in dossier.main_ids]
    found = [attribution_of(dossier, content, run) for run in submitted]
    if not found or any(attribution is None for attribution in found):
        return {}
    counts = [attribution.counts() for attribution in found if attribution is not None]
    return {column: sum(each[source] for each in counts) for column, source in _COLUMNS.items()}


def outside(dossier: Dossier, content: Content) -> dict[str, Any]:
    """Pastes and drops from outside into the editor on the main tasks, and bursts of typing."""
    if not any(dossier.visit(stage.id) for stage in dossier.main_stages):
        return {}
    mine = [event for event in dossier.events if event.stage in dossier.main_ids]
    sizes = [size for event in mine if (size := _outside_size(event))]
    return {
        "outside_pastes": len(sizes),
        "outside_paste_chars": sum(sizes),
        "longest_outside_paste": max(sizes, default=0),
        "typing_bursts": sum(_is_burst(event) for event in mine),
    }


def _outside_size(event: Event) -> int:
    """Characters that this event would bring in from outside; 0 for any other."""
    payload = event.payload
    if event.kind != "paste_attempt" or payload.get("target", "editor") != "editor" or payload.get("from") != "outside":
        return 0
    length = payload.get("length")
    return length if isinstance(length, int) else utf16_length(str(payload.get("text", "")))


def _is_burst(event: Event) -> bool:
    if event.kind != "edit" or event.payload.get("kind") != "typed":
        return False
    inserts = [str(change.get("insert", "")) for change in event.payload.get("changes") or ()]
    return any(len("".join(insert.split())) >= BURST for insert in inserts)
