"""Differences by subgroup and their interactions. Run: python analysis/scripts/07_subgroups.py DATASET."""

import json
import sys

from analysis.data.load import load
from analysis.pipeline.analyse import analyse

result = analyse(load(sys.argv[1]), include_simulated="--simulated" in sys.argv)
rows = [row for row in result["estimates"] if ".subgroup." in row["id"] or ".interaction." in row["id"]]
sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
