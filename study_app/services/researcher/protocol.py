"""The protocol for people to read: stages and arms, who meets what, prompts, versions and what differs between them.

Nothing here comes from a participant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.domain.study.amending.changes import StudyChange, material_changes, study_changes
from study_app.domain.study.durations import expected_minutes
from study_app.domain.study.study import Stage, StudyArm
from study_app.services.context import StudyContext, stored_values
from study_app.services.version_content import kept_texts


@dataclass(frozen=True)
class ProtocolStage:
    """One stage, and what each arm meets there."""

    id: str
    title: str
    kind: str
    session: str
    waits_days: float
    """Before it opens."""
    minutes: float
    limited: bool
    """Whether the minutes are a limit or what it takes at most, as far as can be said."""
    met: dict[str, str]
    """Arm -> what is met there; of a stage that does not differ by arm the same for every arm."""
    differs: bool
    allocates: bool
    """Participants are allocated on the way into it."""


@dataclass(frozen=True)
class VersionView:
    """A version of the protocol, and what it changed."""

    study_hash: str
    locked_at: datetime
    reason: str
    changes: tuple[StudyChange, ...]
    """Against the version before; empty for the first."""


class Protocol:
    """Reads the running study's protocol."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def stages(self) -> list[ProtocolStage]:
        """Return the participants' way."""
        study = self.context.study
        return [
            ProtocolStage(
                stage.id,
                stage.title or stage.id,
                stage.kind,
                stage.session,
                study.delay_before(stage),
                expected_minutes(stage),
                stage.timed,
                {arm.id: self._met(stage, arm) for arm in study.arms},
                study.differs_by_arm(stage),
                stage == study.allocation_stage,
            )
            for stage in study.stages
        ]

    def _met(self, stage: Stage, arm: StudyArm) -> str:
        if stage.kind == "instructions":
            return "its instructions" + (", and a promise" if arm.pledge else "")
        if stage.kind == "tasks":
            tasks = ", ".join(self.context.content.pack(arm.shown(pack)).title for pack in stage.packs)
            return f"{tasks}; {self._helped(stage, arm)}"
        if stage.kind == "quiz":
            bank, form = self.context.content.bank(stage.bank), stage.form or None
            sure = ", with confidence in each answer" if stage.confidence else ""
            return f"{len(bank.items_of(form))} items on {len(bank.pages_of(form))} pages, alone{sure}"
        if stage.asked:
            return f"{len(stage.asked)} question{'s' if len(stage.asked) > 1 else ''}"
        return "the same page"

    def _helped(self, stage: Stage, arm: StudyArm) -> str:
        if stage.assistant and arm.assistant:
            persona = f", speaking as '{arm.persona}'" if arm.persona else ""
            return f"with the assistant '{arm.assistant}'{persona}"
        return "with notes on the library, without an assistant"

    def treatments(self) -> list[tuple[str, tuple[str, ...], dict[str, Any], str]]:
        """Of each assistant: its name in the study, the arms that have it, its settings, its prompt."""
        found = []
        for name, spec in self.context.content.specs.items():
            settings = spec.model_dump(mode="json", exclude_defaults=True, exclude={"prompt"})
            settings |= {"prompt_version": spec.prompt_version, "sha256": spec.digest, "model": spec.model}
            arms = tuple(
                dict.fromkeys(arm.label or arm.id for arm in self.context.study.arms_met if arm.treatment == name)
            )
            found.append((name, arms, settings, spec.instructions))
        return found

    def versions(self) -> list[VersionView]:
        """Locked versions, oldest first, each with what it changed; empty for a draft."""
        with self.context.registry.begin(write=False) as unit:
            locked = unit.versions()
            # Read within the transaction: what an amendment locks meanwhile is then in neither list or in both.
            kept = [kept_texts(unit, version.study_hash) for version in locked]
        views = []
        for number, version in enumerate(locked):
            changes: list[StudyChange] = []
            if number:
                before = locked[number - 1]
                changes = study_changes(stored_values(before), stored_values(version))
                changes += material_changes(before.materials, version.materials, kept[number - 1], kept[number])
            views.append(VersionView(version.study_hash, version.locked_at, version.reason, tuple(changes)))
        return views
