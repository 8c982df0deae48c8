"""Scores of a survey in a dataset for everybody: they say no more than the published answers do.

A sum of right answers over coarsened questions would distinguish rare answers again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from study_app.dataset.disclosure.coarsening import Recoding
from study_app.dataset.measures.baseline import derived_scores
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.schema import Column, compact_json, question_column
from study_app.domain.study.study import Question, Study

Sums = Mapping[str, tuple[str, ...]]
"""Score -> columns of the questions that it adds up, over all versions of a study."""


def sums_of(studies: Iterable[Study]) -> dict[str, tuple[str, ...]]:
    """Return which columns each score adds up."""
    found: dict[str, tuple[str, ...]] = {}
    for study in studies:
        for stage in study.stages:
            columns = {question.id: question_column(question) for question in stage.asked}
            for score in stage.scores:
                names = (*found.get(score.id, ()), *(columns[name] for name in score.of))
                found[score.id] = tuple(dict.fromkeys(names))
    return found


def published_scores(record: ParticipantRecord, recodings: Mapping[str, Recoding]) -> dict[str, int | None]:
    """Return a person's scores, each empty where the answers as published do not say whether one is right."""
    given = {answer.item: answer.response for answer in record.answers if not answer.bank}
    scores: dict[str, int | None] = {}
    for stage in record.study.stages:
        questions = {question.id: question for question in stage.asked}
        for name, points in derived_scores(stage, given).items():
            score = next(score for score in stage.scores if score.id == name)
            answers = ((questions[of], given[of]) for of in score.of if given.get(of) is not None)
            scores[name] = points if all(_is_known(*each, recodings) for each in answers) else None
    return scores


def _is_known(question: Question, value: Any, recodings: Mapping[str, Recoding]) -> bool:
    """Whether what stands for an answer says if it is right: all that it may be is right, or all of it is wrong."""
    recoding = recodings.get(question_column(question))
    if recoding is None or not recoding.coarse:
        return True
    stand = recoding.of(value)
    if stand is None or not recoding.merged:
        return False
    alike = {key == compact_json(question.correct) for key, to in recoding.to.items() if to == stand}
    return len(alike) == 1


def score_column(column: Column, sums: Sums, recodings: Mapping[str, Recoding]) -> Column:
    """Return the column of a score with what was done to it; any other column as it is."""
    coarse = [name for name in sums.get(column.name, ()) if name in recodings and recodings[name].coarse]
    if not coarse:
        return column
    what = f"From the answers as they are here: empty where {', '.join(coarse)} does not say whether it is right"
    return replace(column, caption=f"{column.caption}. {what}")
