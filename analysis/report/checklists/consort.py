"""The CONSORT 2025 items in our own short words, and where this report or the dataset answers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

AUTHORS = "To be written by the authors"


class ChecklistItem(NamedTuple):
    """One line of the checklist."""

    number: str
    topic: str
    where: str
    """Words for the reader."""
    anchor: str = ""
    """Section of the report, empty where it is elsewhere."""


ITEMS = (
    ChecklistItem("1a", "Title names a randomised trial", AUTHORS),
    ChecklistItem("1b", "Structured summary", AUTHORS),
    ChecklistItem("2", "Registration", "prereg.md, written at launch"),
    ChecklistItem(
        "3", "Protocol and analysis plan", "Study file in materials/; plan hash under Provenance", "provenance"
    ),
    ChecklistItem("4", "Sharing of data and code", "The dataset directory; analysis scripts of this package"),
    ChecklistItem("5a", "Funding", AUTHORS),
    ChecklistItem("5b", "Conflicts of interest", AUTHORS),
    ChecklistItem("6", "Background and rationale", AUTHORS),
    ChecklistItem("7", "Objectives", "Estimands", "estimands"),
    ChecklistItem("8", "Involvement of participants in the design", AUTHORS),
    ChecklistItem("9", "Trial design and ratio", "Design", "design"),
    ChecklistItem("10", "Changes to the protocol", "Amendments; deviations", "registration"),
    ChecklistItem("11", "Setting", AUTHORS),
    ChecklistItem("12a", "Eligibility", "Study file, stage of kind eligibility"),
    ChecklistItem("12b", "Who delivered the interventions", "Software of the stated version", "provenance"),
    ChecklistItem("13", "Intervention and comparator", "Study file: arms, assistants, task packs"),
    ChecklistItem("14", "Outcomes", "Estimands", "estimands"),
    ChecklistItem("15", "How harms were assessed", AUTHORS),
    ChecklistItem("16a", "Sample size", "Study file; command study power"),
    ChecklistItem("16b", "Interim analyses and stopping", "Design", "design"),
    ChecklistItem("17a", "Who made the random sequence, and how", "Design; ledger of allocations", "design"),
    ChecklistItem("17b", "Type of randomisation", "Design", "design"),
    ChecklistItem("18", "Concealment of the allocation", "Sealed seed and its commitment in prereg.json"),
    ChecklistItem("19", "Who could see the sequence", "Software; audit log"),
    ChecklistItem("20a", "Who was blinded", AUTHORS),
    ChecklistItem("20b", "How blinding worked", AUTHORS),
    ChecklistItem("21a", "Statistical methods", "All analyses", "analyses"),
    ChecklistItem("21b", "Who is in each analysis", "All analyses: population and n of each row", "analyses"),
    ChecklistItem("21c", "Missing data", "Estimands; sensitivity", "sensitivity"),
    ChecklistItem("21d", "Further analyses, planned or not", "Registration; status of each row", "registration"),
    ChecklistItem("22a", "Flow of participants", "Flow", "flow"),
    ChecklistItem("22b", "Losses and exclusions with reasons", "Flow", "flow"),
    ChecklistItem("23a", "Dates of recruitment", "Flow", "flow"),
    ChecklistItem("23b", "Why the trial ended", "Audit log of the dataset"),
    ChecklistItem("24a", "Intervention as delivered", "Flow (received); interaction styles", "styles"),
    ChecklistItem("24b", "Concomitant help", "Columns used_other_ai and compliant", "sensitivity"),
    ChecklistItem("25", "Baseline data", "Baseline", "baseline"),
    ChecklistItem("26", "Numbers analysed, estimates with precision", "Primary result; all analyses", "primary"),
    ChecklistItem("27", "Harms", AUTHORS),
    ChecklistItem("28", "Ancillary analyses", "Subgroups; sensitivity", "subgroups"),
    ChecklistItem("29", "Interpretation", AUTHORS),
    ChecklistItem("30", "Limitations", AUTHORS),
)


def filled(result: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    """Return the items, with what the results say of plan, amendments and unplanned analyses."""
    registered = result["provenance"]["registration"]
    rows = ", ".join(f"{count} {status}" for status, count in registered["rows"].items())
    if registered["frozen_at"]:
        plan = f"Plan frozen at launch, {registered['frozen_at'][:10]}; its hash under Provenance"
        amended = (
            f"{len(registered['amendments']) or 'No'} amendment{'s' * (len(registered['amendments']) != 1)}"
            f"{', each with its reason' * bool(registered['amendments'])}; deviations"
        )
    else:
        plan, amended = f"{registered['note'].capitalize()}; study file in materials/", "No plan was frozen; deviations"
    found = {
        "3": ChecklistItem("3", "Protocol and analysis plan", plan, "registration"),
        "10": ChecklistItem("10", "Changes to the protocol", amended, "registration"),
        "21d": ChecklistItem("21d", "Further analyses, planned or not", f"Status of each row: {rows}", "registration"),
    }
    if "blinding" in result:
        counts = result["blinding"]["counts"]
        who = f"Arms shown: {counts['unblindings']}; first looks: {counts['looks']}; Blinding; the rest: by the authors"
        found["20a"] = ChecklistItem("20a", "Who was blinded", who, "blinding")
    return tuple(found.get(item.number, item) for item in ITEMS)
