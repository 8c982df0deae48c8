"""Which analyses were in the plan frozen at launch, which came or changed by an amendment, and which are exploratory.

The dataset brings every locked version of the study file; each row of the results is compared with what each version
asked for. What counts is everything in the plan that can move a row's numbers or its place among the others, not its
wording: a new label changes nothing, another covariate changes every adjusted row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from analysis.data.dataset import Dataset
from analysis.data.load import read_study_file, typed_study
from analysis.pipeline.factorial.rows import following, with_factors
from analysis.pipeline.factorial.variants import of_variants
from analysis.pipeline.planning.losses import rows_of_losses
from analysis.pipeline.planning.plan import crossover_schedule, schedule, task_limit
from analysis.pipeline.planning.row_check import ALLOCATED, restricted
from analysis.pipeline.regimes.rows import of_second_decision
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan, read_plan
from study_app.domain.study.comparing.delayed_outcomes import with_delayed

Status = Literal["prespecified", "amended", "exploratory"]
ITEM_ROW = "quiz_items.mixed_logit"


@dataclass(frozen=True)
class PlanVersion:
    """The plan of one locked version of the study; the first is the one frozen at launch."""

    number: int
    """0 at launch, then the amendment's number."""
    study_hash: str
    at: str
    reason: str
    study: Mapping[str, Any]
    """The study file."""
    materials: Mapping[str, str]
    """Path -> hash of everything that the file names."""
    plan: Plan | None
    """None where the version or its plan cannot be read."""

    @cached_property
    def definitions(self) -> dict[str, str]:
        """Row -> what decides it; empty where there is no plan."""
        arms = [str(arm["id"]) for arm in self.study.get("arms", [])]
        control = next((str(arm["id"]) for arm in self.study.get("arms", []) if arm.get("control")), "")
        if self.plan is None:
            return {}
        study = typed_study(self.study)
        plan = with_factors(with_delayed(self.plan, study), study)
        return definitions(plan, arms, control, self.study)

    @property
    def name(self) -> str:
        """How the report words it."""
        return f"amendment {self.number} of {self.at[:10]}: {' '.join(self.reason.split())}"


@dataclass(frozen=True)
class Registration:
    """The versions of the plan, and what the plan at work asks for."""

    versions: tuple[PlanVersion, ...]
    """Oldest first; empty where nothing was ever frozen."""
    used: Mapping[str, str]
    """The definitions of the plan that is being run."""
    note: str = ""
    """Why nothing is prespecified."""
    own_seed: bool = True
    participants: Mapping[str, int] = field(default_factory=dict)
    """Version -> analysed participants who started with it."""

    def status(self, row_id: str) -> tuple[Status, str]:
        """Return where a row of the results stands, and since when and why if not since launch."""
        if self.note or not self.own_seed:
            return "exploratory", self.note or "run with a seed that is not the plan's"
        key = self._key(row_id)
        definition = self.used.get(key)
        holds = [definition is not None and version.definitions.get(key) == definition for version in self.versions]
        if not any(holds):
            return "exploratory", "not in the plan frozen at launch, nor in an amendment"
        # The earliest version that asks for exactly this row dates it: an amendment that changes a row and a later one
        # that changes it back leave it prespecified.
        first = self.versions[holds.index(True)]
        if first.number == 0:
            return "prespecified", "" if holds[-1] else "planned at launch; not as the plan in force has it"
        known = any(key in version.definitions for version in self.versions[: first.number])
        return "amended", f"{'changed' if known else 'added'} by {first.name}"

    def _key(self, row_id: str) -> str:
        """Return the analysis that a row belongs to: further arms and levels append their names to its id."""
        parts = row_id.split(".")
        names = (".".join(parts[:size]) for size in range(len(parts), 0, -1))
        return next((name for name in names if name in self.used), row_id)

    def not_run(self) -> list[str]:
        """Analyses of the plan in force that the plan at work does not ask for."""
        return sorted(set(self.versions[-1].definitions) - set(self.used)) if self.versions else []

    def to_json(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """For results.json: the amendments in order, and how many rows have which status."""
        counts = Counter(row["status"] for row in rows)
        first = self.versions[0] if self.versions else None
        return {
            "frozen_at": first.at if first else None,
            "study_hash": first.study_hash if first else None,
            "plan_sha256": first.plan.sha256 if first and first.plan else None,
            "participants": self.participants.get(first.study_hash, 0) if first else None,
            "note": self.note,
            "rows": {name: counts.get(name, 0) for name in ("prespecified", "amended", "exploratory")},
            "amendments": [self._amendment(version) for version in self.versions[1:]],
        }

    def _amendment(self, version: PlanVersion) -> dict[str, Any]:
        before, after = self.versions[version.number - 1].definitions, version.definitions
        return {
            "number": version.number,
            "at": version.at,
            "reason": version.reason,
            "study_hash": version.study_hash,
            "changed": changed_keys(self.versions[version.number - 1], version),
            "analyses_added": sorted(set(after) - set(before)),
            "analyses_changed": sorted(key for key in set(after) & set(before) if after[key] != before[key]),
            "analyses_dropped": sorted(set(before) - set(after)),
            "participants": self.participants.get(version.study_hash, 0),
        }


def registration(dataset: Dataset, plan: Plan, *, own_seed: bool, study_hashes: Iterable[Any] = ()) -> Registration:
    """Return what the dataset knows of the plan's versions, against the plan that is being run.

    Args:
        dataset: an export, or a table collected elsewhere.
        plan: as given, before columns that the data lack are left out.
        own_seed: whether the analysis runs on the plan's own seed.
        study_hashes: the version that each analysed participant started with.
    """
    versions = locked_versions(dataset)
    used = definitions(
        with_factors(with_delayed(plan, dataset.study.study), dataset.study.study),
        [arm.id for arm in dataset.study.arms],
        dataset.study.control,
        dataset.study.raw,
    )
    note = ""
    if not versions:
        note = "no plan was frozen: the study is a draft" if dataset.study.state == "draft" else "no plan was frozen"
    elif versions[0].plan is None:
        note = "the plan frozen at launch cannot be read from the dataset"
    people = Counter(str(value) for value in study_hashes if isinstance(value, str))
    return Registration(versions, used, note, own_seed, people)


def locked_versions(dataset: Dataset) -> tuple[PlanVersion, ...]:
    """Return the versions that launch and amendments locked, oldest first, from manifest and materials."""
    listed = dataset.manifest.get("versions")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    locked = [entry for entry in entries if entry.get("locked_at")]
    return tuple(_version(dataset, number, entry) for number, entry in enumerate(locked))


def _version(dataset: Dataset, number: int, entry: Mapping[str, Any]) -> PlanVersion:
    study: dict[str, Any] = {}
    plan: Plan | None = None
    try:
        study = read_study_file(dataset.path / str(entry.get("file")))
        plan = read_plan(study.get("analysis") or {}, file=str(entry.get("file"))).with_limit(task_limit(study))
    except StudyError:
        # A version that cannot be read keeps no result back: it asks for no row, and what rests on it alone counts as
        # exploratory.
        pass
    materials = entry.get("materials")
    return PlanVersion(
        number,
        str(entry.get("study_hash")),
        str(entry["locked_at"]),
        str(entry.get("reason") or ""),
        study,
        materials if isinstance(materials, dict) else {},
        plan,
    )


def changed_keys(before: PlanVersion, after: PlanVersion) -> list[str]:
    """Return what an amendment changed: keys of the study file, of its plan, and files that it names."""
    found = []
    for key in sorted({*before.study, *after.study}):
        old, new = before.study.get(key), after.study.get(key)
        if old == new:
            continue
        if key == "analysis" and isinstance(old, dict) and isinstance(new, dict):
            found += [f"analysis.{name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        else:
            found.append(key)
    files = {*before.materials, *after.materials}
    return found + sorted(path for path in files if before.materials.get(path) != after.materials.get(path))


def allocates(study: Mapping[str, Any], method: str) -> bool:
    """Return whether a study file, as read, allocates by this method."""
    allocation = study.get("allocation")
    return isinstance(allocation, Mapping) and allocation.get("method") == method


def definitions(plan: Plan, arms: list[str], control: str, study: Mapping[str, Any]) -> dict[str, str]:
    """Row id (without what arms and levels append) -> canonical JSON of everything in the plan that decides the row."""
    common: dict[str, Any] = {"control": plan.control or control, "level": plan.level}
    common |= {"cluster": plan.cluster} if plan.cluster else {}
    found = {}
    clusters = allocates(study, "cluster") or bool(plan.cluster)
    sequence = allocates(study, "sequence")
    rows = crossover_schedule(plan) if sequence else schedule(plan, len(arms), clusters)
    typed = typed_study(study)
    rows += following(plan, typed)
    for analysis in (
        *rows,
        *rows_of_losses(plan, typed, rows),
        *of_second_decision(plan, typed),
        *of_variants(plan, typed),
    ):
        found[analysis.id] = _canonical(common | _of_analysis(plan, analysis))
    for outcome in plan.outcomes:
        found[f"{outcome.id}.mean"] = _canonical(common | {"outcome": _outcome(outcome)})
    for name in plan.primary:
        for subgroup in plan.subgroups:
            about = common | {"outcome": _outcome(plan.outcome(name)), "column": subgroup.column}
            found[f"{name}.subgroup.{subgroup.column}"] = _canonical(about)
            among = sorted(entry.column for entry in plan.subgroups)
            found[f"{name}.interaction.{subgroup.column}"] = _canonical(about | {"among": among})
    found[ITEM_ROW] = _canonical(common)
    return found


def _of_analysis(plan: Plan, analysis: Analysis) -> dict[str, Any]:
    outcome = plan.outcome(analysis.outcome)
    about: dict[str, Any] = {
        "analysis": analysis.model_dump(mode="json", exclude={"label"}),
        "outcome": _outcome(outcome),
    }
    if analysis.adjusted:
        about["covariates"] = [entry.model_dump(mode="json", exclude={"label"}) for entry in plan.covariates]
        about |= {"strata": plan.strata, "fallback": plan.fallback.model_dump(mode="json")}
    if analysis.method in ("rerandomization", "factorial_rerandomization"):
        about["replicates"] = plan.replicates
    if restricted(analysis, outcome):
        about["horizon"] = plan.horizon
    if analysis.role == "primary":
        about |= {"multiplicity": plan.multiplicity.model_dump(mode="json"), "primary": list(plan.primary)}
        if plan.stopping.interim:
            about["stopping"] = plan.stopping.model_dump(mode="json", exclude={"text"})
    if analysis.population not in ALLOCATED:
        rule = plan.compliance
        about["compliance"] = rule.model_dump(mode="json", exclude={"received", "compliant"})
    if outcome.name.startswith(("queries_", "interaction_pattern")):
        about["coder"] = plan.coder
    return about


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return outcome.model_dump(mode="json", exclude={"label", "unit"}) | {"column": outcome.name}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
