"""Autonomy and turn time: how long the assistant works at a stretch, and what becomes of its replies."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.styles.intervals import pooled_share, quantile
from analysis.styles.trajectory import QUARTERS, query_steps

QUANTILES = (0.5, 0.9, 0.99, 0.999)

NOT_HELD = "the source holds no durations of replies"


def turn_durations(tables: Mapping[str, pd.DataFrame], actions: pd.DataFrame) -> dict[str, Any]:
    """The assistant's turn durations (`total_seconds`): quantiles with intervals, by person, by quarter."""
    turns = tables.get("turns")
    if turns is None or turns.empty or pd.to_numeric(turns["total_seconds"], errors="coerce").notna().sum() == 0:
        return {"n": 0, "unit": "s", "note": NOT_HELD, "quantiles": [], "by_participant": [], "by_quarter": []}
    seconds = pd.to_numeric(turns["total_seconds"], errors="coerce")
    quarters = query_steps(actions).set_index("turn_id")["quarter"].reindex(turns["turn_id"]).to_numpy()
    by_person = [
        {
            "participant_id": str(who),
            "n": int(own.notna().sum()),
            "median": float(own.median()),
            "max": float(own.max()),
        }
        for who, own in seconds.groupby(turns["participant_id"])
        if own.notna().any()
    ]
    return {
        "n": int(seconds.notna().sum()),
        "unit": "s",
        "interval": "distribution-free, between order statistics; turns taken as independent",
        "quantiles": [quantile(seconds, at) for at in QUANTILES],
        "by_participant": by_person,
        "by_quarter": [{"quarter": quarter} | quantile(seconds[quarters == quarter], 0.5) for quarter in QUARTERS],
    }


def interruptions(tables: Mapping[str, pd.DataFrame], seed: int = 1) -> dict[str, Any]:
    """Share of replies that the participant stopped, with a bootstrap interval over people."""
    turns = tables.get("turns")
    if turns is None or turns.empty:
        return pooled_share(np.zeros(0), np.zeros(0), seed)
    stopped = pd.to_numeric(turns["stopped_by_participant"].replace({"true": 1, "false": 0}), errors="coerce")
    return _by_person(stopped, turns["participant_id"], seed)


def takeovers(actions: pd.DataFrame, seed: int = 1) -> dict[str, Any]:
    """What followed a query before the next one: code pasted, typed over by hand, or neither (shares of queries)."""
    rows = []
    for who, group in actions.groupby("participant_id", sort=False):
        acts = list(group["action"])
        places = [index for index, action in enumerate(acts) if action == "query"]
        for place, following in pairwise([*places, len(acts)]):
            after = set(acts[place + 1 : following])
            rows.append((str(who), "paste" in after, "copy" in after and "paste" not in after))
    frame = pd.DataFrame(rows, columns=["participant_id", "pasted", "typed_over"])
    frame["neither"] = ~(frame["pasted"].astype(bool) | frame["typed_over"].astype(bool))
    return {
        name: _by_person(frame[name], frame["participant_id"], seed) for name in ("pasted", "typed_over", "neither")
    }


def reply_use(tables: Mapping[str, pd.DataFrame], seed: int = 1) -> dict[str, Any]:
    """Shares of replies used unchanged, edited, discarded, from the provenance of the submitted code.

    Reads `inserted_chars` (characters that came from the reply into the program, pasted or retyped) and `kept_chars`
    (those of them in the submitted code) of `turns`. Unchanged: all that was inserted was kept; edited: some of it;
    discarded: nothing was inserted or nothing kept. Without these columns: null with a note.
    """
    turns = tables.get("turns")
    if turns is None or not {"inserted_chars", "kept_chars"} <= set(turns.columns):
        return {"note": "the source holds no provenance of replies"}
    inserted = pd.to_numeric(turns["inserted_chars"], errors="coerce")
    kept = pd.to_numeric(turns["kept_chars"], errors="coerce")
    known = inserted.notna() & kept.notna()
    who = turns["participant_id"]
    uses = {
        "unchanged": (inserted > 0) & (kept >= inserted),
        "edited": (kept > 0) & (kept < inserted),
        "discarded": (inserted == 0) | (kept == 0),
    }
    return {name: _by_person(use.astype(float).where(known), who, seed) for name, use in uses.items()}


def _by_person(flags: pd.Series, people: pd.Series, seed: int) -> dict[str, Any]:
    """Pooled share of true flags, missing ones left out."""
    known = flags.notna()
    hits = flags[known].astype(float).groupby(people[known]).sum()
    totals = flags[known].groupby(people[known]).size()
    return pooled_share(hits.to_numpy(dtype=float), totals.to_numpy(dtype=float), seed)
