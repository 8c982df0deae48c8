"""Was the treatment the same throughout? Who served the replies, how fast, how long, how often none came, by week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.data.view import View
from study_app.domain.assistants.fidelity import LEAK_THRESHOLD
from study_app.domain.assistants.recording import MATCHES, Match

MEASURES = {
    "first_token_seconds": "seconds to the first word",
    "total_seconds": "seconds to the reply's end",
    "characters": "characters of the reply",
    "refused": "share that the model declined",
    "failed": "share that failed",
    "leaked": "share that give a function of the solution",
}
"""Measure of a reply -> its words."""
RECORDED_WORDS: dict[Match, str] = {
    "exact": "by the same question",
    "near": "by a near one",
    "none": "with no answer",
}
"""How a recording answered a question -> its words."""
SIDES = {"model": "by the model", "recording": "by the recording"}
"""Who answered a question of a treatment whose model was replaced -> its words."""
LEAST = 8
"""Replies from which a trend is tested."""


def treatment_section(view: View) -> dict[str, Any]:
    """Per treatment: served models with their first and last reply, weeks, and a trend test for each measure.

    The test is Spearman's rank correlation of the measure with the moment of asking. Empty without questions.
    """
    if view.hidden:
        return {"note": "withheld until unsealing: use of the assistant tells the arms apart"}
    turns = view.tables.get("turns")
    if turns is None or turns.empty or "treatment" not in turns:
        return {}
    known = set(view.participants["participant_id"].astype(str))
    rows = _rows(turns[turns["participant_id"].astype(str).isin(known)])
    return {str(name): _of_treatment(mine) for name, mine in rows.groupby("treatment", sort=True)} if len(rows) else {}


def _rows(turns: pd.DataFrame) -> pd.DataFrame:
    """Return one row per question that was asked, with its measures."""
    error = turns["error"].astype("string").fillna("")
    shares = turns.get("solution_share", pd.Series(np.nan, index=turns.index))
    matches = turns.get("recorded_match", pd.Series(pd.NA, index=turns.index))
    answered_by = turns.get("assistant", pd.Series(pd.NA, index=turns.index))
    made = pd.DataFrame(
        {
            "treatment": turns["treatment"].astype("string").fillna("?"),
            "model": turns["model"].astype("string").fillna(""),
            "asked": pd.to_datetime(turns["asked_at"], utc=True, errors="coerce"),
            "first_token_seconds": pd.to_numeric(turns["first_token_seconds"], errors="coerce"),
            "total_seconds": pd.to_numeric(turns["total_seconds"], errors="coerce"),
            "characters": turns["reply"].astype("string").fillna("").str.len().astype(float),
            "refused": (error == "refused").astype(float),
            "failed": ((error != "") & (error != "refused")).astype(float),
            "leaked": (pd.to_numeric(shares, errors="coerce") >= LEAK_THRESHOLD).astype(float).where(shares.notna()),
            "match": matches.astype("string").fillna(""),
            "replayed": answered_by.astype("string").fillna("") == "recorded",
            "participant": turns["participant_id"].astype("string"),
        }
    )
    return made[made["asked"].notna()].sort_values("asked", kind="stable")


def _of_treatment(rows: pd.DataFrame) -> dict[str, Any]:
    answered = rows[(rows["characters"] > 0) & (rows["model"] != "")]
    served = [
        {
            "model": str(model),
            "replies": len(mine),
            "first": _day(mine["asked"].min()),
            "last": _day(mine["asked"].max()),
            "means": _means(mine),
        }
        for model, mine in answered.groupby("model", sort=False)
    ]
    # The ISO year belongs to the ISO week: with %Y, 30 December 2024 would stand in week 1 of 2024.
    weeks = rows.groupby(rows["asked"].dt.strftime("%G-W%V"), sort=True)
    return {
        "questions": len(rows),
        "served": served,
        "same_model": len(served) <= 1,
        "weeks": [{"week": str(week), "questions": len(mine)} | _means(mine) for week, mine in weeks],
        "overall": _means(rows),
        "trend": {name: _trend(rows, name) for name in MEASURES},
        **_replayed(rows),
        **_replaced(rows),
    }


def _replayed(rows: pd.DataFrame) -> dict[str, Any]:
    """Return how a recording answered: `recorded`, match -> replies and their share of all; empty without one."""
    found = rows[rows["match"].isin(MATCHES)]
    if found.empty:
        return {}
    counts = {match: int((found["match"] == match).sum()) for match in MATCHES}
    each = {match: {"replies": count, "share": count / len(found)} for match, count in counts.items()}
    return {"recorded": {"replies": len(found), "matches": each}}


def _replaced(rows: pd.DataFrame) -> dict[str, Any]:
    """Return `replaced`, where a recording took a model's place: when, both sides' measures, and who met which.

    Empty where a model answered everything, or a recording did.
    """
    if not rows["replayed"].any() or rows["replayed"].all():
        return {}
    sides = {"model": rows[~rows["replayed"]], "recording": rows[rows["replayed"]]}
    met = rows.groupby("participant")["replayed"].agg(["any", "all"])
    return {
        "replaced": {
            "since": _day(sides["recording"]["asked"].min()),
            "sides": {name: {"questions": len(mine)} | _means(mine) for name, mine in sides.items()},
            "participants": {
                "model": int((~met["any"]).sum()),
                "both": int((met["any"] & ~met["all"]).sum()),
                "recording": int(met["all"].sum()),
            },
        }
    }


def _means(rows: pd.DataFrame) -> dict[str, float | None]:
    return {name: None if rows[name].notna().sum() == 0 else float(rows[name].mean()) for name in MEASURES}


def _trend(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    """Spearman's correlation with the moment of asking; null with a note where it cannot be had."""
    known = rows[rows[name].notna()]
    if len(known) < LEAST:
        return {"rho": None, "p_value": None, "n": len(known), "note": f"fewer than {LEAST} replies"}
    if known[name].nunique() < 2:
        return {"rho": None, "p_value": None, "n": len(known), "note": "the same in every reply"}
    found = stats.spearmanr(known["asked"].astype("int64"), known[name])
    return {"rho": float(found.statistic), "p_value": float(found.pvalue), "n": len(known), "note": ""}


def _day(moment: pd.Timestamp) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def treatment_warnings(section: Mapping[str, Any]) -> list[str]:
    """Return each treatment that was not served by one model throughout, or by a recording from some day on."""
    treatments = {name: found for name, found in section.items() if isinstance(found, dict)}
    several = [
        f"treatment '{name}': served by {', '.join(one['model'] for one in found['served'])}, not by one model"
        for name, found in treatments.items()
        if not found.get("same_model", True)
    ]
    return several + [
        f"treatment '{name}': a recording took its model's place on {found['replaced']['since'][:10]} and answered "
        f"{found['replaced']['sides']['recording']['questions']} of {found['questions']} questions"
        for name, found in treatments.items()
        if "replaced" in found
    ]
