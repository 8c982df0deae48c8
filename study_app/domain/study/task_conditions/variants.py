"""Impossible variants of tasks as a randomised factor: which arms meet one, and what is not allowed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_app.domain.content.content_paths import name_of
from study_app.domain.study.sections import Stage, StudyArm


def varied(arms: Sequence[StudyArm], folder: str) -> bool:
    """Return whether arms meet different packs in the place of a task."""
    return len({arm.shown(folder) for arm in arms}) > 1


def variant_problems(arms: Sequence[StudyArm], stages: Sequence[Stage], *, mixed: bool) -> Iterator[str]:
    """Yield what is wrong with the variants of arms, as far as the study file alone shows it.

    Args:
        arms: the study's arms.
        stages: its stages.
        mixed: the plan counts the time on variants, so that other tasks may share their stage.
    """
    folders = {name_of(folder): folder for stage in stages for folder in stage.packs}
    named = dict.fromkeys(task for arm in arms for task in arm.variants)
    for arm in arms:
        for task in arm.variants:
            if task not in folders:
                known = ", ".join(sorted(folders)) or "none"
                yield f"arms.{arm.id}.variants.{task}: no stage has such a task; use one of: {known}"
    for task in named:
        if task in folders and not varied(arms, folders[task]):
            yield (
                f"arms: every arm shows the same variant of '{task}', so it is not randomised; leave it out "
                "in the arms that meet the task itself"
            )
    for stage in stages if not mixed else ():
        tasks = [name_of(folder) for folder in stage.packs]
        alike = [task for task in tasks if task not in named]
        if stage.main and alike and len(alike) < len(tasks):
            varying = next(task for task in tasks if task in named)
            yield (
                f"stages.{stage.id}.packs: some arms meet a variant of '{varying}' but not of '{alike[0]}', and a "
                "stage with variants is not counted in the time; give it a separate stage, or say "
                "[analysis] variant_time = true"
            )
