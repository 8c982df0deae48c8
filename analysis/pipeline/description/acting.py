"""What an assistant that acts did, and how people watched over it: descriptive, after allocation."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.interaction.intervals import Floats, mean, pooled_share, quantile
from analysis.interaction.reply_times import QUANTILES

APPROVED = ("approve", "edited")
DECILES = tuple(range(1, 11))


def acting_section(view: View, seed: int = 1) -> dict[str, Any]:
    """Return the time of own work, interruptions, questions, approvals by order of the steps, and what was kept.

    Empty in a study without such an assistant. Shares have bootstrap intervals over people, quantiles distribution-free
    ones.
    """
    actions, turns = view.tables.get("agent_actions"), view.tables.get("turns")
    if actions is None or turns is None:
        return {}
    if view.hidden:
        return {"note": "withheld until unsealing: steps of the assistant tell the arms apart"}
    known = set(view.participants["participant_id"].astype(str))
    actions = actions[actions["participant_id"].astype(str).isin(known)]
    turns = turns[turns["participant_id"].astype(str).isin(known)]
    turns = turns[pd.to_numeric(turns["autonomous_seconds"], errors="coerce").notna()]
    seconds = pd.to_numeric(turns["autonomous_seconds"], errors="coerce")
    asks = actions[actions["tool"].astype("string") == "ask"]
    stopped = turns["interrupted_at"].notna() & (turns["interrupted_at"].astype("string") != "")
    return {
        "turns": len(turns),
        "steps": len(actions),
        "autonomous_seconds": [quantile(seconds.to_numpy(dtype=float), at) for at in QUANTILES],
        "interrupts": _share(stopped, turns["participant_id"], seed),
        "questions": _share(turns["turn_id"].isin(asks["turn_id"]), turns["participant_id"], seed),
        "decisions": _decisions(actions),
        "by_decile": _habituation(actions, seed),
        "text": _text_counts(view.participants, actions),
        "oversight": _oversight(view.participants),
    }


def _decisions(actions: pd.DataFrame) -> list[dict[str, Any]]:
    pairs = zip(actions["tool"].astype(str), actions["decision"].astype("string").fillna("waits"), strict=True)
    counted = Counter((tool, str(decision)) for tool, decision in pairs)
    return [{"tool": tool, "decision": decision, "steps": n} for (tool, decision), n in sorted(counted.items())]


def _habituation(actions: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Return the share approved and the time to decide, by tenth of each person's steps in the order of proposing.

    Of people with at least ten steps that waited for a decision on a change or a run.
    """
    waited = pd.to_numeric(actions["waited"].replace({True: 1, False: 0}), errors="coerce") == 1
    decided = actions["decision"].astype("string").isin([*APPROVED, "reject"])
    mine = actions[waited & decided & actions["tool"].astype("string").isin(["edit", "run"])].copy()
    mine["order"] = mine.groupby("participant_id").cumcount()
    mine["of"] = mine.groupby("participant_id")["order"].transform("size")
    mine = mine[mine["of"] >= len(DECILES)]
    mine["decile"] = (mine["order"] * len(DECILES) // mine["of"]).astype(int) + 1
    rows = []
    for decile in DECILES:
        own = mine[mine["decile"] == decile]
        approved = own["decision"].astype("string").isin(APPROVED)
        took = pd.to_numeric(own["seconds_to_decide"], errors="coerce").to_numpy(dtype=float)
        shown = _share(approved, own["participant_id"], seed)
        rows.append({"decile": decile, "approved": shown, "seconds": quantile(took, 0.5)})
    return rows


def _text_counts(people: pd.DataFrame, actions: pd.DataFrame) -> dict[str, Any]:
    """Return characters that were proposed, applied, and kept in what was handed in."""
    return {
        "proposed_chars": int(np.nansum(_numbers(actions, "diff_chars"))),
        "applied_chars": int(np.nansum(_numbers(actions, "applied_chars"))),
        "kept_chars": int(np.nansum(_numbers(people, "agent_chars"))),
        "share_of_submission": mean(_numbers(people, "agent_share_of_submission")),
    }


def _oversight(people: pd.DataFrame) -> list[dict[str, Any]]:
    """Return quiz points of those who ever rejected, changed or interrupted, and of those who never did."""
    held = _numbers(people, "rejections") + _numbers(people, "interruptions")
    points = _numbers(people, "quiz_points")
    # People to whose program no step was applied and who stopped none had nothing to watch over: they are in neither
    # group.
    met = (_numbers(people, "agent_edits") > 0) | (held > 0)
    return [
        {"group": name, "quiz_points": mean(points[met & which])}
        for name, which in (("ever rejected or interrupted", held > 0), ("never", held == 0))
    ]


def _numbers(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as numbers, missing where a cell is empty or the dataset has no such column."""
    if column not in table:
        return np.full(len(table), np.nan)
    return np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=float)


def _share(flags: pd.Series, people: pd.Series, seed: int) -> dict[str, Any]:
    hits = flags.astype(float).groupby(people).sum()
    totals = flags.groupby(people).size()
    return pooled_share(np.asarray(hits, dtype=float), np.asarray(totals, dtype=float), seed)
