"""Assistants that an arm has and no participant meets, and assistants that the study only lists."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.study.study import Study
from study_app.domain.study.task_conditions.personas import unused_personas

Finding = tuple[str, str, str]
"""Key, what is wrong, what to do."""


def assistant_problems(study: Study) -> Iterator[Finding]:
    """Arms whose assistant no stage offers: their participants would have the control's treatment."""
    if any(stage.kind == "tasks" and stage.assistant for stage in study.stages):
        return
    for arm in study.arms:
        if arm.assistant:
            what = f"no stage offers '{arm.assistant}', so its participants never meet it"
            yield f"arms.{arm.id}.assistant", what, "say assistant = true on a stage of tasks, or remove it"


def assistant_warnings(study: Study) -> Iterator[str]:
    """Yield assistants and personas that no arm has, and stages that offer one where no arm has any."""
    used = {arm.assistant for arm in study.arms_met if arm.assistant}
    for name in study.assistants:
        if name not in used:
            yield f"assistants.{name}: no arm has this assistant, so no participant meets it"
    yield from unused_personas(study.arms_met, study.personas)
    for stage in study.stages:
        if stage.assistant and (not used or stage.kind != "tasks"):
            why = "no arm has an assistant" if not used else f"a stage of kind {stage.kind} has none"
            yield f"stages.{stage.id}.assistant: {why}, so it changes nothing"
