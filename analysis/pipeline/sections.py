"""The parts of results.json beside the estimates: agreement of raters, styles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.view import View
from analysis.estimators.core.plain_values import safe
from analysis.interaction import styles_section
from analysis.interaction.selection import main_tables
from analysis.measurement import agreement
from analysis.measurement.graders import graders_section, is_of_graders
from study_app.domain.assistants.gate import VERSION as GATE
from study_app.domain.errors import StudyError
from study_app.domain.interaction.patterns import rules_of
from study_app.domain.quiz.answer_ratings import POINTS
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.study import Study


def agreement_section(dataset: Dataset, view: View) -> dict[str, Any]:
    """Agreement of raters for each rubric of the ratings table; empty where nothing was rated by two people.

    Grades of answers are shown in every state, for answers are given in all arms; other ratings once arms may be shown.
    """
    if "ratings" not in dataset.tables:
        return {}
    ratings = dataset.tables["ratings"]
    graders = graders_section(ratings, view.participants["participant_id"].astype(str))
    found: dict[str, Any] = {POINTS: graders} if graders else {}
    if view.hidden:
        return found | {"note": "of other ratings than grades of answers: withheld until unsealing"}
    return found | _other_rubrics(ratings[~ratings["rubric"].map(is_of_graders).astype(bool)])


def _other_rubrics(ratings: pd.DataFrame) -> dict[str, Any]:
    # The gate's verdicts have a section with the people who audited them.
    ratings = ratings[pd.to_numeric(ratings["value"], errors="coerce").notna() & ratings["rubric"].ne(GATE)]
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
            "krippendorff_alpha": safe(lambda rated: agreement.krippendorff_alpha(rated, "interval"), table),
        }
    return found


ASSISTED = "Everyone worked with and without an assistant: minutes and quiz are those of the periods with one."


def styles_or_reason(view: View, plan: Plan, study: Mapping[str, Any], typed: Study | None = None) -> dict[str, Any]:
    """Return the styles section, or why there is none; `study` is the study file as read, `typed` as it is used."""
    if view.hidden:
        return {"note": "withheld until unsealing: use of the assistant tells the arms apart"}
    try:
        tables = main_tables(view.tables, study)
        periods = view.tables.get("periods") if typed and typed.allocation.method == "sequence" else None
        if typed is not None and periods is not None:
            tables["participants"] = assisted(tables["participants"], periods, typed)
        found = dict(styles_section(tables, plan, rules_of(study.get("styles") or {})))
        return found | ({"scope": ASSISTED} if periods is not None and "groups" in found else {})
    except (StudyError, LookupError, ValueError, TypeError) as error:
        return {"note": f"not computed: {error}"}


def assisted(people: pd.DataFrame, periods: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return people with the minutes and the quiz of those periods of a crossover that had an assistant.

    Patterns come from these alone; a sum over all periods says as much of the work without one.
    """
    helped = periods[periods["treatment"].isin([arm.id for arm in study.arms if arm.assistant])]
    who = people["participant_id"]
    minutes = helped.groupby("participant_id")["minutes"].sum(min_count=1) if "minutes" in helped else pd.Series()
    shares = pd.DataFrame(index=who)
    for number, quiz in enumerate(study.period_quizzes, start=1):
        had = set(helped.loc[pd.to_numeric(helped["period"]) == number, "participant_id"])
        name = f"{quiz.id}_score"
        if name in people:
            shares[name] = pd.to_numeric(people[name], errors="coerce").where(who.isin(had)).to_numpy()
    return people.assign(task_minutes=who.map(minutes), quiz_score=shares.mean(axis=1).to_numpy())


def style_warnings(section: Mapping[str, Any]) -> list[str]:
    """Return exported codes or patterns that are not those computed here."""
    found = section.get("differs_from_export") or {"codes": 0, "patterns": []}
    if not found["codes"] and not found["patterns"]:
        return []
    return [
        f"styles: the exported codes of {found['codes']} queries and patterns of {len(found['patterns'])} participants "
        "are not those computed here, by another coder, rule set or version; the section shows those computed here"
    ]
