"""What a participant did with the assistant, as numbers: of one task, and of all tasks together.

Counts are 0 where nothing happened and None where the source cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from study_app.domain.interaction.codebook import LABELS
from study_app.domain.interaction.steps import UseStep

PATTERN_FEATURES = (
    "queries",
    *LABELS,
    "generation_with_explanation",
    "explanation_before_generation",
    "explanation_after_generation",
    "queries_per_task",
    "pastes",
    "copies",
    "retyped_chars",
    "errors",
    "errors_alone",
    "errors_with_help",
    "edits_before_first_query",
    "runs_between_query_and_submission",
    "interaction_minutes",
    "waiting_minutes",
    "active_minutes",
    "task_minutes",
)
"""What a rule of a pattern may name."""

_SUMMED = (
    "queries",
    *LABELS,
    "generation_with_explanation",
    "pastes",
    "copies",
    "errors",
    "errors_alone",
    "errors_with_help",
)
_SUMMED_WHERE_KNOWN = ("edits_before_first_query", "runs_between_query_and_submission")


@dataclass(frozen=True)
class Known:
    """What features need to know of a participant beyond the steps; None where the source cannot tell."""

    composing_seconds: float = 0.0
    """Of all queries, from the first key to sending."""
    waiting_seconds: float | None = None
    """Of all queries, from sending to the reply's end."""
    pasted_chars: float | None = None
    """Most characters that were ever pasted from replies."""
    retyped_chars: float | None = None
    active_minutes: float | None = None
    task_minutes: float | None = None


def _task_counts(steps: Sequence[UseStep], logged: bool) -> dict[str, Any]:
    """Return counts of one task's steps, in order.

    Args:
        steps: of one participant and task.
        logged: whether the source logs edits and runs at all.
    """
    queries = [step.labels for step in steps if step.action == "query"]
    return _query_counts(queries) | _other_counts([step.action for step in steps], logged)


def _query_counts(queries: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    counts = {label: sum(label in labels for labels in queries) for label in LABELS}
    both = sum({"generation", "explanation"} <= set(labels) for labels in queries)
    return {"queries": len(queries), **counts, "generation_with_explanation": both}


def _other_counts(actions: Sequence[str], logged: bool) -> dict[str, Any]:
    first = actions.index("query") if "query" in actions else None
    last = len(actions) - 1 - actions[::-1].index("query") if first is not None else None
    helped = _errors_with_help(actions)
    errors = actions.count("error")
    return {
        "pastes": actions.count("paste"),
        "copies": actions.count("copy"),
        "edits_before_first_query": actions[:first].count("edit") if logged and first is not None else None,
        "errors": errors,
        "errors_alone": errors - helped,
        "errors_with_help": helped,
        "runs_between_query_and_submission": actions[last:].count("run") if logged and last is not None else None,
    }


def _errors_with_help(actions: Sequence[str]) -> int:
    """Errors after which the next thing asked, run into or finished was a question to the assistant."""
    decisive = [action for action in actions if action in {"error", "query", "completion", "submission"}]
    return sum(now == "error" and after == "query" for now, after in pairwise(decisive))


def features_of(steps: Sequence[UseStep], known: Known, logged: bool) -> dict[str, Any]:
    """`PATTERN_FEATURES` of one participant.

    Args:
        steps: all of them, in order (`steps.arranged`).
        known: what the steps do not say.
        logged: whether the source logs edits and runs at all.
    """
    by_task: dict[str | None, list[UseStep]] = {}
    for step in steps:
        by_task.setdefault(step.task, []).append(step)
    tasks = [_task_counts(own, logged) for own in by_task.values()]
    row: dict[str, Any] = {name: sum(task[name] for task in tasks) for name in _SUMMED}
    row |= {name: _known_sum([task[name] for task in tasks]) for name in _SUMMED_WHERE_KNOWN}
    row |= _explanation_around_generation([step.labels for step in steps if step.action == "query"])
    waiting = known.waiting_seconds
    row |= {
        "queries_per_task": row["queries"] / max(len(tasks), 1),
        "retyped_chars": known.retyped_chars,
        "interaction_minutes": (known.composing_seconds + (waiting or 0.0)) / 60,
        "waiting_minutes": None if waiting is None else waiting / 60,
        "active_minutes": known.active_minutes,
        "task_minutes": known.task_minutes,
    }
    # Provenance knows where pasted text came from; a count of paste events does not.
    if known.pasted_chars is not None and not known.pasted_chars > 0:
        row["pastes"] = 0
    return {name: row[name] for name in PATTERN_FEATURES}


def _known_sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _explanation_around_generation(queries: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Explanation queries before and after the first generation query; both 0 where none generated."""
    first = next((index for index, labels in enumerate(queries) if "generation" in labels), None)
    before = queries[:first] if first is not None else ()
    after = queries[first + 1 :] if first is not None else ()
    return {
        "explanation_before_generation": sum("explanation" in labels for labels in before),
        "explanation_after_generation": sum("explanation" in labels for labels in after),
    }
