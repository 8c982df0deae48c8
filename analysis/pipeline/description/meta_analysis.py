"""What a meta-analysis needs of each site: standardised mean difference, standard error and the figures behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.effect_sizes import deviation, pooled_sd, small_sample_factor
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.study.analysis_plan import Plan

SITE = "site"
_CLUSTERS = "people were allocated in clusters, which a standard error of people does not know"
_CENSORED = "times are censored before the cap, so that they have no mean"
_FEW = "fewer than two people in an arm, or all of them alike"


def meta_rows(frame: AnalysisTable, plan: Plan, arms: tuple[str, ...], study_id: str) -> list[dict[str, Any]]:
    """Return one row for each site, outcome and contrast, everybody allocated as allocated.

    g is Hedges' with the exact correction, its variance 1/n1 + 1/n2 + g^2 / (2 (n1 + n2)): what `escalc` of R's metafor
    gives for measure SMD. Missing outcomes are left out, as `n` says.

    Args:
        frame: the analysis table.
        plan: its outcomes, in its order.
        arms: control first.
        study_id: the site's name where the data are of one.
    """
    everybody = frame.population("itt")
    sites = everybody[SITE] if SITE in everybody else pd.Series(study_id, index=everybody.index)
    return [
        {"site": site, "outcome": outcome.id, "unit": outcome.unit, "treated": arm, "control": arms[0]}
        | _contrast(people, outcome.id, arm, arms[0])
        | _note(frame, outcome.id)
        for site, people in _groups(everybody, sites)
        for outcome in plan.outcomes
        for arm in arms[1:]
    ]


def _groups(people: pd.DataFrame, sites: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    for site in dict.fromkeys(sites):
        yield str(site), people[sites == site]


def _note(frame: AnalysisTable, outcome: str) -> dict[str, Any]:
    """Return what makes the figures of an outcome no figures, where something does."""
    if outcome in frame.censored:
        return {"g": None, "se": None, "note": _CENSORED}
    return {"se": None, "note": _CLUSTERS} if frame.cluster else {}


def _contrast(people: pd.DataFrame, outcome: str, treated: str, control: str) -> dict[str, Any]:
    row: dict[str, Any] = {"g": None, "se": None}
    values = []
    for role, arm in (("treated", treated), ("control", control)):
        known = people.loc[people["arm"] == arm, outcome].dropna().to_numpy(dtype=float)
        values.append(known)
        row[f"n_{role}"] = len(known)
        row[f"mean_{role}"] = float(known.mean()) if len(known) else None
        row[f"sd_{role}"] = deviation(known) if len(known) > 1 else None
    one, two = values
    spread = pooled_sd(one, two) if min(len(one), len(two)) > 1 else 0.0
    if not spread > 0:
        return row | {"note": _FEW}
    g = small_sample_factor(len(one) + len(two) - 2) * float(one.mean() - two.mean()) / spread
    variance = 1 / len(one) + 1 / len(two) + g**2 / (2 * (len(one) + len(two)))
    return row | {"g": g, "se": float(np.sqrt(variance)), "note": ""}
