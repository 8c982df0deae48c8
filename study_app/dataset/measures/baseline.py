"""What is known of a participant from before allocation: answers, derived scores, the warm-up, baseline quizzes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.events import Event, saying
from study_app.domain.events.server import DeadlineExtended
from study_app.domain.quiz.scoring import quiz_total
from study_app.domain.quiz.scoring import score as scored
from study_app.domain.records import Answer, RunRecord, Visit
from study_app.domain.study.quiz_roles import TOTALS
from study_app.domain.study.study import Stage, Study
from study_app.domain.timing import paused_seconds


def quiz_so_far(
    content: ContentLibrary, stage: Stage, visit: Visit | None, answers: Iterable[Answer]
) -> dict[str, Any]:
    """Points, max and score of a quiz that people are allocated by, scored by its keys; None where it never opened.

    `check` refuses to allocate by a quiz whose items need a person or a program's run to be scored.
    """
    if visit is None:
        return {f"{stage.id}_{end}": None for end in TOTALS}
    bank, keys = content.bank(stage.bank), content.keys(stage.bank)
    given = {answer.item: answer.response for answer in answers if answer.bank and answer.stage == stage.id}
    items = bank.items_of(stage.form or None)
    points = {item.id: scored(item, keys[item.id], given[item.id]).points for item in items if item.id in given}
    columns = quiz_total(items, points).columns()
    return {f"{stage.id}_{end}": columns[end] for end in TOTALS}


def survey_values(study: Study, answers: list[Answer]) -> dict[str, Any]:
    """Answers to survey questions by question id, and the derived scores."""
    given = {answer.item: answer.response for answer in answers if not answer.bank}
    values: dict[str, Any] = {}
    for stage in study.stages:
        for question in stage.asked:
            values[question.id] = given.get(question.id)
        values |= derived_scores(stage, given)
    return values


def derived_scores(stage: Stage, given: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the scores of a survey: right answers among those given; None where none was."""
    keyed = {question.id: question.correct for question in stage.asked}
    values: dict[str, int | None] = {}
    for score in stage.scores:
        asked = [name for name in score.of if given.get(name) is not None]
        values[score.id] = sum(given[name] == keyed[name] for name in asked) if asked else None
    return values


def clock_stood(visit: Visit, minutes: float | None, events: Iterable[Event]) -> float | None:
    """Seconds for which the clock of a stage stood still; None without a limit.

    What researchers gave on top was worked in, so the clock did not stand.
    """
    later = paused_seconds(visit.started_at, visit.deadline_at, minutes)
    if later is None:
        return None
    moved = saying(events, DeadlineExtended)
    given = sum(60 * float(extended.minutes) for event, extended in moved if event.stage == visit.stage)
    return max(later - given, 0.0)


def warmup(stage: Stage, visit: Visit | None, runs: list[RunRecord], stood: float = 0.0) -> dict[str, Any]:
    """Minutes from the first warm-up task shown to the last submission, and whether every check passed.

    Args:
        stage: of the warm-up.
        visit: of it.
        runs: of the participant.
        stood: seconds of the visit for which its clock stood still, which do not count.
    """
    submissions = last_submissions(runs, {stage.id})
    if visit is None or not submissions:
        return {"warmup_minutes": None, "warmup_passed": None}
    spent = (max(run.started_at for run in submissions) - visit.started_at).total_seconds()
    minutes = max(spent - stood, 0.0) / 60
    passed = len(submissions) == len(stage.packs) and all(all_passed(run) for run in submissions)
    # Without a verdict it is unknown: that is missing, and not a failure.
    known = all(run.grading is None for run in submissions)
    return {"warmup_minutes": min(minutes, stage.minutes or minutes), "warmup_passed": int(passed) if known else None}


def last_submissions(runs: Iterable[RunRecord], stages: Collection[str]) -> list[RunRecord]:
    """Return a person's last submission of each task of these stages; a task may have two where one was reopened."""
    last = {(run.stage, run.task): run for run in runs if run.kind == "submission" and run.stage in stages}
    return list(last.values())


def all_passed(run: RunRecord) -> bool:
    """Return whether a graded submission passes every check."""
    checks = run.checks
    return bool(checks) and all(check["passed"] for check in checks)
