"""The session as a process: how often one state follows another."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

STATES = (
    "start",
    "edit",
    "ask: explanation",
    "ask: generation",
    "ask: debugging",
    "ask: other",
    "paste",
    "copy",
    "run",
    "error",
    "completion",
    "submission",
)
"""States in the order of the matrix. A query with several labels is the first of debugging, generation, explanation."""

_PRIORITY = ("debugging", "generation", "explanation")
_UNSEEN = {"compose", "reply", "websearch", "outage"}


def state(action: str, labels: tuple[str, ...]) -> str | None:
    """State of an action; None for one that is not a state."""
    if action in _UNSEEN:
        return None
    if action != "query":
        return action
    return f"ask: {next((label for label in _PRIORITY if label in labels), 'other')}"


def sequences(actions: pd.DataFrame) -> dict[str, list[str]]:
    """Participant -> states in order; a state that merely lasts (several edits in a row) counts once."""
    result: dict[str, list[str]] = {}
    for who, group in actions.groupby("participant_id", sort=False):
        own = result.setdefault(str(who), [])
        for action, labels in zip(group["action"], group["labels"], strict=True):
            now = state(action, labels)
            if now and not (own and own[-1] == now == "edit"):
                own.append(now)
    return result


def transitions(actions: pd.DataFrame) -> dict[str, Any]:
    """Transition matrix over all people: states, counts (from row to column), shares of each row (None: never left)."""
    place = {name: index for index, name in enumerate(STATES)}
    counts = np.zeros((len(STATES), len(STATES)), dtype=int)
    for own in sequences(actions).values():
        for now, after in pairwise(own):
            counts[place[now], place[after]] += 1
    leaving = counts.sum(axis=1)
    shares = [
        [float(count / total) if total else None for count in row] for row, total in zip(counts, leaving, strict=True)
    ]
    return {"states": list(STATES), "counts": counts.tolist(), "shares": shares, "transitions": int(counts.sum())}
