"""Probes of affect during tasks: at which minutes of a stage's clock people are asked how they feel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from study_app.domain.content.content_paths import name_of
from study_app.domain.study.sections import Identifier, Stage, StudySection

PROBE_SECONDS = 60.0
"""For so long at most a probe is shown, and the clock stands still."""
LOW, HIGH = 1, 9
"""The ends of the grid of valence and arousal."""
CALM, DESPERATE = 0, 100
"""The ends of the slider."""


class AffectProbes(StudySection):
    """When people are asked how they feel: the same in every arm."""

    at_minutes: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)
    """Of the stage's clock, in ascending order; where it stands still, they come later."""
    stages: tuple[Identifier, ...] = ()
    """Of kind `tasks`; empty for every main stage of tasks."""
    tasks: tuple[Identifier, ...] = ()
    """Asked only while one of these tasks is shown; empty for whichever task is."""


@dataclass(frozen=True)
class ScheduledProbe:
    """One probe of a stage."""

    minute: float
    tasks: tuple[str, ...]
    """While one of which it is asked; empty for any."""

    def meets(self, task: str) -> bool:
        """Return whether it is asked while this task is shown."""
        return not self.tasks or task in self.tasks


def _stages_of(entry: AffectProbes, stages: Sequence[Stage]) -> tuple[Stage, ...]:
    if not entry.stages:
        return tuple(stage for stage in stages if stage.kind == "tasks" and stage.main)
    return tuple(stage for stage in stages if stage.id in entry.stages)


def probes_at(probes: Sequence[AffectProbes], stages: Sequence[Stage], stage: str) -> tuple[ScheduledProbe, ...]:
    """Return the probes of a stage, the earliest first."""
    found = [
        ScheduledProbe(minute, entry.tasks)
        for entry in probes
        if stage in {each.id for each in _stages_of(entry, stages)}
        for minute in entry.at_minutes
    ]
    return tuple(sorted(found, key=lambda each: each.minute))


def probed_stages(probes: Sequence[AffectProbes], stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Return the stages that have a probe, in the order of the way."""
    return tuple(stage for stage in stages if probes_at(probes, stages, stage.id))


def probe_problems(probes: Sequence[AffectProbes], stages: Sequence[Stage]) -> Iterator[str]:
    """Yield what is wrong with the probes, each as `key: what; remedy`."""
    for number, entry in enumerate(probes, start=1):
        for problem in _entry_problems(entry, stages):
            yield f"probes.{number}.{problem}"
    for stage in stages:
        minutes = [each.minute for each in probes_at(probes, stages, stage.id)]
        twice = sorted({minute for minute in minutes if minutes.count(minute) > 1})
        # Within one list the order says so already.
        for minute in twice if all(_ascending(entry.at_minutes) for entry in probes) else ():
            yield f"probes: minute {minute:g} of '{stage.id}' has two probes; name it once"


def _ascending(minutes: Sequence[float]) -> bool:
    return list(minutes) == sorted(set(minutes))


def _entry_problems(entry: AffectProbes, stages: Sequence[Stage]) -> Iterator[str]:
    if not _ascending(entry.at_minutes):
        listed = ", ".join(f"{minute:g}" for minute in entry.at_minutes)
        yield f"at_minutes: {listed} are not in ascending order, each once; sort them"
    known = {stage.id: stage for stage in stages}
    for name in entry.stages:
        if name not in known:
            yield f"stages: '{name}' is not a stage; use one of: {_named(stages)}"
        elif known[name].kind != "tasks":
            yield f"stages: '{name}' is of kind {known[name].kind}, and people are asked during tasks only; remove it"
    meant = [stage for stage in _stages_of(entry, stages) if stage.kind == "tasks"]
    if not meant and not entry.stages:
        yield f"stages: no stage of tasks counts as main; name a stage of tasks: {_named(stages)}"
    for stage in meant:
        late = [minute for minute in entry.at_minutes if stage.minutes is not None and minute >= stage.minutes]
        if late:
            yield (
                f"at_minutes: minute {late[0]:g} does not lie within the {stage.minutes:g} minutes of '{stage.id}'; "
                "ask earlier, or name the stages that are meant"
            )
    tasks = [name_of(folder) for stage in meant for folder in stage.packs]
    for task in entry.tasks:
        if task not in tasks:
            yield f"tasks: no stage that is meant has the task '{task}'; use one of: {', '.join(tasks) or 'none'}"


def _named(stages: Sequence[Stage]) -> str:
    return ", ".join(stage.id for stage in stages if stage.kind == "tasks") or "none"
