"""What a power calculation takes for granted about the people and the outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from study_app.domain.errors import Problem, ProblemsFound

MEAN_COUNT = 3.0
"""Events a person of the control arm, for counts."""
COUNT_STEP = 0.5
"""Change of the log of a count's mean by one standard deviation of what lies behind it."""
OF_SECOND_DECISION = ("responders", "second_effect")
"""Assumptions that only a study with a second decision rests on."""
SPREADS = 6.0
"""Standard deviations that a bounded scale holds; the control arm's mean lies in its middle."""
TIME_SPREAD = 0.2
"""Standard deviation of minutes as a share of the cap."""


@dataclass(frozen=True)
class Assumptions:
    """Numbers that no study file holds; every result of a calculation names them."""

    r2: float = 0.0
    """Share of an outcome's variance that the plan's covariates explain together."""
    dropout: float = 0.0
    """Share of either arm that leaves after allocation: no score, no event; times count as the plan says."""
    incomplete: float = 0.1
    """Share of the control arm that does not reach the event of a time before the cap."""
    share: float = 0.5
    """Share of the control arm with a binary outcome."""
    correlation: float = 0.3
    """Between any two outcomes of a person, of what the covariates leave open."""
    icc: float = 0.0
    """Share of the variance that lies between clusters."""
    periods: float = 0.5
    """Correlation between two periods of a person, in a sequence of treatments."""
    cluster_size: int = 10
    """People in a cluster."""
    responders: float = 0.5
    """Share of each arm that responds, where those who do not are randomised a second time."""
    second_effect: float = 0.5
    """Each other second treatment minus the first one listed, among people who do not respond, in standard
    deviations before any cap or bound."""
    sd: Mapping[str, float] = field(default_factory=dict)
    """Primary outcome -> standard deviation of the control arm in the outcome's unit, before any cap or bound."""

    def check(self) -> Assumptions:
        """Return these assumptions.

        Raises:
            ProblemsFound: a share lies outside of its range; all at once.
        """
        ranges = {"r2": (0, 1), "dropout": (0, 1), "incomplete": (0, 1), "share": (0, 1), "icc": (0, 1),
                  "periods": (0, 1)}  # fmt: skip
        found = [
            Problem(f"--{name}", "", f"{value:g} is not a share", f"give a number from {low} to below {high}")
            for name, (low, high) in ranges.items()
            if not low <= (value := getattr(self, name)) < high
        ]
        if not -1 < self.correlation < 1 or self.correlation < 0:
            found.append(Problem("--correlation", "", f"{self.correlation:g}", "give a number from 0 to below 1"))
        if not 0 < self.responders < 1:
            what = f"{self.responders:g} leaves one side of the response rule empty"
            found.append(Problem("--responders", "", what, "give a number between 0 and 1"))
        if not math.isfinite(self.second_effect):
            found.append(Problem("--second-effect", "", "not a finite number", "give a difference such as 0.5"))
        if self.r2 + self.icc >= 1:
            found.append(Problem("--r2", "", f"{self.r2:g} with --icc {self.icc:g} leaves no variance", "lower one"))
        if not 0 < self.share < 1 or not 0 < self.incomplete < 1:
            found.append(Problem("--share, --incomplete", "", "0 leaves nothing to compare", "give more than 0"))
        if self.cluster_size < 1:
            found.append(Problem("--cluster-size", "", f"{self.cluster_size}", "give 1 or more"))
        if found:
            raise ProblemsFound(found)
        return self

    def to_json(self, *, second: bool = False) -> dict[str, Any]:
        """By name; those of a second decision only where `second`."""
        return {name: value for name, value in asdict(self).items() if second or name not in OF_SECOND_DECISION}


def as_text(assumed: Mapping[str, Any]) -> str:
    """Return what `Assumptions.to_json` gave as text for readers, the standard deviation of each outcome by itself."""
    numbers = {name: value for name, value in assumed.items() if name != "sd"}
    numbers |= {f"sd of {outcome}": value for outcome, value in assumed["sd"].items()}
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())
