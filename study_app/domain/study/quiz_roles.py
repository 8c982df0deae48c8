"""What each quiz of a study is for: its role, and the names of its columns in the dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from study_app.domain.study.quiz_confidence import confidence_columns
from study_app.domain.study.sections import Stage

QuizRole = Literal["baseline", "main", "retention", "other"]
MAIN = "quiz"
"""Prefix of the main quiz's columns, whatever its stage is called."""
TOTALS = ("points", "max", "score")
"""Ends of the columns that every quiz has."""


@dataclass(frozen=True)
class Quiz:
    """A quiz stage and its role."""

    stage: Stage
    role: QuizRole

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Beginnings of its columns: the main quiz has `quiz_...` and, as every quiz, those of its stage."""
        return tuple(dict.fromkeys([MAIN, self.stage.id] if self.role == "main" else [self.stage.id]))

    @property
    def endings(self) -> tuple[str, ...]:
        """Ends of its columns, those of types of items left out."""
        return (*TOTALS, *confidence_columns(self.stage))

    @property
    def points(self) -> str:
        """The column of its points."""
        return f"{self.prefixes[0]}_points"


def quizzes_of(stages: Sequence[Stage], allocation_stage: Stage | None) -> tuple[Quiz, ...]:
    """Return the quizzes in order, each with its role.

    A role that the study file does not give: before allocation `baseline`; the first after it `main`, unless another
    is declared so; in a session later than the main quiz's `retention`; else `other`. Without an allocation every quiz
    counts as after it.
    """
    start = stages.index(allocation_stage) if allocation_stage is not None else 0
    known = [stage for stage in stages if stage.kind == "quiz"]
    after = [stage for stage in known if stages.index(stage) >= start]
    declared = [stage for stage in known if stage.role == "main"]
    main = declared[0] if declared else next((stage for stage in after if not stage.role), None)
    sessions = list(dict.fromkeys(stage.session for stage in stages))

    def role(stage: Stage) -> QuizRole:
        if stage.role:
            return stage.role
        if stage not in after:
            return "baseline"
        if stage is main:
            return "main"
        later = main is not None and sessions.index(stage.session) > sessions.index(main.session)
        return "retention" if later else "other"

    return tuple(Quiz(stage, role(stage)) for stage in known)


def role_problems(quizzes: Sequence[Quiz], stages: Sequence[Stage], allocation_stage: Stage | None) -> Iterator[str]:
    """Roles and names of quizzes that contradict each other, as `key: what; remedy`."""
    for stage in stages:
        if stage.role and stage.kind != "quiz":
            yield f"stages.{stage.id}.role: only a quiz has a role, found kind '{stage.kind}'; remove the role"
    mains = [quiz.stage.id for quiz in quizzes if quiz.role == "main"]
    if len(mains) > 1:
        yield f"stages: {' and '.join(mains)} both have the role main; give one quiz the role main"
    start = stages.index(allocation_stage) if allocation_stage is not None else None
    for quiz in quizzes:
        key = f"stages.{quiz.stage.id}"
        before = start is not None and stages.index(quiz.stage) < start
        if quiz.role == "baseline" and not before:
            yield f"{key}.role: a baseline quiz comes before allocation; move it, or use main, retention or other"
        if quiz.role != "baseline" and before:
            yield f"{key}.role: a quiz before allocation is not '{quiz.role}'; move it, or use baseline"
        if quiz.stage.id == MAIN and quiz.role != "main":
            yield (
                f"{key}.id: the columns {MAIN}_... are those of the main quiz, and this one is '{quiz.role}'; "
                "rename the stage"
            )
    yield from _taken_columns(quizzes, stages)


def _taken_columns(quizzes: Sequence[Quiz], stages: Sequence[Stage]) -> Iterator[str]:
    """Questions and scores with the name of a quiz's column: the two would share one column of the dataset."""
    taken = {f"{prefix}_{end}": quiz.stage.id for quiz in quizzes for prefix in quiz.prefixes for end in quiz.endings}
    for stage in stages:
        for name in [*(question.id for question in stage.asked), *(score.id for score in stage.scores)]:
            if name in taken:
                yield f"stages.{stage.id}: '{name}' is a column of the quiz {taken[name]}; use another id"
