"""Preview participants of an author: put on any screen, in any arm, with or without a clock; they follow the files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from study_app.domain.allocation import order_of
from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import Malformed, UnknownParticipant
from study_app.domain.events.server import Entered
from study_app.domain.records import END, Document, Participant
from study_app.domain.study.study import Stage, Study
from study_app.domain.timing import deadline
from study_app.ports import UnitOfWork
from study_app.services.author.screens import Screen, all_screens, allocated_to, arms_of, titles
from study_app.services.context import StudyContext
from study_app.services.identity import hashed
from study_app.services.participant.enrolment import TOKEN_DAYS, owner_of_token
from study_app.services.participant.flow import ParticipantFlow

PAGE = "author"
"""The page that copied texts belong to."""


class AuthorPreviews:
    """Makes and moves preview participants; works on an author's own database only."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._flow = ParticipantFlow(context)
        self.arm: str | None = None
        """The arm that was chosen last; with a second treatment as `hints/answers`."""
        self.language = ""
        """The language that was chosen last; empty for the study's first."""
        self.stopped = False
        """Whether the clock stands for every preview."""

    def screens(self) -> tuple[Screen, ...]:
        """Return where an author can go, in the order of the way."""
        return all_screens(self.context)

    def go(self, token: str | None, key: str, arm: str, language: str = "") -> str:
        """Put a new preview participant on a screen; returns the token for its cookie.

        As a new participant, so that every clock is fresh and every form empty; texts and answers are taken along.
        `arm` may name a treatment of a second decision too, as in `hints/answers`: on the screens behind the decision
        the preview is one of those who did not respond; with the arm alone it is one who responded.

        Raises:
            Malformed: there is no such screen, arm, second treatment or language.
        """
        study = self.context.study
        screen = next((each for each in self.screens() if each.key == key), None)
        if screen is None:
            raise Malformed(f"screen: there is no '{key}' in this study (any more); choose one from the list")
        if arm not in self.arms():
            known = ", ".join(self.arms())
            raise Malformed(f"arm: there is no '{arm}' in this study (any more); use one of: {known}")
        if language and language not in study.offered:
            known = ", ".join(study.offered)
            raise Malformed(f"language: this study is not offered in '{language}'; use one of: {known}")
        self.arm, self.language = arm, language or self.language
        new = self.context.fresh_id() + self.context.fresh_id()
        with self.context.registry.begin() as unit:
            before = self._owner(unit, token)
            person = self._placed(screen, arm)
            unit.add_participant(person)
            unit.add_token(person.id, hashed(new), self.context.now() + timedelta(days=TOKEN_DAYS))
            unit.record(person.id, person.stage, self.context.now(), Entered(way="open"))
            if before is not None:
                self._take_along(unit, before, person)
            if screen.show == "stage" and study.stage(screen.stage).intro:
                self._flow.open_stage(unit, self._flow.place(unit, person))
        return new

    def arms(self) -> tuple[str, ...]:
        """Return what an author can choose: each arm, and the arm with each treatment of a second decision."""
        return arms_of(self.context.study)

    def _owner(self, unit: UnitOfWork, token: str | None) -> Participant | None:
        try:
            return owner_of_token(self.context, unit, token)
        except UnknownParticipant:
            return None

    def _placed(self, screen: Screen, arm: str) -> Participant:
        study, now = self.context.study, self.context.now()
        over = screen.show == "end"
        stage = None if over else study.stage(screen.stage)
        allocated = over or (stage is not None and stage not in study.before_allocation)
        opens_at = None
        if stage is not None and screen.show == "waiting":
            opens_at = now + timedelta(days=study.delay_before(stage))
        return Participant(
            id=self.context.fresh_id(),
            kind="preview",
            study_hash=self.context.study_hash,
            status="completed" if over else "in_progress",
            stage=screen.stage,
            step=screen.step,
            enrolled_at=now,
            last_seen_at=now,
            **(allocated_to(study, arm, stage) if allocated else {}),
            finished_at=now if over else None,
            opens_at=opens_at,
            language=self.language if self.language in study.offered else study.offered[0],
        )

    def _take_along(self, unit: UnitOfWork, before: Participant, person: Participant) -> None:
        """Texts of tasks and answers of the preview before, for pages that depend on them."""
        study = self.context.study
        for stage in study.stages[: study.stages.index(study.stage(person.stage)) if person.stage != END else None]:
            for answer in unit.answers(before.id):
                if answer.stage == stage.id:
                    unit.save_answer(replace(answer, participant_id=person.id))
        for pack in (pack for stage in study.stages for pack in stage.packs):
            text = unit.document(before.id, name_of(pack))
            if text is not None:
                unit.save_document(Document(person.id, text.task, text.text, text.source), PAGE)

    def _deadline(self, stage: Stage, start: datetime) -> datetime | None:
        return None if self.stopped else deadline(start, stage.minutes)

    # -- the clock, and changed files ----------------------------------------------------------------------------------

    def set_clock(self, *, stopped: bool) -> None:
        """Let the clock stand for every preview, or run: then each open stage has its full limit again."""
        self.stopped = stopped
        with self.context.registry.begin() as unit:
            for person in self._people(unit):
                self._retime(unit, person, self.context.study, from_now=True)

    def follow(self) -> None:
        """Put every preview on the study as it now is; who is on a stage that it has no more begins again."""
        with self.context.registry.begin() as unit:
            for person in self._people(unit):
                if person.study_hash != self.context.study_hash:
                    self._carry_over(unit, person)

    def _people(self, unit: UnitOfWork) -> list[Participant]:
        return [person for person in unit.participants() if person.kind == "preview"]

    def _carry_over(self, unit: UnitOfWork, person: Participant) -> None:
        study = self.context.study
        changes: dict[str, Any] = {"study_hash": self.context.study_hash}
        stages = {stage.id: stage for stage in study.stages}
        if person.allocated is not None and not self._known_arm(study, person.allocated):
            kept = person.arm if person.arm is not None and self._known_arm(study, person.arm) else study.control.id
            changes |= {"arm": kept, "responded": None, "second_treatment": None}
        if not person.over:
            stage = stages.get(person.stage)
            if stage is None or stage.kind == "debrief":
                changes |= {"stage": study.stages[0].id, "step": 0, "opens_at": None}
            else:
                changes["step"] = min(person.step, len(self._titles(stage)) - 1)
                if stage not in study.before_allocation and person.arm is None:
                    chosen = self.arm if self.arm and self._known_arm(study, self.arm) else study.control.id
                    changes |= allocated_to(study, chosen, stage)
        unit.touch(person.id, **changes)
        self._retime(unit, unit.known_participant(person.id), study)

    def _titles(self, stage: Stage) -> tuple[str, ...]:
        return titles(self.context)(stage)

    def _known_arm(self, study: Study, arm: str) -> bool:
        first, mark, second = arm.partition(DECISION_MARK)
        treatments = {each.id for each in study.second_decision.treatments}
        return set(order_of(first)) <= {each.id for each in study.arms} and (not mark or second in treatments)

    def _retime(self, unit: UnitOfWork, person: Participant, study: Study, *, from_now: bool = False) -> None:
        """Give a participant's current stage the limit that the file says now."""
        visit = None if person.over else unit.visit(person.id, person.stage)
        if visit is None or visit.ended_at is not None:
            return
        start = self.context.now() if from_now else visit.started_at
        wanted = self._deadline(study.stage(person.stage), start)
        if wanted != visit.deadline_at:
            unit.set_deadline(person.id, person.stage, wanted)
