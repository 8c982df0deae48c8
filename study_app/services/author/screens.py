"""The screens of the running study, with the titles of its tasks and the numbers of its pages."""

from __future__ import annotations

from collections.abc import Callable

from study_app.domain.study.screens import Screen, screens_of
from study_app.domain.study.study import Stage
from study_app.services.context import StudyContext


def titles(world: StudyContext) -> Callable[[Stage], tuple[str, ...]]:
    """What the tasks or pages of a stage are called."""

    def of(stage: Stage) -> tuple[str, ...]:
        if stage.kind == "tasks":
            return tuple(str(world.content.pack(pack).title) for pack in stage.packs)
        if stage.kind == "quiz":
            pages = world.content.bank(stage.bank).pages_of(stage.form or None)
            return tuple(f"page {number}" for number in range(1, len(pages) + 1))
        return ("",)

    return of


def all_screens(world: StudyContext) -> tuple[Screen, ...]:
    """Every screen of the study, in the order of the way."""
    return screens_of(world.study, titles(world))
