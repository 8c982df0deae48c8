"""One stage of tasks: how the time is shared out, who asks an assistant, and each task in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from study_app.bootstrap import App
from study_app.domain.content.content_paths import name_of
from study_app.domain.study.rehearsal.section import by_arm
from study_app.domain.study.study import Stage
from study_app.domain.tasks.packs import TaskPack
from study_app.services.position import OnStage
from study_app.simulation.affect_answers import FeltCourse
from study_app.simulation.behaviour.assistant_use import Asking, explaining_first, plan
from study_app.simulation.behaviour.browser_tab import Tab
from study_app.simulation.behaviour.profiles import SimulatedPerson
from study_app.simulation.behaviour.task_plan import Ending, Recipe
from study_app.simulation.behaviour.workspace import SimulatedWorkspace
from study_app.simulation.clock import SimulationClock

WARMUP_SHARE = (0.45, 0.17)
"""Mean and standard deviation of the share of the limit that a warm-up takes."""
SHORTEST_WARMUP = 0.12
LONGEST_WARMUP = 0.97
OVERTIME = (1.05, 1.4)
"""How much longer than the limit they would need who do not make it."""
GIVING_UP = (0.6, 0.95)
"""Share of the limit after which a participant submits what fails."""
_UNEVEN = (0.8, 1.25)
"""Tasks take time by the length of their solutions, times a factor from this range."""


def warmup_share(person: SimulatedPerson) -> float:
    """Return the share of a warm-up's limit that a person takes."""
    mean, deviation = WARMUP_SHARE
    return min(max(mean + deviation * person.warmup_pace, SHORTEST_WARMUP), LONGEST_WARMUP)


@dataclass
class TaskStageWork:
    """A participant on a stage of tasks."""

    app: App
    clock: SimulationClock
    loop: asyncio.Runner
    person: SimulatedPerson
    participant_id: str
    rng: Random
    skew: timedelta
    earlier: int
    """Main tasks of earlier stages."""

    def do(self, place: OnStage, stage: Stage, share: float) -> Iterator[float]:
        """Work on the tasks of the stage until all are submitted or its time is up.

        Args:
            place: where the participant is.
            stage: the stage, open.
            share: the person's time on the main tasks as a share of the limit; 1 is: they do not make it.
        """
        seconds = self._seconds(stage, share)
        packs = [self._pack(place, number) for number in range(len(stage.packs))]
        weights = [len(pack.solution) * self.rng.uniform(*_UNEVEN) for pack in packs]
        tab = Tab(self.app, self.clock, self.participant_id, self.rng, self.skew)
        started, deadline = self.clock.now(), place.deadline_at
        for number in range(len(packs)):
            workspace = self._workspace(place, tab, number, deadline)
            self._show(workspace, first=number == 0)
            due = seconds * sum(weights[: number + 1]) / sum(weights)
            spent = (self.clock.now() - started).total_seconds()
            yield from workspace.work(self._recipe(place, stage, number).acts(max(due - spent, 1.0)))
            tab.flush()
            deadline = workspace.deadline
            if workspace.too_late and workspace.deadline is not None:
                yield (workspace.deadline - self.clock.now()).total_seconds() + 2.0
                return

    def _pack(self, place: OnStage, number: int) -> TaskPack:
        """Return the pack that the participant meets as the stage's task of that number."""
        folder = place.stage.packs[number]
        pack: TaskPack = self.app.context.content.pack(folder if place.arm is None else place.arm.shown(folder))
        return pack

    def _seconds(self, stage: Stage, share: float) -> float:
        limit = 60 * (stage.minutes or 0.0)
        if not stage.main:
            return limit * warmup_share(self.person)
        if self.person.gives_up:
            return limit * self.rng.uniform(*GIVING_UP)
        return limit * (share if share < 1 else self.rng.uniform(*OVERTIME))

    def _workspace(self, place: OnStage, tab: Tab, number: int, deadline: datetime | None) -> SimulatedWorkspace:
        spec = self.app.help.spec(place)
        return SimulatedWorkspace(
            app=self.app,
            loop=self.loop,
            tab=tab,
            participant_id=self.participant_id,
            task=name_of(place.stage.packs[number]),
            pack=self._pack(place, number),
            deadline=deadline,
            adoption=self.person.adoption,
            allow_paste=spec is None or spec.allow_paste,
            rng=self.rng,
            acts=spec is not None and spec.acts,
            felt=self._felt(place),
        )

    def _felt(self, place: OnStage) -> FeltCourse | None:
        """Return how the person answers probes; None where the stage has none, and then nothing is drawn."""
        stage = place.stage
        if not place.study.probes_at(stage.id):
            return None
        arm = place.arm.id if place.arm is not None else ""
        # A generator apart: with probes or without, everything else about the person is drawn alike.
        seed = f"{self.participant_id}:{stage.id}:affect"
        return FeltCourse(self.app.study.rehearsal.affect, arm, stage.minutes or 1.0, seed)

    def _show(self, workspace: SimulatedWorkspace, *, first: bool) -> None:
        document = self.app.session.document(self.participant_id, workspace.task)
        workspace.text = document.text if document else workspace.pack.starter
        event = workspace.load("saved" if document else "starter")
        if first:
            workspace.tab.open(event)
        else:
            workspace.tab.add(event)

    def _recipe(self, place: OnStage, stage: Stage, number: int) -> Recipe:
        assistant = place.assistant is not None
        other_ai = stage.main and place.arm is not None and place.arm.assistant is None and self.person.always_ai
        asking: Asking | None = None
        if assistant and not self.person.never_ai:
            asking = plan(self.person.style, self.earlier + number, self.rng)
            spec = self.app.help.spec(place)
            asking = explaining_first(asking) if spec is not None and spec.gate == "explain" else asking
        pack = self._pack(place, number)
        return Recipe(
            person=self.person,
            pack=pack,
            asking=asking,
            outside_help=other_ai,
            gives_up=self.person.gives_up and stage.main and number == len(stage.packs) - 1,
            rng=self.rng,
            ending=drawn_ending(place, pack, self.rng),
        )


def drawn_ending(place: OnStage, pack: TaskPack, rng: Random) -> Ending:
    """Return how a person ends a task of a study with variants; of other studies nothing is drawn."""
    if not place.study.offers_exit:
        return "submit"
    expected, drawn = place.study.rehearsal.variants, rng.random()
    if pack.twin is None or place.arm is None:
        return "report" if drawn < expected.mistaken else "submit"
    reports, hacks = by_arm(expected.reports, place.arm.id), by_arm(expected.hacks, place.arm.id)
    return "report" if drawn < reports else "hack" if drawn < reports + hacks else "submit"
