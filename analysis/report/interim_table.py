"""Interim looks for a manuscript: a table, and the items of the checklist for adaptive designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.checklists.consort import ChecklistItem
from analysis.report.scales import decimal, shown
from analysis.report.wording import p_text
from study_app.domain.study.analysis_plan import Stopping
from study_app.domain.study.plan_sections import NO_LOOKS

HEADER = (
    "Look", "People", "Boundary |z|", "Primary row", "z", "Estimate (repeated interval)", "Sequential p", "Decision",
)  # fmt: skip


def look_rows(
    interim: Mapping[str, Any], titles: Mapping[str, str], labels: Mapping[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Return one line for each primary row of each look, as text."""
    found = []
    for look in interim.get("looks", ()):
        for place, row in enumerate(look["rows"]):
            contrast = " minus ".join(labels.get(arm, arm) for arm in row["contrast"] or ())
            name = f"{titles.get(row['outcome'], row['outcome'])}: {contrast}".rstrip(": ")
            seen = shown({"unit": "", **row})
            # On the scale and by the words of the results: a log odds ratio is an odds ratio there.
            ends = [decimal(end, 2) for end in (seen.low, seen.high) if end is not None]
            interval = f" ({' to '.join(ends)})" if ends else ""
            interval += f" {seen.unit}" if seen.unit != row.get("unit", "") else ""
            head = (str(look["look"]), str(look["n"]), decimal(look["boundary"], 3)) if not place else ("", "", "")
            cells = (name, decimal(row["z"], 3), decimal(seen.estimate, 2) + interval, p_text(row["sequential_p"]))
            found.append((*head, *cells, look["decision"] if not place else ""))
    return tuple(found)


def stopping_sentence(rule: Stopping, plain: bool) -> str:
    """Return what a checklist says of looks; nothing where a table collected elsewhere has a plan without a word."""
    return "" if plain and rule.sentence == NO_LOOKS else rule.sentence


def adaptive_items(rule: Stopping, interim: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    """CONSORT extension for adaptive designs, answered from the plan and the looks."""
    looks = [f"look {look['look']} at {look['n']}: {look['decision']}" for look in interim.get("looks", ())]
    missed = [f"look {place} not taken" for place in interim.get("not_taken", ())]
    decisions = "; ".join([*looks, *missed]) or interim.get("note", "")
    return (
        ChecklistItem("3b", "Type of the adaptive design", "Group-sequential; Design", "design"),
        ChecklistItem("7b", "Interim looks and rules for stopping", rule.sentence, "interim"),
        ChecklistItem("12b", "Methods for estimates after looks", "Stage-wise ordering, median-unbiased", "interim"),
        ChecklistItem("14c", "Decisions taken at the looks", decisions, "interim"),
    )
