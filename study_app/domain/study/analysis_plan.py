"""The analysis plan: the [analysis] table of the study file, frozen and hashed at launch.

`Plan()` is the default plan: two co-primary outcomes (quiz points and completion minutes) under Holm, both decided by
re-randomisation under the logged scheme. A study file writes down only what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.codes import Coder
from study_app.domain.study.plan_sections import (
    Analysis,
    Compliance,
    Covariate,
    Estimand,
    Fallback,
    IntercurrentEvent,
    Margin,
    Multiplicity,
    Name,
    OptionValue,
    Outcome,
    OutcomeKind,
    PlanSection,
    Population,
    Role,
    Stopping,
    Strategy,
    Subgroup,
)

__all__ = [
    "Analysis",
    "Compliance",
    "Covariate",
    "Estimand",
    "Fallback",
    "IntercurrentEvent",
    "Margin",
    "Multiplicity",
    "Name",
    "OptionValue",
    "Outcome",
    "OutcomeKind",
    "Plan",
    "PlanSection",
    "Population",
    "Role",
    "Stopping",
    "Strategy",
    "Subgroup",
    "read_plan",
]


FROM_STAGES = ("task_minutes", "completion_minutes")
"""Times whose cap follows from the limits of the study's main task stages."""
PUBLISHED_LIMIT = 35.0
"""Minutes for the tasks of the published study, whose transcripts come without a study file."""


def _outcomes() -> tuple[Outcome, ...]:
    points = {"kind": "bounded", "unit": "points"}
    subscales = [
        Outcome(id=f"quiz_{kind}_points", label=f"Quiz, {kind.replace('_', ' ')}", **points)
        for kind in ("conceptual", "code_reading", "debugging")
    ]
    return (
        Outcome(id="quiz_points", label="Quiz score", upper_column="quiz_max", **points),
        Outcome(
            id="completion_minutes",
            label="Completion time",
            kind="time",
            unit="minutes",
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
            ),
            missing="Quiz never opened: missing at random given arm, covariates and strata. Multiple imputation, its "
            "tipping point, Lee and worst-case bounds show how much hangs on that.",
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
                    event="Assistant outage",
                    strategy="hypothetical",
                    handling="The stage's clock stands still meanwhile; the minutes do not count.",
                ),
            ),
            missing="None but of people who withdrew their data, who are left out.",
            summary="Difference in mean minutes, restricted at the cap.",
        ),
    )


def _id(entry: Any) -> Any:
    return entry.get("id") if isinstance(entry, Mapping) else entry.id


def _waits_for_cap(outcome: Outcome) -> bool:
    return outcome.kind == "time" and outcome.cap is None and outcome.name in FROM_STAGES


ADDED_PLAN_KEYS = ("variant_time",)
"""Keys that came after plans had been registered; they stand in a plan's text only where they are used."""

MOST_REPLICATES = 1_000_000
"""Re-randomisations of a plan: minutes of work for a trial of hundreds."""


class Plan(PlanSection):
    """The whole analysis plan."""

    control: str = ""
    """Arm that the others are compared with; empty: the study file's control."""
    outcomes: tuple[Outcome, ...] = Field(default_factory=_outcomes, min_length=1)
    secondary: tuple[Outcome, ...] = ()
    """Outcomes beside those of `outcomes`, for a study that keeps the usual ones and asks for more."""
    estimands: tuple[Estimand, ...] = Field(default_factory=_estimands)
    primary: tuple[Name, ...] = ("quiz_points", "completion_minutes")
    """Co-primary outcomes, in order; each decided by re-randomisation, or by its `analyses` with role = "primary"."""
    multiplicity: Multiplicity = Multiplicity()
    level: float = Field(default=0.95, gt=0.5, lt=1)
    replicates: int = Field(default=9999, ge=99, le=MOST_REPLICATES)
    """Re-randomisations."""
    horizon: float | None = Field(default=None, gt=0)
    """Restriction time for survival rows; None: the outcome's cap."""
    covariates: tuple[Covariate, ...] = (
        Covariate(column="warmup_minutes", label="Warm-up time"),
        Covariate(column="years_python", label="Years of Python", scores=()),
    )
    strata: bool = True
    """Whether the strata of the allocation enter adjusted models as main effects."""
    cluster: str = ""
    """Column of a table collected elsewhere whose groups of people were allocated together; of an export it follows
    from the allocation."""
    fallback: Fallback = Fallback()
    margins: tuple[Margin, ...] = ()
    subgroups: tuple[Subgroup, ...] = (Subgroup(column="years_python", label="Years of Python"),)
    analyses: tuple[Analysis, ...] = ()
    """Primary ones in place of the usual; secondary and sensitivity ones in place of the standard list."""
    compliance: Compliance = Compliance()
    stopping: Stopping = Stopping()
    variant_time: bool = False
    """Whether time, completion and checks count the stages on which some arms meet an impossible variant, too."""
    coder: Coder = "rules"
    """Whose codes of the queries feed the analysis."""
    columns: dict[str, str] = Field(default_factory=dict)
    """For tables collected elsewhere: our column name -> theirs."""

    @field_validator("control", mode="before")
    @classmethod
    def _arm_as_text(cls, value: Any) -> Any:
        """Return an arm coded as a whole number is meant as it stands in the table: arms are text."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="before")
    @classmethod
    def _own_outcomes(cls, value: Any) -> Any:
        """Let a plan with its own outcomes inherit nothing that names the default ones.

        `secondary` joins either.
        """
        if not isinstance(value, Mapping) or not {"outcomes", "secondary"} & set(value):
            return value
        filled = dict(value)
        if not all(isinstance(filled.get(key, []), list | tuple) for key in ("outcomes", "secondary")):
            return value
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
                found.append(f"{key}: '{name}' is not an outcome of the plan; use one of {', '.join(known)}")
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
            if outcome.kind == "time" and outcome.cap is None and outcome.name not in FROM_STAGES:
                found.append(f"outcomes.{outcome.id}: a time needs cap, the value of who did not finish")
        return found + self.stopping.problems(len(self.primary))

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
        """Return the plan of the published design: two co-primary outcomes under Holm, decided by re-randomisation."""
        return cls().with_limit(PUBLISHED_LIMIT)

    def with_limit(self, minutes: float) -> Plan:
        """Return the plan with the cap of the task times, where it names none, from the limit of the main task stages.

        Args:
            minutes: for all main task stages together; 0 without any, which leaves the plan as it is.
        """
        outcomes = tuple(
            outcome.model_copy(update={"cap": float(minutes)}) if minutes and _waits_for_cap(outcome) else outcome
            for outcome in self.outcomes
        )
        return (
            self
            if outcomes == self.outcomes
            else Plan.model_construct(self.model_fields_set, **dict(self) | {"outcomes": outcomes})
        )

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome of that id; KeyError where there is none."""
        for outcome in self.outcomes:
            if outcome.id == outcome_id:
                return outcome
        raise KeyError(outcome_id)

    @model_serializer(mode="wrap")
    def _without_unused_additions(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out keys that came after plans had been registered, where they are not used.

        The hash of a registered plan, and with it the seed of its analysis, stays what it was.
        """
        raw: dict[str, Any] = written(self)
        return {name: value for name, value in raw.items() if name not in ADDED_PLAN_KEYS or value}

    def canonical(self) -> str:
        """Return the plan as canonical JSON: every default written out, sorted keys, no spaces."""
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
        return [Problem(file, where, "this key is not known", "remove it; docs/reference/analysis.md lists the keys")]
    if entry["type"] == "missing":
        return [Problem(file, where, "this key is missing", "add it")]
    return [Problem(file, where, f"{entry['msg'].lower()}, found {entry.get('input')!r}", "correct the value")]


def _halves(line: str) -> tuple[str, str]:
    what, _, remedy = line.partition("; ")
    return what, remedy or "correct the plan"
