"""The estimands of the report and the checklists, in the words of the design that was analysed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.prepare import Prepared
from study_app.domain.study.comparing.stated_estimands import ABOUT_LOSS, stated_estimands
from study_app.domain.study.plan_sections import Estimand


def estimands(prepared: Prepared, result: Mapping[str, Any]) -> tuple[Estimand, ...]:
    """Return the plan's estimands; usual ones name the rows on missing outcomes that the results hold."""
    about_loss: dict[str, set[str]] = {}
    for row in result["estimates"]:
        if row["method"] in ABOUT_LOSS and (row["estimate"] is not None or row["ci_low"] is not None):
            about_loss.setdefault(row["outcome"], set()).add(row["method"])
    return stated_estimands(prepared.fitted, prepared.dataset.study.study, about_loss)
