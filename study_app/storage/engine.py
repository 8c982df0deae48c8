"""Opening a database: SQLite in WAL mode by default, Postgres by URL; the same transactions on both."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from study_app.domain.errors import Conflict, InfrastructureError, Problem, ProblemsFound
from study_app.private_files import make_private, make_private_file
from study_app.storage.sealed.head_keys import HeadKeys

if TYPE_CHECKING:
    from study_app.storage.chained import Signed

BUSY_SECONDS = 30
BUSY_ATTEMPTS = 4
"""Times that a writer waits so long for SQLite's lock, which goes to waiters in no order."""
_CONFLICTS = {"40001", "40P01", "55P03"}
"""SQLSTATEs: serialization_failure, deadlock_detected, lock_not_available."""
PROBE_BYTES = 256 * 1024
"""What the disk must take beside the database for the server to be called well."""
POSTGRES_CONNECTION: dict[str, Any] = {
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 4,
    "tcp_user_timeout": 15_000,
}
"""A database machine that vanishes without a word is given up after some 15 seconds. By the kernel's own settings every
route would wait for a quarter of an hour to two hours."""
MUST_LAST = "must_last"
"""Mark of a connection whose transaction must outlive a power cut."""


def parse_url(url: str) -> URL:
    """Return a database URL with the driver filled in.

    Raises:
        ProblemsFound: it is not a URL, or of a database that is not supported.
    """
    remedy = "use sqlite:///path/to/study.db or postgresql://user:password@host/name"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ProblemsFound([Problem("--database", "", f"'{url}' is not a database URL", remedy)]) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ProblemsFound([Problem("--database", "", f"'{backend}' is not a supported database", remedy)])
    return parsed.set(drivername="postgresql+psycopg") if backend == "postgresql" else parsed


class DatabaseEngine:
    """An engine and its way of beginning transactions."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Connect lazily.

        Args:
            url: `sqlite:///...` or `postgresql://...`.
            create: make the SQLite file and its folder where they are missing; else that is a problem.
        """
        self.url = parse_url(url)
        self.keys = HeadKeys()
        """Sign the heads of the chain of records once the study is launched."""
        self.joined: Sequence[Signed] | None = None
        """Where the chains stood before this process joined to them what an older version had stored."""
        self._log_holds_erased = True
        """A process before this one may have ended between an erasure and the emptying of the log."""
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # One writer at a time is SQLite's rule; queueing in order here beats its busy handler's random sleeps.
        self._writer = threading.Lock() if self.is_sqlite else None
        self.engine = self._sqlite(create) if self.is_sqlite else self._postgres()
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error

    def _sqlite(self, create: bool) -> Engine:
        path = self.url.database
        if path and path != ":memory:":
            if not create and not Path(path).exists():
                remedy = "run study serve or study simulate first, or name another with --database"
                raise ProblemsFound([Problem(path, "--database", "there is no such database", remedy)])
            try:
                Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_private_file(Path(path))
            except OSError as error:
                what = f"the database's folder cannot be made ({error.strerror})"
                raise ProblemsFound([Problem(path, "", what, "choose a folder you can write to")]) from None
            # They may be left over from a process with another umask, and hold the same pages as the database.
            for suffix in ("-wal", "-shm"):
                make_private(Path(f"{path}{suffix}"))
        engine = create_engine(
            self.url,
            hide_parameters=True,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            # More connections than writers: readers are not blocked by a writer in WAL mode, only by an empty pool.
            pool_size=20,
            max_overflow=40,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgres(self) -> Engine:
        # hide_parameters: answers and code of participants would stand in logs of errors. pre_ping: a restarted server
        # leaves dead connections in the pool.
        return create_engine(
            self.url,
            hide_parameters=True,
            # What the URL says wins.
            connect_args={name: value for name, value in POSTGRES_CONNECTION.items() if name not in self.url.query},
            pool_size=10,
            max_overflow=40,
            pool_pre_ping=True,
        )

    @contextmanager
    def begin(self, *, write: bool) -> Iterator[Connection]:
        """Provide a transaction; see ports.Database.begin."""
        with ExitStack() as turn:
            if self._writer is not None and write:
                # Twice as long as the holder may itself wait for another process: beyond that its transaction hangs.
                if not self._writer.acquire(timeout=2 * BUSY_ATTEMPTS * BUSY_SECONDS):
                    what = "another transaction does not end; restart the server"
                    raise InfrastructureError(f"{self.describe()}: {what}")
                turn.callback(self._writer.release)
            with self._transaction(write, turn) as connection:
                yield connection

    @contextmanager
    def _transaction(self, write: bool, turn: ExitStack) -> Iterator[Connection]:
        with self.in_our_words(), self.engine.connect().execution_options(**self._options(write)) as connection:
            # The mark outlives its transaction, for connections are pooled.
            connection.info.pop(MUST_LAST, None)
            connection.info.pop(ERASES, None)
            with connection.begin():
                yield connection
            if connection.info.pop(ERASES, False):
                # Still as the only writer: the next emptying of the log must see it.
                self._log_holds_erased = True
            must_last = connection.info.pop(MUST_LAST, False)
            # The sync is slow, and what other writers commit meanwhile cannot undo what it brings to the disk.
            turn.close()
            if must_last:
                self._flush()

    def empty_log(self) -> bool:
        """Take what was erased out of SQLite's write-ahead log; False where a reader is in the way and it waits.

        The log keeps pages as they were before an erasure until it is written over, which may be never.
        """
        if not self._file or not self._log_holds_erased:
            return True
        with self._writer or nullcontext():
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                # Readers come and go: the next call finds a moment without one, and this one does not wait.
                cursor.execute("PRAGMA busy_timeout=0")
                try:
                    busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                finally:
                    # Whatever came of it: the connection goes back to the pool, and its next writer must wait again.
                    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
            except sqlite3.OperationalError:
                return False
            finally:
                connection.close()
            # While the writer's lock is held: an erasure that is committed right after it must not be overlooked.
            self._log_holds_erased = bool(busy)
        return not busy

    @property
    def _file(self) -> str:
        """Path of an SQLite database; empty for others and for one in memory."""
        name = self.url.database or ""
        return name if self.is_sqlite and name != ":memory:" else ""

    def _flush(self) -> None:
        """Wait until what was committed is on the disk, as `synchronous=FULL` would; Postgres does so by itself."""
        if not self._file:
            return
        # A commit is in the write-ahead log until a checkpoint copies it to the file; after one the log may be gone.
        log = Path(f"{self._file}-wal")
        try:
            handle = os.open(log if log.exists() else self._file, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise InfrastructureError(f"{self.describe()}: {_reason(error)}") from error

    def probe(self) -> None:
        """See ports.Database.probe; beside an SQLite file also whether the disk takes a little more."""
        if self._file:
            try:
                with tempfile.TemporaryFile(dir=Path(self._file).parent) as file:
                    file.write(b"\0" * PROBE_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise InfrastructureError(f"{self.describe()}: {_reason(error)}") from error
        with self.begin(write=True) as connection:
            connection.info[MUST_LAST] = True
            # A real write, for a database in read-only mode or on a full disk still answers SELECT 1.
            # One statement, for servers look at the same moment: of two that delete and insert a row one would fail.
            connection.exec_driver_sql(
                "INSERT INTO locks (name) VALUES ('probe') ON CONFLICT (name) DO UPDATE SET name = excluded.name"
            )

    @contextmanager
    def in_our_words(self) -> Iterator[None]:
        """Provide what goes wrong in the database or its driver, as an InfrastructureError with a remedy."""
        try:
            yield
        except DBAPIError as error:
            raise self._failure(error.orig or error) from error
        except (NoSuchModuleError, SQLAlchemyError) as error:
            raise InfrastructureError(f"{self.describe()}: {error}") from error
        except self._driver_error as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> InfrastructureError:
        kind = Conflict if _is_conflict(error) else InfrastructureError
        return kind(f"{self.describe()}: {_reason(error)}")

    def _options(self, write: bool) -> dict[str, Any]:
        # What is read in one transaction is one snapshot, so that an export is of one moment; SQLite does so anyway.
        # Writers stay at READ COMMITTED on Postgres: after waiting for a row they must see what the other transaction
        # committed, where REPEATABLE READ would abort them.
        if write or self.is_sqlite:
            return {"study_write": write}
        return {"study_write": write, "isolation_level": "REPEATABLE READ"}

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold a name that only one process may hold; see ports.Database.alone."""
        with self._file_lock(name) if self.is_sqlite else self._advisory_lock(name):
            yield

    @contextmanager
    def _file_lock(self, name: str) -> Iterator[None]:
        path = self.url.database
        if not path or path == ":memory:":
            yield
            return
        # flock belongs to the open file and ends with the process, so a killed simulation leaves no stale lock.
        # A separate file: SQLite's own locks are fcntl locks, and closing any descriptor of the database drops them.
        descriptor = os.open(f"{path}.{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _advisory_lock(self, name: str) -> Iterator[None]:
        # Advisory locks are named by a signed 64-bit integer; eight bytes of a hash make collisions improbable.
        number = int.from_bytes(hashlib.sha256(f"study-app:{name}".encode()).digest()[:8], "big", signed=True)
        # A separate connection, outside any transaction: the server lets go of the lock when it is closed.
        with self.in_our_words(), self.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (number,))
            try:
                yield
            finally:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (number,))

    def describe(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    # NORMAL: a killed server loses nothing that was committed. A power cut may lose the last commits, never the file
    # (and never those that must last, see MUST_LAST: steps on the way, allocations, submissions);
    # FULL waits for the disk at each of them, which at 200 participants made a batch of events take seconds.
    # secure_delete: what is erased is overwritten with zeros, whatever this build of SQLite does by default.
    pragmas = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY", "secure_delete=ON")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: a reader that turns writer later could deadlock with another.
    write = connection.get_execution_options().get("study_write", True)
    for attempt in range(1, BUSY_ATTEMPTS + 1):
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
            return
        except OperationalError as error:
            if attempt == BUSY_ATTEMPTS or not _is_conflict(error.orig or error):
                raise


def _is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way: a deadlock, a serialisation failure, a lock that did not come."""
    # psycopg has the five-character code; sqlite3 has only the message.
    state = getattr(error, "sqlstate", None)
    return state in _CONFLICTS or (isinstance(error, sqlite3.OperationalError) and "locked" in str(error))


def _reason(error: BaseException) -> str:
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    remedies = {
        "disk is full": "free some space",
        "no space": "free some space",
        "locked": "another program holds the database; end it and try again",
        "readonly": "make the file and its folder writable",
        "unable to open": "check the path and its permissions",
        "not a database": "name a study database, or move the file away",
        "refused": "start the database server, or correct the address",
        "authentication": "correct user and password in the URL",
        "does not exist": "create the database first",
    }
    remedy = next((what for sign, what in remedies.items() if sign in text.lower()), "see the database's own log")
    return f"{text}; {remedy}"


ERASES = "study_erases"
"""Set in a connection's info by a transaction that erases what a participant wrote."""
