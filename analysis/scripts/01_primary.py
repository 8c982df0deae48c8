"""The two co-primary rows: difference, interval, p, adjusted p. Run: python analysis/scripts/01_primary.py DATASET."""

from analysis.scripts import show

show(
    "The two co-primary rows: difference, interval, p, adjusted p.",
    lambda result: [row for row in result["estimates"] if row["role"] == "primary"],
)
