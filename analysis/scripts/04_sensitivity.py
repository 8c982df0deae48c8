"""The primary questions answered in other ways. Run: python analysis/scripts/04_sensitivity.py DATASET."""

from analysis.scripts import show

show(
    "The primary questions answered in other ways.",
    lambda result: [row for row in result["estimates"] if row["role"] == "sensitivity"],
)
