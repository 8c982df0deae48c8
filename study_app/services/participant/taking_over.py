"""What a server does about the others: signs of life, stops that they pass on, and what those that are gone left."""

from __future__ import annotations

from datetime import timedelta

from study_app.domain.errors import InfrastructureError
from study_app.domain.records import InProgress
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.chat import AssistantChat
from study_app.services.participant.programs.ending import close_run
from study_app.services.participant.programs.submitting import TaskSubmission
from study_app.services.participant.runs import ProgramRuns
from study_app.services.replicas import BEAT

FORGOTTEN_AFTER = timedelta(hours=1)
"""A server that was gone for so long is no longer listed."""


class TakingOver:
    """Looks every second, in each process that serves participants."""

    def __init__(
        self, context: StudyContext, chat: AssistantChat, runs: ProgramRuns, submitting: TaskSubmission
    ) -> None:
        self.context = context
        self._chat = chat
        self._runs = runs
        self._submitting = submitting
        self._beat_due = context.now()

    def tick(self) -> None:
        """Give a sign of life, do what participants asked other servers for, and end what no other server will.

        Raises:
            InfrastructureError: the database is away.
        """
        try:
            self._look()
        except InfrastructureError:
            # The others could not give a sign of life either, or this server could not have seen it.
            self.context.replicas.lose_sight()
            raise

    def _look(self) -> None:
        now = self.context.now()
        # The second condition: a clock that was set back would otherwise leave this server silent, and taken for gone.
        if now >= self._beat_due or self._beat_due - now > BEAT:
            with self.context.registry.begin() as unit:
                self.context.replicas.beat(unit)
            self.context.replicas.beat_stored()
            self._beat_due = now + BEAT
            # Before the works are read: what is stored here is no longer among them.
            self._runs.ends.store_kept()
            self._chat.ends.store_kept()
        # Looked at first: a run that begins after the list was read is not in it and goes on all the same.
        running = self._runs.active
        with self.context.registry.begin(write=False) as unit:
            works = unit.works()
            others = self.context.replicas.look(unit)
        gone = {replica.name for replica, silent in others if silent}
        known = {replica.name for replica, _ in others} | {self.context.replicas.me.name}
        self._stop([work for work in works if work.replica == self.context.replicas.me.name], running)
        for work in works:
            if work.replica in gone or work.replica not in known or self._is_dropped(work):
                self._end(work)
        if gone:
            self._forget(gone)

    def close(self) -> None:
        """Say goodbye, so that no server waits for a sign of life."""
        with self.context.registry.begin() as unit:
            unit.forget_replica(self.context.replicas.me.name)

    def _stop(self, mine: list[InProgress], running: set[str]) -> None:
        """Stop what participants asked for, and runs in whose place another server runs the next program."""
        self._chat.stop_wanted({work.work for work in mine if work.kind == "reply" and work.stop})
        runs = [work for work in mine if work.kind == "run"]
        self._runs.stop_wanted({work.work for work in runs if work.stop} | (running - {work.work for work in runs}))

    def _is_dropped(self, work: InProgress) -> bool:
        """Whether this server noted that it does something and does it no more: the database did not take the end.

        To be asked after the work was read: one that goes on is known here before the database has it, and until after
        the database has its end.
        """
        if work.replica != self.context.replicas.me.name:
            return False
        if work.kind == "reply":
            return not self._chat.is_at(work)
        if work.kind == "submission":
            return not self._submitting.is_at(work)
        return work.kind == "run" and not self._runs.is_at(work)

    def _end(self, work: InProgress) -> None:
        with self.context.registry.begin() as unit:
            now = unit.work_of(work.participant_id, work.kind)
            if now is None or (now.work, now.replica) != (work.work, work.replica):
                return
            if work.replica == self.context.replicas.me.name:
                self.context.replicas.give_up(work)
            # Simulated people live by another clock, and their simulation ends what it began.
            if work.participant_id in unit.simulated() or not self.context.replicas.is_left(unit, work):
                return
            if work.kind == "run":
                close_run(unit, work, self.context.now())
            elif work.kind in ("submission", "grading"):
                # Nothing is half done: the participant presses Submit again, and a submission that still waits is
                # graded by the server that looks next.
                unit.end_work(work)
            else:
                self._end_reply(unit, work)

    def _end_reply(self, unit: UnitOfWork, work: InProgress) -> None:
        self._chat.close_interrupted_in(unit, work.participant_id)
        # Of a person whose data were erased meanwhile no turn is left.
        unit.end_work(work)

    def _forget(self, gone: set[str]) -> None:
        with self.context.registry.begin(write=False) as unit:
            busy = {work.replica for work in unit.works()}
            old = [each.name for each, _ in self.context.replicas.others(unit)
                   if each.name in gone - busy and self.context.now() - each.beat_at > FORGOTTEN_AFTER]  # fmt: skip
        for name in old:
            with self.context.registry.begin() as unit:
                unit.forget_replica(name)
