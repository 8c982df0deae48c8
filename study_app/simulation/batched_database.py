"""Many small transactions of a simulation, kept together: one commit for hundreds instead of one for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from study_app.domain.errors import InfrastructureError
from study_app.ports import Database, SecondReader, UnitOfWork

Result = TypeVar("Result")

PAUSE_EVERY, PAUSE_SECONDS = 1.0, 0.12
COMMIT_AFTER = 300
"""Transactions; about half a second of simulation, for which other processes may have to wait to write."""


@dataclass(frozen=True)
class _ReadLater:
    """ports.SecondReader whose work is done when its result is asked for."""

    unit: UnitOfWork

    def start(self, work: Callable[[UnitOfWork], Result]) -> Callable[[], Result]:
        """See ports.SecondReader."""
        return lambda: work(self.unit)


class BatchedRegistry:
    """ports.Database whose transactions join one that is committed now and then; call `commit` at the end.

    An exception inside one of them undoes the whole batch, since a part of it cannot be undone alone; from then on
    the registry refuses to go on.

    Args:
        registry: the real one.
        commit_after: transactions in one commit.
    """

    def __init__(self, registry: Database, commit_after: int = COMMIT_AFTER) -> None:
        self._registry = registry
        self._commit_after = commit_after
        # The grader works in a separate thread on the same open transaction; reentrant, for `_join` commits under it.
        self._lock = threading.RLock()
        self._open: ExitStack | None = None
        self._unit: UnitOfWork | None = None
        self._joined = 0
        self._broken = False
        self._paused_at = time.monotonic()

    @contextmanager
    def _join(self) -> Iterator[UnitOfWork]:
        with self._lock:
            if self._broken:
                raise InfrastructureError("an earlier step of the simulation failed; what it had not stored is undone")
            unit = self._unit or self._begin()
            try:
                yield unit
            except BaseException as error:
                self._undo(error)
                raise
            self._joined += 1
            if self._joined >= self._commit_after:
                self.commit()

    def begin(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """See ports.Database."""
        # Readers join as well: another connection would not see what the batch has not committed.
        return self._join()

    @contextmanager
    def begin_reading(self) -> Iterator[tuple[UnitOfWork, SecondReader]]:
        """See ports.Database; without a second process, which would not see what the batch has not committed."""
        with self._join() as unit:
            yield unit, _ReadLater(unit)

    def forget_erased(self) -> bool:
        """See ports.Database; left to the closing, for a batch holds the database's one writer."""
        return False

    def probe(self) -> None:
        """See ports.Database."""
        self._registry.probe()

    def alone(self, name: str) -> AbstractContextManager[None]:
        """See ports.Database."""
        return self._registry.alone(name)

    def submit(self, work: Callable[[UnitOfWork], Result]) -> Future[Result]:
        """See ports.Database; done at once."""
        done: Future[Result] = Future()
        with self._join() as unit:
            done.set_result(work(unit))
        return done

    def commit(self) -> None:
        """Store what has been done so far."""
        with self._lock:
            # Forgotten before the commit: if that fails, the next transaction must not join a unit that is closed.
            stack, self._open, self._unit, self._joined = self._open, None, None, 0
            if stack is not None:
                stack.close()
                self._let_others_write()

    def _let_others_write(self) -> None:
        """Pause now and then: who waits for SQLite's lock looks for it every 100 ms, and would else never get it."""
        now = time.monotonic()
        if now - self._paused_at > PAUSE_EVERY:
            time.sleep(PAUSE_SECONDS)
            self._paused_at = time.monotonic()

    def waiting(self) -> int:
        """See ports.Database."""
        return self._registry.waiting()

    def sign_heads(self, key: bytes | None, interim: bytes | None = None) -> None:
        """See ports.Database."""
        self._registry.sign_heads(key, interim)

    def on_launch(self, look: Callable[[], object]) -> None:
        """See ports.Database."""
        self._registry.on_launch(look)

    def sign_upgrade(self) -> None:
        """See ports.Database."""
        self._registry.sign_upgrade()

    def describe(self) -> str:
        """See ports.Database."""
        return self._registry.describe()

    def close(self) -> None:
        """Store what has been done; the real registry stays open for its owner."""
        self.commit()

    def _begin(self) -> UnitOfWork:
        self._open = ExitStack()
        self._unit = self._open.enter_context(self._registry.begin())
        return self._unit

    def _undo(self, error: BaseException) -> None:
        stack, self._open, self._unit = self._open, None, None
        self._broken = True
        if stack is not None:
            stack.__exit__(type(error), error, error.__traceback__)
