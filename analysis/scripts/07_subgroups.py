"""Differences by subgroup and their interactions. Run: python analysis/scripts/07_subgroups.py DATASET."""

from analysis.scripts import show

show(
    "Differences by subgroup and their interactions.",
    lambda result: [row for row in result["estimates"] if ".subgroup." in row["id"] or ".interaction." in row["id"]],
)
