"""What a study asks about a quiz beside its items: confidence in each answer, and a judgement before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from study_app.domain.study.sections import WITH_RANGE, Question, Stage

RATED = ("confidence", "overconfidence", "brier", "gamma")
"""Ends of the columns of a quiz that asks for confidence."""
JUDGED = ("judgement", "judgement_error")
"""Ends of the columns of a quiz whose outcome people judge before it."""


def confidence_columns(stage: Stage) -> tuple[str, ...]:
    """Return the ends of the columns that a quiz has beside its points."""
    return (RATED if stage.confidence else ()) + (JUDGED if stage.judgement else ())


def judgement_question(stages: Sequence[Stage], quiz: Stage) -> Question | None:
    """Return the question that judges a quiz, on a stage before it; None where there is none."""
    before = stages[: list(stages).index(quiz)]
    return next((q for stage in before for q in stage.asked if q.id == quiz.judgement), None)


def judged_share(question: Question, answer: Any) -> float | None:
    """Return an answer to such a question as a share of the points: 0 at its low end, 1 at its high end."""
    if question.low is None or question.high is None or not isinstance(answer, int | float):
        return None
    return (answer - question.low) / (question.high - question.low)


def confidence_problems(stages: Sequence[Stage]) -> Iterator[str]:
    """Yield each problem as `key: what; remedy`."""
    for stage in stages:
        key = f"stages.{stage.id}"
        for name in ("confidence", "judgement"):
            if getattr(stage, name) and stage.kind != "quiz":
                yield f"{key}.{name}: only a quiz has it, found kind '{stage.kind}'; remove it"
        if stage.judgement and stage.kind == "quiz":
            yield from _judgement_problems(stages, stage, f"{key}.judgement")


def _judgement_problems(stages: Sequence[Stage], quiz: Stage, key: str) -> Iterator[str]:
    question = judgement_question(stages, quiz)
    if question is None:
        yield f"{key}: '{quiz.judgement}' is not a question of a stage before the quiz; name one that is"
        return
    low, high = question.low, question.high
    if question.kind not in WITH_RANGE or low is None or high is None or low >= high:
        yield (
            f"{key}: '{quiz.judgement}' is of kind {question.kind}; name a {', '.join(WITH_RANGE[:-1])} or "
            f"{WITH_RANGE[-1]} with low (nothing right) and high (everything right)"
        )
