"""Columns with two sources: the second would take the place of the first, or be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from study_app.dataset.schema.participant_columns import FIXED
from study_app.dataset.schema.participants import columns_of, factor_columns, quiz_types
from study_app.domain.errors import Problem
from study_app.domain.quiz.items import Bank
from study_app.domain.study.quiz_roles import MAIN
from study_app.domain.study.study import Study

_Source = tuple[str, str, str]
"""Column, what it would hold, key of the study file."""


def source_problems(study: Study, bank_of: Callable[[str], Bank | None], file: str) -> list[Problem]:
    """Return each key whose column another one has already, or every dataset has; see `column_sources`."""
    return [problem for _, problem in column_sources(study, bank_of, file)]


def column_sources(study: Study, bank_of: Callable[[str], Bank | None], file: str) -> list[tuple[str, Problem]]:
    """Return each column that another key gives already, or every dataset has, with the problem.

    Args:
        study: a valid one.
        bank_of: the bank of a folder, or None where it is not known.
        file: for the messages.
    """
    known = dict.fromkeys(FIXED, "what every dataset says")
    found = []
    for column, holds, key in [*_of_quizzes(study, bank_of), *_of_questions(study), *_of_factors(study)]:
        before = known.setdefault(column, holds)
        if before != holds:
            what = f"the column '{column}' would hold {holds} and {before}"
            found.append((column, Problem(file, key, what, "use another id")))
    return found


def _of_quizzes(study: Study, bank_of: Callable[[str], Bank | None]) -> Iterator[_Source]:
    types = quiz_types([study], bank_of)
    for quiz in study.quizzes:
        for prefix in quiz.prefixes:
            if prefix == MAIN:
                continue  # Its columns are among those of every dataset; those of types follow.
            for ending in (*quiz.endings, *(f"{name}_points" for name in types.get(prefix, ()))):
                yield f"{prefix}_{ending}", f"the quiz '{quiz.stage.id}'", f"stages.{quiz.stage.id}.id"
    for name in types.get(MAIN, ()):
        yield f"{MAIN}_{name}_points", "the main quiz", "stages"


def _of_questions(study: Study) -> Iterator[_Source]:
    for stage in study.stages:
        for question in stage.asked:
            for column in columns_of(question):
                key = f"stages.{stage.id}.questions.{question.id}.id"
                yield column.name, f"the question '{question.id}'", key
        for score in stage.scores:
            yield score.id, f"the score '{score.id}'", f"stages.{stage.id}.scores.{score.id}.id"


def _of_factors(study: Study) -> Iterator[_Source]:
    for factor, column in factor_columns(study).items():
        yield column, f"the factor '{factor}'", f"factors.{factor}.id"
