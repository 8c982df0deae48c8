"""The database as a source of transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from study_app.ports import UnitOfWork
from study_app.storage.engine import DatabaseEngine
from study_app.storage.group_commit import GroupWriter, finish
from study_app.storage.migrate import bring_up_to_date
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
            unit = SqlUnitOfWork(connection, self.database.head_key)
            yield unit
            unit.flush()
        finish(unit)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """See ports.Database."""
        return self.database.alone(name)

    def submit(self, work: Callable[[UnitOfWork], Result]) -> Future[Result]:
        """See ports.Database."""
        return self._writer.submit(work)

    def waiting(self) -> int:
        """See ports.Database."""
        return self._writer.waiting()

    def sign_heads(self, key: bytes) -> None:
        """See ports.Database."""
        self.database.head_key = key

    def sign_upgrade(self) -> None:
        """See ports.Database."""
        key, before, self.database.joined = self.database.head_key, self.database.joined, None
        # What was there before the upgrade must bear this key's signature.
        if key is not None and before is not None and all(head.by(key) for head in before):
            with self.begin() as unit:
                unit.sign_heads(key)

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
