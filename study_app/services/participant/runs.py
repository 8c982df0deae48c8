"""Running programs: fair between participants, a second Run replaces the first."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.events import saying
from study_app.domain.events.server import FigureShown, Outage, ProgramError, RunEnded
from study_app.domain.records import InProgress, RunRecord
from study_app.domain.tasks import figures
from study_app.domain.tasks.programs import OutputLine
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.examples import Checks, ExamplesBeside, verdicts_of
from study_app.services.grading.queue import accepts_isolation
from study_app.services.grading.submissions import beginning, keep_program
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.probing.closing import interrupt
from study_app.services.participant.programs.ending import close_run, end_line, finished, is_over
from study_app.services.participant.programs.taking import check_code, on_task
from study_app.services.position import AtStage, OnStage
from study_app.services.retrying import Ends, retried

log = logging.getLogger(__name__)

Emit = Callable[[dict[str, Any] | None], None]

FIGURE_SHOWN = "figure_shown"
CONCURRENT_RUNS = 64
"""Programs that run at once on this machine; the others queue, each participant at most once."""


@dataclass
class _Active:
    """A participant's run in progress."""

    run_id: str
    cancelled: threading.Event


class ProgramRuns:
    """Programs of participants on task stages."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow) -> None:
        self.context = context
        self.flow = flow
        self._active: dict[str, _Active] = {}
        self._beginning: Counter[str] = Counter()
        """Participants whose runs are being noted."""
        self._going_on: set[str] = set()
        """Ids of runs until their end is stored, also of those in whose place another runs."""
        self.ends = Ends()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONCURRENT_RUNS)
        self._waiting = 0

    def run(self, participant_id: str, code: str, emit: Emit, page: str | None = None, seq: int | None = None) -> str:
        """Start a program; returns the run's id at once.

        `emit` is called from another thread with JSON-able lines as in the protocol of POST /api/runs, with the task or
        pack by which the route puts them into the participant's language, and last with None. A run of the same
        participant that is still going on is killed.

        Raises:
            NotAllowed: not on a task, or another page has taken over.
            TooLong: the code.
        """
        # On record before it runs: a program that brings the server down is then known, and closed as an outage.
        with self._lock:
            self._beginning[participant_id] += 1
        try:
            place, record = self._begin(participant_id, code, page, seq)
            active = self._replace_active(participant_id, record.id)
        finally:
            with self._lock:
                self._beginning -= Counter([participant_id])
        thread = threading.Thread(target=self._execute, args=(place, record, active, emit), daemon=True)
        thread.start()
        return record.id

    @contextmanager
    def taking_place(self) -> Iterator[None]:
        """Wait for a place among the programs that run at once here, and hold it."""
        with self._lock:
            self._waiting += 1
        try:
            with self._slots:
                yield
        finally:
            with self._lock:
                self._waiting -= 1

    @property
    def waiting(self) -> int:
        """Runs in this process that are going on or wait for a place."""
        with self._lock:
            return self._waiting

    def beginning(self, place: OnStage) -> str:
        """Return what the editor of the current task holds at first."""
        with self.context.registry.begin(write=False) as unit:
            return beginning(self.context, unit, place)

    def last_run(self, participant_id: str, task: str) -> RunRecord | None:
        """Return the latest run of a task, to be shown again after a reload."""
        with self.context.registry.begin(write=False) as unit:
            runs = [run for run in unit.runs(participant_id) if run.task == task and run.kind == "run"]
        return runs[-1] if runs else None

    def figures_of(self, run: RunRecord) -> list[str]:
        """Return what a run drew, in base64, in the order in which it was drawn."""
        with self.context.registry.begin(write=False) as unit:
            events = unit.events_of(run.participant_id, (FigureShown.kind,), run.stage)
        return [figure.png for _, figure in saying(events, FigureShown) if figure.run_id == run.id]

    def stop(self, participant_id: str) -> bool:
        """Kill the participant's run; False if there is none."""
        with self._lock:
            active = self._active.get(participant_id)
        if active is not None:
            active.cancelled.set()
            return True
        with self.context.registry.begin(write=False) as unit:
            if unit.work_of(participant_id, "run") is None:
                return False
        with self.context.registry.begin() as unit:
            return unit.stop_work(participant_id, "run")

    @retried
    def _begin(self, participant_id: str, code: str, page: str | None, seq: int | None) -> tuple[OnStage, RunRecord]:
        check_code(code)
        with self.context.registry.begin() as unit:
            place = on_task(self.flow, unit, participant_id, page)
            interrupt(unit, place)
            record = keep_program(self.context, unit, place, "run", code, page, seq)
            self._replace_elsewhere(unit, record)
        return place, record

    def _replace_elsewhere(self, unit: UnitOfWork, record: RunRecord) -> None:
        """Note the run as this server's, in place of another, which its server then kills."""
        before = unit.work_of(record.participant_id, "run")
        if before is not None and (self._is_dropped(before) or self.context.replicas.is_gone(unit, before.replica)):
            close_run(unit, before, self.context.now())
        elif before is not None:
            unit.end_work(before)
        unit.begin_work(self._work(record))

    def _is_dropped(self, work: InProgress) -> bool:
        """Return whether this server has noted a run whose end it could not store."""
        with self._lock:
            # One that begins at the same moment is noted, and is not yet among those that go on.
            alone = self._beginning[work.participant_id] < 2
            mine = work.replica == self.context.replicas.me.name
            return alone and mine and work.work not in self._going_on and work.work not in self.ends

    def _work(self, record: RunRecord) -> InProgress:
        return self.context.replicas.mine(record.participant_id, "run", record.id)

    def stop_wanted(self, run_ids: Collection[str]) -> None:
        """Kill those of these runs that go on here."""
        with self._lock:
            for active in self._active.values():
                if active.run_id in run_ids:
                    active.cancelled.set()

    def is_at(self, work: InProgress) -> bool:
        """Return whether this server is about to run that program, runs it, or has its end; from any thread."""
        with self._lock:
            # In this order: an end is kept before the run goes on no more.
            return work.participant_id in self._beginning or work.work in self._going_on or work.work in self.ends

    @property
    def active(self) -> set[str]:
        """Ids of the runs that go on here."""
        with self._lock:
            return {active.run_id for active in self._active.values()}

    def _replace_active(self, participant_id: str, run_id: str) -> _Active:
        mine = _Active(run_id, threading.Event())
        with self._lock:
            before = self._active.get(participant_id)
            self._active[participant_id] = mine
            self._going_on.add(run_id)
        if before is not None:
            before.cancelled.set()
        return mine

    def _execute(self, place: AtStage, record: RunRecord, active: _Active, emit: Emit) -> None:
        """In its own thread, so that a participant who leaves loses nothing."""
        began = time.monotonic()
        try:
            with self._lock:
                ahead = max(0, self._waiting - CONCURRENT_RUNS)
                self._waiting += 1
            if ahead:
                emit({"type": "queued", "ahead": ahead})
            with self.context.registry.begin(write=False) as unit:
                launched = self.context.state(unit) != "draft"
            if not accepts_isolation(self.context, launched=launched):
                raise SandboxUnavailable(self.context.sandbox.isolation().message)
            with self._slots:
                if ahead:
                    # The page says that a silent program runs, no longer that it waits.
                    emit({"type": "queued", "ahead": 0})
                self._run_and_report(place, record, active, emit)
        except SandboxUnavailable as error:
            self._fail(record, str(error), emit)
        except Exception as error:
            # Nothing that one run does may leave its record unfinished or its page waiting.
            log.exception("a run failed", extra={"run": record.id})
            self._fail(record, f"{type(error).__name__}: {error}"[:500], emit)
        finally:
            with self._lock:
                self._waiting -= 1
                self._going_on.discard(record.id)
                # Only this run's own entry: a second run may have taken its place already.
                if self._active.get(record.participant_id) is active:
                    del self._active[record.participant_id]
            # Last, and in any case: the route streams until it comes.
            emit(None)
            self.context.measure("study_run_seconds", time.monotonic() - began)

    def _fail(self, record: RunRecord, reason: str, emit: Emit) -> None:
        emit(end_line(record.id, "infrastructure", None))
        try:
            failed = replace(record, ended_by="infrastructure", error_message=reason)
            self.ends.store(record.id, partial(self._finish, record, failed, Outage))
        except Exception:
            log.exception("a run could not be finished", extra={"run": record.id})

    def _run_and_report(self, place: AtStage, record: RunRecord, active: _Active, emit: Emit) -> None:
        pack = self.context.content_of(place.participant).pack(place.pack)

        def on_line(line: OutputLine) -> None:
            emit({"type": "line", "stream": line.stream, "text": line.text, "seconds": round(line.seconds, 3)})

        shown: list[dict[str, Any]] = []

        def known(checks: Checks) -> None:
            shown.extend(check.shown() for check in checks)
            emit({"type": "examples", "task": place.pack_name, "checks": list(shown)})

        beside = ExamplesBeside(self.context.sandbox, pack, record.code, active.cancelled.is_set, known)
        result = self.context.sandbox.run(pack.program(record.code), on_line, active.cancelled.is_set)
        emit(end_line(record.id, result.ended_by, result) | {"pack": place.pack})
        if result.figures:
            emit({"type": "figures", "figures": list(result.figures)})
        beside.wait()
        done = finished(record, result)
        if shown:
            done = replace(done, checks=[{"visible": True, **check} for check in shown])
        self.ends.store(record.id, partial(self._finish, record, done, drawn=result.figures))

    def _finish(
        self, record: RunRecord, done: RunRecord, how: type[RunEnded | Outage] = RunEnded, drawn: tuple[str, ...] = ()
    ) -> None:
        now = self.context.now()
        with self.context.registry.begin() as unit:
            unit.hold(unit.known_participant(record.participant_id))
            if not unit.end_work(self._work(record)) and is_over(unit, record):
                # Another server has ended the run, since it took this one for gone.
                return
            if not unit.update_run(done):
                return
            over = how(run_id=done.id, ended_by=done.ended_by, wall_seconds=done.wall_seconds)
            unit.record(record.participant_id, record.stage, now, over)
            for place, figure in enumerate(drawn, start=1):
                drawing = FigureShown(run_id=done.id, place=place, sha256=figures.sha256(figure), png=figure)
                unit.record(record.participant_id, record.stage, now, drawing)
            if done.error_type:
                error = ProgramError(
                    run_id=done.id, error_type=done.error_type, message=done.error_message, line=done.error_line
                )
                unit.record(record.participant_id, record.stage, now, error)

    def run_for_agent(
        self, turn_place: Callable[[UnitOfWork], OnStage], code: str, stopped: Callable[[], bool]
    ) -> RunRecord:
        """Run a program for the participant's agent, with its visible examples; it counts as no run of theirs.

        It takes a place like any other run, and returns when it is over.

        Args:
            turn_place: where the participant is; raises where the agent's turn is over.
            code: the program.
            stopped: whether the participant has stopped the turn since; the program is then ended too.
        """
        check_code(code)
        with self.context.registry.begin() as unit:
            place = turn_place(unit)
            # Without a claim like other runs: the turn that waits for it has one, and ends with its server.
            record = keep_program(self.context, unit, place, "agent", code, None, None)
            launched = self.context.state(unit) != "draft"
        pack = self.context.content_of(place.participant).pack(place.pack)
        if not accepts_isolation(self.context, launched=launched):
            done = replace(record, ended_by="infrastructure", error_message=self.context.sandbox.isolation().message)
        else:
            with self.taking_place():
                result = self.context.sandbox.run(pack.program(code), lambda _: None, stopped)
                verdicts = () if stopped() else verdicts_of(self.context.sandbox, pack, code)
            shown = [check.shown() for check in verdicts]
            done = replace(finished(record, result), checks=[{"visible": True, **check} for check in shown])
        self.ends.store(done.id, partial(self._keep, done))
        return done

    def _keep(self, done: RunRecord) -> None:
        with self.context.registry.begin() as unit:
            # Another server has ended the run where it took this one for gone.
            if not is_over(unit, done):
                unit.update_run(done)
