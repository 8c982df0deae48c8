"""How many were assessed, allocated, lost and analysed. Run: python analysis/scripts/02_flow.py DATASET."""

from analysis.scripts import show

show(
    "How many were assessed, allocated, lost and analysed.",
    lambda result: [{"arm": arm, **counts} for arm, counts in result["flow"]["arms"].items()],
)
