"""Confidence beside quiz items against the points: Brier score, calibration in the large, gamma, judgement before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.data.quizzes import QuizItems
from analysis.data.view import View
from study_app.domain.quiz.confidence import STEPS, Calibration, calibration
from study_app.domain.study.quiz_confidence import JUDGED, RATED

EVERYBODY = "all"


def calibration_section(quiz: QuizItems, view: View, people: pd.DataFrame) -> dict[str, Any] | None:
    """Return the calibration of a quiz, for everybody and by arm; None where it asked for no confidence or judgement.

    Figures are means over people of each person's own value, with t intervals, so that people count alike.
    """
    answers = _rated(quiz, people)
    judged = _judged(quiz, view, people)
    if answers.empty and judged.empty:
        return None
    arms = () if quiz.role == "baseline" else view.arm_ids
    groups = {EVERYBODY: people} | {arm: people[people["arm"] == arm] for arm in arms}
    found = {name: _group(answers, judged, set(group["participant_id"])) for name, group in groups.items()}
    return {"level": _LEVEL, EVERYBODY: found.pop(EVERYBODY), "arms": found}


_LEVEL = 0.95


def _rated(quiz: QuizItems, people: pd.DataFrame) -> pd.DataFrame:
    """Participant, confidence and share of the points of every scored answer that has both."""
    needed = ["participant_id", "confidence", "points", "max_points"]
    if not set(needed) <= set(quiz.answers.columns):
        return pd.DataFrame(columns=["participant_id", "confidence", "share"])
    found = quiz.answers.loc[quiz.answers["participant_id"].isin(people["participant_id"]), needed].dropna()
    found = found[found["max_points"] > 0]
    return found.assign(share=found["points"] / found["max_points"])


def _judged(quiz: QuizItems, view: View, people: pd.DataFrame) -> pd.DataFrame:
    columns = [f"{quiz.prefix}_{ending}" for ending in JUDGED]
    if not set(columns) <= set(view.participants.columns):
        return pd.DataFrame(columns=["participant_id", *JUDGED])
    rows = view.participants[view.participants["participant_id"].isin(people["participant_id"])]
    found = rows[["participant_id", *columns]].dropna()
    return found.rename(columns=dict(zip(columns, JUDGED, strict=True)))


def _group(answers: pd.DataFrame, judged: pd.DataFrame, among: set[str]) -> dict[str, Any]:
    answers = answers[answers["participant_id"].isin(among)]
    judged = judged[judged["participant_id"].isin(among)]
    people = [_of_person(rows) for _, rows in answers.groupby("participant_id")]
    measures = {name: [getattr(person, name) for person in people] for name in (*RATED, "share")}
    measures |= {name: list(judged[name]) for name in JUDGED}
    return {
        "n": len(people),
        "answers": len(answers),
        **{name: _mean([value for value in values if value is not None]) for name, values in measures.items()},
        "curve": [_step(answers, percent / 100) for percent in STEPS] if len(answers) else [],
    }


def _of_person(rows: pd.DataFrame) -> Calibration:
    found = calibration(zip(rows["confidence"], rows["share"], strict=True))
    if found is None:
        raise ValueError("a person without rated answers has no calibration")
    return found


def _step(answers: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """Return how many answers were held so surely, and the mean share of their points."""
    at = answers[np.isclose(answers["confidence"], confidence)]
    return {"confidence": confidence, "n": len(at), "share": float(at["share"].mean()) if len(at) else None}


def _mean(values: Sequence[float]) -> dict[str, Any]:
    """Mean over people with its t interval; nulls with a note where it cannot be computed."""
    empty = {"n": len(values), "estimate": None, "ci_low": None, "ci_high": None}
    if not values:
        return empty | {"note": "there are no values"}
    mean = float(np.mean(values))
    if len(values) < 2:
        return empty | {"estimate": mean, "note": "one person has no interval"}
    half = float(stats.t.ppf((1 + _LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return {"n": len(values), "estimate": mean, "ci_low": mean - half, "ci_high": mean + half, "note": ""}
