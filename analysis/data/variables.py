"""Which columns are baseline variables, and how the study file words their values."""

from __future__ import annotations

import re
from typing import Any

from analysis.data.dataset import Dataset
from study_app.domain.study.analysis_plan import Plan

_BEFORE, _LAST = "finished_at", ("warmup_minutes", "warmup_passed")


def baseline_variables(dataset: Dataset, plan: Plan) -> list[str]:
    """Columns of the baseline table: the background questions, baseline quizzes, the warm-up.

    In an export they stand between `finished_at` and `warmup_minutes`; a plain table has the plan's covariates and
    subgroups. Single keyed questions give way to the score that sums them.
    """
    columns = [str(name) for name in dataset.participants.columns]
    named = [entry.column for entry in plan.covariates] + [entry.column for entry in plan.subgroups]
    if dataset.plain or _BEFORE not in columns or _LAST[0] not in columns:
        return list(dict.fromkeys(named))
    between = columns[columns.index(_BEFORE) + 1 : columns.index(_LAST[0])]
    scores = [score for stage in _stages(dataset) if not stage.get("exit") for score in stage.get("scores", [])]
    summed = {name for score in scores for name in score.get("of", [])}
    kept = [name for name in between if name not in summed]
    kept += [str(score["id"]) for score in scores if score["id"] in columns]
    study = dataset.study.study
    quizzes = [quiz.points for quiz in study.quizzes if quiz.role == "baseline"] if study is not None else []
    kept += [name for name in quizzes if name in columns]
    return list(dict.fromkeys([*kept, *(name for name in _LAST if name in columns), *named]))


def value_labels(dataset: Dataset) -> dict[str, dict[Any, str]]:
    """Question -> value -> what the participant read, for questions with options."""
    found: dict[str, dict[Any, str]] = {}
    for stage in _stages(dataset):
        for question in stage.get("questions", []):
            options = question.get("options", [])
            if options and question.get("kind") == "choice":
                found[str(question["id"])] = {_key(o["value"]): str(o.get("label", o["value"])) for o in options}
    return found


def several_labels(dataset: Dataset) -> dict[str, dict[Any, str]]:
    """Question of which several options can be chosen -> option -> what the participant read."""
    return {
        str(question["id"]): {o["value"]: str(o.get("label", o["value"])) for o in question.get("options", [])}
        for stage in _stages(dataset)
        for question in stage.get("questions", [])
        if question.get("kind") == "multiple"
    }


def variable_labels(dataset: Dataset, plan: Plan) -> dict[str, str]:
    """Column -> short text for tables: its caption before any bracket, or the id with spaces.

    An option of a question with several has the key `question.option`. Of a table from elsewhere the plan's labels of
    covariates and subgroups are all that is known.
    """
    found = {str(name): _sentence(str(name).replace("_", " ")) for name in dataset.participants.columns}
    for stage in _stages(dataset):
        for entry in (*stage.get("questions", []), *stage.get("scores", [])):
            caption = str(entry.get("caption", "")).split(" (")[0].strip()
            if caption:
                found[str(entry["id"])] = caption
    for name, options in several_labels(dataset).items():
        found |= {f"{name}.{value}": f"{found.get(name, name)}: {label}" for value, label in options.items()}
    if dataset.plain:
        found |= {entry.column: entry.label for entry in plan.subgroups if entry.label}
        found |= {entry.column: entry.label for entry in plan.covariates if entry.label}
    return found


def _sentence(text: str) -> str:
    text = re.sub(r"\bai\b", "AI", text)
    return text[:1].upper() + text[1:]


def _stages(dataset: Dataset) -> list[dict[str, Any]]:
    return [stage for stage in dataset.study.raw.get("stages", []) if isinstance(stage, dict)]


def _key(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
