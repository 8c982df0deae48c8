"""Baseline by arm with standardised differences. Run: python analysis/scripts/03_baseline.py DATASET."""

import json
import sys

from analysis.data.load import load
from analysis.pipeline.analyse import analyse

result = analyse(load(sys.argv[1]), include_simulated="--simulated" in sys.argv)
rows = result["baseline"]
sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
