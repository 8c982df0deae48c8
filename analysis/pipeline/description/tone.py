"""Tones of messages and replies by arm, by rules and by Claude, each reported only where people agree."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.interaction.coders.agreement import per_label
from analysis.interaction.coders.queries import CodedQuery, Codes, languages
from analysis.interaction.intervals import pooled_share
from study_app.domain.interaction.codes import people
from study_app.domain.interaction.tone import CLAUDE, FLOOR, READS, REPLY, TONES, VERSION, tone_of


def tone_section(view: View, seed: int = 1) -> dict[str, Any]:
    """Return, for messages and for replies, each tone's kappa with people, and its share by arm where kappa allows.

    By rules, and by Claude where `study code tones` was run. People count by the tone that most gave a text; a tie is
    left out. Below `FLOOR` a tone has a sentence in place of its shares. Empty where no person has coded a tone, for
    then nothing is known of the coders' agreement. Texts of people who met the study in another language than the rules
    read are not coded by rules, and counted.
    """
    ratings, turns = view.tables.get("ratings"), view.tables.get("turns")
    if ratings is None or turns is None or not ratings["rubric"].eq(VERSION).any():
        return {}
    said, by_claude = _consensus(ratings), _by_claude(ratings)
    if not said:
        return {}
    spoken = languages({"participants": view.participants})
    arms = dict(zip(view.participants["participant_id"].astype(str), view.participants["arm"], strict=True))
    turns = turns[turns["participant_id"].astype(str).isin([who for who, arm in arms.items() if arm])]
    found: dict[str, Any] = {}
    for what, column, end in (("messages", "message", ""), ("replies", "reply", REPLY)):
        rows = _rows(turns, column, end, arms)
        read = rows[[spoken.get(who, READS) == READS for who in rows["who"]]]
        coded = rows.assign(tone=rows["name"].map(by_claude)).dropna(subset=["tone"])
        if not read.empty:
            found[what] = _of_texts(read, said, view.arm_ids, seed) | {"not_read": len(rows) - len(read)}
        elif not rows.empty:
            found[what] = {"texts": 0, "coded_by_people": 0, "tones": {}, "not_read": len(rows)}
        if not coded.empty:
            found[what]["claude"] = _of_texts(coded, said, view.arm_ids, seed)
    return {"codebook": VERSION, "floor": FLOOR, **found} if found else {}


def _by_claude(ratings: pd.DataFrame) -> dict[str, str]:
    """Name of a text -> the tone that Claude gave it last."""
    own = ratings[ratings["rubric"].eq(VERSION) & ratings["rater"].eq(CLAUDE)].sort_values("rated_at", kind="stable")
    return dict(zip(own["object"].astype(str).str.removeprefix("turn:"), own["value"].astype(str), strict=True))


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
    texts = [CodedQuery(name, who, "") for name, who in zip(both["name"], both["who"], strict=True)]
    coder: Codes = {name: (tone,) for name, tone in zip(both["name"], both["tone"], strict=True)}
    reference: Codes = {name: (tone,) for name, tone in said.items()}
    agreement = per_label(texts, coder, reference, seed, labels=tuple(TONES))
    tones: dict[str, dict[str, Any]] = {}
    present = [arm for arm in arms if (rows["arm"] == arm).any()]
    for tone in TONES:
        found = agreement[tone]
        value = found["kappa"]
        tones[tone] = {name: found[name] for name in ("kappa", "ci_low", "ci_high", "n")}
        tones[tone]["people"] = int((both["name"].map(said) == tone).sum())
        if value is None or value < FLOOR:
            shown = "cannot be computed" if value is None else f"is {value:.2f}"
            tones[tone]["note"] = f"not analysed: kappa with people {shown}, and {FLOOR} is the least"
        else:
            tones[tone]["arms"] = [{"arm": arm} | _share(rows[rows["arm"] == arm], tone, seed) for arm in present]
    return {"texts": len(rows), "coded_by_people": len(both), "tones": tones}


def _share(rows: pd.DataFrame, tone: str, seed: int) -> dict[str, Any]:
    hits = (rows["tone"] == tone).astype(float).groupby(rows["who"]).sum()
    totals = rows.groupby("who").size()
    return pooled_share(np.asarray(hits, dtype=float), np.asarray(totals, dtype=float), seed)
