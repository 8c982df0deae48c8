"""How people felt during tasks: probes by arm and minute, and each person's level and course by arm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.view import View
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import AnalysisError
from analysis.estimators.outcomes.means import welch_t
from analysis.interaction.intervals import mean
from study_app.domain.content.content_paths import name_of
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.study import Study

SCALES = ("valence", "arousal", "calm_desperate")
OUTCOMES = ("answered", "skipped", "interrupted", "lapsed")
PER_MINUTES = 10.0
"""A course is the change in so many minutes."""


def affect_section(dataset: Dataset, view: View, level: float = 0.95) -> dict[str, Any]:
    """Return what became of the probes, means by arm and minute, and differences between arms.

    Empty in a study without probes, and where none was shown. Differences are exploratory: Welch's of each person's
    mean over the stage, and of their slope over at least two answers, each arm minus the control, in a trial of
    clusters robust to these. They are left out where people have several arms one after the other.
    """
    study, probes = dataset.study.study, view.tables.get("probes")
    if study is None or not study.probes:
        return {}
    if view.hidden:
        return {"note": "withheld until unsealing: how people feel can differ by arm"}
    rows = _with_arms(study, view, probes)
    if rows is None or rows.empty:
        return {}
    apart = study.allocation.method != "sequence"
    stages = [stage for stage in study.probed_stages if stage.id in set(rows["stage"])]
    found: dict[str, Any] = {
        "stages": {
            stage.id: _stage(view, rows[rows["stage"] == stage.id], level, apart=apart) | {"title": stage.title}
            for stage in stages
        }
    }
    if study.varied_tasks:
        found["variants"] = {arm: _variants(study, arm) for arm in view.arm_ids}
    if not apart:
        found["no_differences"] = (
            "arms are not compared: people have several arms one after the other, and these differences would take "
            "their answers in one as those of other people"
        )
    return found


def _with_arms(study: Study, view: View, probes: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the probes of people in arms, each with the arm of its stage, and numbers as numbers."""
    people = view.participants
    if probes is None or "arm" not in people:
        return None
    arms = {str(who): str(arm) for who, arm in zip(people["participant_id"], people["arm"], strict=True) if arm}
    rows = probes[probes["participant_id"].astype(str).isin(arms)].copy()
    rows["stage"] = rows["stage"].astype(str)
    if COLUMN in people:
        of = dict(zip(people["participant_id"].astype(str), people[COLUMN], strict=True))
        rows[COLUMN] = rows["participant_id"].astype(str).map(of)
    stages = {stage.id: stage for stage in study.stages}
    rows = rows[rows["stage"].isin(stages)]
    rows["arm"] = [
        study.arm(arms[str(who)], stages[stage]).id if "-" in arms[str(who)] else arms[str(who)]
        for who, stage in zip(rows["participant_id"], rows["stage"], strict=True)
    ]
    for name in ("minute", "seconds", *SCALES):
        rows[name] = pd.to_numeric(rows[name], errors="coerce")
    return rows


def _variants(study: Study, arm: str) -> str:
    names = [name_of(folder) for folder in study.variants_met(arm)]
    return ", ".join(names) or "none"


def _stage(view: View, rows: pd.DataFrame, level: float, *, apart: bool) -> dict[str, Any]:
    return {
        "asked": [_asked(arm, rows[rows["arm"] == arm]) for arm in view.arm_ids],
        "scales": {
            scale: {
                "course": list(_course(view, rows, scale, level)),
                "differences": list(_differences(view, rows, scale, level)) if apart else [],
            }
            for scale in SCALES
        },
    }


def _asked(arm: str, rows: pd.DataFrame) -> dict[str, Any]:
    outcomes = rows["outcome"].astype("string")
    counted = {name: int((outcomes == name).sum()) for name in OUTCOMES}
    answered = rows.loc[outcomes == "answered", "seconds"]
    people = int(rows["participant_id"].nunique())
    seconds = float(answered.median()) if len(answered) else None
    return {"arm": arm, "people": people, "shown": len(rows), **counted, "median_seconds": seconds}


def _course(view: View, rows: pd.DataFrame, scale: str, level: float) -> Iterator[dict[str, Any]]:
    """Yield the mean of the answers by arm and minute, with Student's interval."""
    for arm in view.arm_ids:
        for minute in sorted(rows["minute"].dropna().unique()):
            own = rows[(rows["arm"] == arm) & (rows["minute"] == minute)]
            yield {"arm": arm, "minute": float(minute)} | mean(own[scale].to_numpy(dtype=float), level)


def _differences(view: View, rows: pd.DataFrame, scale: str, level: float) -> Iterator[dict[str, Any]]:
    """Yield each arm minus the control: of people's means, and of their courses."""
    known = rows.dropna(subset=[scale, "minute"])
    more = [COLUMN] if COLUMN in known else []
    people = [
        # One row for each person: answers of the same person are not independent, and some people gave more of them.
        {name: own[name].iloc[0] for name in ("arm", *more)}
        | {"mean": own[scale].mean(), "slope": _slope(own["minute"], own[scale])}
        for _, own in known.groupby("participant_id", sort=True)
    ]
    table = pd.DataFrame(people, columns=["arm", *more, "mean", "slope"])
    for measure in ("mean", "slope"):
        data = table[["arm", *more, measure]].dropna()
        counts = data["arm"].value_counts()
        data = data[data["arm"].isin(counts[counts > 1].index)]
        if view.control not in set(data["arm"]) or data["arm"].nunique() < 2:
            continue
        try:
            made = welch_t(
                data, outcome=measure, arm="arm", control=view.control, level=level, cluster=more[0] if more else None
            )
        except AnalysisError:
            continue
        for row in [made] if isinstance(made, Estimate) else made:
            yield {
                "measure": measure,
                "contrast": list(row.contrast or ()),
                "estimate": row.estimate,
                "ci_low": row.ci_low,
                "ci_high": row.ci_high,
                "n": dict(row.n or {}),
            }


def _slope(minutes: pd.Series, values: pd.Series) -> float:
    """Return the change in ten minutes by least squares; missing with fewer than two minutes."""
    if minutes.nunique() < 2:
        return float("nan")
    return float(np.polyfit(minutes.to_numpy(dtype=float), values.to_numpy(dtype=float), 1)[0] * PER_MINUTES)
