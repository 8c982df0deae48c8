"""Repairing the known irregularities of the published transcripts, each repaired one listed.

Two kinds of entries: `repaired` (the dataset differs from the file, because the file contradicts itself in one way
only) and `left` (something is odd or missing, and nothing in the file says what it should have been).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from analysis.published_study.schema import CODE_SPELLINGS, AnnotatedMoment, Transcript

LABELS = {
    "question": "explanation",
    "code_generation": "generation",
    "debugging": "debugging",
    "capability_question": "capability",
    "thanks": "appreciation",
}
"""Transcript code -> the contract's label of a query."""

_IMPLIED = {
    "task_start",
    "ai_interaction",
    "websearch",
    "paste",
    "code_copying",
    "error",
    "task_completion",
    "task_submission",
}
"""Event types whose own name is their code."""

_OF_AN_ASSISTANT = {"ai_interaction", "ai_query", "ai_delay"}

MAX_STRAY_EVENTS = 2
"""A longer stretch noted for the other task is taken for a return to it, and left."""

Action = Literal["repaired", "left"]


@dataclass(frozen=True)
class Repair:
    """One irregularity and what became of it."""

    participant_id: str
    event: int | None
    """Index of the observation in its file, from 0; None for the whole file."""
    field: str
    found: str
    now: str
    """Value in the dataset; empty where nothing could be put in its place."""
    reason: str
    action: Action = "repaired"


@dataclass(frozen=True)
class RepairedEvent:
    """One observation after repair; the recorded values stay beside the repaired ones."""

    kind: str
    seconds: int
    """Since the start of the main tasks, never decreasing."""
    task: str
    codes: tuple[str, ...]
    recorded: AnnotatedMoment

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of a query in the contract's words and order; empty for any other event."""
        if self.kind != "ai_query":
            return ()
        return tuple(label for code, label in LABELS.items() if code in self.codes)


@dataclass(frozen=True)
class Repaired:
    """A transcript's events as the dataset holds them, and how they differ from the file."""

    transcript: Transcript
    events: tuple[RepairedEvent, ...]
    repairs: tuple[Repair, ...]

    @property
    def participant_id(self) -> str:
        """`p<pid>`."""
        return f"p{self.transcript.pid}"


def repair(transcript: Transcript) -> Repaired:
    """Apply every repair: codes, then times, then task numbers; then list what stays odd."""
    who = f"p{transcript.pid}"
    repairs: list[Repair] = []
    events = [_with_codes(who, index, each, repairs) for index, each in enumerate(transcript.main_task_observations)]
    events = _with_times(who, events, repairs)
    events = _with_tasks(who, events, repairs)
    repairs += _oddities(who, transcript, events)
    return Repaired(transcript, tuple(events), tuple(repairs))


def _with_codes(who: str, index: int, observation: AnnotatedMoment, repairs: list[Repair]) -> RepairedEvent:
    """Spell codes one way; where the event's type says its code, the type wins."""
    codes = []
    for code in observation.codes:
        spelled = CODE_SPELLINGS.get(code, code)
        if spelled != code:
            repairs.append(Repair(who, index, "codes", code, spelled, "spelling"))
        codes.append(spelled)
    kind = observation.event_type
    if kind in _IMPLIED and kind not in codes:
        reason = f"the event is a {kind}; its type and its description say so"
        keep = [code for code in codes if code not in _IMPLIED and code not in LABELS]
        repairs.append(Repair(who, index, "codes", " ".join(codes), " ".join([kind, *keep]), reason))
        codes = [kind, *keep]
    elif kind == "system_error" and "task_submission" in codes:
        repairs.append(Repair(who, index, "codes", " ".join(codes), kind, "the event is a failure of the platform"))
        codes = [kind]
    return RepairedEvent(kind, observation.seconds, observation.task_id, tuple(codes), observation)


def _with_times(who: str, events: list[RepairedEvent], repairs: list[Repair]) -> list[RepairedEvent]:
    """Keep the annotators' order; a time earlier than its predecessor's becomes the predecessor's."""
    done: list[RepairedEvent] = []
    for index, event in enumerate(events):
        if done and event.seconds < done[-1].seconds:
            latest = done[-1].seconds
            reason = "time runs backwards; the order of the file is kept, durations use the recorded time"
            repairs.append(Repair(who, index, "timestamp", event.recorded.timestamp, clock(latest), reason))
            event = replace(event, seconds=latest)
        done.append(event)
    return done


def _with_tasks(who: str, events: list[RepairedEvent], repairs: list[Repair]) -> list[RepairedEvent]:
    """Correct task numbers that contradict the phase, which `task_start` opens.

    Before task 2 has started, nothing can belong to it. Afterwards a stretch of at most `MAX_STRAY_EVENTS` events
    noted for task 1 and enclosed by task 2 is an error, unless it closes task 1 for the first time. A closing
    submission of task 1, submitted before, while task 2 is complete and not submitted, belongs to task 2.
    """
    started = next(
        (i for i, event in enumerate(events) if event.kind == "task_start" and event.task == "2"), len(events)
    )
    done = list(events)
    for index in range(started):
        if done[index].task == "2":
            _renumber(who, done, index, "1", "task 2 had not started", repairs)
    for first, last in _stretches_of_task_1(done, started):
        if _closes_task_1(done, first, last):
            repairs.append(_left(who, first, "task_id", "1", "task 1 was closed after task 2 had started"))
            continue
        enclosed = last + 1 < len(done)
        if enclosed and last - first < MAX_STRAY_EVENTS:
            for index in range(first, last + 1):
                _renumber(who, done, index, "2", "enclosed by events of task 2", repairs)
        elif first == last and _is_missing_submission_of_2(done, first):
            _renumber(who, done, first, "2", "task 1 was submitted before, task 2 just completed and not yet", repairs)
        else:
            found = f"{last - first + 1} events of task 1 from {done[first].recorded.timestamp}"
            repairs.append(_left(who, first, "task_id", found, "a return to task 1 after task 2 started, as recorded"))
    return done


def _renumber(who: str, events: list[RepairedEvent], index: int, task: str, reason: str, repairs: list[Repair]) -> None:
    repairs.append(Repair(who, index, "task_id", events[index].task, task, reason))
    events[index] = replace(events[index], task=task)


def _stretches_of_task_1(events: list[RepairedEvent], started: int) -> Iterator[tuple[int, int]]:
    """First and last index of each run of task-1 events after task 2 started."""
    first: int | None = None
    for index in range(started, len(events) + 1):
        inside = index < len(events) and events[index].task == "1"
        if inside and first is None:
            first = index
        elif not inside and first is not None:
            yield first, index - 1
            first = None


def _closes_task_1(events: list[RepairedEvent], first: int, last: int) -> bool:
    """Return whether the stretch holds the first completion or submission of task 1, so that it was still open."""
    closing = {(event.kind, event.task) for event in events[:first]}
    return any(
        event.kind in {"task_completion", "task_submission"} and (event.kind, "1") not in closing
        for event in events[first : last + 1]
    )


def _is_missing_submission_of_2(events: list[RepairedEvent], index: int) -> bool:
    others = [(event.kind, event.task) for place, event in enumerate(events) if place != index]
    return (
        events[index].kind == "task_submission"
        and ("task_submission", "1") in others
        and ("task_completion", "2") in others
        and ("task_submission", "2") not in others
    )


def _oddities(who: str, transcript: Transcript, events: list[RepairedEvent]) -> Iterator[Repair]:
    """Yield what is listed and not repaired, because the file does not say what would be right."""
    yield from _double_and_missing(who, transcript, events)
    waiting: int | None = None
    for index, event in enumerate(events):
        if event.kind == "ai_interaction":
            if waiting is not None:
                yield _left(
                    who, index, "event_type", event.kind, "no query since the last ai_interaction; time restarts"
                )
            waiting = index
        elif event.kind == "ai_query":
            if waiting is None:
                yield _left(who, index, "event_type", event.kind, "no ai_interaction before it; composing time missing")
            if not event.labels:
                yield _left(who, index, "codes", " ".join(event.codes), "no label on a query; it counts under none")
            waiting = None
        if event.kind in _OF_AN_ASSISTANT and transcript.condition == "No-AI":
            yield _left(who, index, "event_type", event.kind, "an assistant in an arm without one, as recorded")
    yield from _minutes(who, transcript, events)


def _double_and_missing(who: str, transcript: Transcript, events: list[RepairedEvent]) -> Iterator[Repair]:
    for task in ("1", "2"):
        for kind in ("task_start", "task_completion", "task_submission"):
            places = [index for index, event in enumerate(events) if event.kind == kind and event.task == task]
            if not places:
                complete = getattr(transcript.summary, f"task{task}_complete")
                reason = f"no {kind} of task {task}; the summary says the task is {'' if complete else 'not '}complete"
                yield _left(who, None, kind, "", reason)
            for index in places[1:]:
                yield _left(who, index, kind, events[index].recorded.timestamp, f"task {task} has this event twice")


def _minutes(who: str, transcript: Transcript, events: list[RepairedEvent]) -> Iterator[Repair]:
    tasks = transcript.summary.task1_total_time + transcript.summary.task2_total_time
    if abs(transcript.main_task_minutes - tasks) > 1:
        reason = f"the two tasks' total times sum to {tasks}"
        yield _left(who, None, "main_task_minutes", str(transcript.main_task_minutes), reason)
    last = events[-1]
    if abs(transcript.main_task_minutes - last.seconds / 60) > 2:
        reason = f"the last event is at {clock(last.seconds)}, more than 2 minutes away"
        yield _left(who, None, "main_task_minutes", str(transcript.main_task_minutes), reason)


def _left(who: str, event: int | None, field: str, found: str, reason: str) -> Repair:
    return Repair(who, event, field, found, "", reason, "left")


def clock(seconds: int) -> str:
    """Seconds as HH:MM:SS."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
