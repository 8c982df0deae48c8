"""Starting the second process, giving it work, and ending it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from study_app.domain.errors import InfrastructureError, present
from study_app.ports import UnitOfWork
from study_app.storage.driver import Driver
from study_app.storage.engine import DatabaseEngine

Result = TypeVar("Result")

LONG_LOG = 200_000
"""Events of which a second process reads the log sooner than this one would: to start, it takes about a second."""
PROGRAM = "study_app.storage.second_reader"
READY, SEEN = b"ready\n", b"seen\n"
"""What it says once it is connected, and once it sees what it has to."""


class LaterHere:
    """Stands in for the process: does the work in the given transaction when its result is asked for."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def start(self, work: Callable[[UnitOfWork], Result]) -> Callable[[], Result]:
        """See ports.SecondReader."""
        return lambda: work(self._unit)


class ReadingProcess:
    """The process; made by `reading_process`, which ends it."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process, self._said = process, said
        self._to: IO[bytes] = present(process.stdin, "the way to the second process")
        self._from: IO[bytes] = present(process.stdout, "the way from the second process")

    def connect(self, url: str) -> None:
        """Let it open the database.

        Raises:
            InfrastructureError: it has ended.
        """
        self._tell(url)
        self._expect(READY)

    def see(self, snapshot: str | None) -> None:
        """Let it begin its transaction, on Postgres with an exported snapshot.

        Raises:
            InfrastructureError: it has ended.
        """
        self._tell(snapshot)
        self._expect(SEEN)

    def start(self, work: Callable[[UnitOfWork], Result]) -> Callable[[], Result]:
        """See ports.SecondReader."""
        self._tell(work)
        return self._result

    def _result(self) -> Any:
        done, value = self._answer()
        if done:
            return value
        raise value

    def _answer(self) -> tuple[bool, Any]:
        try:
            found: tuple[bool, Any] = pickle.load(self._from)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._ended() from None
        return found

    def _tell(self, what: Any) -> None:
        try:
            pickle.dump(what, self._to)
            self._to.flush()
        except OSError:
            raise self._ended() from None

    def _expect(self, line: bytes) -> None:
        if self._from.readline() != line:
            raise self._ended()

    def _ended(self) -> InfrastructureError:
        status = self._process.wait()
        self._said.seek(0)
        last = next(iter(self._said.read().decode(errors="replace").strip().splitlines()[::-1]), "")
        how = f"signal {-status}; memory may have run out" if status < 0 else f"exit status {status}"
        return InfrastructureError(
            f"the second process that reads the log ended before it was done ({how}{': ' if last else ''}{last}); "
            "try again"
        )


def cores() -> int:
    """Return how many cores this process may use."""
    own = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own is not None else os.cpu_count() or 1


def pays(database: DatabaseEngine) -> bool:
    """Return whether a second process would be done sooner: there is a core for it, and the log is long."""
    if cores() < 2 or database.url.database == ":memory:":
        return False
    with database.begin(write=False) as connection:
        last = Driver(connection).one("SELECT max(event_id) FROM events")
    return last is not None and (last[0] or 0) >= LONG_LOG


@contextmanager
def reading_process(database: DatabaseEngine) -> Iterator[ReadingProcess | None]:
    """Provide a process that is connected; None where there can be none. At the end it is ended, done or not."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                # Not the module of another folder: -P leaves the working directory out of the search for modules.
                [sys.executable, "-P", "-m", PROGRAM],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=_environment(),
            )  # fmt: skip
        except OSError:
            yield None
            return
        try:
            yield _connected(ReadingProcess(process, said), database)
        finally:
            process.kill()
            process.wait()
            for way in (process.stdin, process.stdout):
                # What was not sent any more was for a process that has ended.
                with suppress(OSError):
                    present(way, "a way of the second process").close()


def _connected(process: ReadingProcess, database: DatabaseEngine) -> ReadingProcess | None:
    try:
        process.connect(database.url.render_as_string(hide_password=False))
    except InfrastructureError:
        return None
    return process


def _environment() -> dict[str, str]:
    """Return the environment without the study's own variables, and with the place of this very package."""
    handed_on = {key: value for key, value in os.environ.items() if not key.startswith("STUDY_")}
    places = [str(Path(__file__).parents[3]), handed_on.get("PYTHONPATH", "")]
    return handed_on | {"PYTHONPATH": os.pathsep.join(filter(None, places))}


def shared(process: ReadingProcess, database: DatabaseEngine, driver: Driver) -> bool:
    """Let a process see what a transaction sees that has read nothing yet; False where that cannot be."""
    # Postgres hands a view of the database from one transaction to another. SQLite does not: both begin to read while
    # none can write.
    try:
        with database.begin(write=True) if database.is_sqlite else nullcontext():
            process.see(_snapshot(database, driver))
    except InfrastructureError:
        # The process has ended, or another program does not let go of the database: one reader does it, too.
        return False
    return True


def _snapshot(database: DatabaseEngine, driver: Driver) -> str | None:
    if not database.is_sqlite:
        return str(driver.returned("SELECT pg_export_snapshot()")[0])
    # SQLite fixes what a transaction sees at its first reading.
    driver.one("SELECT count(*) FROM chains")
    return None
