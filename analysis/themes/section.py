"""The section of results.json on interviews: themes by arm, the proof of the coding, quotes, how they were held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.view import View
from analysis.estimators.core.validation import AnalysisError
from analysis.interaction.intervals import mean
from analysis.themes.corrected import theme_rows
from analysis.themes.fidelity import fidelity_rows
from analysis.themes.quotes import quotes
from analysis.themes.reliability import against_people, agreement_of_people
from analysis.themes.table import PEOPLE, CodedInterviews, coded_interviews
from study_app.dataset.border.folders import bounded_text
from study_app.domain.interaction.codes import people
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.themes.marks import AUDIT, AUDIT_CRITERIA, interview_of

WITHHELD = "withheld until unsealing: what people say of their work tells the arms apart"
NEEDED = ("interviews", "interview_turns", "ratings")


def interviews_section(
    view: View, study: Mapping[str, Any], plans: Sequence[InterviewPlan] = (), seed: int = 1
) -> dict[str, Any]:
    """Return themes by arm, agreement, the program's errors, quotes, audits and fidelity.

    Empty in a study without interviews.

    Args:
        view: who is analysed.
        study: the study file as read.
        plans: of the interviews, as far as the dataset has them.
        seed: of the resampling.
    """
    if not any(stage.get("kind") == "interview" for stage in study.get("stages") or ()):
        return {}
    tables = view.tables
    if view.hidden:
        return {"note": WITHHELD}
    if any(name not in tables for name in NEEDED):
        return {"note": "the dataset has no interviews"}
    section: dict[str, Any] = {
        "interviews": len(tables["interviews"]),
        "fidelity": fidelity_rows(tables, view.participants, plans, seed),
        "audit": audit_rows(tables),
    }
    coded = coded_interviews(tables, view.participants)
    if coded is None:
        return section | {"note": "no codebook is frozen yet: study code interviews freeze"}
    return section | _coding(coded, seed) | _estimates(coded, view.control) | {"quotes": quotes(tables, coded)}


def plans_of(dataset: Dataset) -> list[InterviewPlan]:
    """Return the plans of interviews in a dataset's materials."""
    found = []
    for path in sorted((dataset.path / "materials" / "interviews").glob("*.json")):
        try:
            found.append(InterviewPlan.model_validate_json(bounded_text(path)))
        except (OSError, ValueError):
            continue
    return found


def _coding(coded: CodedInterviews, seed: int) -> dict[str, Any]:
    book, units = coded.frozen.book, coded.units()
    by_people = [
        type(unit)(unit.participant_id, unit.arm, {who: unit.codes[who] for who in people(unit.codes) if who != PEOPLE})
        for unit in units
    ]
    drawn = [draw for draw in coded.draws.values() if draw.drawn]
    return {
        "codebook": {
            "version": book.version,
            "title": book.title,
            "induced": book.induced,
            "frozen_at": str(coded.frozen.at),
            "codes": [{"id": code.id, "title": code.title, "definition": code.definition} for code in book.codes],
        },
        "coded": len(coded.interviews),
        "program": coded.program,
        "unread": len(coded.unread),
        "gold": {"drawn": len(drawn), "waiting": coded.waiting(), "unsettled": coded.unsettled()},
        "agreement": agreement_of_people(by_people, book.labels, seed),
        "errors": against_people(units, coded.program, PEOPLE, book.labels, seed) if coded.program else {},
    }


def _estimates(coded: CodedInterviews, control: str) -> dict[str, Any]:
    """Return shares and differences, or why there are none: a share that a program counted alone is none."""
    if why := _why_not(coded):
        return {"shares": [], "differences": [], "why_no_shares": why}
    try:
        shares, differences = theme_rows(coded.groups(), control)
    except AnalysisError as error:
        return {"shares": [], "differences": [], "why_no_shares": str(error)}
    return {"shares": [row.to_json() for row in shares], "differences": [row.to_json() for row in differences]}


def _why_not(coded: CodedInterviews) -> str:
    if not len(coded.interviews):
        return "no interview with an answer is left to estimate from"
    if waiting := coded.waiting():
        # The sample is random only as a whole: those that are coded first may be the short ones.
        return f"{waiting} of the drawn interviews wait for people; code them on the console's board"
    ids = coded.interviews["interview_id"]
    if not coded.draws and any(coded.settled(each) is None for each in ids):
        return (
            "no sample was drawn for people to code, and a share that a program counted alone is biased by its errors"
        )
    if coded.draws and (late := sum(each not in coded.draws for each in ids)):
        # No chance decided whether people read them: their share is not what a sample of the others gives.
        return f"{late} interviews came after the sample was drawn; draw again"
    return ""


def audit_rows(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return each criterion's mean judgement by people, each interview's judges averaged first."""
    ratings = tables["ratings"]
    rows = []
    for criterion, meaning in AUDIT_CRITERIA.items():
        own = ratings[ratings["rubric"].astype("string") == AUDIT + criterion].sort_values("rated_at", kind="stable")
        own = own[own["object"].astype(str).map(interview_of).notna()].drop_duplicates(["object", "rater"], keep="last")
        values = pd.to_numeric(own["value"], errors="coerce").groupby(own["object"]).mean()
        rows.append({"criterion": criterion, "meaning": meaning, "raters": int(own["rater"].nunique()), **mean(values)})
    return rows
