"""The shipped study with another plan or other tables, and what `check` and `launch` say of its plan."""

from __future__ import annotations

import tomllib
from pathlib import Path

from analysis.pipeline.planning.plan_check import study_plan_problems
from study_app.content.library import FolderLibrary
from study_app.content.study_file import validate_study

ROOT = Path(__file__).parents[3]
SHIPPED = tomllib.loads((ROOT / "study.toml").read_text(encoding="utf-8"))


def study(plan: dict | None = None, minutes: float = 35, **changes):
    raw = SHIPPED | {"analysis": SHIPPED.get("analysis", {}) | (plan or {})} | changes
    stages = [stage | {"minutes": minutes} if stage["id"] == "tasks" else stage for stage in raw["stages"]]
    return validate_study(raw | {"stages": stages}, "study.toml")


def problems(plan: dict | None = None, **changes) -> list[str]:
    made = study(plan, **changes)
    library = FolderLibrary(made, ROOT, "study.toml")
    return [str(problem) for problem in study_plan_problems(made, library.bank, "study.toml")]


def own(**outcome) -> dict:
    return {"outcomes": [{"id": "mine", "kind": "continuous"} | outcome], "primary": ["mine"], "estimands": []}
