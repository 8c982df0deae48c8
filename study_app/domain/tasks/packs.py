"""What a task pack is."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from study_app.domain.file_tables import FileTable
from study_app.domain.syntax import UNREADABLE, parse
from study_app.domain.tasks.checks import Check
from study_app.domain.tasks.programs import Program, RunClock, RunLimits

Runner = Literal["trio", "asyncio", "none"]
"""Who calls an async function of the pack: `trio.run`, `asyncio.run`, or nothing (plain calls)."""


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
            nodes = list(ast.walk(parse(program)))
        except UNREADABLE:
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
        """Return what a participant's editor holds at first.

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
        """Return a participant's program as the sandbox runs it for Run."""
        return Program(code, self.packages, self.limits, seed)
