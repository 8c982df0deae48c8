"""Secondary outcomes. Run: python analysis/scripts/06_secondary.py DATASET."""

from analysis.scripts import show

show("Secondary outcomes.", lambda result: [row for row in result["estimates"] if row["role"] == "secondary"])
