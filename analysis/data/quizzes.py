"""The quizzes of a dataset: which answers belong to which, who opened each, and the points item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.quiz_versions import UNKNOWN, Asked, asked_by_stage, asked_in
from analysis.data.view import View
from study_app.domain.study.quiz_roles import MAIN, QuizRole

ATTENTION = "attention_check"


@dataclass(frozen=True)
class QuizItems:
    """One quiz of a study with the answers that were given to its items."""

    stage: str
    """Id of the stage; empty where the dataset does not tell quizzes apart."""
    role: QuizRole
    title: str
    answers: pd.DataFrame
    """Of scored items; attention checks are left out."""
    opened: frozenset[str] | None
    """Participants whose points are known; None where the dataset has no such column."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Participant -> version of the study that they met; empty where the dataset names none."""
    known: Asked = field(default_factory=dict)
    """What each version asks, by its item bank; empty where the dataset holds none."""

    @property
    def prefix(self) -> str:
        """Beginning of its columns in the participants table."""
        return MAIN if self.role == "main" else self.stage

    @property
    def outcome(self) -> str:
        """Name of the items as an outcome."""
        return "quiz_items" if self.role == "main" else f"{self.stage}_items"

    def matrix(self, people: pd.DataFrame) -> pd.DataFrame:
        """Points by participant (rows) and item (columns) of the people who opened the quiz.

        An item that they left out is 0, one that the version they met did not ask is missing; who never opened the
        quiz, or waits for scoring, has no row.
        """
        if not {"participant_id", "item", "points"} <= set(self.answers.columns):
            return pd.DataFrame()
        among = set(people["participant_id"])
        scored = self.answers[self.answers["points"].notna() & self.answers["participant_id"].isin(among)]
        if scored.empty:
            return pd.DataFrame()
        wide = scored.pivot_table(index="participant_id", columns="item", values="points", aggfunc="first", sort=True)
        rows = wide.index if self.opened is None else pd.Index(sorted(among & self.opened), name="participant_id")
        wide = wide.reindex(rows)
        asked = self._asked_of(wide)
        return wide.fillna(0.0).where(asked)

    def highest(self, points: pd.DataFrame) -> pd.DataFrame:
        """Return the points that each cell of `matrix` could have, by the version that the person met.

        Where none is named, the most that was earned.
        """
        by_version = self._by_version
        tops = pd.DataFrame(
            [[by_version.get(v, {}).get(item, np.nan) for item in points.columns] for v in self._versions_of(points)],
            index=points.index,
            columns=points.columns,
            dtype=float,
        )
        tops = tops.fillna(points.max().replace(0.0, 1.0))
        return tops.where(points.notna())

    @cached_property
    def _by_version(self) -> dict[str, dict[str, float]]:
        return asked_in(self.answers, self.versions, self.known)

    def _versions_of(self, table: pd.DataFrame) -> list[str]:
        return [self.versions.get(str(person), UNKNOWN) for person in table.index]

    def _asked_of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return whether each person met each item."""
        by_version = self._by_version
        asked = [[item in by_version.get(v, {item}) for item in table.columns] for v in self._versions_of(table)]
        return pd.DataFrame(asked, index=table.index, columns=table.columns, dtype=bool)

    def facts(self) -> dict[str, dict[str, Any]]:
        """Item -> type, concept and highest points."""
        found: dict[str, dict[str, Any]] = {}
        for _, row in self.answers.drop_duplicates("item").iterrows() if "item" in self.answers else ():
            found[str(row["item"])] = {name: _cell(row.get(name)) for name in ("type", "concept", "max_points")}
        return dict(sorted(found.items()))


def quizzes_in(dataset: Dataset, view: View) -> list[QuizItems]:
    """Return the quizzes of a dataset, the main one first; none where it holds no answers to items."""
    answers = _scored_answers(view)
    if answers.empty:
        return []
    study, versions = dataset.study.study, _versions(view.participants)
    if study is None or not study.quizzes or "stage" not in answers:
        return [QuizItems("", "main", "Quiz", answers, _opened(view.participants, MAIN), versions)]
    known = asked_by_stage(dataset)
    ordered = sorted(study.quizzes, key=lambda quiz: quiz.role != "main")
    return [
        QuizItems(
            quiz.stage.id,
            quiz.role,
            quiz.stage.title or quiz.stage.id,
            answers[answers["stage"] == quiz.stage.id].reset_index(drop=True),
            _opened(view.participants, quiz.prefixes[0]),
            versions,
            known.get(quiz.stage.id, {}),
        )
        for quiz in ordered
    ]


def main_of(quizzes: Sequence[QuizItems]) -> QuizItems | None:
    """Return the main quiz, or None."""
    return next((quiz for quiz in quizzes if quiz.role == "main"), None)


def _scored_answers(view: View) -> pd.DataFrame:
    if "answers" not in view.tables:
        return pd.DataFrame()
    answers = view.tables["answers"]
    if "bank" in answers:
        answers = answers[answers["bank"].notna() & (answers["bank"] != "")]
    return answers[answers["type"] != ATTENTION] if "type" in answers else answers


def _versions(people: pd.DataFrame) -> dict[str, str]:
    if "study_hash" not in people:
        return {}
    named = people.loc[people["study_hash"].notna(), ["participant_id", "study_hash"]]
    return dict(zip(named["participant_id"].astype(str), named["study_hash"].astype(str), strict=True))


def _opened(people: pd.DataFrame, prefix: str) -> frozenset[str] | None:
    column = f"{prefix}_points"
    return frozenset(people.loc[people[column].notna(), "participant_id"]) if column in people else None


def _cell(value: Any) -> Any:
    return None if value is None or (isinstance(value, float) and pd.isna(value)) else value
