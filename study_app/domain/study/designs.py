"""What each value of a design key means for every step of a study: carried, or refused with a sentence.

The one home of that knowledge: `check`, `launch`, `analyze` and `power` refuse by it, docs/reference/designs.md is
written from it, and a test runs every study that it names. A key or value without a row fails a test.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from study_app.domain.allocation import Scheme
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Multiplicity, Outcome, Plan, Stopping
from study_app.domain.study.factorial.sections import ArmsFrom
from study_app.domain.study.sections import Recruitment, Stage
from study_app.domain.study.sequential.sections import SecondDecision
from study_app.domain.study.study import Study
from study_app.domain.study.task_conditions.probes import AffectProbes

Verb = Literal["enrol", "simulate", "export", "verify", "analyze", "power"]
VERBS: tuple[Verb, ...] = get_args(Verb)
Gate = Literal["check", "launch", "analyze", "power"]
SET = "set"
"""Value of a key that is a number, a text or a list: whether the study gives it at all."""


@dataclass(frozen=True)
class DesignRefusal:
    """Why a step does not take a design, and what to do."""

    what: str
    remedy: str
    gates: tuple[Gate, ...]
    """Commands that refuse it; the others carry the design."""


@dataclass(frozen=True)
class DesignValue:
    """One value of one key."""

    key: str
    value: str
    study: str
    """The study of tests/support/trials/design_studies.py that runs every step which is not refused."""
    refused: DesignRefusal | None = None

    def carries(self, verb: Verb) -> bool:
        """Return whether a step takes a study with this value."""
        return self.refused is None or verb not in self.refused.gates


ONE_ARM = DesignRefusal(
    "there is nothing to compare",
    "add an arm and mark one of them control",
    ("launch", "analyze", "power"),
)
_KEYS: tuple[tuple[str, type[BaseModel], tuple[str, ...]], ...] = (
    ("arms_from", ArmsFrom, ("factors", "plus_control")),
    ("allocation", Scheme, tuple(Scheme.model_fields)),
    ("second_decision", SecondDecision, ("method", "block_sizes", "treatments")),
    ("stages", Stage, ("kind", "role")),
    ("probes", AffectProbes, tuple(AffectProbes.model_fields)),
    ("recruitment", Recruitment, ("entry",)),
    ("analysis.outcomes", Outcome, ("kind",)),
    ("analysis.analyses", Analysis, ("population", "role")),
    ("analysis.multiplicity", Multiplicity, tuple(Multiplicity.model_fields)),
    ("analysis.stopping", Stopping, tuple(Stopping.model_fields)),
)
RECEIVED: tuple[tuple[str, str, str], ...] = (
    (
        "a row that no data of the study can answer (its sides, outcome, population, or a method of another design)",
        "the row is empty, says why, and does not count in the family",
        "the plan may be registered, and its other rows are right",
    ),
    (
        "an option that its method does not take, or not with this value",
        "refused",
        "the row would be another one than its author asked for",
    ),
    (
        "a loss without a direction (`noninferiority` of a time or a count without `better`)",
        "refused",
        "the test would be of the other side",
    ),
    (
        "primary rows that planned looks cannot be applied to",
        "refused",
        "the adjusted p would belong to no test",
    ),
    (
        "looks at too few people or at the same ones, and futility bounds beyond the boundaries",
        "a sentence among the warnings",
        "looks that were taken are recorded, and boundaries are computed from the people they saw",
    ),
    (
        "a column with two sources",
        "refused where the plan names it, a sentence elsewhere",
        "which of the two its cells hold cannot be known",
    ),
    (
        "limits of compliance that nothing can reach",
        "a sentence among the warnings",
        "everyone is below them, so the population is what it says",
    ),
    (
        "covariates, groups and outcomes that do not differ, or are of another kind than their column holds",
        "taken, unless text, another bound or a time in another unit would be computed with",
        "such a covariate is left out with a sentence, and such a row is empty and says why",
    ),
    (
        "allocation, recruitment, conditions, stages and expectations that contradict each other",
        "taken",
        "people came, were allocated and answered as the tables say, and the numbers are of them",
    ),
)
"""What `check` refuses beyond the table, what `analyze` makes of it in a dataset that is there, and why."""
ARMS = ("1", "2", "3 or more")
SESSIONS = ("1", "2 or more")


def _rows(key: str, values: Mapping[str, str], refused: Mapping[str, DesignRefusal] | None = None) -> list[DesignValue]:
    return [DesignValue(key, value, study, (refused or {}).get(value)) for value, study in values.items()]


TABLE: tuple[DesignValue, ...] = (
    *_rows("arms", {"1": "one_arm", "2": "blocks", "3 or more": "three_arms"}, {"1": ONE_ARM}),
    *_rows("arms_from.factors", {SET: "factors"}),
    *_rows("arms_from.plus_control", {SET: "factors_and_control"}),
    *_rows("sessions", {"1": "simple", "2 or more": "blocks"}),
    *_rows(
        "allocation.method",
        {
            "simple": "simple",
            "permuted_blocks": "blocks",
            "stratified_blocks": "strata",
            "minimisation": "minimisation",
            "biased_coin": "biased_coin",
            "urn": "urn",
            "big_stick": "big_stick",
            "cluster": "clusters",
            "sequence": "orders",
        },
    ),
    *_rows(
        "allocation.base_method",
        {
            "simple": "base_simple",
            "permuted_blocks": "clusters",
            "stratified_blocks": "base_strata",
            "minimisation": "base_minimisation",
            "biased_coin": "base_biased_coin",
            "urn": "base_urn",
            "big_stick": "base_big_stick",
        },
    ),
    *_rows("allocation.block_sizes", {SET: "blocks"}),
    *_rows("allocation.strata", {SET: "strata"}),
    *_rows("allocation.factors", {SET: "minimisation"}),
    *_rows("allocation.metric", {"range": "minimisation", "sd": "minimisation_sd", "variance": "base_minimisation"}),
    *_rows("allocation.probability", {SET: "minimisation_sd"}),
    *_rows("allocation.ties", {"random": "minimisation", "first": "minimisation_sd"}),
    *_rows("allocation.alpha", {SET: "urn"}),
    *_rows("allocation.beta", {SET: "urn"}),
    *_rows("allocation.bound", {SET: "big_stick"}),
    *_rows("allocation.cluster", {SET: "clusters"}),
    *_rows(
        "allocation.orders", {"all": "orders", "williams": "williams", "latin_square": "latin", SET: "listed_orders"}
    ),
    *_rows("second_decision.treatments", {SET: "second_decision"}),
    *_rows("second_decision.method", {"permuted_blocks": "second_decision", "simple": "second_by_chance"}),
    *_rows("second_decision.block_sizes", {SET: "second_decision"}),
    *_rows("allocation.replacement", {"none": "simple", "return_slot": "blocks"}),
    *_rows(
        "stages.kind",
        {
            "consent": "blocks",
            "eligibility": "every_stage",
            "device": "every_stage",
            "survey": "strata",
            "instructions": "blocks",
            "tasks": "every_stage",
            "quiz": "blocks",
            "interview": "roles",
            "debrief": "blocks",
        },
    ),
    *_rows(
        "stages.role",
        {"": "blocks", "baseline": "roles", "main": "roles", "retention": "roles", "other": "roles"},
    ),
    *_rows("probes.at_minutes", {SET: "every_stage"}),
    *_rows("probes.stages", {SET: "every_stage"}),
    *_rows("probes.tasks", {SET: "every_stage"}),
    *_rows("recruitment.entry", {"open": "simple", "links": "blocks", "prolific": "strata"}),
    *_rows(
        "analysis.outcomes.kind",
        {
            "bounded": "blocks",
            "continuous": "outcomes",
            "time": "every_stage",
            "binary": "outcomes",
            "ordinal": "outcomes",
            "count": "outcomes",
        },
    ),
    *_rows(
        "analysis.analyses.population",
        {
            "itt": "populations",
            "with_excluded": "populations",
            "per_protocol": "populations",
            "as_treated": "populations",
            "complier": "populations",
        },
    ),
    *_rows(
        "analysis.analyses.role",
        {
            "primary": "populations",
            "secondary": "populations",
            "sensitivity": "populations",
            "exploratory": "populations",
        },
    ),
    *_rows(
        "analysis.multiplicity.method",
        {
            "holm": "blocks",
            "hommel": "strata",
            "bonferroni": "biased_coin",
            "graphical": "three_arms",
            "none": "simple",
        },
    ),
    *_rows("analysis.multiplicity.weights", {SET: "three_arms"}),
    *_rows("analysis.multiplicity.transitions", {SET: "three_arms"}),
    *_rows(
        "analysis.stopping.kind",
        {"none": "blocks", "obrien_fleming": "looks", "pocock": "looks_pocock", "spending": "looks_spending"},
    ),
    *_rows("analysis.stopping.looks", {SET: "looks"}),
    *_rows(
        "analysis.stopping.spending",
        {
            "obrien_fleming": "looks",
            "pocock": "looks_spending",
            "kim_demets": "looks_kim_demets",
            "hwang_shih_decani": "looks_hsd",
        },
    ),
    *_rows("analysis.stopping.gamma", {SET: "looks_hsd"}),
    *_rows("analysis.stopping.futility", {SET: "looks_pocock"}),
    *_rows("analysis.stopping.binding", {SET: "looks_pocock"}),
    *_rows("analysis.stopping.text", {SET: "strata"}),
)


@dataclass
class _Walk:
    """Collects the values that a study uses."""

    found: set[tuple[str, str]] = field(default_factory=set)

    def take(self, prefix: str, model: BaseModel, names: tuple[str, ...]) -> None:
        for name in names:
            value, about = getattr(model, name), type(model).model_fields[name]
            if _literals(about.annotation) and isinstance(value, str):
                self.found.add((f"{prefix}.{name}", value))
            elif value != about.get_default(call_default_factory=True):
                self.found.add((f"{prefix}.{name}", SET))


def used_by(study: Study) -> set[tuple[str, str]]:
    """Return every (key, value) of the design that a study uses, defaults included."""
    found = _used(
        {
            "arms_from": (study.arms_from,),
            "allocation": (study.allocation,),
            "second_decision": (study.second_decision,) if study.second_decision else (),
            "stages": study.stages,
            "probes": study.probes,
            "recruitment": (study.recruitment,),
        }
    )
    found |= {("arms", ARMS[min(len(study.arms), 3) - 1]), ("sessions", SESSIONS[min(len(study.sessions), 2) - 1])}
    method = study.allocation.method
    silent = {"allocation.base_method"} if method not in ("cluster", "sequence") else set()
    silent |= {"allocation.orders"} if method != "sequence" else set()
    found = {entry for entry in found if entry[0] not in silent}
    return found | used_by_plan(study.analysis)


def used_by_plan(plan: Plan) -> set[tuple[str, str]]:
    """Return every (key, value) of the design that a plan uses, defaults included."""
    return _used(
        {
            "analysis.outcomes": plan.outcomes,
            "analysis.analyses": plan.analyses,
            "analysis.multiplicity": (plan.multiplicity,),
            "analysis.stopping": (plan.stopping,),
        }
    )


def _used(tables: Mapping[str, Sequence[BaseModel]]) -> set[tuple[str, str]]:
    walk = _Walk()
    for prefix, _, names in _KEYS:
        for table in tables.get(prefix, ()):
            walk.take(prefix, table, names)
    return walk.found


def every_value() -> set[tuple[str, str]]:
    """Return every (key, value) that the types of the study file allow."""
    found = {("arms", value) for value in ARMS} | {("sessions", value) for value in SESSIONS}
    for prefix, model, names in _KEYS:
        for name in names:
            annotation = model.model_fields[name].annotation
            literals = _literals(annotation)
            found |= {(f"{prefix}.{name}", value) for value in literals}
            if not literals or get_origin(annotation) in (Union, UnionType):
                found.add((f"{prefix}.{name}", SET))
    return found


def _literals(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(value) for value in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return tuple(value for part in get_args(annotation) for value in _literals(part))
    return ()


def refused_designs(used: Collection[tuple[str, str]], gate: Gate) -> Iterator[tuple[DesignValue, DesignRefusal]]:
    """Yield the values that a command refuses, in the order of the table."""
    for design in TABLE:
        refusal = design.refused
        if (design.key, design.value) in used and refusal is not None and gate in refusal.gates:
            yield design, refusal


def design_problems(used: Collection[tuple[str, str]], gate: Gate, file: str) -> list[Problem]:
    """Return what a command refuses of a design (`used_by`), one sentence for each key."""
    return [
        Problem(file, design.key, f"'{design.value}': {refusal.what}", refusal.remedy)
        for design, refusal in refused_designs(used, gate)
    ]


def design_warnings(used: Collection[tuple[str, str]]) -> list[str]:
    """Return what `check` says of designs that it takes and that other commands refuse."""
    gates: tuple[Gate, ...] = ("launch", "analyze", "power")
    found: dict[str, str] = {}
    for gate in gates:
        for design, refusal in refused_designs(used, gate):
            if "check" not in refusal.gates:
                verbs = ", ".join(refusal.gates)
                found[design.key] = f"{design.key}: '{design.value}' is refused by {verbs}: {refusal.what}"
    return list(found.values())
