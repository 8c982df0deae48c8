"""Writes a valid dataset directory of a made-up trial, so that the pipeline can be run without the platform."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

from study_app.dataset.schema.file_names import table_path
from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.rerandomisation import replicate

CAP = 35.0
TYPES = {"conceptual": (5, 2.0), "code_reading": (5, 1.8), "debugging": (4, 2.0)}
COLUMNS = (
    "participant_id study_hash arm stratum allocation_index is_simulated is_preview status "
    "exclusion_reason enrolled_at allocated_at finished_at years_coding years_python python_weekly "
    "async_check warmup_minutes warmup_passed task_minutes task_completed completion_minutes "
    "completion_event tasks_passed checks_passed checks_total visible_only_pass quiz_points quiz_max "
    "quiz_score quiz_conceptual_points quiz_code_reading_points quiz_debugging_points runs errors "
    "first_error_type queries queries_explanation queries_generation queries_debugging queries_capability "
    "queries_appreciation interaction_minutes active_minutes away_minutes outage_minutes typed_chars "
    "pasted_chars_assistant pasted_chars_outside retyped_assistant_chars interaction_pattern "
    "used_other_ai received compliant learned enjoyed"
).split()


@dataclass
class Trial:
    """What the made-up trial looks like; `write` makes the directory."""

    n: int = 52
    arms: tuple[str, ...] = ("no_ai", "ai")
    weights: tuple[int, ...] = ()
    effect: float = -4.0
    minutes: float = -2.0
    state: str = "unsealed"
    simulated: bool = False
    preview: bool = False
    seed: int = 7
    noncompliance: float = 0.0
    dropout: float = 0.0
    missing_quiz: float = 0.0
    strata: tuple[str, ...] = ()
    plan: dict[str, Any] = field(default_factory=lambda: {"replicates": 499})
    answers: bool = True

    def table(self) -> pd.DataFrame:
        """The participants table."""
        rng = np.random.default_rng(self.seed)
        n = self.n
        base = pd.DataFrame({"participant_id": [f"{value:08x}" for value in rng.choice(2**32, n, replace=False)]})
        base["years_coding"] = rng.integers(2, 5, n)
        base["years_python"] = rng.integers(2, 5, n)
        base["python_weekly"] = rng.integers(2, 4, n)
        base["async_check"] = rng.integers(0, 6, n)
        ability = rng.normal(size=n) + 0.3 * (base["years_python"] - 3)
        base["warmup_minutes"] = np.clip(6 - 1.2 * ability + rng.normal(0, 1.5, n), 1, 10).round(3)
        base["warmup_passed"] = 1
        drawn = self._assignments(base, rng)
        base["arm"] = [self.arms[i] for i in drawn]
        treated = (drawn > 0) * 1
        crossed = rng.random(n) < self.noncompliance
        exposed = np.where(crossed, 1 - treated, treated)
        self._tasks(base, ability, exposed, rng)
        self._quiz(base, ability, exposed, rng)
        self._use(base, treated, exposed, crossed, rng)
        self._ends(base, rng)
        return base.reindex(columns=COLUMNS)

    @property
    def scheme(self) -> Scheme:
        if self.strata:
            return Scheme(method="stratified_blocks", strata=self.strata)  # type: ignore[arg-type]
        return Scheme(method="permuted_blocks")

    @property
    def scheme_arms(self) -> tuple[Arm, ...]:
        weights = self.weights or (1,) * len(self.arms)
        return tuple(Arm(id=name, weight=weight) for name, weight in zip(self.arms, weights, strict=True))

    def _assignments(self, base: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        profiles = [{name: row[name] for name in self.strata} for row in base.to_dict("records")]
        drawn = replicate(self.scheme, profiles, 1, rng, arms=self.scheme_arms)[0]
        base["stratum"] = [self.scheme.stratum(self.scheme.levels(profile)) for profile in profiles]
        base["allocation_index"] = np.arange(1, len(base) + 1)
        return drawn

    def _tasks(self, base: pd.DataFrame, ability: np.ndarray, exposed: np.ndarray, rng: np.random.Generator) -> None:
        minutes = 25 - 3 * ability + self.minutes * exposed + rng.normal(0, 6, len(base))
        done = minutes < CAP
        base["completion_minutes"] = np.where(done, np.clip(minutes, 5, None), CAP).round(4)
        base["task_minutes"] = base["completion_minutes"]
        base["completion_event"] = base["task_completed"] = done * 1
        base["tasks_passed"] = np.where(done, 2, 1)
        base["checks_total"] = 12
        base["checks_passed"] = np.where(done, 12, 7)
        base["visible_only_pass"] = 0
        base["errors"] = rng.poisson(np.where(exposed == 1, 1.5, 3.5))
        base["runs"] = base["errors"] + rng.integers(2, 9, len(base))
        base["active_minutes"] = (base["task_minutes"] * 0.7).round(3)
        base["away_minutes"] = rng.exponential(0.5, len(base)).round(3)
        base["outage_minutes"] = 0.0

    def _quiz(self, base: pd.DataFrame, ability: np.ndarray, exposed: np.ndarray, rng: np.random.Generator) -> None:
        total = np.zeros(len(base))
        centre = 0.35 + self.effect / 27 * exposed * 2.2 + 0.9 * ability
        self.points: dict[str, np.ndarray] = {}
        for kind, (count, worth) in TYPES.items():
            points = np.zeros(len(base))
            for index in range(count):
                chance = 1 / (1 + np.exp(-(centre + 0.5 * (index - count / 2))))
                got = np.where(rng.random(len(base)) < chance, worth, 0.0)
                self.points[f"{kind}_{index + 1}"] = got
                points += got
            base[f"quiz_{kind}_points"] = points.round(6)
            total += points
        base["quiz_points"] = total.round(6)
        base["quiz_max"] = 27.0
        base["quiz_score"] = base["quiz_points"] / 27.0

    def _use(
        self,
        base: pd.DataFrame,
        treated: np.ndarray,
        exposed: np.ndarray,
        crossed: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        queries = np.where(exposed == 1, 1 + rng.poisson(4, len(base)), 0)
        base["queries"] = np.where(treated == 1, queries, 0)
        base["queries_generation"] = base["queries"] // 2
        base["queries_explanation"] = base["queries"] - base["queries_generation"]
        for name in ("queries_debugging", "queries_capability", "queries_appreciation", "retyped_assistant_chars"):
            base[name] = 0
        base["interaction_minutes"] = (base["queries"] * 0.8).round(3)
        base["typed_chars"] = rng.integers(400, 2500, len(base))
        base["pasted_chars_assistant"] = base["queries_generation"] * 180
        base["pasted_chars_outside"] = np.where(crossed & (treated == 0), 600, 0)
        base["interaction_pattern"] = "none"
        base["used_other_ai"] = (crossed & (treated == 0)) * 1
        base["received"] = exposed
        base["compliant"] = (~(crossed & (treated == 0))) * 1
        base["learned"] = rng.integers(1, 8, len(base))
        base["enjoyed"] = rng.integers(1, 8, len(base))

    def _ends(self, base: pd.DataFrame, rng: np.random.Generator) -> None:
        n = len(base)
        base["study_hash"] = "f" * 64
        base["is_simulated"], base["is_preview"] = int(self.simulated), int(self.preview)
        base["status"] = "completed"
        base["exclusion_reason"] = pd.Series([None] * n, dtype=object)
        for name in ("enrolled_at", "allocated_at", "finished_at"):
            base[name] = "2026-02-03T10:00:00.000Z"
        gone = rng.random(n) < self.dropout
        base.loc[gone, "status"] = "abandoned"
        base.loc[gone, ["completion_event", "task_completed"]] = 0
        base.loc[gone, "completion_minutes"] = CAP
        unopened = gone | (rng.random(n) < self.missing_quiz)
        quiz = [name for name in base.columns if name.startswith("quiz_") and name != "quiz_max"]
        base.loc[unopened, quiz] = np.nan


def write(folder: Path, trial: Trial | None = None, table: pd.DataFrame | None = None, **changes: Any) -> Path:
    """Write the dataset of a trial; `table` replaces its participants."""
    trial = trial or Trial(**changes)
    made = trial.table()
    table = made if table is None else table
    ledger = "simulated" if trial.simulated else "preview" if trial.preview else "real"
    tables = {"participants": table, "allocations": _allocations(made, trial, ledger)}
    if trial.answers:
        tables["answers"] = _answers(made, trial)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "materials").mkdir(exist_ok=True)
    (folder / "materials" / "study.toml").write_text(tomli_w.dumps(study(trial)), encoding="utf-8")
    files = []
    for name, rows in tables.items():
        path = folder / table_path("made", name, "csv")
        rows.to_csv(path, index=False, lineterminator="\r\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append({"path": f"data/{path.name}", "sha256": digest, "rows": len(rows)})
    manifest = {
        "study_id": "made",
        "study_hash": "f" * 64,
        "state": trial.state,
        "package_version": "0.1.0",
        "exported_at": "2026-03-01T00:00:00.000Z",
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return folder


def study(trial: Trial) -> dict[str, Any]:
    """The study file of the made-up trial."""
    weights = trial.weights or (1,) * len(trial.arms)
    arms = [
        {"id": name, "label": name.upper(), "weight": weight, "control": index == 0}
        | ({"assistant": "full"} if index else {})
        for index, (name, weight) in enumerate(zip(trial.arms, weights, strict=True))
    ]
    options = [
        {"value": 2, "label": "1 to 3 years"},
        {"value": 3, "label": "4 to 6 years"},
        {"value": 4, "label": "7+"},
    ]
    question = {"id": "years_python", "kind": "choice", "prompt": "Years of Python?", "options": options}
    allocation: dict[str, Any] = {"method": trial.scheme.method}
    if trial.strata:
        allocation["strata"] = list(trial.strata)
    return {
        "schema": "study/1",
        "id": "made",
        "title": "A made-up trial",
        "description": "Written by the tests.",
        "arms": arms,
        "allocation": allocation,
        "stages": [
            {"id": "background", "kind": "survey", "questions": [question]},
            {"id": "tasks", "kind": "tasks", "minutes": CAP, "packs": ["tasks/made"]},
        ],
        "analysis": trial.plan,
    }


def _allocations(table: pd.DataFrame, trial: Trial, ledger: str) -> pd.DataFrame:
    rows = table[["participant_id", "allocation_index", "stratum", "arm", "study_hash", "allocated_at"]].copy()
    rows.insert(2, "ledger", ledger)
    rows.insert(3, "method", trial.scheme.method)
    return rows


def _answers(table: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    rows = []
    worth = {f"{kind}_{i + 1}": value for kind, (count, value) in TYPES.items() for i in range(count)}
    for index, person in enumerate(table["participant_id"]):
        if pd.isna(table["quiz_points"].iloc[index]):
            continue
        for item, got in trial.points.items():
            rows.append(
                {
                    "participant_id": person,
                    "bank": "made",
                    "form": "a",
                    "item": item,
                    "type": item.rpartition("_")[0],
                    "concept": "nursery",
                    "response": '"x"',
                    "points": float(got[index]),
                    "max_points": worth[item],
                    "scored_by": "key",
                    "seconds": 30.0,
                }
            )
    return pd.DataFrame(rows)
