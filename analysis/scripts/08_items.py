"""Quality of the quiz, item by item. Run: python analysis/scripts/08_items.py DATASET."""

import json
import sys

from analysis.data.load import load
from analysis.pipeline.analyse import analyse

result = analyse(load(sys.argv[1]), include_simulated="--simulated" in sys.argv)
rows = result["psychometrics"]["items"]
sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
