"""The analysis plan: the [analysis] table of the study file, frozen and hashed at launch.

`Plan()` is the default plan: two co-primary outcomes (quiz points and completion minutes) under Holm, both decided by
re-randomisation under the logged scheme. A study file writes down only what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.styles.codes import Coder

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Role = Literal["primary", "secondary", "sensitivity", "exploratory"]
Population = Literal["itt", "per_protocol", "as_treated", "complier"]
OutcomeKind = Literal["bounded", "continuous", "time", "binary", "ordinal", "count"]
Strategy = Literal["treatment_policy", "composite", "hypothetical", "while_on_treatment", "principal_stratum"]
OptionValue = bool | int | float | str


class Table(BaseModel):
    """Any table of the plan: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outcome(Table):
    """One variable that is compared between arms."""

    id: Name
    column: str = ""
    """Column of the participants table; the id where empty."""
    label: str = ""
    """What readers see; the id where empty."""
    kind: OutcomeKind = "continuous"
    unit: str = ""
    upper: float | None = None
    """Highest possible value of a bounded outcome."""
    upper_column: str = ""
    """Column that holds the highest possible value of each person; wins over `upper`."""
    cap: float | None = Field(default=None, gt=0)
    """Of a time: who did not finish, for whatever reason, counts with this value (composite strategy)."""
    event: str = ""
    """Of a time: the column that says 1 where the event happened."""

    @property
    def name(self) -> str:
        """The column that is read."""
        return self.column or self.id

    @property
    def title(self) -> str:
        """What readers see."""
        return self.label or self.id.replace("_", " ")


class IntercurrentEvent(Table):
    """What may happen after allocation, and how the estimand deals with it (ICH E9(R1))."""

    event: str
    strategy: Strategy
    handling: str = ""


class Estimand(Table):
    """The five attributes of ICH E9(R1) for one primary outcome."""

    outcome: Name
    population: str
    treatments: str
    variable: str
    intercurrent: tuple[IntercurrentEvent, ...] = ()
    summary: str


class Covariate(Table):
    """A baseline variable in the adjusted models."""

    column: str
    label: str = ""
    scores: tuple[str, ...] = ()
    """Levels in order; they become 1, 2, 3, ... Empty: the column is numeric, or its levels become dummies."""


class Analysis(Table):
    """One analysis of the plan: one row of results.json for each contrast."""

    outcome: Name
    method: Name
    role: Role = "sensitivity"
    population: Population = "itt"
    label: Name | None = None
    """Tells analyses of one outcome and method apart; the end of the row's id."""
    adjusted: bool = False
    """Whether the plan's covariates and strata enter."""
    options: dict[str, OptionValue] = {}
    """Passed on to the method (statistic, vcov, margin, trim, ...)."""

    @property
    def id(self) -> str:
        """The row's id in results.json (further arms append theirs)."""
        parts = [self.outcome, self.method, *([self.label] if self.label else [])]
        return ".".join(parts if self.population in ("itt", "complier") else [*parts, self.population])


class Multiplicity(Table):
    """How the primary p values, over outcomes and arms, are adjusted."""

    method: Literal["holm", "hommel", "bonferroni", "graphical", "none"] = "holm"
    weights: tuple[float, ...] = ()
    """Graphical: share of alpha of each primary row, in the plan's order."""
    transitions: tuple[tuple[float, ...], ...] = ()
    """Graphical: what each row passes on to each other once rejected."""


class Fallback(Table):
    """When the Lin-adjusted model is left: Lin -> ANCOVA (HC2) -> unadjusted."""

    max_leverage: float = Field(default=0.99, gt=0, le=1)
    people_per_covariate: float = Field(default=15.0, gt=0)


class Margin(Table):
    """An equivalence margin, in the outcome's unit."""

    outcome: Name
    margin: float = Field(gt=0)


class Subgroup(Table):
    """A baseline variable whose interaction with the arm is tested."""

    column: str
    label: str = ""


class Compliance(Table):
    """The rule behind the columns `received` and `compliant`; the same for every arm."""

    received: str = "At least one answered query, or other AI reported or evidenced."
    compliant: str = "No other AI reported, and no more than the stated number of characters pasted from outside."
    other_ai: bool = True
    """Whether reported use of other AI breaks compliance."""
    outside_chars: int = Field(default=200, ge=0)
    """Characters pasted from outside the study above which compliance is broken."""
    burst_chars: int | None = Field(default=None, ge=0)
    """Characters typed in bursts no hand can do above which it is broken; without a number they are listed only."""
    away_minutes: float | None = Field(default=None, ge=0)
    """Minutes away on the main tasks above which it is broken; without a number they are listed only."""
    attention_failed: int | None = Field(default=None, ge=0)
    """Failed attention checks above which it is broken; without a number they are listed only."""


class Stopping(Table):
    """Planned looks at the data before the end."""

    kind: Literal["none", "obrien_fleming", "pocock", "spending"] = "none"
    looks: tuple[float, ...] = ()
    """Information fractions of the looks, rising, the last 1."""
    text: str = "No interim analysis; the trial stops at its target number of participants."


def _outcomes() -> tuple[Outcome, ...]:
    points = {"kind": "bounded", "unit": "points"}
    subscales = [
        Outcome(id=f"quiz_{kind}_points", label=f"Quiz, {kind.replace('_', ' ')}", **points)  # type: ignore[arg-type]
        for kind in ("conceptual", "code_reading", "debugging")
    ]
    return (
        Outcome(id="quiz_points", label="Quiz score", upper_column="quiz_max", **points),  # type: ignore[arg-type]
        Outcome(
            id="completion_minutes",
            label="Completion time",
            kind="time",
            unit="minutes",
            cap=35,
            event="completion_event",
        ),
        *subscales,
        Outcome(id="task_completed", label="Both tasks completed", kind="binary", unit="proportion"),
        Outcome(id="errors", label="Errors met", kind="count", unit="errors"),
    )


def _estimands() -> tuple[Estimand, ...]:
    everyone = "Everyone allocated, as allocated, whatever they then did."
    treatments = "Being offered the arm's assistant during the tasks against being offered none."
    use = IntercurrentEvent(
        event="AI used where none was offered, or not used where it was",
        strategy="treatment_policy",
        handling="Ignored.",
    )
    return (
        Estimand(
            outcome="quiz_points",
            population=everyone,
            treatments=treatments,
            variable="Points in the quiz that follows the tasks, taken alone; an unanswered item counts 0.",
            intercurrent=(
                use,
                IntercurrentEvent(event="Tasks not finished in time", strategy="treatment_policy", handling="Ignored."),
                IntercurrentEvent(
                    event="Quiz never opened",
                    strategy="hypothetical",
                    handling="Complete cases; Lee and worst-case bounds stand beside.",
                ),
            ),
            summary="Difference in mean points.",
        ),
        Estimand(
            outcome="completion_minutes",
            population=everyone,
            treatments=treatments,
            variable="Minutes from the first main task to the submission that completes the last one.",
            intercurrent=(
                use,
                IntercurrentEvent(
                    event="Not completed, for whatever reason", strategy="composite", handling="Counts with the cap."
                ),
                IntercurrentEvent(
                    event="Assistant outage", strategy="hypothetical", handling="The person's cap moves by the outage."
                ),
            ),
            summary="Difference in mean minutes, restricted at the cap.",
        ),
    )


def _id(entry: Any) -> Any:
    return entry.get("id") if isinstance(entry, Mapping) else entry.id


class Plan(Table):
    """The whole analysis plan."""

    control: str = ""
    """Arm that the others are compared with; empty: the study file's control."""
    outcomes: tuple[Outcome, ...] = Field(default_factory=_outcomes, min_length=1)
    secondary: tuple[Outcome, ...] = ()
    """Outcomes beside those of `outcomes`, for a study that keeps the usual ones and asks for more."""
    estimands: tuple[Estimand, ...] = Field(default_factory=_estimands)
    primary: tuple[Name, ...] = ("quiz_points", "completion_minutes")
    """Co-primary outcomes, in order."""
    multiplicity: Multiplicity = Multiplicity()
    level: float = Field(default=0.95, gt=0.5, lt=1)
    replicates: int = Field(default=9999, ge=99)
    """Re-randomisations."""
    horizon: float | None = Field(default=None, gt=0)
    """Restriction time for survival rows; None: the outcome's cap."""
    covariates: tuple[Covariate, ...] = (
        Covariate(column="warmup_minutes", label="Warm-up time"),
        Covariate(column="years_python", label="Years of Python", scores=()),
    )
    strata: bool = True
    """Whether the strata of the allocation enter adjusted models as main effects."""
    fallback: Fallback = Fallback()
    margins: tuple[Margin, ...] = ()
    subgroups: tuple[Subgroup, ...] = (Subgroup(column="years_python", label="Years of Python"),)
    analyses: tuple[Analysis, ...] = ()
    """Secondary and sensitivity analyses; empty: the standard list of `plan_schedule`."""
    compliance: Compliance = Compliance()
    stopping: Stopping = Stopping()
    coder: Coder = "rules"
    """Whose codes of the queries feed the analysis."""
    columns: dict[str, str] = {}
    """For tables collected elsewhere: our column name -> theirs."""

    @model_validator(mode="before")
    @classmethod
    def _own_outcomes(cls, value: Any) -> Any:
        """A plan with outcomes of its own inherits nothing that names the default ones; `secondary` joins either."""
        if not isinstance(value, Mapping) or not {"outcomes", "secondary"} & set(value):
            return value
        filled = dict(value)
        outcomes = list(filled.get("outcomes", _outcomes()))
        if not all(isinstance(entry, Mapping | Outcome) for entry in [*outcomes, *filled.get("secondary", [])]):
            return value
        known = [_id(entry) for entry in outcomes]
        filled["outcomes"] = outcomes + [entry for entry in filled.get("secondary", []) if _id(entry) not in known]
        filled.setdefault(
            "primary", [name for name in ("quiz_points", "completion_minutes") if name in known] or known[:1]
        )
        filled.setdefault("estimands", [entry for entry in _estimands() if entry.outcome in known])
        return filled

    @model_validator(mode="after")
    def _coherent(self) -> Plan:
        known = [outcome.id for outcome in self.outcomes]
        found = [f"outcomes: '{name}' is declared twice" for name in sorted({i for i in known if known.count(i) > 1})]
        named = [
            *(("primary", name) for name in self.primary),
            *(("estimands", estimand.outcome) for estimand in self.estimands),
            *(("analyses", analysis.outcome) for analysis in self.analyses),
            *(("margins", margin.outcome) for margin in self.margins),
        ]
        for key, name in named:
            if name not in known:
                found.append(f"{key}: '{name}' is no outcome of the plan; use one of {', '.join(known)}")
        found += self._row_problems() + self._multiplicity_problems()
        if found:
            raise ValueError("\n".join(found))
        return self

    def _row_problems(self) -> list[str]:
        ids = [analysis.id for analysis in self.analyses]
        found = [
            f"analyses: the row '{i}' comes twice; give one a label"
            for i in sorted({i for i in ids if ids.count(i) > 1})
        ]
        for outcome in self.outcomes:
            if outcome.kind == "time" and outcome.cap is None:
                found.append(f"outcomes.{outcome.id}: a time needs cap, the value of who did not finish")
        looks = list(self.stopping.looks)
        if self.stopping.kind != "none" and (not looks or looks != sorted(looks) or looks[-1] != 1):
            found.append("stopping.looks: give rising information fractions that end with 1")
        return found

    def _multiplicity_problems(self) -> list[str]:
        rule = self.multiplicity
        if rule.method != "graphical":
            return []
        size = len(rule.weights)
        square = len(rule.transitions) == size and all(len(row) == size for row in rule.transitions)
        if size < len(self.primary) or not square:
            return ["multiplicity: graphical needs one weight for each primary row and a square table of transitions"]
        if sum(rule.weights) > 1 + 1e-9 or any(sum(row) > 1 + 1e-9 for row in rule.transitions):
            return ["multiplicity: weights, and each row of transitions, may add up to 1 at most"]
        return []

    @classmethod
    def default(cls) -> Plan:
        """The plan of the published design: two co-primary outcomes under Holm, decided by re-randomisation."""
        return cls()

    def outcome(self, outcome_id: str) -> Outcome:
        """The outcome of that id; KeyError where there is none."""
        for outcome in self.outcomes:
            if outcome.id == outcome_id:
                return outcome
        raise KeyError(outcome_id)

    def canonical(self) -> str:
        """The plan as canonical JSON: every default written out, sorted keys, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON, in hex: what is registered, and what the analysis seed comes from."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @property
    def seed(self) -> int:
        """The analysis seed: the first 52 bits of the hash, so that JSON numbers hold it exactly."""
        return int(self.sha256[:13], 16)


def read_plan(table: Mapping[str, Any], *, file: str, key: str = "analysis") -> Plan:
    """Validate the [analysis] table of a study file.

    Args:
        table: the table as read from TOML or JSON.
        file: the file as the user named it, for messages.
        key: where the table stands in the file; empty where it is the whole file.

    Raises:
        ProblemsFound: every problem of the table at once.
    """
    try:
        return Plan.model_validate(table)
    except ValidationError as error:
        raise ProblemsFound([problem for entry in error.errors() for problem in _problems(entry, file, key)]) from None


def _problems(entry: Any, file: str, key: str) -> list[Problem]:
    where = ".".join(str(part) for part in ([key] if key else []) + list(entry["loc"]))
    if entry["type"] == "value_error":
        lines = str(entry["ctx"]["error"]).splitlines()
        return [Problem(file, where, *_halves(line)) for line in lines]
    if entry["type"] == "extra_forbidden":
        return [Problem(file, where, "this key is not known", "remove it; docs/analysis.md lists the keys")]
    if entry["type"] == "missing":
        return [Problem(file, where, "this key is missing", "add it")]
    return [Problem(file, where, f"{entry['msg'].lower()}, found {entry.get('input')!r}", "correct the value")]


def _halves(line: str) -> tuple[str, str]:
    what, _, remedy = line.partition("; ")
    return what, remedy or "correct the plan"
