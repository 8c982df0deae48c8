"""What pages show of content, in a participant's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from study_app.content.texts import Catalogue
from study_app.domain.tasks.programs import RunLimits
from study_app.domain.tasks.sentences import VERDICTS, translated_check


def examples_in(
    catalogue: Catalogue, content: Mapping[str, str], task: str, checks: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Verdicts of examples in a language.

    Args:
        catalogue: the pages' texts of the language.
        content: dotted key -> the study's own texts in it.
        task: whose examples they are.
        checks: as `CheckResult.shown` gives them.
    """
    verdicts = catalogue.table(VERDICTS.table)
    made = [translated_check({"message": "", **check}, verdicts, catalogue.figures.said) for check in checks]
    return [check | {"name": content.get(f"tasks.{task}.examples.{check['name']}") or check["name"]} for check in made]


def limit_in(catalogue: Catalogue, limits: RunLimits, ended_by: str | None) -> str:
    """Return the figure of the limit that ended a program; empty where none did."""
    figures = {
        "time": ("run.seconds", limits.wall_seconds),
        "cpu": ("run.seconds", limits.cpu_seconds),
        "memory": ("run.megabytes", limits.memory_mb),
        "output": ("run.bytes", limits.output_bytes),
    }
    if ended_by not in figures:
        return ""
    key, value = figures[ended_by]
    whole = int(value) if value == int(value) else value
    return catalogue.filled(key, n=catalogue.figures.number(whole))
