"""The tables of an analysis plan: outcomes, estimands, analyses, and the rules that go with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Role = Literal["primary", "secondary", "sensitivity", "exploratory"]
Population = Literal["itt", "per_protocol", "as_treated", "complier"]
OutcomeKind = Literal["bounded", "continuous", "time", "binary", "ordinal", "count"]
Strategy = Literal["treatment_policy", "composite", "hypothetical", "while_on_treatment", "principal_stratum"]
OptionValue = bool | int | float | str


class PlanSection(BaseModel):
    """Any table of the plan: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outcome(PlanSection):
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
    """Of a time: who did not finish, for whatever reason, counts with this value (composite strategy); of the task
    times it follows from the stages."""
    event: str = ""
    """Of a time: the column that says 1 where the event happened."""
    censored: Literal["", "at_cap", "right"] = ""
    """Of a time without the event: it counts with the cap (composite strategy), or is right-censored where it stands;
    empty: at_cap in an export of study-app, right in a table collected elsewhere."""

    @property
    def name(self) -> str:
        """The column that is read."""
        return self.column or self.id

    @property
    def title(self) -> str:
        """What readers see."""
        return self.label or self.id.replace("_", " ")


class IntercurrentEvent(PlanSection):
    """What may happen after allocation, and how the estimand deals with it (ICH E9(R1))."""

    event: str
    strategy: Strategy
    handling: str = ""


class Estimand(PlanSection):
    """The five attributes of ICH E9(R1) for one primary outcome."""

    outcome: Name
    population: str
    treatments: str
    variable: str
    intercurrent: tuple[IntercurrentEvent, ...] = ()
    missing: str = ""
    """What is assumed of outcomes that exist and were not seen; no intercurrent event, which changes what exists."""
    summary: str


class Covariate(PlanSection):
    """A baseline variable in the adjusted models."""

    column: str
    label: str = ""
    scores: tuple[str, ...] = ()
    """Levels in order; they become 1, 2, 3, ... Empty: the column is numeric, or its levels become dummies."""


class Analysis(PlanSection):
    """One analysis of the plan: one row of results.json for each contrast."""

    outcome: Name
    method: Name
    role: Role = "sensitivity"
    population: Population = "itt"
    label: Name | None = None
    """Tells analyses of one outcome and method apart; the end of the row's id."""
    contrast: tuple[()] | tuple[str, str] = ()
    """Two arms, the second in the control's place, for a direct comparison; empty: every arm with the control."""
    adjusted: bool = False
    """Whether the plan's covariates and strata enter."""
    options: dict[str, OptionValue] = {}
    """Passed on to the method (statistic, vcov, margin, trim, ...)."""

    @property
    def id(self) -> str:
        """The row's id in results.json (further arms append theirs)."""
        direct = ["_vs_".join(self.contrast)] if self.contrast else []
        parts = [self.outcome, self.method, *direct, *([self.label] if self.label else [])]
        return ".".join(parts if self.population in ("itt", "complier") else [*parts, self.population])


class Multiplicity(PlanSection):
    """How the primary p values, over outcomes and arms, are adjusted."""

    method: Literal["holm", "hommel", "bonferroni", "graphical", "none"] = "holm"
    weights: tuple[float, ...] = ()
    """Graphical: share of alpha of each primary row, in the plan's order."""
    transitions: tuple[tuple[float, ...], ...] = ()
    """Graphical: what each row passes on to each other once rejected."""


class Fallback(PlanSection):
    """When the Lin-adjusted model is left: Lin -> ANCOVA (HC2) -> unadjusted."""

    max_leverage: float = Field(default=0.99, gt=0, le=1)
    people_per_covariate: float = Field(default=15.0, gt=0)


class Margin(PlanSection):
    """An equivalence margin, in the outcome's unit."""

    outcome: Name
    margin: float = Field(gt=0)


class Subgroup(PlanSection):
    """A baseline variable whose interaction with the arm is tested."""

    column: str
    label: str = ""


class Compliance(PlanSection):
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
    answer_chars: int | None = Field(default=None, ge=0)
    """Characters pasted from outside into answers of quizzes above which it is broken; without a number listed only."""
    quiz_away_minutes: float | None = Field(default=None, ge=0)
    """Minutes away while quizzes are taken above which it is broken; without a number they are listed only."""
    attention_failed: int | None = Field(default=None, ge=0)
    """Failed attention checks above which it is broken; without a number they are listed only."""


class Stopping(PlanSection):
    """Planned looks at the data before the end."""

    kind: Literal["none", "obrien_fleming", "pocock", "spending"] = "none"
    looks: tuple[float, ...] = ()
    """Information fractions of the looks, rising, the last 1."""
    text: str = "No interim analysis; the trial stops at its target number of participants."
