"""The parts of results.json beside the estimates: psychometrics of the quiz, agreement of raters, styles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import agreement, psychometrics
from analysis.coefficient import Coefficient
from analysis.frame import Frame
from analysis.masking import View
from analysis.results import Estimate
from analysis.styles import styles_section
from analysis.styles.selection import main_tables
from study_app.domain.errors import StudyError
from study_app.domain.plan import Plan
from study_app.domain.styles.patterns import rules_of


def item_matrix(answers: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Points by participant (rows) and quiz item (columns) of those who opened the quiz; an unanswered item is 0."""
    if not {"participant_id", "item", "points"} <= set(answers.columns):
        return pd.DataFrame()
    scored = answers[answers["points"].notna() & answers["participant_id"].isin(people["participant_id"])]
    if scored.empty:
        return pd.DataFrame()
    wide = scored.pivot_table(index="participant_id", columns="item", values="points", aggfunc="first", sort=True)
    return wide.fillna(0.0)


def quiz_answers(view: View) -> pd.DataFrame:
    """Answers to items of a bank; empty where the dataset has none."""
    if "answers" not in view.tables:
        return pd.DataFrame()
    answers = view.tables["answers"]
    return answers[answers["bank"].notna() & (answers["bank"] != "")] if "bank" in answers else answers


def item_facts(answers: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Item -> type, concept and highest points, in the order of the bank."""
    found: dict[str, dict[str, Any]] = {}
    for _, row in answers.drop_duplicates("item").iterrows() if "item" in answers else ():
        found[str(row["item"])] = {name: _cell(row.get(name)) for name in ("type", "concept", "max_points")}
    return dict(sorted(found.items()))


def psychometrics_section(view: View, frame: Frame) -> dict[str, Any]:
    """Reliability and item statistics of the quiz over everybody analysed, and item means by arm.

    Values that cannot be computed are null with a note beside them.
    """
    answers = quiz_answers(view)
    people = frame.population("itt")
    matrix = item_matrix(answers, people)
    if matrix.shape[0] < 3 or matrix.shape[1] < 2:
        reason = f"{matrix.shape[0]} participants and {matrix.shape[1]} items with points; at least 3 and 2 are needed"
        return {"n": int(matrix.shape[0]), "items": [], "note": reason}
    facts = item_facts(answers)
    maximum = {str(item): facts[str(item)]["max_points"] or float(matrix[item].max()) or 1.0 for item in matrix}
    section: dict[str, Any] = {"n": int(matrix.shape[0])}
    tops = [maximum[str(item)] for item in matrix]
    section["alpha"] = _safe(psychometrics.alpha, matrix)
    section["omega"] = _safe(psychometrics.omega, matrix)
    section["q3"] = _safe(_dependence, (matrix >= np.array(tops) - 1e-9).astype(float))
    section["item_statistics"] = _safe(lambda table: psychometrics.item_statistics(table, maximum=tops), matrix)
    arm = people.set_index("participant_id")["arm"].reindex(matrix.index)
    section["items"] = [
        {
            "item": str(item),
            **facts[str(item)],
            "arms": {
                name: {
                    "n": int((arm == name).sum()),
                    "share": _mean(matrix.loc[arm == name, item] / maximum[str(item)]),
                }
                for name in view.arm_ids
            },
            "share": _mean(matrix[item] / maximum[str(item)]),
            "item_rest_r": _item_rest(matrix, str(item)),
        }
        for item in matrix.columns
    ]
    return section


def agreement_section(view: View) -> dict[str, Any]:
    """Agreement of raters for each rubric of the ratings table; empty where nobody rated twice."""
    if view.hidden:
        return {"note": "withheld until unsealing"}
    if "ratings" not in view.tables:
        return {}
    ratings = view.tables["ratings"]
    ratings = ratings[pd.to_numeric(ratings["value"], errors="coerce").notna()]
    ratings = ratings.assign(value=pd.to_numeric(ratings["value"]))
    found = {}
    for rubric, rows in ratings.groupby("rubric", sort=True, dropna=False):
        wide = rows.pivot_table(index="object", columns="rater", values="value", aggfunc="last", sort=True)
        wide = wide[wide.notna().sum(axis=1) >= 2]
        if wide.shape[1] < 2 or len(wide) < 2:
            continue
        table = wide.to_numpy(dtype=float).tolist()
        found[str(rubric)] = {
            "objects": len(wide),
            "raters": int(wide.shape[1]),
            "krippendorff_alpha": _safe(lambda rated: agreement.krippendorff_alpha(rated, "interval"), table),
        }
    return found


def styles_or_reason(view: View, plan: Plan, study: Mapping[str, Any]) -> dict[str, Any]:
    """The styles section, or why there is none; `study` is the study file as read."""
    if view.hidden:
        return {"note": "withheld until unsealing: use of the assistant tells the arms apart"}
    try:
        return dict(styles_section(main_tables(view.tables, study), plan, rules_of(study.get("styles") or {})))
    except (StudyError, LookupError, ValueError, TypeError) as error:
        return {"note": f"not computed: {error}"}


def style_warnings(section: Mapping[str, Any]) -> list[str]:
    """Exported codes or patterns that are not those computed here."""
    found = section.get("differs_from_export") or {"codes": 0, "patterns": []}
    if not found["codes"] and not found["patterns"]:
        return []
    return [
        f"styles: the exported codes of {found['codes']} queries and patterns of {len(found['patterns'])} participants "
        "are not those computed here, by another coder, rule set or version; the section shows those computed here"
    ]


def _dependence(solved: pd.DataFrame) -> dict[str, Any]:
    """Yen's Q3 of items scored 1 for full points: the pairs farthest above the mean (Christensen et al. 2017)."""
    solved = solved.loc[:, solved.nunique() > 1]
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


def _safe(function: Callable[..., Any], table: Any) -> Any:
    """The value as JSON types, or a null with the reason."""
    try:
        with np.errstate(all="ignore"):
            return plain(function(table))
    except (StudyError, ValueError, ArithmeticError, np.linalg.LinAlgError, IndexError, KeyError) as error:
        return {"value": None, "note": f"not estimable: {error}"}


def plain(value: Any) -> Any:
    """Frames, arrays, coefficients, dataclasses and estimates as JSON types."""
    if isinstance(value, Coefficient):
        named = {name: plain(getattr(value, name)) for name in ("ci_low", "ci_high", "ci_level", "n", "note")}
        return {"value": float(value), **named}
    if isinstance(value, Estimate):
        return value.to_json()
    if isinstance(value, pd.DataFrame):
        return [{str(key): plain(entry) for key, entry in row.items()} for row in value.to_dict("records")]
    if isinstance(value, pd.Series):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def _cell(value: Any) -> Any:
    return None if value is None or (isinstance(value, float) and np.isnan(value)) else value


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None


def _item_rest(matrix: pd.DataFrame, item: str) -> float | None:
    rest = matrix.drop(columns=[item]).sum(axis=1)
    if matrix[item].nunique() < 2 or rest.nunique() < 2:
        return None
    return float(np.corrcoef(matrix[item], rest)[0, 1])
