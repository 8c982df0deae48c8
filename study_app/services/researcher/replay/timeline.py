"""One participant's way as a timeline: every edit, run, message, stage and spell away, for the console's scrubber.

Frames are in order of time and hold what changed; the player keeps the state. An edit is a delta (positions in
UTF-16 units, as in `domain.edits`) against the frame of the same task before it; a `text` frame is the whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from study_app.dataset.measures.turns.acting import Step, steps_of
from study_app.domain.editing.edits import apply_event
from study_app.domain.editing.provenance import Reply, Tracker
from study_app.domain.events import Event, saying
from study_app.domain.events.browser import Edit, TextEvent
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import FigureShown, ProgramEvent, TaskShown
from study_app.domain.records import RunRecord, Turn, Visit, submitted
from study_app.domain.study.study import Stage, Study
from study_app.domain.tasks.packs import TaskPack
from study_app.services.context import StudyContext
from study_app.services.participant_status import current_status
from study_app.services.researcher.replay.evidence import replay_evidence
from study_app.services.researcher.replay.material import Frame, ReplayMaterial, collect, packs_of
from study_app.services.researcher.replay.swimlanes import lanes

PLAIN = ("typed", "indent", "cut")
"""Kinds of edits whose text is typed where it stands; after any other the frame says where all of the text is from."""


def timeline(context: StudyContext, participant_id: str) -> dict[str, Any] | None:
    """Return the timeline of a participant as JSON-able values, times in seconds since enrolment; None if unknown.

    Keys: participant, kind, status, seconds (length), stages, tasks, frames, runs, turns, lanes,
    evidence (on compliance).
    """
    material = collect(context, participant_id)
    if material is None:
        return None
    texts = _Texts(material, _packs(context, material))
    frames = texts.frames() + _run_frames(material) + _turn_frames(material) + _stage_frames(material)
    # Stable: of the same moment the edit comes first, then the run that has it.
    frames.sort(key=lambda frame: frame["t"])
    steps = steps_of(material.events)
    length = max([frame["t"] for frame in frames] + [0.0])
    return {
        "participant": participant_id,
        "kind": material.participant.kind,
        "status": current_status(context, material.participant),
        "seconds": round(length, 3),
        "stages": [_stage(material, visit, length) for visit in material.visits],
        "tasks": {task: pack.title for task, pack in texts.packs.items()},
        "frames": frames,
        "runs": {run.id: _run_mark(material, run) for run in material.runs},
        "turns": {turn.id: _turn(material, turn, steps) for turn in material.turns},
        "lanes": lanes(material, length),
        "evidence": replay_evidence(context, material.participant),
    }


# -- the editor --------------------------------------------------------------------------------------------------------


def _packs(context: StudyContext, material: ReplayMaterial) -> dict[str, TaskPack]:
    return packs_of(context.content_of(material.participant), material.study, material.participant.arm)


@dataclass
class _Texts:
    """Replays every task's text through all pages."""

    material: ReplayMaterial
    packs: dict[str, TaskPack]
    _documents: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _applied: dict[tuple[str, str], int] = field(default_factory=dict)
    """Number of the last event in each document."""
    _shown: dict[str, str] = field(default_factory=dict)
    """Task -> the page whose text the frames hold."""
    _trackers: dict[str, Tracker | None] = field(default_factory=dict)

    def frames(self) -> list[Frame]:
        """Frames of all edits, and of runs whose code the log of edits had lost."""
        runs = {run.id: run for run in self.material.runs}
        found = []
        for t, event in zip(self.material.at, self.material.events, strict=True):
            frame = self._frame(event, runs)
            if frame is not None:
                found.append({"t": round(t, 3), "stage": event.stage, **frame})
        return found

    def _frame(self, event: Event, runs: dict[str, RunRecord]) -> Frame | None:
        details = event.details
        if isinstance(details, TextEvent) and details.task is not None:
            self._feed(event, details.task)
            return self._changed(event, details, details.task)
        self._feed(event, None)
        if isinstance(details, ProgramEvent) and details.run_id in runs:
            return self._program_frame(runs[details.run_id])
        return None

    def _changed(self, event: Event, details: TextEvent, task: str) -> Frame | None:
        key = (event.page, task)
        before = self._documents.get(key)
        if before is None and event.kind == Edit.kind:
            return None  # Waits for the next whole text; the gap was shown when it came.
        try:
            after = apply_event(before, details)
        except ReplayMismatch:
            self._documents[key] = None
            return {"kind": "gap", "task": task}
        self._documents[key] = after
        self._applied[key] = event.seq
        same_page = self._shown.get(task) == event.page
        self._shown[task] = event.page
        how = (details.how if isinstance(details, Edit) else "") or "load"
        if not isinstance(details, Edit) or not same_page:
            return {"kind": "text", "task": task, "how": how, "text": after, **self._spans(task)}
        changes = [[change.start, change.end, change.insert] for change in details.changes]
        spans = {} if how in PLAIN else self._spans(task)
        return {"kind": "edit", "task": task, "how": how, "changes": changes, **spans}

    def _program_frame(self, run: RunRecord) -> Frame | None:
        """At a run the code is known in any case: fix a text that the log has lost, say where the text is from."""
        page = self._shown.get(run.task, "")
        known = self._documents.get((page, run.task))
        # Edits may be on their way still when a run begins; only where all of them are in can the log be wrong.
        complete = run.page == page and run.seq == self._applied.get((page, run.task))
        if known is None or (complete and known != run.code):
            self._shown[run.task] = page
            self._documents[page, run.task] = run.code
            return {"kind": "text", "task": run.task, "how": "run", "text": run.code}
        return {"kind": "spans", "task": run.task, **self._spans(run.task)} if self._spans(run.task) else None

    def _feed(self, event: Event, task: str | None) -> None:
        if task is not None and task not in self._trackers:
            self._trackers[task] = self._tracker(task)
        for name, tracker in self._trackers.items():
            # What is not an edit concerns every task: a text that is pasted may come from any run, reply or page.
            if tracker is None or task not in (None, name):
                continue
            tracker.feed(event.page, event.details)

    def _tracker(self, task: str) -> Tracker | None:
        pack = self.packs.get(task)
        if pack is None:
            return None
        replies = [Reply(turn.id, turn.reply) for turn in self.material.turns]
        return Tracker(task, pack.beginning(submitted(self.material.runs)), replies, pack.brief, pack.reference)

    def _spans(self, task: str) -> Frame:
        tracker = self._trackers.get(task)
        if tracker is None or tracker.gap:
            return {}
        return {"spans": [[span.end - span.start, span.source] for span in tracker.attribution().spans]}


# -- runs, turns, stages -----------------------------------------------------------------------------------------------


def _run_frames(material: ReplayMaterial) -> list[Frame]:
    found: list[Frame] = []
    for run in material.runs:
        begun = material.seconds(run.started_at)
        common = {"task": run.task, "stage": run.stage, "id": run.id}
        found.append({"t": round(begun, 3), "kind": run.kind, **common})
        if run.kind == "run" and run.wall_seconds is not None:
            found.append({"t": round(begun + run.wall_seconds, 3), "kind": "ran", **common})
    return found


def _run_mark(material: ReplayMaterial, run: RunRecord) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "started": round(material.seconds(run.started_at), 3),
        "ended": round(material.seconds(run.started_at) + (run.wall_seconds or 0.0), 3),
        "stdout": run.stdout,
        "stderr": run.stderr,
        "ended_by": run.ended_by,
        "error_type": run.error_type,
        "error_line": run.error_line,
        "figures": [figure.png for _, figure in saying(material.events, FigureShown) if figure.run_id == run.id],
        "checks": [{"name": c["name"], "passed": c["passed"]} for c in run.checks],
    }


def _turn_frames(material: ReplayMaterial) -> list[Frame]:
    found: list[Frame] = []
    for turn in material.turns:
        asked = material.seconds(turn.asked_at)
        common = {"task": turn.task, "stage": "", "id": turn.id}
        found.append({"t": round(asked, 3), "kind": "asked", **common})
        if turn.total_seconds is not None:
            found.append({"t": round(asked + turn.total_seconds, 3), "kind": "answered", **common})
    return found


def _turn(material: ReplayMaterial, turn: Turn, steps: Sequence[Step]) -> dict[str, Any]:
    asked = material.seconds(turn.asked_at)
    return {
        "task": turn.task,
        "asked": round(asked, 3),
        "first": round(asked + (turn.first_token_seconds or 0.0), 3),
        "ended": round(asked + (turn.total_seconds or 0.0), 3),
        "message": turn.message,
        "reply": turn.reply,
        "model": turn.model,
        "stopped": turn.stopped_by_participant,
        "error": turn.error,
        "steps": [_step(material, step) for step in steps if step.proposed.turn_id == turn.id],
    }


def _step(material: ReplayMaterial, step: Step) -> dict[str, Any]:
    said, decided = step.proposed, step.decided_at
    return {
        "t": round(material.seconds(step.event.server_time), 3),
        "tool": said.tool,
        "input": dict(said.input),
        "decision": step.decision,
        "decided": None if decided is None else round(material.seconds(decided), 3),
        "result": None if step.acted is None else step.acted.result,
    }


def _stage_frames(material: ReplayMaterial) -> list[Frame]:
    found: list[Frame] = []
    for visit in material.visits:
        found.append({"t": round(material.seconds(visit.started_at), 3), "kind": "stage", "stage": visit.stage})
        if visit.ended_at is not None:
            ended = round(material.seconds(visit.ended_at), 3)
            found.append({"t": ended, "kind": "stage_ended", "stage": visit.stage, "by": visit.ended_by})
    for event, t in zip(material.events, material.at, strict=True):
        if isinstance(event.details, TaskShown):
            found.append({"t": round(t, 3), "kind": "task", "stage": event.stage, "task": event.details.task})
    return found


def _stage(material: ReplayMaterial, visit: Visit, length: float) -> dict[str, Any]:
    stage = _stage_of(material.study, visit.stage)
    ended = material.seconds(visit.ended_at) if visit.ended_at else max(length, material.seconds(visit.started_at))
    return {
        "id": visit.stage,
        "title": (stage.title if stage else "") or visit.stage,
        "kind": stage.kind if stage else "",
        "main": bool(stage and stage.kind == "tasks" and stage.main),
        "start": round(material.seconds(visit.started_at), 3),
        "end": round(ended, 3),
        "ended_by": visit.ended_by,
    }


def _stage_of(study: Study, stage_id: str) -> Stage | None:
    return next((stage for stage in study.stages if stage.id == stage_id), None)
