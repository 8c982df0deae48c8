"""Baseline by arm with standardised differences. Run: python analysis/scripts/03_baseline.py DATASET."""

from analysis.scripts import show

show("Baseline by arm with standardised differences.", lambda result: result["baseline"])
