"""The table of patterns: people, minutes, score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.interaction.intervals import mean, share
from study_app.domain.interaction.patterns import NONE, PUBLISHED, PUBLISHED_GROUPS, Assignment, RuleSet

WORDING = (
    "Patterns are described within the arms that have an assistant, after randomisation. Participants chose how to use "
    "it, so people who show different patterns also differ in what they knew, how hard the task was for them and how "
    "they work; a difference between patterns is therefore not an effect of a pattern, and no test between patterns is "
    "reported. Only the comparison of arms rests on randomisation."
)
"""Stands wherever patterns are reported."""

CAUTION = (
    "The shipped rules were fitted to the published group sizes and mean minutes; whom the study put where, and "
    "individual scores, are not public. They are a description and have not been validated."
)


def group_table(
    participants: pd.DataFrame, assignments: Sequence[Assignment], rules: RuleSet = PUBLISHED
) -> list[dict[str, Any]]:
    """One row per pattern of the rule set, `none` last: n, share, minutes and score (mean and interval), members.

    For the published set, the published n and minutes are added.
    """
    pattern = {each.participant_id: each.pattern for each in assignments}
    people = participants.assign(pattern=participants["participant_id"].map(pattern)).dropna(subset=["pattern"])
    rows = []
    for name in (*rules.patterns, NONE):
        own = people[people["pattern"] == name]
        row: dict[str, Any] = {"pattern": name, "n": len(own), "share": share(len(own), len(people))}
        row |= {"minutes": _mean(own, "task_minutes"), "score": _mean(own, "quiz_score")}
        row["members"] = own["participant_id"].tolist()
        rows.append(row | (_published(name) if rules is PUBLISHED else {}))
    return rows


def _published(name: str) -> dict[str, Any]:
    people, minutes = PUBLISHED_GROUPS.get(name, (None, None))
    return {"published_n": people, "published_minutes": minutes}


def _mean(people: pd.DataFrame, column: str) -> dict[str, Any]:
    return mean(pd.to_numeric(people[column], errors="coerce")) if column in people else mean([])


def assignment_rows(assignments: Sequence[Assignment]) -> list[Mapping[str, Any]]:
    """Who got which pattern, by which rule and why, as JSON types."""
    return [vars(each) | {"passed_over": list(each.passed_over)} for each in assignments]
