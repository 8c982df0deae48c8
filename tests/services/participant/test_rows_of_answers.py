"""Rows of answers to surveys: points where there is a right answer, and what cannot be read is left out and logged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from study_app.domain.quiz.answering import answer_to
from study_app.domain.records import Participant
from study_app.domain.study.sections import Question, Stage
from study_app.services.participant import handing_in
from study_app.services.participant.handing_in import _or_none, survey_answer
from study_app.services.position import OnStage

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SCALE: dict[str, Any] = {"id": "years", "kind": "scale", "prompt": "?", "low": 0, "high": 7}
STAGE = Stage.model_validate({"id": "more", "kind": "survey", "questions": [SCALE]})
PERSON = Participant("p1", "real", "hash", "in_progress", "more", 0, NOW, NOW)
PLACE = OnStage(PERSON, None, STAGE, None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("correct", "answer", "points"), [(None, 3, None), (3, 3, 1.0), (3, 4, 0.0), (0, 0, 1.0), (0, 1, 0.0)]
)
def test_an_answer_has_points_where_the_question_has_a_right_one(correct, answer, points):
    row = survey_answer(PLACE, Question.model_validate(SCALE | {"correct": correct}), answer, changes=2)
    assert (row.participant_id, row.stage, row.item, row.response, row.bank) == ("p1", "more", "years", answer, "")
    assert (row.points, row.max_points) == (points, None if points is None else 1.0)
    assert row.scored_by == (None if points is None else "key")
    assert (row.changes, row.saved_at) == (2, NOW)


def test_what_is_no_answer_is_left_out_and_the_log_says_of_which_question(monkeypatch):
    question, lines = Question.model_validate(SCALE), []
    # The logger itself and not caplog: tests that start servers in this process set up logging for good.
    monkeypatch.setattr(handing_in.log, "info", lambda text, *given: lines.append(text % given))
    assert _or_none(answer_to, question, 7) == 7
    assert lines == []
    assert _or_none(answer_to, question, 8) is None
    (line,) = lines
    assert line.startswith("years: ")
    assert line.endswith("; the answer is left out")
