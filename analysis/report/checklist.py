"""The CONSORT 2025 items in our own short words, and where this report or the dataset answers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

AUTHORS = "To be written by the authors"


class Item(NamedTuple):
    """One line of the checklist."""

    number: str
    topic: str
    where: str
    """Words for the reader."""
    anchor: str = ""
    """Section of the report, empty where it is elsewhere."""


ITEMS = (
    Item("1a", "Title names a randomised trial", AUTHORS),
    Item("1b", "Structured summary", AUTHORS),
    Item("2", "Registration", "prereg.md, written at launch"),
    Item("3", "Protocol and analysis plan", "Study file in materials/; plan hash under Provenance", "provenance"),
    Item("4", "Sharing of data and code", "The dataset directory; analysis scripts of this package"),
    Item("5a", "Funding", AUTHORS),
    Item("5b", "Conflicts of interest", AUTHORS),
    Item("6", "Background and rationale", AUTHORS),
    Item("7", "Objectives", "Estimands", "estimands"),
    Item("8", "Involvement of participants in the design", AUTHORS),
    Item("9", "Trial design and ratio", "Design", "design"),
    Item("10", "Changes to the protocol", "Amendments; deviations", "registration"),
    Item("11", "Setting", AUTHORS),
    Item("12a", "Eligibility", "Study file, stage of kind eligibility"),
    Item("12b", "Who delivered the interventions", "Software of the stated version", "provenance"),
    Item("13", "Intervention and comparator", "Study file: arms, assistants, task packs"),
    Item("14", "Outcomes", "Estimands", "estimands"),
    Item("15", "How harms were assessed", AUTHORS),
    Item("16a", "Sample size", "Study file; command study power"),
    Item("16b", "Interim analyses and stopping", "Design", "design"),
    Item("17a", "Who made the random sequence, and how", "Design; ledger of allocations", "design"),
    Item("17b", "Type of randomisation", "Design", "design"),
    Item("18", "Concealment of the allocation", "Sealed seed and its commitment in prereg.json"),
    Item("19", "Who could see the sequence", "Software; audit log"),
    Item("20a", "Who was blinded", AUTHORS),
    Item("20b", "How blinding worked", AUTHORS),
    Item("21a", "Statistical methods", "All analyses", "analyses"),
    Item("21b", "Who is in each analysis", "All analyses: population and n of each row", "analyses"),
    Item("21c", "Missing data", "Estimands; sensitivity", "sensitivity"),
    Item("21d", "Further analyses, planned or not", "Registration; status of each row", "registration"),
    Item("22a", "Flow of participants", "Flow", "flow"),
    Item("22b", "Losses and exclusions with reasons", "Flow", "flow"),
    Item("23a", "Dates of recruitment", "Flow", "flow"),
    Item("23b", "Why the trial ended", "Audit log of the dataset"),
    Item("24a", "Intervention as delivered", "Flow (received); interaction styles", "styles"),
    Item("24b", "Concomitant help", "Columns used_other_ai and compliant", "sensitivity"),
    Item("25", "Baseline data", "Baseline", "baseline"),
    Item("26", "Numbers analysed, estimates with precision", "Primary result; all analyses", "primary"),
    Item("27", "Harms", AUTHORS),
    Item("28", "Ancillary analyses", "Subgroups; sensitivity", "subgroups"),
    Item("29", "Interpretation", AUTHORS),
    Item("30", "Limitations", AUTHORS),
)


def filled(result: Mapping[str, Any]) -> tuple[Item, ...]:
    """The items, with what the results say of plan, amendments and unplanned analyses."""
    registered = result["provenance"]["registration"]
    rows = ", ".join(f"{count} {status}" for status, count in registered["rows"].items())
    if registered["frozen_at"]:
        plan = f"Plan frozen at launch, {registered['frozen_at'][:10]}; its hash under Provenance"
        amended = f"{len(registered['amendments'])} amendment(s), each with its reason; deviations"
    else:
        plan, amended = f"{registered['note'].capitalize()}; study file in materials/", "No plan was frozen; deviations"
    found = {
        "3": Item("3", "Protocol and analysis plan", plan, "registration"),
        "10": Item("10", "Changes to the protocol", amended, "registration"),
        "21d": Item("21d", "Further analyses, planned or not", f"Status of each row: {rows}", "registration"),
    }
    return tuple(found.get(item.number, item) for item in ITEMS)
