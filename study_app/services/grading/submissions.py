"""Submissions: taken at once, graded soon after, graded again after a crash, never lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from study_app.dataset.schema.cells import code_sha256
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import InfrastructureError
from study_app.domain.events.server import RunStarted, SubmissionLate, TaskSubmitted
from study_app.domain.records import InProgress, RunKind, RunRecord, submitted
from study_app.domain.tasks.packs import TaskPack
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.giving_up import HEALTHY, Tries, runs
from study_app.services.grading.grading import grade
from study_app.services.grading.queue import Pauses, accepts_isolation, quarantine, seed_of, with_verdict
from study_app.services.position import AtStage
from study_app.services.program_facts import program_facts

log = logging.getLogger(__name__)
LONGEST_WAIT = 300.0
"""Seconds that a dataset waits for what another server is grading; one that is gone is not waited for."""
POLL = 0.2


def take_submission(
    context: StudyContext, unit: UnitOfWork, place: AtStage, code: str, page: str | None = None, seq: int | None = None
) -> RunRecord:
    """Write a submission down; it is graded afterwards, so that no request waits for it."""
    return keep_program(context, unit, place, "submission", code, page, seq)


def keep_program(
    context: StudyContext,
    unit: UnitOfWork,
    place: AtStage,
    kind: RunKind,
    code: str,
    page: str | None,
    seq: int | None,
) -> RunRecord:
    """Write down a program that is run or submitted, and the event of that."""
    run = RunRecord(
        id=context.fresh_id(),
        participant_id=place.participant.id,
        task=place.task,
        stage=place.stage.id,
        kind=kind,
        code=code,
        started_at=place.now,
        page=page,
        seq=seq,
    )
    unit.add_run(run)
    if kind == "agent":
        # The agent's own events tell of it.
        return run
    facts = program_facts(unit, run.participant_id, run.task, code, page, seq)
    handed = (RunStarted if kind == "run" else TaskSubmitted)(
        task=place.task,
        run_id=run.id,
        page=page,
        seq=seq,
        code_sha256=facts.code_sha256,
        as_edited=facts.as_edited,
    )
    unit.record(run.participant_id, run.stage, place.now, handed)
    return run


def beginning(context: StudyContext, unit: UnitOfWork, place: AtStage) -> str:
    """Return what the editor of the participant's task holds at first: its starter, or what they handed in before."""
    pack: TaskPack = context.content_of(place.participant).pack(place.pack)
    text: str = pack.beginning(submitted(unit.runs(place.participant.id)))
    return text


def submit_saved(context: StudyContext, unit: UnitOfWork, place: AtStage) -> None:
    """At a deadline: what the server has of the current task is its submission, touched or not."""
    document = unit.document(place.participant.id, place.task)
    page = unit.document_page(place.participant.id, place.task)
    code = document.text if document else beginning(context, unit, place)
    take_submission(context, unit, place, code, page, None)


def submit_late(unit: UnitOfWork, place: AtStage, task: str, code: str, now: datetime) -> None:
    """Let late edits change what a deadline submitted of a task; it is graded anew.

    `place` is where the participant was, at the deadline's moment. A submission by the participant stays as it is.
    """
    for run in unit.runs(place.participant.id):
        mine = run.kind == "submission" and (run.stage, run.task) == (place.stage.id, task)
        # The deadline's own moment marks what it handed in; a press of the participant has another.
        if mine and run.started_at == place.now and run.code != code:
            unit.update_run(
                replace(
                    run, code=code, ended_by=None, checks=(), visible_only_pass=None,
                    grading=None, grading_reason=None, repeats=None, review="",
                    error_type=None, error_message=None, error_line=None, isolation=None, scheduler_seed=None,
                )
            )  # fmt: skip
            late = SubmissionLate(task=task, run_id=run.id, code_sha256=code_sha256(code))
            unit.record(run.participant_id, run.stage, now, late)


def submitted_by_deadline(unit: UnitOfWork, place: AtStage, task: str) -> bool:
    """Return whether the deadline, and not the participant, has submitted a task of the stage."""
    runs = [run for run in unit.runs(place.participant.id) if run.kind == "submission"]
    return any((run.stage, run.task, run.started_at) == (place.stage.id, task, place.now) for run in runs)


class Grading:
    """Grades what was submitted. One at a time; a submission that is being graded is never graded twice at once."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._one_at_a_time = threading.Lock()
        self._pauses = Pauses(context.now)
        self._tries = Tries()

    def pending(self) -> list[RunRecord]:
        """Submissions that wait for their grading, oldest first."""
        with self.context.registry.begin(write=False) as unit:
            return unit.ungraded()

    def grade_present(self) -> int:
        """As `grade_pending`, without simulated participants: their simulation grades them, by its own clock."""
        with self.context.registry.begin(write=False) as unit:
            waiting = {run.participant_id for run in unit.ungraded()}
            others = waiting - unit.simulated() if waiting else waiting
        return self.grade_pending(others) if others else 0

    def grade_pending(self, people: Collection[str] | None = None) -> int:
        """Grade all that is pending, or what these people submitted; returns how many were graded.

        A failing sandbox leaves them pending, and so does isolation below what the study file accepts. A submission
        whose grading fails in any other way is put aside, and so is one that cannot be run again and again while other
        programs can; the others are graded all the same.
        """
        with self._one_at_a_time:
            if not self._may_run():
                return 0
            self._drop_claims()
            # Read after the lock is held: a second pass that waited must not grade what the first has just graded.
            waiting = [run for run in self.pending() if people is None or run.participant_id in people]
            return sum(self._attempt(run) for run in waiting if self._pauses.due(run.id))

    def finish_pending(self) -> int:
        """As `grade_pending`, and wait for what another server grades: its verdict would be missing in a dataset.

        Returns:
            How many are still being graded elsewhere at the end of the wait.
        """
        end = time.monotonic() + LONGEST_WAIT
        self.grade_pending()
        while (left := self._graded_elsewhere()) and time.monotonic() < end:
            time.sleep(POLL)
            # What the other let go without a verdict, or left behind when it ended, is graded here.
            self.grade_pending()
        return left

    def _graded_elsewhere(self) -> int:
        me = self.context.replicas.me.name
        with self.context.registry.begin(write=False) as unit:
            found = [unit.work_of(run.participant_id, "grading") for run in unit.ungraded()]
            return sum(work is not None and work.replica != me for work in found)

    def _may_run(self) -> bool:
        with self.context.registry.begin(write=False) as unit:
            launched = self.context.state(unit) != "draft"
        return accepts_isolation(self.context, launched=launched)

    def _attempt(self, run: RunRecord) -> bool:
        if not self._take(run):
            return False
        try:
            return self._graded(run)
        # Whatever came of it: a claim that stayed would keep every other server from grading it.
        finally:
            self._let_go(run)

    def _take(self, run: RunRecord) -> bool:
        """Note that this server grades the submission; False where another does, or has."""
        with self.context.registry.begin() as unit:
            if not self.context.replicas.take(unit, self._work(run)):
                return False
            # Asked under the claim: another server may have graded it since it was listed, and let its claim go.
            if any(one.id == run.id for one in unit.ungraded()):
                return True
            unit.end_work(self._work(run))
        return False

    def _drop_claims(self) -> None:
        """Let go of what this server noted as being graded: it grades nothing now, and could not store that it ended.

        Such a claim would keep every server from grading the submission for as long as this one lives.
        """
        me = self.context.replicas.me.name
        with self.context.registry.begin(write=False) as unit:
            mine = [work for work in unit.works() if (work.kind, work.replica) == ("grading", me)]
        for work in mine:
            with self.context.registry.begin() as unit:
                unit.end_work(work)

    def _let_go(self, run: RunRecord) -> None:
        try:
            with self.context.registry.begin() as unit:
                unit.end_work(self._work(run))
        except InfrastructureError as error:
            log.warning("a grading could not be noted as over", exc_info=error, extra={"submission": run.id})

    def _work(self, run: RunRecord) -> InProgress:
        return self.context.replicas.mine(run.participant_id, "grading", run.id)

    def _graded(self, run: RunRecord) -> bool:
        try:
            self._grade(run)
        except InfrastructureError as error:
            log.warning("a submission could not be graded yet", exc_info=error, extra={"submission": run.id})
            self._pauses.failed(run.id)
            reason = self._tries.failed(_tried(run), error, lambda: self._runs_here(run))
            if reason is not None:
                self._put_aside(run, error, reason)
            return False
        except Exception as error:
            self._put_aside(run, error)
            return False
        self._pauses.done(run.id)
        self._tries.done(_tried(run))
        return True

    def _put_aside(self, run: RunRecord, error: Exception, reason: str = "") -> None:
        try:
            quarantine(self.context, run, error, reason)
        except Exception:
            log.exception("a submission could not be put aside", extra={"submission": run.id})
            self._pauses.failed(run.id)
        else:
            # Let in again by a person, it is tried at once.
            self._pauses.done(run.id)

    def _runs_here(self, run: RunRecord) -> bool:
        """Return whether another program of the same task can be run now."""
        return runs(self.context.sandbox, self._task_of(run).program(HEALTHY, seed=0))

    def _task_of(self, run: RunRecord) -> TaskPack:
        with self.context.registry.begin(write=False) as unit:
            participant = unit.known_participant(run.participant_id)
            study = self.context.study_of(unit, participant)
        stage = study.stage(run.stage)
        task = next(pack for pack in stage.packs if name_of(pack) == run.task)
        folder = study.shown_pack(task, stage, participant.allocated)
        found: TaskPack = self.context.content_of(participant).pack(folder)
        return found

    def _grade(self, run: RunRecord) -> None:
        verdict = grade(
            self.context.sandbox,
            self._task_of(run),
            run.code,
            clock=self.context.grading_clock,
            run_seed=seed_of(run, self.context.grading_clock),
        )
        with self.context.registry.begin() as unit:
            # Held before the look: edits that are just being stored are waited for.
            unit.hold(unit.known_participant(run.participant_id))
            # Late edits may have changed the program in the meantime: then it waits for its own verdict.
            if any(now.id == run.id and now.code == run.code for now in unit.runs(run.participant_id)):
                unit.update_run(with_verdict(run, verdict))
        self.context.measure("study_grading_seconds", (self.context.now() - run.started_at).total_seconds())


def _tried(run: RunRecord) -> str:
    # With the program: one that late edits change is another one to all that is remembered of it.
    return f"{run.id}:{code_sha256(run.code)}"
