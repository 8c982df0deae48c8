"""Points of the quizzes: an unanswered item of an opened quiz is 0, a quiz never opened is missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from study_app.domain.compliance import Evidence
from study_app.domain.participant import Answer
from study_app.domain.protocol import Stage
from study_app.domain.scoring import score
from study_app.services.measures import Content, Dossier


def quizzes(dossier: Dossier, content: Content) -> dict[str, Any]:
    """Columns of every quiz; the first under `quiz_...`, further ones under the name of their stage."""
    row: dict[str, Any] = {}
    for number, stage in enumerate(dossier.quiz_stages):
        row |= _quiz("quiz" if number == 0 else stage.id, stage, dossier, content)
    return row | _attention(dossier, content)


def _quiz(prefix: str, stage: Stage, dossier: Dossier, content: Content) -> dict[str, Any]:
    bank = content.bank(stage.bank)
    if dossier.visit(stage.id) is None or not dossier.done_with(stage) or bank is None:
        return {}
    given = _answers(dossier, stage)
    points: dict[str, float | None] = defaultdict(float)
    for item in bank.items_of(stage.form or None):
        if item.type == "attention_check":
            continue
        earned = given[item.id].points if item.id in given else 0.0
        before = points[item.type]
        points[item.type] = None if earned is None or before is None else before + earned
    most = sum(item.points for item in bank.items_of(stage.form or None))
    by_type = {f"{prefix}_{kind}_points": value for kind, value in points.items()}
    earned_in_all = None if None in points.values() else sum(value or 0.0 for value in points.values())
    share = earned_in_all / most if earned_in_all is not None and most else None
    return {f"{prefix}_points": earned_in_all, f"{prefix}_max": most, f"{prefix}_score": share} | by_type


def _answers(dossier: Dossier, stage: Stage) -> dict[str, Answer]:
    return {answer.item: answer for answer in dossier.answers if answer.bank and answer.stage == stage.id}


def _attention(dossier: Dossier, content: Content) -> dict[str, Any]:
    """Attention checks of the opened quizzes, and how many were passed; missing where there are none."""
    passed = [correct for _, _, _, correct in _attention_checks(dossier, content)]
    return {"attention_passed": sum(passed), "attention_total": len(passed)} if passed else {}


def failed_attention_checks(dossier: Dossier, content: Content) -> list[Evidence]:
    """One piece of evidence for each of them that was answered wrongly or left out."""
    return [
        Evidence("attention_failed", stage.id, None if answer is None else answer.saved_at, 1, item)
        for stage, item, answer, correct in _attention_checks(dossier, content)
        if not correct
    ]


def _attention_checks(dossier: Dossier, content: Content) -> Iterator[tuple[Stage, str, Answer | None, bool]]:
    """Stage, item, answer where there is one, and whether it is right."""
    for stage in dossier.quiz_stages:
        bank, keys = content.bank(stage.bank), content.keys(stage.bank)
        if dossier.visit(stage.id) is None or not dossier.done_with(stage) or bank is None or keys is None:
            continue
        given = _answers(dossier, stage)
        for item in bank.items_of(stage.form or None):
            if item.type == "attention_check":
                answer = given.get(item.id)
                response = json.loads(answer.response) if answer is not None else None
                yield stage, item.id, answer, bool(score(item, keys[item.id], response).correct)
