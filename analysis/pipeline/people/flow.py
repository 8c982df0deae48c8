"""The CONSORT flow: how many were assessed, allocated, treated, lost and analysed, and why the rest were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd

from study_app.domain.records import Status

NOT_ANALYSED = ("excluded", "in_progress")
"""Statuses that are never in an analysis set."""
DISCONTINUED = ("abandoned", "withdrawn")
ALONE = "alone "
"""Before a participant's id: name of the cluster of a person without one."""
_TURNED_AWAY = frozenset(get_args(Status)) - {"completed"}


Reasons = Mapping[str, str | None]
"""Participant id -> None where analysed, else the reason why not; allocated participants only."""


def flow(
    rows: pd.DataFrame, arms: Sequence[str], analysed: Reasons, hidden: bool, outcomes: Mapping[str, Reasons]
) -> dict[str, Any]:
    """Return the `flow` of results.json.

    Args:
        rows: all participants of the analysis, `arm` None where never allocated.
        arms: control first.
        analysed: of the first primary outcome with values.
        hidden: the arms may not be distinguished yet: `received` is withheld (null).
        outcomes: the same of every primary outcome.
    """
    allocated = rows["arm"].notna()
    turned_away = Counter(_turned_away(row) for _, row in rows[~allocated].iterrows())
    return {
        "assessed": len(rows),
        "excluded": dict(sorted(turned_away.items())),
        "allocated": int(allocated.sum()),
        "arms": {arm: _arm(rows[rows["arm"] == arm], analysed, hidden) for arm in arms},
        "recruitment": _dates(rows),
        "outcomes": {
            name: {arm: _analysed(rows[rows["arm"] == arm], reasons) for arm in arms}
            for name, reasons in outcomes.items()
        },
    }


def clusters_in(rows: pd.DataFrame, cluster: str) -> int:
    """Return how many clusters people are known to come from.

    Who withdrew the data has no cluster any more: that person counts as a cluster alone in the rows that use them, and
    was allocated with one that others are counted in.
    """
    return int(rows.loc[~without_cluster(rows, cluster), cluster].nunique())


def without_cluster(rows: pd.DataFrame, cluster: str) -> pd.Series:
    """Return who withdrew the data and, with them, the name of the cluster."""
    withdrawn = rows.get("status", pd.Series("", index=rows.index)) == "withdrawn"
    return withdrawn & (rows[cluster] == ALONE + rows["participant_id"].astype(str))


def units(rows: pd.DataFrame, arms: Sequence[str], analysed: Reasons, cluster: str | None) -> dict[str, Any]:
    """Return what the flow of some designs has beside people by arm.

    Args:
        rows: allocated participants.
        arms: control first.
        analysed: of the first primary outcome with values.
        cluster: column of the clusters that were allocated whole; None where people were.

    Returns:
        `clusters` (arm -> clusters allocated, analysed) and `second` (arm -> who responded, and by second treatment who
        was drawn to it and who of them was analysed); each only where the trial has it and may show it.
    """
    parts = {arm: rows[rows["arm"] == arm] for arm in arms}
    kept = {arm: part[[analysed[str(who)] is None for who in part["participant_id"]]] for arm, part in parts.items()}
    found: dict[str, Any] = {}
    if cluster:
        found["clusters"] = {
            arm: {"allocated": clusters_in(part, cluster), "analysed": clusters_in(kept[arm], cluster)}
            for arm, part in parts.items()
        }
    if "second_treatment" in rows and "responded" in rows and rows["second_treatment"].notna().any():
        drawn = sorted(rows["second_treatment"].dropna().unique())
        found["second"] = {
            arm: {
                "responded": int((part["responded"] == 1).sum()),
                "treatments": {
                    str(name): {
                        "allocated": int((part["second_treatment"] == name).sum()),
                        "analysed": int((kept[arm]["second_treatment"] == name).sum()),
                    }
                    for name in drawn
                },
            }
            for arm, part in parts.items()
        }
    return found


def _analysed(rows: pd.DataFrame, analysed: Reasons) -> dict[str, Any]:
    reasons = [analysed[str(person)] for person in rows["participant_id"]]
    return {
        "analysed": sum(reason is None for reason in reasons),
        "excluded": dict(sorted(Counter(reason for reason in reasons if reason is not None).items())),
    }


def _dates(rows: pd.DataFrame) -> dict[str, str | None]:
    """Days of the first and the last enrolment, UTC."""
    # A table from elsewhere may call something by this name that does not hold moments.
    moments = rows["enrolled_at"].dropna().astype(str) if "enrolled_at" in rows else pd.Series([], dtype=str)
    days = sorted(moments[moments.str.match(r"\d{4}-\d{2}-\d{2}")].str[:10])
    return {"first": days[0], "last": days[-1]} if days else {"first": None, "last": None}


def _arm(rows: pd.DataFrame, analysed: Reasons, hidden: bool) -> dict[str, Any]:
    received = None if hidden or "received" not in rows else int((rows["received"] == 1).sum())
    return {
        "allocated": len(rows),
        "received": received,
        "discontinued": int(rows["status"].isin(DISCONTINUED).sum()),
        **_analysed(rows, analysed),
    }


def _turned_away(row: Mapping[str, Any] | pd.Series) -> str:
    """Why a participant has no arm; a participant who completed the study had one, so there the record is missing."""
    found = _reason(row)
    # A column `status` of a table from elsewhere holds whatever its owner calls so.
    return found if found in _TURNED_AWAY or _given(row) else "no arm recorded"


def _reason(row: Mapping[Any, Any] | pd.Series) -> str:
    return _given(row) or str(row["status"])


def _given(row: Mapping[Any, Any] | pd.Series) -> str:
    given = row.get("exclusion_reason")
    return given if isinstance(given, str) else ""


def why_not(row: Mapping[Any, Any] | pd.Series, outcome: str) -> str | None:
    """Return why an allocated participant is not in the analysis of an outcome; None where they are."""
    if row["status"] in NOT_ANALYSED:
        return _reason(row)
    if pd.isna(row[outcome]):
        return "data withdrawn" if row["status"] == "withdrawn" else f"no {outcome}"
    return None
