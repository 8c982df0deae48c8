"""What a table collected elsewhere can answer of the CONSORT items: it does not hold how its trial was run."""

from __future__ import annotations

from analysis.report.checklists.consort import AUTHORS, ChecklistItem

NOT_HELD = ("2", "12a", "12b", "13", "16b", "17a", "17b", "18", "19", "23a", "23b", "24a", "24b")
"""Items on how a trial was registered, run and ended."""
HELD = {
    "3": ("No plan was frozen; the plan that was used, by its hash under Provenance", "provenance"),
    "4": ("The table and the plan; supplement/ computes the primary rows again", ""),
    "10": ("Deviations of the analysis; of the trial: by the authors", "deviations"),
}


def of_a_table(items: tuple[ChecklistItem, ...]) -> tuple[ChecklistItem, ...]:
    """Return the items without answers that only a trial of study-app has."""
    found = []
    for item in items:
        where, anchor = (AUTHORS, "") if item.number in NOT_HELD else HELD.get(item.number, (item.where, item.anchor))
        found.append(item._replace(where=where, anchor=anchor))
    return tuple(found)
