"""The explain-first gate: how often messages explained an idea, and whether people who audited its verdicts agree."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.data.view import View
from analysis.estimators.core.plain_values import safe
from analysis.measurement.agreement import cohen_kappa, krippendorff_alpha
from study_app.domain.assistants.gate import EXPLAINED, NOT_EXPLAINED, VERSION
from study_app.domain.interaction.codes import people


def explanations_section(view: View) -> dict[str, Any]:
    """Return, by judge (claude, rules), verdicts and their agreement with the people who audited them.

    People count by their majority; a tie is left out of kappa and counted. Empty without a gate.
    """
    turns = view.tables.get("turns")
    if turns is None or "gate" not in turns:
        return {}
    judged = turns[turns["gate"].isin([EXPLAINED, NOT_EXPLAINED])]
    judged = judged[judged["participant_id"].isin(view.participants["participant_id"])]
    if judged.empty:
        return {}
    if view.hidden:
        return {"note": "withheld until unsealing: only some arms have the gate"}
    audits = _audits(view.tables.get("ratings"), judged["turn_id"])
    named = judged.groupby(judged["gate_by"].astype("string").fillna("?"), sort=True)
    return {str(judge): _of_judge(rows, audits) for judge, rows in named}


def _audits(ratings: pd.DataFrame | None, turns: pd.Series) -> pd.DataFrame:
    """Return turns in rows, people in columns: 1 for an idea explained, 0 for none; each person's newest word."""
    if ratings is None or ratings.empty:
        return pd.DataFrame()
    rows = ratings[ratings["rubric"].eq(VERSION) & ratings["rater"].isin(people(ratings["rater"].astype(str)))]
    rows = rows.assign(turn=rows["object"].astype(str).str.removeprefix("turn:"))
    rows = rows[rows["turn"].isin(turns)].sort_values("rated_at", kind="stable")
    rows = rows.assign(value=pd.to_numeric(rows["value"], errors="coerce"))
    return rows.pivot_table(index="turn", columns="rater", values="value", aggfunc="last", sort=True)


def _of_judge(rows: pd.DataFrame, audits: pd.DataFrame) -> dict[str, Any]:
    verdicts = rows.set_index("turn_id")["gate"].eq(EXPLAINED).astype(int)
    audited = audits.reindex(audits.index.intersection(verdicts.index))
    share = audited.mean(axis=1).dropna()
    decided = share[share != 0.5]
    pairs = pd.DataFrame({"gate": verdicts.reindex(decided.index), "people": (decided > 0.5).astype(int)})
    counts = {
        f"{'explained' if gate else 'not_explained'}_people_{'explained' if said else 'not_explained'}": int(
            ((pairs["gate"] == gate) & (pairs["people"] == said)).sum()
        )
        for gate in (1, 0)
        for said in (1, 0)
    }
    twice = audited[audited.notna().sum(axis=1) >= 2]
    return {
        "messages": len(verdicts),
        "explained": int(verdicts.sum()),
        "audited": len(share),
        "tied": int((share == 0.5).sum()),
        **counts,
        "percent_agreement": float(100 * (pairs["gate"] == pairs["people"]).mean()) if len(pairs) else None,
        "kappa": safe(cohen_kappa, pairs) if len(pairs) else {"value": None, "note": "not estimable: none was audited"},
        "between_people": {"objects": len(twice), "krippendorff_alpha": _alpha(twice)},
    }


def _alpha(twice: pd.DataFrame) -> Any:
    """Return the agreement of people among themselves, on messages that two or more have judged."""
    if len(twice) < 2:
        return {"value": None, "note": "not estimable: fewer than two messages were judged by two people"}
    return safe(lambda table: krippendorff_alpha(table, "nominal"), twice.to_numpy(float).tolist())
