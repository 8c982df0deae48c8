"""Where a participant is now: what a page shows, and what a request may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import InfrastructureError
from study_app.domain.records import Participant
from study_app.domain.study.study import Stage, Study, StudyArm

Screen = Literal["stage", "intro", "waiting", "paused", "end"]
"""How a page calls a position."""


@dataclass(frozen=True)
class AtStage:
    """On the way, at a stage: on its page, on the page before it, waiting for it, or paused."""

    participant: Participant
    study: Study
    stage: Stage
    arm: StudyArm | None
    """None before allocation."""
    now: datetime

    @property
    def pack(self) -> str:
        """Folder of the pack that the participant meets: the current task's, or the arm's variant of it."""
        folder = self.stage.packs[self.participant.step]
        return folder if self.arm is None else self.arm.shown(folder)

    @property
    def task(self) -> str:
        """The current task's id: its folder's name. A variant has the id of the task in whose place it stands."""
        return name_of(self.stage.packs[self.participant.step])

    @property
    def pack_name(self) -> str:
        """Name of that pack's folder, by which its texts are found."""
        return name_of(self.pack)

    @property
    def assistant(self) -> str | None:
        """The treatment that the participant may use here, by its name among the content's `specs`, or None."""
        if self.stage.kind != "tasks" or not self.stage.assistant or self.arm is None:
            return None
        return self.arm.treatment

    @property
    def allocated_arm(self) -> StudyArm:
        """The arm, at a stage that only allocated participants reach.

        Raises:
            InfrastructureError: the participant has none; something else wrote to the database.
        """
        if self.arm is None:
            raise InfrastructureError(f"participant {self.participant.id} is on '{self.stage.id}' and has no arm")
        return self.arm


@dataclass(frozen=True)
class OnStage(AtStage):
    """On the page of a stage."""

    deadline_at: datetime | None = None
    """None where the stage has no limit, and until its visit begins."""
    screen: ClassVar[Screen] = "stage"


@dataclass(frozen=True)
class BeforeStage(AtStage):
    """On the page before a stage: its clock starts on leaving it."""

    deadline_at: ClassVar[None] = None
    screen: ClassVar[Screen] = "intro"


@dataclass(frozen=True)
class Waiting(AtStage):
    """Between two sessions."""

    opens_at: datetime
    closes_at: datetime | None = None
    """End of the session's window, after which it cannot be begun."""
    deadline_at: ClassVar[None] = None
    screen: ClassVar[Screen] = "waiting"


@dataclass(frozen=True)
class Paused(AtStage):
    """On a stage whose clock researchers have stopped for this participant."""

    since: datetime
    deadline_at: ClassVar[None] = None
    screen: ClassVar[Screen] = "paused"


@dataclass(frozen=True)
class Ended:
    """At the end of the way, whichever that was."""

    participant: Participant
    study: Study
    arm: StudyArm | None
    now: datetime
    stage: ClassVar[None] = None
    assistant: ClassVar[None] = None
    deadline_at: ClassVar[None] = None
    screen: ClassVar[Screen] = "end"


Position = OnStage | BeforeStage | Waiting | Paused | Ended
