"""This process among the servers of a study."""

from __future__ import annotations

import os
import secrets

from study_app.clock import SystemClock
from study_app.domain.records import Replica
from study_app.notifications import machine_name


def this_replica() -> Replica:
    """Return this process as the other servers of the study know it."""
    now = SystemClock().now()
    return Replica(secrets.token_hex(8), _machine(), os.getpid(), now, now)


def _machine() -> str:
    """Return what processes share that can see each other's ids; containers of one host do not."""
    try:
        spaces = os.readlink("/proc/self/ns/pid")
    except OSError:
        spaces = ""
    return f"{machine_name()} {spaces}"


def has_ended(replica: Replica) -> bool:
    """Return whether a server of this machine has ended: no process has its id."""
    if replica.machine != _machine() or replica.process == os.getpid():
        return False
    # Signal 0 is only the check whether it could be sent. An id that was given to another program keeps the server
    # alive until its signs of life stop, which costs time and cancels nothing.
    try:
        os.kill(replica.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, as another user's
        return False
    return False
