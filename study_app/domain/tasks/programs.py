"""What is run, and what running and grading a program yields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from study_app.domain.events.words import RunEnd
from study_app.domain.tasks.reports import REPORT_BYTES

Stream = Literal["stdout", "stderr"]
EndedBy = RunEnd
IsolationLevel = Literal["strong+", "strong", "medium", "weak", "off"]
RunClock = Literal["real", "virtual"]


@dataclass(frozen=True)
class RunLimits:
    """What one run may use."""

    wall_seconds: float = 12.0
    cpu_seconds: int = 3
    memory_mb: int = 256
    output_bytes: int = 100_000


@dataclass(frozen=True)
class Program:
    """One program to run, and how."""

    code: str
    packages: tuple[str, ...] = ()
    """Import names that the program may use beyond the standard library."""
    limits: RunLimits = field(default_factory=RunLimits)
    seed: int | None = None
    """Scheduler and `random` seed; None lets the runner draw one (and report it)."""
    clock: RunClock = "real"
    call: dict[str, Any] | None = None
    """For grading: the function to call and its input, as JSON; None runs the file as a script."""
    report_bytes: int = REPORT_BYTES
    """The largest report that is read; what reports more is not compared."""
    controlled: bool = False
    """Run a control next to it that measures how late this machine serves a process which is due."""


@dataclass(frozen=True)
class OutputLine:
    """One line as it arrived in the parent."""

    stream: Stream
    text: str
    seconds: float
    """Since the start of the run, by the parent's monotonic clock."""


@dataclass(frozen=True)
class RunResult:
    """What one run did."""

    stdout: str
    stderr: str
    lines: tuple[OutputLine, ...]
    """As shown while it ran; a line that the other stream broke into comes in parts."""
    exit_status: int | None
    ended_by: EndedBy
    wall_seconds: float
    isolation: IsolationLevel
    scheduler_seed: int
    error_type: str | None = None
    """Class name of the exception that ended the program (of a group: its first leaf), None where none did."""
    error_message: str | None = None
    error_line: int | None = None
    """Line in the participant's own code."""
    observation: dict[str, Any] | None = None
    """For a grading call: what the child reported, unjudged, beside what the parent saw by its own clock."""
    lag_seconds: float | None = None
    """How late a control process beside the run was served at most; None where none ran."""
    warning_types: tuple[str, ...] = ()
    """Categories of the warnings printed for the participant's own lines, such as RuntimeWarning."""
    order: str = ""
    """Which stream was written when: `o12e40o3` is 12 characters of stdout, 40 of stderr, 3 of stdout. What stderr
    holds beyond that is the runner's own note on a limit."""
    figures: tuple[str, ...] = ()
    """What it drew: PNG in base64, known to be harmless (`domain.tasks.figures`)."""


def in_order(stdout: str, stderr: str, order: str) -> list[tuple[Stream, str]]:
    """Both streams in the order in which they were written; without it, standard output first.

    Args:
        stdout: all of standard output.
        stderr: all of standard error.
        order: as in `RunResult.order`.
    """
    if not order:
        return [(stream, text) for stream, text in (("stdout", stdout), ("stderr", stderr)) if text]  # type: ignore[misc]
    texts: dict[str, tuple[Stream, str]] = {"o": ("stdout", stdout), "e": ("stderr", stderr)}
    at = dict.fromkeys(texts, 0)
    parts: list[tuple[Stream, str]] = []
    for letter, digits in re.findall(r"([oe])(\d+)", order):
        stream, text = texts[letter]
        start, at[letter] = at[letter], at[letter] + int(digits)
        parts.append((stream, text[start : at[letter]]))
    return parts


@dataclass(frozen=True)
class CheckResult:
    """One check's verdict."""

    name: str
    visible: bool
    passed: bool | None
    """None where the machine was too busy to judge it."""
    message: str = ""
    """For visible checks only, as all below: expected against found, for the participant."""
    call: str = ""
    """The call that was made."""
    expected: str = ""
    """Lines to lay beside `seen`; both empty where the message says it all."""
    seen: str = ""
    cause: str = ""
    """What kept the call from its end: an exception with its line, or a limit. The same words for the same cause."""

    def shown(self) -> dict[str, object]:
        """Return what the participant's page may have of it."""
        parts = {"message": self.message, "call": self.call, "expected": self.expected, "seen": self.seen}
        return {"name": self.name, "passed": self.passed, **parts, "cause": self.cause}


@dataclass(frozen=True)
class Isolation:
    """The isolation that was observed by canaries, not assumed from what is installed."""

    level: IsolationLevel
    message: str
    """One sentence for the researcher."""
    landlock_abi: int | None = None
    kernel: str = ""
    canaries: dict[str, bool] = field(default_factory=dict)
    """Canary name -> stopped."""
    bounds: dict[str, str] = field(default_factory=dict)
    """Means -> what it bounds of a run's resources, or why it does not."""


@dataclass(frozen=True)
class Grade:
    """The verdict on one program."""

    checks: tuple[CheckResult, ...]
    clock: RunClock
    """The clock asked for."""
    run_seed: int
    """From which hidden inputs and scheduler seeds were drawn."""
    scheduler_seeds: tuple[int, ...]
    isolation: IsolationLevel
    regraded_on_real_clock: bool = False
    """The virtual clock could not be trusted: the program blocks or starts threads."""
    error_type: str | None = None
    """Of the first check that an exception failed."""
    error_message: str | None = None
    error_line: int | None = None
    review: tuple[str, ...] = ()
    """What a person may want to look at: imports that honest solutions do not need. Decides nothing."""
    inconclusive: str | None = None
    """Why some check could not be judged, None where all were."""
    repeats: int = 0
    """Calls that were run again, because the machine lagged."""

    @property
    def passed(self) -> int:
        """Checks passed."""
        return sum(check.passed is True for check in self.checks)

    @property
    def total(self) -> int:
        """Checks in all."""
        return len(self.checks)

    @property
    def complete(self) -> bool:
        """Every check passed."""
        return self.passed == self.total

    @property
    def visible_only_pass(self) -> bool:
        """Passes every check that it could see, and fails one that it could not."""
        seen = [check.passed for check in self.checks if check.visible]
        unseen = [check.passed for check in self.checks if not check.visible]
        return bool(seen) and all(seen) and not all(unseen)
