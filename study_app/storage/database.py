"""The database as a source of transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from study_app.ports import SecondReader, UnitOfWork
from study_app.storage.engine import DatabaseEngine
from study_app.storage.group_commit import GroupWriter, finish
from study_app.storage.migrate import bring_up_to_date
from study_app.storage.sealed.head_keys import STUDY
from study_app.storage.second_reader.process import LaterHere, pays, reading_process, shared
from study_app.storage.unit_of_work import SqlUnitOfWork

Result = TypeVar("Result")


class SqlDatabase:
    """ports.Database over SQLite or Postgres."""

    def __init__(self, database: DatabaseEngine) -> None:
        self.database = database
        self._writer = GroupWriter(database)

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[SqlUnitOfWork]:
        """See ports.Database."""
        with self.database.begin(write=write) as connection:
            unit = SqlUnitOfWork(connection, self.database.keys)
            yield unit
            # Before the commit: the chain's head belongs to the same transaction as the records it covers.
            unit.flush()
        finish(unit)

    @contextmanager
    def begin_reading(self) -> Iterator[tuple[SqlUnitOfWork, SecondReader]]:
        """See ports.Database."""
        with ExitStack() as stack:
            process = stack.enter_context(reading_process(self.database)) if pays(self.database) else None
            unit = stack.enter_context(self.begin(write=False))
            if process is not None and not shared(process, self.database, unit.driver):
                process = None
            yield unit, process or LaterHere(unit)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """See ports.Database."""
        return self.database.alone(name)

    def submit(self, work: Callable[[UnitOfWork], Result]) -> Future[Result]:
        """See ports.Database."""
        return self._writer.submit(work)

    def waiting(self) -> int:
        """See ports.Database."""
        return self._writer.waiting()

    def sign_heads(self, key: bytes | None, interim: bytes | None = None) -> None:
        """See ports.Database."""
        self.database.keys.study, self.database.keys.interim = key, interim

    def on_launch(self, look: Callable[[], object]) -> None:
        """See ports.Database."""
        self.database.keys.look = look

    def sign_upgrade(self) -> None:
        """See ports.Database."""
        keys, before, self.database.joined = self.database.keys, self.database.joined, None
        if before is None:
            return
        # What was there before the upgrade must bear the study's signature; where that key is missing, the next start
        # that has it sees to these chains, which the upgrade left as they were.
        if keys.study is None or all(head.by(keys.study) for head in before if head.signer == STUDY):
            with self.begin() as unit:
                unit.sign_new(before)

    def forget_erased(self) -> bool:
        """See ports.Database."""
        return self.database.empty_log()

    def probe(self) -> None:
        """See ports.Database."""
        self.database.probe()

    def describe(self) -> str:
        """See ports.Database."""
        return self.database.describe()

    def close(self) -> None:
        """See ports.Database."""
        # Before the engine: what is queued was promised an answer, and it needs connections.
        self._writer.close()
        self.database.empty_log()
        self.database.close()


def open_registry(url: str, *, create: bool = True) -> SqlDatabase:
    """Open a database and bring its tables up to date.

    Raises:
        ProblemsFound: the URL or the file is not usable.
        InfrastructureError: the database cannot be reached or is not a study database.
    """
    database = DatabaseEngine(url, create=create)
    bring_up_to_date(database)
    return SqlDatabase(database)
