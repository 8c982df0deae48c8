"""What the reference solution does with a call: the same for everybody, so kept."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.checks import Case, Check, Observation
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.reports import REPORT_BYTES
from study_app.ports import Sandbox
from study_app.services.grading.observation import Attempt, How, observe_reference
from study_app.services.grading.verdicts import QUIET

CRASHES = ("ImportError", "MemoryError", "ModuleNotFoundError", "PanicException", "SystemError")
"""What a library raises that does not work here; no task is about them, and every program that uses it fails alike."""
_ATTEMPTS = 6
"""Times that a reference is timed in real time before the machine is called too busy."""


class TooBusy(Exception):
    """The reference solution could not be timed: the machine lagged at every attempt."""


@dataclass(frozen=True)
class Expected:
    """What a check expects of a call."""

    observation: Observation
    report_bytes: int = REPORT_BYTES
    """The largest report worth reading: an honest result is about as long as the reference's."""
    blocks: bool = False
    """The reference solution blocks its event loop, too."""


class References:
    """Observations of reference solutions.

    Args:
        size: how many are kept, the latest.
    """

    def __init__(self, size: int = 4096) -> None:
        self._kept: OrderedDict[str, Expected] = OrderedDict()
        self._lock = threading.Lock()
        self._size = size

    def expected(self, sandbox: Sandbox, pack: TaskPack, check: Check, case: Case) -> Expected:
        """Return what a check expects: as its author states it, else as the reference solution does it.

        Raises:
            SandboxUnavailable: the reference solution did not come to an end.
            TooBusy: it could not be timed.
        """
        stated = check.stated(case)
        return Expected(stated) if stated is not None else self._of(sandbox, pack, case, check.timed)

    def _of(self, sandbox: Sandbox, pack: TaskPack, case: Case, timed: bool) -> Expected:
        timed = timed and pack.settings.clock == "real"
        call = case.as_call("", pack.settings.runner)
        # Everything that the observation depends on, and nothing else: an edited solution must not find what the old
        # one did.
        material = json.dumps([pack.solution, pack.packages, pack.settings.clock, call, timed], sort_keys=True)
        key = hashlib.sha256(material.encode()).hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        # Outside the lock: two threads may observe the same call, which costs a run, but none waits for another's
        # reference.
        expected = _observed(sandbox, pack, case, timed)
        with self._lock:
            self._kept[key] = expected
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return expected


def _observed(sandbox: Sandbox, pack: TaskPack, case: Case, timed: bool) -> Expected:
    attempt = _timed(sandbox, pack, case) if timed else _undisturbed(sandbox, pack, case)
    seen = attempt.seen
    if seen.missing is not None:
        raise SandboxUnavailable(f"the reference solution of {pack.id} failed on {case}: {seen.missing}")
    if seen.error in CRASHES:
        raise SandboxUnavailable(f"the reference solution of {pack.id} failed on {case}: {seen.error}")
    # Twice as long, for an honest program may return or print somewhat more than the reference.
    return Expected(seen, max(REPORT_BYTES, 2 * attempt.size), blocks=seen.suspicious or seen.stalled > QUIET)


def _undisturbed(sandbox: Sandbox, pack: TaskPack, case: Case) -> Attempt:
    """By the pack's clock; on a busy machine a step can look like one that blocks, so that is seen more than once."""
    for number in range(_ATTEMPTS):
        attempt = observe_reference(sandbox, pack, case, How(0, pack.settings.clock, attempt=number))
        if not attempt.seen.suspicious and attempt.result.ended_by != "time":
            break
    return attempt


def _timed(sandbox: Sandbox, pack: TaskPack, case: Case) -> Attempt:
    for number in range(_ATTEMPTS):
        attempt = observe_reference(sandbox, pack, case, How(0, "real", controlled=True, attempt=number))
        if attempt.lag is None or attempt.lag <= QUIET:
            return attempt
    raise TooBusy(f"the reference solution of {pack.id} could not be timed: the machine was too busy")
