"""The database as a source of transactions, and all that one transaction can do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Literal, Protocol, TypeVar

from study_app.ports.event_log import EventLog
from study_app.ports.ledger_records import LedgerRecords
from study_app.ports.participant_records import ParticipantRecords
from study_app.ports.server_records import ServerRecords
from study_app.ports.study_records import StudyRecords
from study_app.ports.work_records import WorkRecords

Result = TypeVar("Result")
RESTORED = "restored"
"""Key of the fact that a database was put back from a backup, until the next start has recorded it."""
Restorable = Literal[
    "participants", "visits", "events", "runs", "turns", "answers", "ratings", "allocations", "later_allocations"
]  # fmt: skip
"""Tables of a dataset that a database has as well; every other is derived."""


class UnitOfWork(EventLog, StudyRecords, ParticipantRecords, WorkRecords, LedgerRecords, ServerRecords, Protocol):
    """Everything that is stored, within one transaction."""

    def after_commit(self, act: Callable[[], object]) -> None:
        """Do something once this transaction is committed, and not where it is undone."""
        ...


class SecondReader(Protocol):
    """What reads beside a transaction, and sees the database as that transaction sees it."""

    def start(self, work: Callable[[UnitOfWork], Result]) -> Callable[[], Result]:
        """Begin work that only reads; what is returned waits for its result.

        Args:
            work: can be pickled. It is given a transaction that sees the same, and must not store anything.

        Raises:
            InfrastructureError: the work failed, or the process that did it ended; raised where the result is awaited.
        """
        ...


class Database(Protocol):
    """The database, seen as a source of transactions."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Wait until no other process holds that name on this database, and hold it; a killed process lets go of it."""
        ...

    def begin(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction; committed at the end of the block, undone by an exception.

        Raises:
            InfrastructureError: the database cannot be reached, is full or locked for too long.
        """
        ...

    def begin_reading(self) -> AbstractContextManager[tuple[UnitOfWork, SecondReader]]:
        """Open a transaction that only reads, and a second reader of the same moment, both to the end of the block.

        With a long log and more than one core the second reader is a process; else its work is done in this one, when
        the result is asked for.

        Raises:
            InfrastructureError: the database cannot be reached.
        """
        ...

    def submit(self, work: Callable[[UnitOfWork], Result]) -> Future[Result]:
        """Queue work for a writing transaction that it may share with what others queue; at once, from any thread.

        What one piece of work raises undoes that piece alone and is the future's exception. The future is done after
        the commit and not before; its exception is an InfrastructureError where the database failed.
        """
        ...

    def waiting(self) -> int:
        """Return how many pieces of work are queued."""
        ...

    def sign_heads(self, key: bytes | None, interim: bytes | None = None) -> None:
        """From now on sign the heads of the chain of records.

        Args:
            key: the study's; None while the sealing key is missing.
            interim: signs what is stored meanwhile; with `key`, what that key has signed is still known.
        """
        ...

    def on_launch(self, look: Callable[[], object]) -> None:
        """Call this where another process has launched the study, before anything is stored without a signature."""
        ...

    def sign_upgrade(self) -> None:
        """Sign what an upgrade of this process appended, where the chains before it bear the study's signature."""
        ...

    def forget_erased(self) -> bool:
        """Take what was erased off the disk as far as the database can now; False where a later call must go on."""
        ...

    def probe(self) -> None:
        """Write a little and see it reach the disk.

        Raises:
            InfrastructureError: nothing can be written now, for the disk is full or the database out of reach.
        """
        ...

    def describe(self) -> str:
        """Return which database this is, without secrets."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
