"""What a task pack is, and what running and grading a program yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Stream = Literal["stdout", "stderr"]
EndedBy = Literal["exit", "time", "cpu", "memory", "output", "cancelled", "infrastructure"]
IsolationLevel = Literal["strong+", "strong", "medium", "weak", "off"]


@dataclass(frozen=True)
class Limits:
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
    limits: Limits = field(default_factory=Limits)
    seed: int | None = None
    """Scheduler and `random` seed; None lets the runner draw one (and report it)."""
    clock: Literal["real", "virtual"] = "real"
    call: dict[str, Any] | None = None
    """For grading: the function to call and its input, as JSON; None runs the file as a script."""


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
    warning_types: tuple[str, ...] = ()
    """Categories of the warnings printed for the participant's own lines, such as RuntimeWarning."""


@dataclass(frozen=True)
class CheckResult:
    """One check's verdict."""

    name: str
    visible: bool
    passed: bool
    message: str = ""
    """For visible checks only: expected against found, for the participant."""


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
