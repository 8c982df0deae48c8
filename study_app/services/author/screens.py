"""Every screen of a study in the order of the way: what an author jumps to and a protocol shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.records import END
from study_app.domain.study.study import Stage, Study
from study_app.services.context import StudyContext

Show = Literal["stage", "intro", "waiting", "end"]


@dataclass(frozen=True)
class Screen:
    """One screen of the participants' way."""

    stage: str
    """Id of the stage, or `end`."""
    step: int
    """Task or page within the stage, from 0."""
    show: Show
    title: str
    by_arm: bool
    """Whether it depends on the arm what is seen."""

    @property
    def key(self) -> str:
        """Its address among the screens of one study."""
        return f"{self.stage}/{self.step}/{self.show}"


def screens_of(study: Study, titles: Callable[[Stage], tuple[str, ...]]) -> tuple[Screen, ...]:
    """Return the screens of a study.

    Args:
        study: the study.
        titles: what a stage's tasks or pages are called, in order; one empty title for a stage of a single screen.
    """
    found: list[Screen] = []
    shared = Counter(stage.title for stage in study.stages)
    for stage in study.stages:
        name = stage.title or stage.id
        if shared[stage.title] > 1 and stage.title:
            name = f"{stage.title} ({stage.id})"
        if study.delay_before(stage):
            found.append(Screen(stage.id, 0, "waiting", f"Before {name}: not open yet", False))
        if stage.intro:
            found.append(Screen(stage.id, 0, "intro", f"{name}: introduction", False))
        if stage.kind == "debrief":
            found.append(Screen(END, 0, "end", name, False))
            continue
        decided = study.after_second_decision(stage) and stage.kind in ("instructions", "tasks")
        differs = decided or study.differs_by_arm(stage)
        for step, title in enumerate(titles(stage)):
            found.append(Screen(stage.id, step, "stage", f"{name}: {title}" if title else name, differs))
    return tuple(found)


def arms_of(study: Study) -> tuple[str, ...]:
    """Return what screens differ by: each arm, and the arm with each treatment of a second decision."""
    second = [each.id for each in study.second_decision.treatments]
    return tuple(
        name for arm in study.arms for name in (arm.id, *(f"{arm.id}{DECISION_MARK}{each}" for each in second))
    )


def arm_name(study: Study, arm: str) -> str:
    """Return what one of `arms_of` is called."""
    first, _, second = arm.partition(DECISION_MARK)
    name = next(each.label or each.id for each in study.arms if each.id == first)
    return f"{name}, then {study.second_decision.treatment(second).title}" if second else name


def allocated_to(study: Study, arm: str, stage: Stage | None) -> dict[str, Any]:
    """Return what the allocations gave a participant who is on a stage, as fields of one; None: at the end.

    Behind a second decision it is one of those who did not respond; with the arm alone it is one who responded.
    """
    first, mark, second = arm.partition(DECISION_MARK)
    if not study.second_decision or (stage is not None and not study.after_second_decision(stage)):
        return {"arm": first}
    return {"arm": first, "responded": not mark, "second_treatment": second or None}


def titles(context: StudyContext) -> Callable[[Stage], tuple[str, ...]]:
    """Return what the tasks or pages of a stage are called."""

    def of(stage: Stage) -> tuple[str, ...]:
        if stage.kind == "tasks":
            return tuple(str(context.content.pack(pack).title) for pack in stage.packs)
        if stage.kind == "quiz":
            pages = context.content.bank(stage.bank).pages_of(stage.form or None)
            return tuple(f"page {number}" for number in range(1, len(pages) + 1))
        return ("",)

    return of


def all_screens(context: StudyContext) -> tuple[Screen, ...]:
    """Return every screen of the study, in the order of the way."""
    return screens_of(context.study, titles(context))
