"""Tones of messages and replies by arm, coded by rules, each reported only where people agree with the rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.interaction.coders.agreement import kappa
from analysis.interaction.coders.queries import languages
from analysis.interaction.intervals import pooled_share
from study_app.domain.interaction.codes import people
from study_app.domain.interaction.tone import FLOOR, READS, REPLY, TONES, VERSION, tone_of


def tone_section(view: View, seed: int = 1) -> dict[str, Any]:
    """Return, for messages and for replies, each tone's kappa with people, and its share by arm where kappa allows.

    People count by the tone that most gave a text; a tie is left out. Below `FLOOR` a tone has a sentence in place of
    its shares. Empty where no person has coded a tone, for then nothing is known of the rules' agreement. Texts of
    people who met the study in another language than the rules read are left out.
    """
    ratings, turns = view.tables.get("ratings"), view.tables.get("turns")
    if ratings is None or turns is None or not ratings["rubric"].eq(VERSION).any():
        return {}
    said = _consensus(ratings)
    spoken = languages({"participants": view.participants})
    arms = dict(zip(view.participants["participant_id"].astype(str), view.participants["arm"], strict=True))
    turns = turns[[spoken.get(str(who), READS) == READS for who in turns["participant_id"]]]
    turns = turns[turns["participant_id"].astype(str).isin([who for who, arm in arms.items() if arm])]
    found = {}
    for what, column, end in (("messages", "message", ""), ("replies", "reply", REPLY)):
        rows = _rows(turns, column, end, arms)
        if not rows.empty:
            found[what] = _of_texts(rows, said, view.arm_ids, seed)
    return {"codebook": VERSION, "floor": FLOOR, **found} if found else {}


def _consensus(ratings: pd.DataFrame) -> dict[str, str]:
    """Name of a text -> the tone that more people gave than any other."""
    own = ratings[ratings["rubric"].eq(VERSION)].sort_values("rated_at", kind="stable")
    newest: dict[str, dict[str, str]] = {}
    for name, rater, tone in zip(own["object"].astype(str), own["rater"].astype(str), own["value"], strict=True):
        if people([rater]):
            newest.setdefault(name.removeprefix("turn:"), {})[rater] = str(tone)
    found = {}
    for name, given in newest.items():
        (tone, votes), *others = Counter(given.values()).most_common(2)
        if not others or others[0][1] < votes:
            found[name] = tone
    return found


def _rows(turns: pd.DataFrame, column: str, end: str, arms: dict[str, Any]) -> pd.DataFrame:
    texts = turns[column].astype("string").fillna("")
    own = turns[(texts.str.strip() != "").to_numpy()]
    who = own["participant_id"].astype(str)
    return pd.DataFrame({
        "name": own["turn_id"].astype(str) + end,
        "who": who,
        "arm": who.map(arms).astype(str),
        "tone": [tone_of(str(text)) for text in own[column]],
    })  # fmt: skip


def _of_texts(rows: pd.DataFrame, said: dict[str, str], arms: tuple[str, ...], seed: int) -> dict[str, Any]:
    both = rows[rows["name"].isin(said)]
    given = both["name"].map(said)
    tones: dict[str, dict[str, Any]] = {}
    present = [arm for arm in arms if (rows["arm"] == arm).any()]
    for tone in TONES:
        agreement = kappa((both["tone"] == tone).to_numpy(), (given == tone).to_numpy()) if len(both) else None
        tones[tone] = {"kappa": agreement, "n": len(both), "people": int((given == tone).sum())}
        if agreement is None or agreement < FLOOR:
            shown = "cannot be computed" if agreement is None else f"is {agreement:.2f}"
            tones[tone]["note"] = f"not analysed: kappa with people {shown}, and {FLOOR} is the least"
        else:
            tones[tone]["arms"] = [{"arm": arm} | _share(rows[rows["arm"] == arm], tone, seed) for arm in present]
    return {"texts": len(rows), "coded_by_people": len(both), "tones": tones}


def _share(rows: pd.DataFrame, tone: str, seed: int) -> dict[str, Any]:
    hits = (rows["tone"] == tone).astype(float).groupby(rows["who"]).sum()
    totals = rows.groupby("who").size()
    return pooled_share(np.asarray(hits, dtype=float), np.asarray(totals, dtype=float), seed)
