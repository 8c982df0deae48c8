"""What is known of a participant from before allocation: answers, derived scores, the warm-up."""

from __future__ import annotations

import json
from typing import Any

from study_app.domain.participant import Answer, Participant, RunRecord, Visit
from study_app.domain.protocol import Stage, Study
from study_app.ports import Unit


def baseline(unit: Unit, study: Study, participant: Participant) -> dict[str, Any]:
    """Baseline variables by name; None where unknown."""
    answers = unit.answers(participant.id)
    known = survey_values(study, answers)
    for stage in study.stages:
        if stage.kind == "tasks" and not stage.main:
            known |= warmup(stage, unit.visit(participant.id, stage.id), unit.runs(participant.id))
    return known | {"label": participant.label}


def survey_values(study: Study, answers: list[Answer]) -> dict[str, Any]:
    """Answers to survey questions by question id, and the derived scores."""
    given = {answer.item: json.loads(answer.response) for answer in answers if not answer.bank}
    values: dict[str, Any] = {}
    for stage in study.stages:
        for question in stage.questions:
            values[question.id] = given.get(question.id)
        keyed = {question.id: question.correct for question in stage.questions}
        for score in stage.scores:
            asked = [name for name in score.of if given.get(name) is not None]
            values[score.id] = sum(given[name] == keyed[name] for name in asked) if asked else None
    return values


def warmup(stage: Stage, visit: Visit | None, runs: list[RunRecord]) -> dict[str, Any]:
    """Minutes from the first warm-up task shown to the last submission, and whether every check passed."""
    submissions = [run for run in runs if run.stage == stage.id and run.kind == "submission"]
    if visit is None or not submissions:
        return {"warmup_minutes": None, "warmup_passed": None}
    minutes = (max(run.started_at for run in submissions) - visit.started_at).total_seconds() / 60
    passed = len(submissions) == len(stage.packs) and all(all_passed(run) for run in submissions)
    return {"warmup_minutes": min(minutes, stage.minutes or minutes), "warmup_passed": int(passed)}


def all_passed(run: RunRecord) -> bool:
    """Whether a graded submission passes every check."""
    checks = json.loads(run.checks)
    return bool(checks) and all(check["passed"] for check in checks)
