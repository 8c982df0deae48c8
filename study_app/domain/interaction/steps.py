"""What a participant did, step by step, from events and turns: the same for an export and for a dataset read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

ACTIONS = (
    "start",
    "compose",
    "query",
    "reply",
    "paste",
    "copy",
    "edit",
    "run",
    "error",
    "websearch",
    "outage",
    "completion",
    "submission",
)
"""What a step can be. `compose`: starts a message to the assistant. `copy`: types the assistant's code by hand."""

OF_EVENTS = {
    "task_shown": "start",
    "edit": "edit",
    "run_ended": "run",
    "program_error": "error",
    "notes_opened": "websearch",
    "outage": "outage",
    "task_submitted": "submission",
}
"""Kind of event -> action; other kinds are not steps. An edit that pasted is a `paste`."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000


class UseStep(NamedTuple):
    """One action."""

    at: float
    """Milliseconds since 1970-01-01 UTC."""
    rank: int
    """Order among steps of the same moment; a query comes before the events of its moment."""
    task: str | None
    action: str
    turn_id: str | None = None
    labels: tuple[str, ...] = ()


def milliseconds(at: datetime) -> int:
    """Return a moment as the dataset writes it: whole milliseconds, cut off."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def of_event(kind: str, at: float, rank: int, task: str | None, pasted: bool) -> UseStep | None:
    """Return the step that an event of the log is; None where it is none."""
    action = OF_EVENTS.get(kind)
    if action is None:
        return None
    return UseStep(at, rank, task, "paste" if action == "edit" and pasted else action)


def of_turn(
    turn_id: str,
    at: float,
    task: str | None,
    labels: tuple[str, ...],
    seconds: float | None,
    composing: float | None,
) -> tuple[UseStep, ...]:
    """Return the first key of a message, the query, and the reply's end; those whose durations are known.

    The event of the first key comes with a batch, perhaps the one that the sending sent off: its moment in the log may
    be that of the query, or later.
    """
    steps = [UseStep(at, -1, task, "query", turn_id, labels)]
    if composing is not None:
        steps.insert(0, UseStep(at - 1000 * composing, -1, task, "compose", turn_id))
    if seconds is not None:
        steps.append(UseStep(at + 1000 * seconds, -1, task, "reply", turn_id))
    return tuple(steps)


def arranged(steps: Iterable[UseStep]) -> tuple[list[UseStep], float]:
    """Return one participant's steps in order, from the first task on, and the moment from which time is counted.

    A step without a task belongs to the task of the step before it. Time counts from the first `start`, else from the
    first step; a recording without dates counts from its own zero.
    """
    ordered = sorted(steps, key=lambda step: (step.at, step.rank))
    if not ordered:
        return [], 0.0
    task = next((step.task for step in ordered if step.task is not None), None)
    found = []
    for step in ordered:
        task = step.task if step.task is not None else task
        found.append(step._replace(task=task))
    origin = next((step.at for step in found if step.action == "start"), found[0].at)
    origin = 0.0 if origin < _DAY else origin
    return [step for step in found if step.at >= origin], origin
