"""Scoring of quiz answers by the keys of their bank, outside the request that handed them in."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace

from study_app.domain.errors import InfrastructureError
from study_app.domain.item_keys import Keys
from study_app.domain.items import Item
from study_app.domain.participant import Answer, Participant
from study_app.domain.protocol import Study
from study_app.domain.scoring import score
from study_app.domain.tasks import Limits, Program
from study_app.services.world import World

log = logging.getLogger(__name__)

LIMITS = Limits(wall_seconds=10.0)


class QuizScoring:
    """Gives quiz answers their points. One pass at a time in a process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._one_at_a_time = threading.Lock()
        self._for_people: set[Answer] = set()
        """Answers that no key can score, so that a pass each second does not look at them again."""
        self._failed: set[Answer] = set()
        """Answers whose failure is in the server's log already."""

    def score_handed_in(self) -> int:
        """Score what participants cannot change any more; returns how many got points."""
        return self._score(handed_in=True)

    def score_pending(self) -> int:
        """Score every quiz answer that has no points yet, pages that are still open included; returns how many."""
        return self._score(handed_in=False)

    def _score(self, *, handed_in: bool) -> int:
        with self._one_at_a_time:
            return sum(self._settle(answer, study) for answer, study in self._waiting(handed_in))

    def _waiting(self, handed_in: bool) -> list[tuple[Answer, Study]]:
        with self.world.registry.begin(write=False) as unit:
            found = []
            for answer in unit.unscored():
                person = unit.participant(answer.participant_id)
                if person is None or answer in self._for_people or (handed_in and not _left(person, answer.stage)):
                    continue
                found.append((answer, self.world.study_of(unit, person)))
            return found

    def _settle(self, answer: Answer, study: Study) -> bool:
        """Score one answer and keep its points; what goes wrong with one does not keep the others waiting."""
        try:
            scored = self._scored(answer, study)
        except Exception:
            if answer not in self._failed:
                log.exception("answer %s of participant %s cannot be scored yet", answer.item, answer.participant_id)
                self._failed.add(answer)
            return False
        if scored is None:
            self._for_people.add(answer)
            return False
        with self.world.registry.begin() as unit:
            return unit.set_points(scored)

    def _scored(self, answer: Answer, study: Study) -> Answer | None:
        folder = study.stage(answer.stage).bank
        bank = self.world.content.bank(folder)
        keys: Keys = self.world.content.keys(folder)
        item: Item = bank.item(answer.item)

        def run(program: str) -> str:
            result = self.world.sandbox.run(
                Program(program, packages=tuple(bank.packages), limits=LIMITS, seed=1, clock="virtual")
            )
            if result.ended_by == "infrastructure":
                raise InfrastructureError(f"the check of {item.id} could not be run")
            return result.stdout

        verdict = score(item, keys[item.id], json.loads(answer.response), run)
        if verdict.points is None:
            return None
        return replace(
            answer,
            points=verdict.points,
            max_points=verdict.max_points,
            scored_by=verdict.scored_by,
            key_version=keys.versions[item.id],
        )


def _left(person: Participant, stage: str) -> bool:
    """Whether the participant is past that stage, so that its answers stay as they are."""
    return person.over or person.stage != stage
