"""The server's log: a line of JSON for each entry, without anything that a participant entered or is known by.

A message of ours is a constant sentence; what varies is either a number or stands in one of the fields below. Of an
exception the log has its type and where it came from: its message can quote what a person typed. Only a failure of the
operating system or of the database's connection is quoted, which speaks of files, disks and hosts.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

FORMAT = "STUDY_LOG_FORMAT"
"""Environment variable: `json` or `text`; by default text in a terminal and JSON elsewhere."""
FIELDS = ("alert", "method", "replica", "route", "run", "seconds", "status", "submission", "task", "turn", "version")
"""Names of extra fields that an entry may have; a participant's id is none of them."""
OURS = ("study_app", "analysis")
_HIDDEN = "*"
_MESSAGE = "(a message of this library)"


class StudyFormatter(logging.Formatter):
    """Makes an entry of a record."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """See logging."""
        found = entry(record)
        if self._as_json:
            return json.dumps(found)
        more = {name: value for name, value in found.items() if name not in ("time", "level", "logger", "message")}
        stack = more.pop("stack", [])
        lines = [f"{found['time']} {found['level']} {found['logger']}: {found['message']}"]
        lines[0] += "".join(f" {name}={value}" for name, value in more.items())
        return "\n".join([*lines, *(f"    {frame}" for frame in stack)])


def entry(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the log may say of a record."""
    found: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record),
    }
    found |= {name: _plain(getattr(record, name)) for name in FIELDS if hasattr(record, name)}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        found |= {"error": _kind(error), "stack": list(_stack(error))}
        if (reason := _reason(error)) is not None:
            found["reason"] = reason
    if _of_others(record):
        found["from"] = f"{_short(record.pathname)}:{record.lineno}"
    return found


def _of_others(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] not in OURS


def _message(record: logging.LogRecord) -> str:
    template = str(record.msg)
    if _of_others(record) and not record.args:
        # It may have been put together of anything.
        return _MESSAGE
    values = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
    try:
        return template % tuple(map(_shown, values)) if values else template
    except (TypeError, ValueError, KeyError):
        return template


def _shown(value: object) -> Any:
    # A number can be a duration or a count; any text may be what a person typed, or their name.
    if isinstance(value, bool | int | float):
        return value
    return _kind(value) if isinstance(value, BaseException) else _HIDDEN


def _plain(value: object) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)[:200]


def _kind(error: BaseException) -> str:
    """Type of an exception, and the SQLSTATE where a database gave one."""
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    return f"{type(error).__name__}({state})" if isinstance(state, str) and len(state) == 5 else type(error).__name__


def _stack(error: BaseException) -> Iterator[str]:
    """Yield places, outermost first; of what it was raised from, after it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield _kind(following)
        for frame in traceback.extract_tb(following.__traceback__)[-20:]:
            yield f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
        following = following.__cause__ or following.__context__


def _reason(error: BaseException) -> str | None:
    """Return why the system or the database's connection failed; None for everything that could quote a person."""
    following: BaseException | None = error
    for _ in range(10):
        if following is None:
            return None
        if isinstance(following, OSError) and following.strerror:
            return following.strerror
        # The driver's own error and not SQLAlchemy's, whose text holds the statement with its values.
        if type(following).__name__ == "OperationalError" and not hasattr(following, "statement"):
            return str(following).strip().partition("\n")[0][:300]
        following = following.__cause__ or following.__context__
    return None


def _short(path: str) -> str:
    """Return the last parts of a file's path: folders above can be named after a person."""
    return "/".join(Path(path).parts[-3:])


class ErrorCount(logging.Handler):
    """Counts entries at the level of errors."""

    def __init__(self, count: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """See logging."""
        self._count(".".join(record.name.split(".")[:3]))


def begin_logging(setting: str = "", on_error: Callable[[str], None] | None = None) -> None:
    """Let everything that this process logs take this way, also what Streamlit logs and what ends a thread.

    Args:
        setting: `json`, `text`, or empty to choose by where the log goes.
        on_error: called with the part that logged an error.
    """
    as_json = setting == "json" or (setting != "text" and not sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(StudyFormatter(as_json=as_json))
    # A library that sets its own logger to debug passes by the level of the root.
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    # In place of whatever a library has added: a second handler would write the whole record after all.
    root.handlers[:] = [handler, *([ErrorCount(on_error)] if on_error else [])]
    root.setLevel(logging.WARNING)
    logging.getLogger("study_app").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda ended: _log_uncaught(ended.exc_value)


def quiet_streamlit() -> None:
    """Take Streamlit's own handlers away: it writes whole tracebacks, with what is in them."""
    import streamlit.logger as theirs

    for logger in theirs._loggers.values():  # noqa: SLF001
        logger.handlers[:] = []
        logger.propagate = True
    # Streamlit makes loggers as it goes, and gives each a handler through this function.
    theirs.setup_formatter = lambda logger: setattr(logger, "propagate", True)


def _uncaught(_kind: type[BaseException], error: BaseException, _where: TracebackType | None) -> None:
    _log_uncaught(error)


def _log_uncaught(error: BaseException | None) -> None:
    if error is not None:
        logging.getLogger("study_app.web").critical("a thread ended by an error", exc_info=error)
