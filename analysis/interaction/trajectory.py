"""Learning to use the assistant: what queries are like in each quarter of a participant's session."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.interaction.intervals import pooled_share

QUARTERS = (1, 2, 3, 4)

MEASURES = {
    "generation": "of the queries, those that ask for code",
    "delegation": "of the queries, those after which code of the assistant was pasted or typed over before the next",
    "verification": "of the queries after which code was taken over, those followed by a run (an error or a completion "
    "counts as one) or by a query for explanation or debugging, before more code was asked for or the task submitted",
}
"""Measure -> definition."""


def query_steps(actions: pd.DataFrame) -> pd.DataFrame:
    """One row per query: participant_id, turn_id, seconds, quarter, labels, generation, delegation, verification.

    Quarters divide the time from the first task to the person's last action. `verification` is missing where no code
    was taken over.
    """
    rows = [row for who, group in actions.groupby("participant_id", sort=False) for row in _of_person(str(who), group)]
    columns = ["participant_id", "turn_id", "seconds", "quarter", "labels", *MEASURES]
    return pd.DataFrame(rows, columns=columns)


def _of_person(who: str, group: pd.DataFrame) -> list[dict[str, Any]]:
    steps = list(zip(group["action"], group["seconds"], group["labels"], group["turn_id"], strict=True))
    length = max((seconds for _, seconds, _, _ in steps), default=0.0)
    places = [index for index, step in enumerate(steps) if step[0] == "query"]
    rows = []
    for place, following in pairwise([*places, len(steps)]):
        _, seconds, labels, turn = steps[place]
        after = [step[0] for step in steps[place + 1 : following]]
        taken = "paste" in after or "copy" in after
        # The last action lies at the end itself and would be in a fifth quarter.
        quarter = min(int(4 * seconds / length) + 1, 4) if length else 1
        row = {"participant_id": who, "turn_id": turn, "seconds": seconds, "quarter": quarter, "labels": labels}
        row |= {"generation": "generation" in labels, "delegation": taken}
        rows.append(row | {"verification": _verified(steps, place) if taken else None})
    return rows


def _verified(steps: list[tuple[Any, ...]], place: int) -> bool:
    """Return whether a check follows the takeover after this query."""
    taken = next(index for index in range(place + 1, len(steps)) if steps[index][0] in {"paste", "copy"})
    for action, _, labels, _ in steps[taken + 1 :]:
        if action in {"run", "error", "completion"}:
            return True
        if action == "submission" or (action == "query" and "generation" in labels):
            return False
        if action == "query" and {"explanation", "debugging"} & set(labels):
            return True
    return False


def trajectory(actions: pd.DataFrame, seed: int = 1) -> dict[str, Any]:
    """Shares by quarter, with bootstrap intervals over people: {measure: [{quarter, share, ci_low, ci_high, n}]}."""
    steps = query_steps(actions)
    return {
        "definitions": MEASURES,
        "measures": {
            measure: [{"quarter": quarter} | _share(steps, measure, quarter, seed) for quarter in QUARTERS]
            for measure in MEASURES
        },
    }


def _share(steps: pd.DataFrame, measure: str, quarter: int, seed: int) -> dict[str, Any]:
    """People without a query in the quarter take part in the bootstrap with nothing."""
    people = steps["participant_id"].unique()
    rows = steps[(steps["quarter"] == quarter) & steps[measure].notna()]
    hits = rows[measure].astype(float).groupby(rows["participant_id"]).sum().reindex(people, fill_value=0)
    totals = rows.groupby("participant_id").size().reindex(people, fill_value=0)
    if not len(people):
        return pooled_share(np.zeros(0), np.zeros(0), seed)
    return pooled_share(hits.to_numpy(dtype=float), totals.to_numpy(dtype=float), seed)
