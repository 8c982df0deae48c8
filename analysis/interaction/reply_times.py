"""Autonomy and turn time: how long the assistant works at a stretch, and what becomes of its replies."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.interaction.intervals import pooled_share, quantile
from analysis.interaction.trajectory import QUARTERS, query_steps

QUANTILES = (0.5, 0.9, 0.99, 0.999)

NOT_HELD = "the source holds no durations of replies"


def turn_durations(tables: Mapping[str, pd.DataFrame], actions: pd.DataFrame) -> dict[str, Any]:
    """Return the assistant's turn durations (`total_seconds`): quantiles with intervals, by person, by quarter."""
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
    """Return what followed a query before the next one, in shares of queries.

    Code was pasted, typed over by hand, or neither.
    """
    rows = []
    for who, group in actions.groupby("participant_id", sort=False):
        acts = list(group["action"])
        places = [index for index, action in enumerate(acts) if action == "query"]
        for place, following in pairwise([*places, len(acts)]):
            after = set(acts[place + 1 : following])
            # A reply that was pasted and copied by hand counts once, as pasted, so that the three shares sum to 1.
            rows.append((str(who), "paste" in after, "copy" in after and "paste" not in after))
    frame = pd.DataFrame(rows, columns=["participant_id", "pasted", "typed_over"])
    frame["neither"] = ~(frame["pasted"].astype(bool) | frame["typed_over"].astype(bool))
    return {
        name: _by_person(frame[name], frame["participant_id"], seed) for name in ("pasted", "typed_over", "neither")
    }


REPLY_COLUMNS = ("reply_code_chars", "inserted_pasted_chars", "inserted_retyped_chars", "kept_chars")
"""Columns of `turns` that say what became of a reply, in characters."""

USES = {
    "unchanged": "something was inserted, pasted or retyped, and all of it is in the submitted programs",
    "edited": "something was inserted, and a part of it is in the submitted programs",
    "discarded": "nothing of it is in the submitted programs, whether or not it ever was in one",
}
"""What becomes of a reply that holds code, or of which something was inserted -> definition."""


def reply_use(tables: Mapping[str, pd.DataFrame], actions: pd.DataFrame, seed: int = 1) -> dict[str, Any]:
    """Shares of replies with code that were used unchanged, edited or discarded (`USES`), from provenance.

    Replies without code of which nothing was inserted cannot be used and are counted apart, as are those whose
    programs were not submitted or whose log has a gap.

    Returns:
        `definitions`, `with_code`, `without_code`, `unknown` (numbers of replies); per use the share of `with_code`
        with a bootstrap interval over people; `by_participant` the same as counts; `by_quarter` (of the session, by
        when it was asked) as shares. With a source that holds no provenance: only a note.
    """
    turns = tables.get("turns")
    if turns is None or not set(REPLY_COLUMNS) <= set(turns.columns):
        return {"note": "the source holds no provenance of replies"}
    code, pasted, retyped, kept = (pd.to_numeric(turns[name], errors="coerce") for name in REPLY_COLUMNS)
    inserted = pasted + retyped
    known = inserted.notna() & kept.notna()
    # Prose may be pasted as well (a comment, a name): what was inserted could be used, whatever the reply looked like.
    usable = known & ((code > 0) | (inserted > 0))
    frame = pd.DataFrame(
        {
            "participant_id": turns["participant_id"].astype(str),
            "quarter": query_steps(actions).set_index("turn_id")["quarter"].reindex(turns["turn_id"]).to_numpy(),
            # At least and not equal: a passage that was inserted once may stand in several of the submitted programs.
            "unchanged": (kept > 0) & (kept >= inserted),
            "edited": (kept > 0) & (kept < inserted),
            "discarded": kept == 0,
        }
    )[usable]
    return {
        "definitions": USES,
        "with_code": int(usable.sum()),
        "without_code": int((known & ~usable).sum()),
        "unknown": int((~known).sum()),
        **{use: _by_person(frame[use], frame["participant_id"], seed) for use in USES},
        "by_participant": [
            {"participant_id": str(who), "n": len(own)} | {use: int(own[use].sum()) for use in USES}
            for who, own in frame.groupby("participant_id", sort=False)
        ],
        "by_quarter": [
            {"quarter": quarter} | {use: _by_person(own[use], own["participant_id"], seed) for use in USES}
            for quarter in QUARTERS
            for own in (frame[frame["quarter"] == quarter],)
        ],
    }


def _by_person(flags: pd.Series, people: pd.Series, seed: int) -> dict[str, Any]:
    """Pooled share of true flags, missing ones left out."""
    known = flags.notna()
    hits = flags[known].astype(float).groupby(people[known]).sum()
    totals = flags[known].groupby(people[known]).size()
    return pooled_share(hits.to_numpy(dtype=float), totals.to_numpy(dtype=float), seed)
