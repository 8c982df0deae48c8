"""Effects among compliers, and per protocol. Run: python analysis/scripts/05_compliers.py DATASET."""

from analysis.scripts import show

show(
    "Effects among compliers, and per protocol.",
    lambda result: [row for row in result["estimates"] if row["population"] != "itt"],
)
