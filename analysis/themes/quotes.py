"""Words of participants that a report may show: released by a person, of themes that many have, as consent allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.themes.table import CodedInterviews
from study_app.domain.themes.marks import LEAST_QUOTED, QUOTE, interview_of, quote_of


def quotes(tables: Mapping[str, pd.DataFrame], coded: CodedInterviews) -> dict[str, Any]:
    """Return quotes by theme, and how many were kept back by which rule.

    Returns:
        `shown`: code -> quotes; `kept_back`: reason -> count.
    """
    shared = _shared(tables["interviews"])
    enough = {code: len(coded.with_theme(code)) >= LEAST_QUOTED for code in coded.frozen.book.labels}
    shown: dict[str, list[str]] = {code: [] for code in enough}
    kept_back = {"no consent to share": 0, f"fewer than {LEAST_QUOTED} people have the theme": 0}
    for (interview_id, code), words in _released(tables["ratings"]).items():
        if code not in enough or interview_id not in set(coded.interviews["interview_id"]):
            continue
        if interview_id not in shared:
            kept_back["no consent to share"] += 1
        elif not enough[code]:
            kept_back[f"fewer than {LEAST_QUOTED} people have the theme"] += 1
        else:
            shown[code].append(words)
    return {
        "shown": {code: sorted(own) for code, own in shown.items() if own},
        "kept_back": {reason: n for reason, n in kept_back.items() if n},
    }


def _shared(interviews: pd.DataFrame) -> set[str]:
    """Return the interviews whose participants let their words leave; none where the study did not ask."""
    if "shared" not in interviews:
        return set()
    said = interviews["shared"].astype("string").str.lower().isin(["true", "1", "1.0"])
    return set(interviews["interview_id"].astype(str)[said])


def _released(ratings: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return (interview, code) -> words of the newest quotes; an empty value takes back those of an answer."""
    rows = ratings[ratings["rubric"].astype("string") == QUOTE].sort_values("rated_at", kind="stable")
    newest: dict[tuple[str, str, str], str] = {}
    for name, value in zip(rows["object"].astype(str), rows["value"], strict=True):
        key = interview_of(name)
        code, words = quote_of("" if pd.isna(value) else str(value))
        if key is None:
            continue
        if code:
            newest[(*key, code)] = words
        else:
            newest = {known: words for known, words in newest.items() if known[:2] != key}
    return {(interview_id, code): words for (interview_id, _, code), words in newest.items()}
