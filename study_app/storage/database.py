"""The database as a source of transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from study_app.ports import Unit
from study_app.storage.engine import Database
from study_app.storage.group_commit import GroupWriter, finish
from study_app.storage.migrate import bring_up_to_date
from study_app.storage.unit_of_work import SqlUnit

Result = TypeVar("Result")


class SqlRegistry:
    """ports.Registry over SQLite or Postgres."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writer = GroupWriter(database)

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[SqlUnit]:
        """See ports.Registry."""
        with self.database.begin(write=write) as connection:
            unit = SqlUnit(connection, self.database.head_key)
            yield unit
            unit.flush()
        finish(unit)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """See ports.Registry."""
        return self.database.alone(name)

    def submit(self, work: Callable[[Unit], Result]) -> Future[Result]:
        """See ports.Registry."""
        return self._writer.submit(work)

    def sign_heads(self, key: bytes) -> None:
        """See ports.Registry."""
        self.database.head_key = key

    def probe(self) -> None:
        """See ports.Registry."""
        self.database.probe()

    def describe(self) -> str:
        """See ports.Registry."""
        return self.database.describe()

    def close(self) -> None:
        """See ports.Registry."""
        self._writer.close()
        self.database.close()


def open_registry(url: str, *, create: bool = True) -> SqlRegistry:
    """Open a database and bring its tables up to date.

    Raises:
        ProblemsFound: the URL or the file is not usable.
        InfrastructureError: the database cannot be reached or is no study database.
    """
    database = Database(url, create=create)
    bring_up_to_date(database)
    return SqlRegistry(database)
