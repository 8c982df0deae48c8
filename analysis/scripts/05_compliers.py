"""Effects among compliers, and per protocol. Run: python analysis/scripts/05_compliers.py DATASET."""

import json
import sys

from analysis.data.load import load
from analysis.pipeline.analyse import analyse

result = analyse(load(sys.argv[1]), include_simulated="--simulated" in sys.argv)
rows = [row for row in result["estimates"] if row["population"] != "itt"]
sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
