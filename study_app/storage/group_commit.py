"""Group commit: what many requests bring is written as many at once as have come, in one transaction.

Each piece of a group has a savepoint: what it raises undoes it alone. No answer comes before the commit, so a killed
server loses nothing that was acknowledged. While one group is being stored the next one gathers: a lone request is
stored at once, and under load a group grows by itself.

On SQLite, which has one writer at a time, one thread does so. On Postgres a few do, each waiting for its own answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from random import uniform
from typing import Any, TypeVar

from study_app.domain.errors import Conflict, InfrastructureError
from study_app.storage.engine import DatabaseEngine
from study_app.storage.unit_of_work import SqlUnitOfWork

Result = TypeVar("Result")

log = logging.getLogger(__name__)

# The write lock is held for the whole group: a larger one saves commits and makes every other writer wait longer.
LARGEST_GROUP = 64
"""Pieces in one transaction; others who want to write wait for it (about 30 ms)."""
POSTGRES_WRITERS = 8
ATTEMPTS = 6
"""At a group that another transaction was in the way of."""


def finish(unit: SqlUnitOfWork) -> None:
    """Do what was left for after the commit; a failure there undoes nothing and is logged."""
    for act in unit.afterwards:
        try:
            act()
        except Exception:
            log.exception("what follows a commit failed")


class _Piece:
    """One piece of work and what became of it; reported only after the commit."""

    def __init__(self, work: Callable[[SqlUnitOfWork], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class GroupWriter:
    """Stores pieces of work as they come."""

    def __init__(self, database: DatabaseEngine) -> None:
        self._database = database
        self._queue: SimpleQueue[_Piece | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._wanted = 1 if database.is_sqlite else POSTGRES_WRITERS
        self._starting = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[SqlUnitOfWork], Result]) -> Future[Result]:
        """See ports.Database.submit."""
        piece = _Piece(work)
        with self._starting:
            if self._closed:
                raise InfrastructureError(f"{self._database.describe()}: the server is stopping")
            if not self._threads:
                self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(self._wanted)]
                for thread in self._threads:
                    thread.start()
            # Put under the lock: after `close` has sent its ends, a piece behind them would never be answered.
            self._queue.put(piece)
        return piece.future

    def waiting(self) -> int:
        """Pieces that no transaction has taken yet."""
        return self._queue.qsize()

    def close(self) -> None:
        """Store what is queued, then end; idempotent."""
        with self._starting:
            # Under the lock of `submit`: no thread starts and no piece comes after this.
            self._closed = True
            threads, self._threads = self._threads, []
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            # Outside the lock, for a piece under way may call `submit`, which waits for it.
            thread.join()

    def _write(self) -> None:
        while True:
            group, last = self._gathered()
            if group:
                self._store(group)
            if last:
                return

    def _gathered(self) -> tuple[list[_Piece], bool]:
        """Return everything that waits, at least one piece; and whether it is the end."""
        group: list[_Piece] = []
        piece = self._queue.get()
        while piece is not None:
            # A request that was given up is not stored: its page sends it again.
            if piece.future.set_running_or_notify_cancel():
                group.append(piece)
            if len(group) >= LARGEST_GROUP:
                return group, False
            try:
                piece = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _store(self, group: list[_Piece]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            again = attempt < ATTEMPTS
            if self._stored(group, again=again):
                break
            # Random, so that two writers that met once do not meet again at the same moment.
            time.sleep(uniform(0, 0.05) * attempt)
        for piece in group:
            piece.tell()

    def _stored(self, group: list[_Piece], *, again: bool) -> bool:
        """Store a group; False where another transaction was in the way and it is tried `again`."""
        for piece in group:
            piece.result = piece.error = None
        try:
            with self._database.begin(write=True) as connection:
                unit = SqlUnitOfWork(connection, self._database.keys)
                if len(group) == 1:
                    group[0].result = group[0].work(unit)
                else:
                    for piece in group:
                        self._attempt(unit, piece)
                unit.flush()
        except Exception as error:
            # The transaction as a whole failed, or its only piece: nothing of it is stored, and everybody hears so.
            if again and isinstance(error, Conflict):
                return False
            for piece in group:
                piece.error = error
        else:
            finish(unit)
        return True

    def _attempt(self, unit: SqlUnitOfWork, piece: _Piece) -> None:
        # Without a savepoint one refused event would undo the acknowledged work of 63 other pages.
        unit.driver.run("SAVEPOINT piece")
        before, claimed = len(unit.afterwards), unit.chain.claimed
        try:
            with self._database.in_our_words():
                piece.result = piece.work(unit)
        except Conflict:
            # The database has given up the whole transaction, not this piece alone.
            raise
        except Exception as error:
            piece.error = error
            unit.driver.run("ROLLBACK TO SAVEPOINT piece")
            # The chain's position lives in memory as well, and no rollback of the database reaches it.
            unit.chain.claimed = claimed
            # So do the locks that came after the savepoint.
            unit.words.forget()
            del unit.afterwards[before:]
        unit.driver.run("RELEASE SAVEPOINT piece")
