"""What verification found: breaches by name, and what was checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST = 200
"""Findings of one name that are kept; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """One breach."""

    name: str
    """Which kind; docs/dataset.md lists them."""
    file: str
    """Relative to the dataset; empty for the dataset as a whole."""
    row: int | None
    """Row of the file, its header being row 1; None where no single row is meant."""
    message: str

    def __str__(self) -> str:
        where = self.file or "dataset"
        return f"{where}{f': row {self.row}' if self.row is not None else ''}: {self.name}: {self.message}"


@dataclass
class VerifyReport:
    """The result of a verification."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    """What was checked and held, and what could not be checked and why; one line each."""
    counts: dict[str, int] = field(default_factory=dict)
    """Findings by name, all of them."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, name: str, file: str, row: int | None, message: str) -> None:
        """Note a breach."""
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.counts[name] <= MOST:
            self.findings.append(Finding(name, file, row, message))

    def note(self, line: str) -> None:
        """Note what held, or what could not be checked."""
        self.passed.append(line)

    def lines(self) -> list[str]:
        """For people: what held, then every breach."""
        more = [f"{name}: {n - MOST} more of this name" for name, n in sorted(self.counts.items()) if n > MOST]
        return [*(f"checked: {line}" for line in self.passed), *map(str, self.findings), *more]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "dataset": self.path,
            "ok": self.ok,
            "findings": [vars(finding) for finding in self.findings],
            "counts": dict(sorted(self.counts.items())),
            "passed": list(self.passed),
        }
