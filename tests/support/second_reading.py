"""Work for a second reader: importable in its process, too."""

from __future__ import annotations

import os
import signal
from typing import Any


def people(unit: Any) -> tuple[int, list[str]]:
    """Which process it is, and whom it sees."""
    return os.getpid(), [person.id for person in unit.participants()]


def fail(error: Exception, _unit: Any) -> None:
    """Raise it."""
    raise error


def end(_unit: Any) -> None:
    """End the process as the system does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
