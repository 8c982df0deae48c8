"""The tables of an analysis plan: outcomes, estimands, analyses, and the rules that go with them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from study_app.domain.file_tables import FileTable

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Role = Literal["primary", "secondary", "sensitivity", "exploratory"]
Population = Literal["itt", "with_excluded", "per_protocol", "as_treated", "complier"]
BY_RECEIVED: tuple[Population, ...] = ("as_treated", "complier")
"""Populations that compare people by what they received, whatever they were allocated to."""
OutcomeKind = Literal["bounded", "continuous", "time", "binary", "ordinal", "count"]
Strategy = Literal["treatment_policy", "composite", "hypothetical", "while_on_treatment", "principal_stratum"]
OptionValue = bool | int | float | str


class PlanSection(FileTable):
    """Any table of the plan: unknown keys are errors, values never change after reading."""


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
    options: dict[str, OptionValue] = Field(default_factory=dict)
    """Passed on to the method (statistic, vcov, margin, trim, ...)."""

    @field_validator("options", mode="before")
    @classmethod
    def _single_values(cls, value: Any) -> Any:
        found = value.items() if isinstance(value, dict) else ()
        for name, option in found:
            if not isinstance(option, bool | int | float | str):
                raise ValueError(f"options.{name}: a method takes one value here, found {option!r}; give one")
            if isinstance(option, float) and not math.isfinite(option):
                raise ValueError(f"options.{name}: {option!r} is not a finite number; give one")
        return value

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


NO_LOOKS = "No interim analysis; the trial stops at its target number of participants."
SpendingFunction = Literal["obrien_fleming", "pocock", "kim_demets", "hwang_shih_decani"]


class Stopping(PlanSection):
    """Planned looks at the data before the end."""

    kind: Literal["none", "obrien_fleming", "pocock", "spending"] = "none"
    """Boundaries of O'Brien and Fleming, of Pocock, or such that spend the error by `spending` (Lan and DeMets)."""
    looks: tuple[float, ...] = ()
    """Information fractions of the looks, rising, the last 1."""
    spending: SpendingFunction = "obrien_fleming"
    """Error-spending function, where kind is spending."""
    gamma: float = 1.0
    """Exponent of Kim and DeMets, or parameter of Hwang, Shih and DeCani."""
    futility: tuple[float, ...] = ()
    """Of each look but the last: the trial may stop where every primary row has |z| below; empty: it may not."""
    binding: bool = False
    """Whether a trial below its futility bounds must stop, so that boundaries may count on it."""
    text: str = NO_LOOKS

    @model_serializer(mode="wrap")
    def _without_unused(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what later versions added where it is unused: hashes of earlier plans stay as they were."""
        found: dict[str, Any] = write(self)
        usual = {name: type(self).model_fields[name].default for name in ("spending", "gamma", "futility", "binding")}
        return {name: value for name, value in found.items() if name not in usual or getattr(self, name) != usual[name]}

    @property
    def interim(self) -> tuple[float, ...]:
        """Information fractions of the looks before the last."""
        return self.looks[:-1] if self.kind != "none" else ()

    def due_at(self, look: int, target: int) -> int:
        """People whose outcomes must be known for a look, counted from 1."""
        return math.ceil(round(self.looks[look - 1] * target, 9))

    @property
    def sentence(self) -> str:
        """What a registration and a report say of the looks."""
        if self.kind == "none":
            return self.text
        boundaries = {"obrien_fleming": "O'Brien-Fleming boundaries", "pocock": "Pocock boundaries"}
        function = self.spending.replace("_", " ")
        gamma = f" (gamma {self.gamma:g})" if self.spending in ("kim_demets", "hwang_shih_decani") else ""
        by = boundaries.get(self.kind, f"error spending by {function}{gamma}")
        shares = ", ".join(f"{share:.0%}" for share in self.interim)
        looks = "interim look" if len(self.interim) == 1 else "interim looks"
        said = (
            f"{len(self.interim)} {looks}, at {shares} of the planned number of participants with known "
            f"outcomes, and the final analysis; two-sided {by}, kept at the looks as they are taken. The trial may "
            "stop for a difference once every primary hypothesis is rejected."
        )
        if self.futility:
            bounds = ", ".join(f"{bound:g}" for bound in self.futility)
            must = "must" if self.binding else "may"
            said += f" It {must} stop for futility where |z| of every primary row is below {bounds}" + (
                " (binding)." if self.binding else " (non-binding: the boundaries do not count on it)."
            )
        return said if self.text == NO_LOOKS else f"{said} {self.text}"

    def problems(self, primary: int) -> list[str]:
        """Return what makes the looks unusable in a plan with so many primary outcomes."""
        if self.kind == "none":
            given = [name for name in ("looks", "futility") if getattr(self, name)] + ["binding"] * self.binding
            return [f"stopping.{name}: there are no looks; choose a kind, or remove it" for name in given]
        looks, found = list(self.looks), []
        rising = all(0 < before < after for before, after in pairwise(looks))
        if len(looks) < 2 or not rising or looks[-1] != 1:
            found.append("stopping.looks: give at least two rising information fractions that end with 1")
        if self.futility and len(self.futility) != len(looks) - 1:
            found.append(f"stopping.futility: give one bound to each of the {len(looks) - 1} looks before the last")
        if any(not 0 <= bound < 3 for bound in self.futility):
            found.append("stopping.futility: bounds are values of |z| from 0 to below 3")
        if self.binding and not self.futility:
            found.append("stopping.binding: there are no futility bounds; give futility, or remove binding")
        if self.binding and primary > 1:
            found.append("stopping.binding: bounds of several primary outcomes bind no single one; write false")
        if self.gamma <= 0 and self.kind == "spending" and self.spending == "kim_demets":
            found.append("stopping.gamma: kim_demets needs an exponent above 0")
        if abs(self.gamma) > 40 and self.kind == "spending":
            found.append("stopping.gamma: give a number from -40 to 40; beyond that one look has all the error")
        return found
