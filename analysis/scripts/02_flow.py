"""How many were assessed, allocated, lost and analysed. Run: python analysis/scripts/02_flow.py DATASET."""

import json
import sys

from analysis.data.load import load
from analysis.pipeline.analyse import analyse

result = analyse(load(sys.argv[1]), include_simulated="--simulated" in sys.argv)
rows = [{"arm": arm, **counts} for arm, counts in result["flow"]["arms"].items()]
sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
