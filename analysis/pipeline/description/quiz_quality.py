"""Quality of each quiz: reliability, item statistics, local dependence, and the share of points by item and arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.quizzes import QuizItems, main_of
from analysis.data.view import View
from analysis.estimators.core.effect_sizes import alike
from analysis.estimators.core.plain_values import safe
from analysis.measurement import item_fit, psychometrics
from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.description.calibration import calibration_section


def psychometrics_section(view: View, frame: AnalysisTable, quizzes: Sequence[QuizItems]) -> dict[str, Any]:
    """Return the `psychometrics` of results.json: the main quiz's figures, and those of each quiz by its stage.

    Values that cannot be computed are null with a note.
    """
    people = frame.population("itt")
    parts = {quiz.stage: _quality(quiz, view, people) for quiz in quizzes}
    main = main_of(quizzes)
    own = parts[main.stage] if main is not None else {"n": 0, "items": [], "note": "the dataset has no main quiz"}
    return own | {"quizzes": {stage: part for stage, part in parts.items() if stage}}


def _quality(quiz: QuizItems, view: View, people: pd.DataFrame) -> dict[str, Any]:
    section: dict[str, Any] = {"stage": quiz.stage, "role": quiz.role, "title": quiz.title}
    calibration = calibration_section(quiz, view, people)
    if calibration is not None:
        section["calibration"] = calibration
    matrix = quiz.matrix(people)
    if matrix.shape[0] < 3 or matrix.shape[1] < 2:
        reason = f"{matrix.shape[0]} participants and {matrix.shape[1]} items with points; at least 3 and 2 are needed"
        return section | {"n": int(matrix.shape[0]), "items": [], "note": reason}
    facts, most = quiz.facts(), quiz.highest(matrix)
    # What rests on whole rows of answers is of the items that every version asked: people are compared on the same.
    common = matrix.columns[matrix.notna().all()]
    alike, revalued = _on_one_scale(matrix, most)
    whole, tops = alike[common], most[common].mean().tolist()
    section["n"] = int(matrix.shape[0])
    partly = [str(item) for item in matrix.columns if item not in common]
    section |= {"partly_asked": partly} if partly else {}
    section |= {"revalued": revalued} if revalued else {}
    section["alpha"] = _of_varying(psychometrics.alpha, whole)
    section["omega"] = _of_varying(psychometrics.omega, whole)
    # Points may be sums of thirds, say: rounding must not turn all points into a part of them.
    solved = (matrix[common] >= most[common] - 1e-9).astype(float)
    section["q3"] = safe(_dependence, solved)
    section["item_fit"] = safe(item_fit.item_fit, _varying(solved))
    section["item_statistics"] = safe(lambda table: psychometrics.item_statistics(table, maximum=tops), whole)
    # An arm at baseline says nothing about the treatment, so items before allocation are not split by arm.
    shown = () if quiz.role == "baseline" else view.arm_ids
    arm = people.set_index("participant_id")["arm"].reindex(matrix.index)
    section["dif"] = {
        name: safe(partial(_favoured, arm=arm, control=shown[0], treated=name), solved) for name in shown[1:]
    }
    shares = matrix / most
    section["items"] = [
        {
            "item": str(item),
            **facts[str(item)],
            **({"max_points": None} if item in revalued else {}),
            "arms": {name: _share(shares.loc[arm == name, item]) for name in shown},
            "share": _mean(shares[item]),
            "item_rest_r": _item_rest(alike, str(item)),
        }
        for item in matrix.columns
    ]
    return section


def _on_one_scale(matrix: pd.DataFrame, most: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return points with the items that are worth more in one version than in another as shares of their mean worth.

    And the names of these items. Raw points would differ between versions whatever people can do, so that
    items would seem to hang together.
    """
    revalued = [item for item in matrix.columns if most[item].nunique() > 1]
    shares = matrix[revalued] / most[revalued] * most[revalued].mean()
    return matrix.assign(**{str(item): shares[item] for item in revalued}), [str(item) for item in revalued]


def _of_varying(coefficient: Callable[[pd.DataFrame], Any], matrix: pd.DataFrame) -> Any:
    """Return a reliability coefficient over the items on which people differ; the note names those left out."""
    constant = [str(item) for item in matrix.columns if matrix[item].nunique() < 2]
    found = safe(coefficient, matrix.drop(columns=constant))
    if constant and isinstance(found, dict):
        note = f"left out, for everybody has the same points: {', '.join(constant)}"
        found = found | {"note": "; ".join(part for part in (str(found.get("note") or ""), note) if part)}
    return found


def _varying(solved: pd.DataFrame) -> pd.DataFrame:
    """Items that some and not all people solved: of others the Rasch model knows no difficulty."""
    return solved.loc[:, solved.nunique() > 1]


def _favoured(solved: pd.DataFrame, *, arm: pd.Series, control: str, treated: str) -> pd.DataFrame:
    """Mantel and Haenszel's test of each item, one treated arm against the control at equal scores."""
    both = arm.isin([control, treated]).to_numpy()
    return item_fit.dif(_varying(solved[both]), arm[both].to_numpy(), reference=control)


def _share(shares: pd.Series) -> dict[str, Any]:
    return {"n": int(shares.notna().sum()), "share": _mean(shares)}


def _dependence(solved: pd.DataFrame) -> dict[str, Any]:
    """Yen's Q3 of items scored 1 for full points: the pairs farthest above the mean (Christensen et al. 2017)."""
    solved = _varying(solved)
    table = psychometrics.q3(solved)
    mean = float(table.attrs["mean"])
    names = [str(name) for name in table.columns]
    values = table.to_numpy(dtype=float)
    above = values - mean
    pairs = [
        {"first": names[i], "second": names[j], "q3": float(values[i, j]), "above_mean": float(above[i, j])}
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]
    pairs.sort(key=lambda pair: (-float(str(pair["above_mean"])), str(pair["first"]), str(pair["second"])))
    return {"mean": mean, "largest": pairs[:5], "dependent": sum(float(str(p["above_mean"])) > 0.2 for p in pairs)}


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if values.notna().any() else None


def _item_rest(matrix: pd.DataFrame, item: str) -> float | None:
    matrix = matrix[matrix[item].notna()]
    # Of those who met the item, over the other items that all of them met.
    rest = matrix.drop(columns=[item]).dropna(axis=1).sum(axis=1)
    if matrix[item].nunique() < 2 or alike(rest.to_numpy(dtype=float)):
        return None
    return float(np.corrcoef(matrix[item], rest)[0, 1])
