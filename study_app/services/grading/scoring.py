"""Scoring of quiz answers by the keys of their bank, outside the request that handed them in."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.errors import InfrastructureError, NotAllowed, SandboxUnavailable
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.keys import Keys
from study_app.domain.quiz.scoring import Score, score
from study_app.domain.records import Answer, AuditEntry, Participant
from study_app.domain.study.study import Study
from study_app.ports import Sandbox
from study_app.services.context import StudyContext
from study_app.services.grading.giving_up import HEALTHY, Tries, runs
from study_app.services.grading.output import output_of, quiz_program
from study_app.services.grading.queue import Pauses, accepts_isolation

log = logging.getLogger(__name__)

INCONCLUSIVE = "inconclusive"
"""Who scored an answer whose checks could not be run to their end: it stays empty until a person retries it."""


class QuizScoring:
    """Gives quiz answers their points. One pass at a time in a process."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._one_at_a_time = threading.Lock()
        self._for_people: set[str] = set()
        """Names of answers that no key can score, so that a pass each second does not look at them again."""
        self._failed: set[str] = set()
        """Names of answers whose failure is in the server's log already."""
        self._pauses = Pauses(context.now)
        self._tries = Tries()

    def score_handed_in(self) -> int:
        """Score what participants cannot change any more; returns how many got points."""
        return self._score(handed_in=True)

    def score_pending(self) -> int:
        """Score every quiz answer that has no points yet, pages that are still open included; returns how many."""
        return self._score(handed_in=False)

    def inconclusive(self) -> list[Answer]:
        """Answers that are without points because their checks could not be run to their end."""
        with self.context.registry.begin(write=False) as unit:
            return unit.unscored(INCONCLUSIVE)

    def retry(self, participant_id: str, stage: str, item: str, who: str) -> None:
        """Let such an answer be scored again; recorded in the audit log.

        Raises:
            NotAllowed: it has points, or there is no such answer.
        """
        with self.context.registry.begin() as unit:
            named = (participant_id, stage, item)
            waiting = unit.unscored(INCONCLUSIVE)
            answer = next((one for one in waiting if (one.participant_id, one.stage, one.item) == named), None)
            if answer is None:
                raise NotAllowed("this answer is not one whose checks were inconclusive; reload the page")
            unit.set_points(replace(answer, scored_by=None, scoring_reason=None, repeats=None))
            detail = {"stage": stage, "item": item, "reason": answer.scoring_reason or ""}
            unit.add_audit(AuditEntry(self.context.now(), who, "retry scoring", participant_id, detail))

    def _score(self, *, handed_in: bool) -> int:
        with self._one_at_a_time:
            waiting = self._waiting(handed_in)
            return sum(self._settle(*each) for each in waiting)

    def _waiting(self, handed_in: bool) -> list[tuple[Answer, Study, ContentLibrary]]:
        with self.context.registry.begin(write=False) as unit:
            found = []
            for answer in unit.unscored():
                # A person decides when these are tried again: by itself a busy machine would try them every second.
                if answer.scored_by == INCONCLUSIVE or _name(answer) in self._for_people:
                    continue
                person = unit.participant(answer.participant_id)
                if person is None or (handed_in and not self._due(person, answer)):
                    continue
                found.append((answer, self.context.study_of(unit, person), self.context.content_of(person)))
            return found

    def _due(self, person: Participant, answer: Answer) -> bool:
        return _left(person, answer.stage) and self._pauses.due(_name(answer))

    def _settle(self, answer: Answer, study: Study, content: ContentLibrary) -> bool:
        """Score one answer and keep its points; what goes wrong with one does not keep the others waiting."""
        try:
            scored = self._scored(answer, study, content)
        except Exception as error:
            if _name(answer) not in self._failed:
                trace = None if isinstance(error, InfrastructureError) else error
                log.error("an answer cannot be scored yet: %s", error, exc_info=trace, extra={"task": answer.item})
                self._failed.add(_name(answer))
            self._not_scored(answer, error, study, content)
            return False
        self._pauses.done(_name(answer))
        self._tries.done(_name(answer))
        if scored is None:
            self._for_people.add(_name(answer))
            return False
        with self.context.registry.begin() as unit:
            # Where the answer has changed since it was read, no row is found and nothing is overwritten: it is scored
            # in the next pass.
            return unit.set_points(scored) and scored.points is not None

    def _not_scored(self, answer: Answer, error: Exception, study: Study, content: ContentLibrary) -> None:
        """Note a failure; an answer that fails again and again while other programs run is put aside for a person."""
        name = _name(answer)
        # A dataset scores without a pause: its looks in between do not count as tries.
        due = self._pauses.due(name)
        self._pauses.failed(name)
        reason = self._tries.failed(name, error, lambda: self._runs_here(answer, study, content)) if due else None
        if reason is not None:
            log.error("an answer was put aside: %s", reason, extra={"task": answer.item})
            with self.context.registry.begin() as unit:
                unit.set_points(replace(answer, scored_by=INCONCLUSIVE, scoring_reason=reason))
            # Let in again by a person, it is tried at once.
            self._pauses.done(name)

    def _runs_here(self, answer: Answer, study: Study, content: ContentLibrary) -> bool:
        """Return whether another program of the same bank can be run now."""
        if not self._may_run():
            return False
        packages = content.bank(study.stage(answer.stage).bank).packages
        return runs(self.context.sandbox, quiz_program(HEALTHY, packages))

    def _scored(self, answer: Answer, study: Study, content: ContentLibrary) -> Answer | None:
        """Return the answer with its points, without any where its checks decided nothing.

        None where people score it.
        """
        folder = study.stage(answer.stage).bank
        bank = content.bank(folder)
        keys: Keys = content.keys(folder)
        item: Item = bank.item(answer.item)
        checks = _Checks(self.context.sandbox, bank.packages, self._may_run)
        verdict = score(item, keys[item.id], answer.response, checks.run)
        if checks.failure is not None:
            raise checks.failure
        if checks.open is not None:
            return replace(answer, scored_by=INCONCLUSIVE, scoring_reason=checks.open, repeats=checks.repeats)
        return _with_points(answer, verdict, keys.versions[item.id], checks.repeats)

    def _may_run(self) -> bool:
        with self.context.registry.begin(write=False) as unit:
            launched = self.context.state(unit) != "draft"
        return accepts_isolation(self.context, launched=launched)


class _Checks:
    """The runs of one answer's checks, and why they do not decide where they do not."""

    def __init__(self, sandbox: Sandbox, packages: Iterable[str], may_run: Callable[[], bool]) -> None:
        self._sandbox, self._packages, self._may_run = sandbox, tuple(packages), may_run
        self.repeats = 0
        self.open: str | None = None
        self.failure: InfrastructureError | None = None

    def run(self, program: str) -> str:
        """Return the program's standard output.

        Raises:
            InfrastructureError: it is not known.
        """
        try:
            if not self._may_run():
                raise SandboxUnavailable("programs are not isolated as the study file asks")
            output = output_of(self._sandbox, quiz_program(program, self._packages))
        except InfrastructureError as error:
            # Kept beside raising it: `score` makes of the error an answer that waits for people, and this one is to be
            # tried again.
            self.failure = error
            raise
        self.repeats += output.repeats
        if output.open is not None:
            self.open = output.open
            raise SandboxUnavailable(output.open)
        return output.text


def _with_points(answer: Answer, verdict: Score, key_version: str, repeats: int) -> Answer | None:
    if verdict.points is None:
        return None
    return replace(
        answer,
        points=verdict.points,
        max_points=verdict.max_points,
        scored_by=verdict.scored_by,
        key_version=key_version,
        scoring_reason=None,
        repeats=repeats or None,
    )


def _name(answer: Answer) -> str:
    # With the response: an answer that late events change is another one to all that is remembered of it.
    return json.dumps((answer.participant_id, answer.stage, answer.item, answer.response))


def _left(person: Participant, stage: str) -> bool:
    """Return whether the participant is past that stage, so that its answers stay as they are."""
    return person.over or person.stage != stage
