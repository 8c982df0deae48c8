"""What verification found: breaches by name, and what was checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

MOST = 200
"""Findings of one name that are kept; the rest is counted."""


FindingClass = Literal["tampering", "protocol", "browser"]

PROTOCOL = frozenset(
    {"agent_in_wrong_arm", "agent_tool_differs", "approval_mode_differs"}
    | {"assistant_outside_stage", "code_before_explanation"}
    | {"persona_differs", "coded_before_freeze", "coded_in_sealed_half", "model_differs", "model_drifted"}
    | {"step_after_deadline", "treatment_differs"}
    | {"interview_before_outcome", "interview_turn_after_deadline", "interview_wording_differs", "rule_broken_unlogged"}
    | {"probe_early", "probe_repeated", "probe_too_long", "probe_unplanned"}
)
"""The platform, the provider or a researcher did other than the study declares."""
BROWSER = frozenset(
    {"browser_clock_back", "browser_gap", "claims_a_reply", "edit_of_no_step", "edits_unapplied"}
    | {"probe_not_shown", "program_not_from_edits", "worked_during_probe"}
)
"""What a browser sent cannot be, and nothing that the study rests on was changed by it."""
CLASSES: Mapping[str, FindingClass] = {
    **dict.fromkeys(PROTOCOL, "protocol"),
    **dict.fromkeys(BROWSER, "browser"),
}
"""Name of a finding -> its class; every other name is one of tampering."""


def class_of(name: str) -> FindingClass:
    """Tampering, unless the name is one of the two other classes."""
    return CLASSES.get(name, "tampering")


@dataclass(frozen=True)
class DatasetFinding:
    """One breach, or one odd thing that a browser sent."""

    name: str
    """Which kind; docs/reference/dataset.md lists them."""
    file: str
    """Relative to the dataset; empty for the dataset as a whole."""
    row: int | None
    """Row of the file, its header being row 1; None where no single row is meant."""
    message: str

    @property
    def finding_class(self) -> FindingClass:
        """Whether it speaks of tampering, of a departure from the protocol, or of a browser only."""
        return class_of(self.name)

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {"class": self.finding_class, **vars(self)}

    def __str__(self) -> str:
        where = f"{self.file or 'dataset'}{f': row {self.row}' if self.row is not None else ''}"
        return f"{self.finding_class}: {where}: {self.name}: {self.message}"


@dataclass
class VerifyReport:
    """The result of a verification."""

    path: str
    findings: list[DatasetFinding] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    """What was checked and held, and what could not be checked and why; one line each."""
    counts: dict[str, int] = field(default_factory=dict)
    """Findings by name, all of them."""

    @property
    def ok(self) -> bool:
        """Whether nothing speaks of tampering or of a departure from the protocol."""
        classes = self.classes
        return not classes["tampering"] and not classes["protocol"]

    @property
    def classes(self) -> dict[FindingClass, int]:
        """Findings by class, all of them."""
        found: Counter[FindingClass] = Counter()
        for name, count in self.counts.items():
            found[class_of(name)] += count
        return {"tampering": found["tampering"], "protocol": found["protocol"], "browser": found["browser"]}

    def add(self, name: str, file: str, row: int | None, message: str) -> None:
        """Note a breach."""
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.counts[name] <= MOST:
            self.findings.append(DatasetFinding(name, file, row, message))

    def take(self, other: VerifyReport, folder: str) -> None:
        """Take over what was found in a dataset within this one."""
        for finding in other.findings:
            self.findings.append(replace(finding, file=f"{folder}/{finding.file}".rstrip("/")))
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        self.passed += [f"{folder}: {line}" for line in other.passed]

    def note(self, line: str) -> None:
        """Note what held, or what could not be checked."""
        self.passed.append(line)

    def lines(self) -> list[str]:
        """For people: what held, then every finding with its class."""
        more = [f"{name}: {n - MOST} more of this name" for name, n in sorted(self.counts.items()) if n > MOST]
        lines = [*(f"checked: {line}" for line in self.passed), *map(str, self.findings), *more]
        if self.ok and self.findings:
            lines.append(
                "What browsers sent is listed and is not a breach: nothing that the study rests on was changed by it."
            )
        return lines

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "dataset": self.path,
            "ok": self.ok,
            "classes": dict(self.classes),
            "findings": [finding.to_json() for finding in self.findings],
            "counts": dict(sorted(self.counts.items())),
            "passed": list(self.passed),
        }
