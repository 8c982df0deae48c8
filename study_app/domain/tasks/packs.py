"""What a task pack is, and what running and grading a program yields."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from study_app.domain.events.words import RunEnd
from study_app.domain.file_tables import FileTable
from study_app.domain.tasks.checks import Check
from study_app.domain.tasks.reports import REPORT_BYTES

Stream = Literal["stdout", "stderr"]
EndedBy = RunEnd
IsolationLevel = Literal["strong+", "strong", "medium", "weak", "off"]
RunClock = Literal["real", "virtual"]
Runner = Literal["trio", "asyncio", "none"]
"""Who calls an async function of the pack: `trio.run`, `asyncio.run`, or nothing (plain calls)."""


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
        """What the participant's page may have of it."""
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


Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class LimitSettings(FileTable):
    """`[limits]` of a task.toml; what is left out is as in `RunLimits`."""

    model_config = ConfigDict(strict=True)

    wall_seconds: Annotated[float, Field(gt=0, le=120)] = RunLimits.wall_seconds
    cpu_seconds: Annotated[int, Field(ge=1, le=60)] = RunLimits.cpu_seconds
    memory_mb: Annotated[int, Field(ge=64, le=4096)] = RunLimits.memory_mb
    output_bytes: Annotated[int, Field(ge=1000, le=10_000_000)] = RunLimits.output_bytes

    def limits(self) -> RunLimits:
        """As a run takes them."""
        return RunLimits(**self.model_dump())


VariantKind = Literal["conflict", "limit", "oneoff"]
"""Why a variant cannot be done: two of its demands exclude each other, a limit is out of reach, or one example expects
a value that the task as described does not give."""


class Variant(FileTable):
    """`[variant]` of a task.toml: the pack is a task that cannot be done as described."""

    of: Identifier
    """The twin: the pack in the same folder that can be done, and in whose place the variant stands."""
    kind: VariantKind


class PackSettings(FileTable):
    """A task.toml."""

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=80)]
    packages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.\w+)*$")], ...] = ()
    """Import names beyond the standard library that programs may use."""
    clock: RunClock = "real"
    """`virtual`: Trio's time can be simulated, so visible examples answer at once; `real`: it cannot."""
    runner: Runner = "none"
    concepts: tuple[str, ...] = ()
    """Concepts that the task exercises, in the words of the item banks."""
    limits: LimitSettings = LimitSettings()
    starter: Annotated[str, Field(pattern=r"^(own:[a-z][a-z0-9_]*)?$")] = ""
    """`own:TASK`: participants begin with what they handed in for that earlier task, without an assistant; with
    `starter.py` where they handed nothing in."""
    variant: Variant | None = None
    """Where given, the task cannot be done as described, and `study check` proves it."""


@lru_cache(maxsize=256)
def _submodules(packages: tuple[str, ...], *programs: str) -> tuple[str, ...]:
    """Dotted names below the packages that programs import, as far as their text tells."""
    tops = {name.partition(".")[0] for name in packages}
    found: dict[str, None] = {}
    for program in programs:
        try:
            nodes = list(ast.walk(ast.parse(program)))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name: None for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module: None}
                found |= {f"{node.module}.{alias.name}": None for alias in node.names if alias.name != "*"}
    return tuple(name for name in found if "." in name and name.partition(".")[0] in tops and name not in packages)


@dataclass(frozen=True)
class TaskPack:
    """One task: what participants read and start from, and what only the server knows."""

    settings: PackSettings
    folder: str
    brief: str
    """Markdown."""
    starter: str
    reference: str
    """Notes on the library for every participant, Markdown."""
    solution: str
    """Never leaves the server."""
    checks: tuple[Check, ...]
    """Never leave the server, but for names and verdicts of the visible ones."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Name -> program that lacks one behaviour, by which `study check` proves the checks; never leaves the server."""
    hack: str = ""
    """Of a variant: a program that passes every visible check without doing the task; never leaves the server."""
    twin: TaskPack | None = None
    """Of a variant: the task that can be done."""

    @property
    def id(self) -> str:
        """The pack's id."""
        return self.settings.id

    @property
    def title(self) -> str:
        """Shown to participants."""
        return self.settings.title

    @property
    def continues(self) -> str:
        """The earlier task whose submission it begins with; empty for its own starter."""
        return self.settings.starter.removeprefix("own:")

    def beginning(self, submitted: Mapping[str, str]) -> str:
        """What a participant's editor holds at first.

        Args:
            submitted: task -> what the participant handed in for it.
        """
        return submitted.get(self.continues) or self.starter

    @property
    def packages(self) -> tuple[str, ...]:
        """Import names that programs may use, with the submodules that the pack's own programs import.

        They are imported before any program runs, so that no participant waits for them.
        """
        return (*self.settings.packages, *_submodules(self.settings.packages, self.solution, self.starter))

    @property
    def limits(self) -> RunLimits:
        """What one run may use."""
        return self.settings.limits.limits()

    @property
    def examples(self) -> tuple[Check, ...]:
        """The visible checks."""
        return tuple(check for check in self.checks if check.visible)

    @property
    def hidden(self) -> tuple[Check, ...]:
        """The checks that participants do not see."""
        return tuple(check for check in self.checks if not check.visible)

    def program(self, code: str, *, seed: int | None = None) -> Program:
        """A participant's program as the sandbox runs it for Run."""
        return Program(code, self.packages, self.limits, seed)
