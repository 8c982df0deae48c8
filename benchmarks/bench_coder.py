"""Agreement of the offline coder with the published study's human codes, per label, with a bootstrap interval.

Usage: python benchmarks/bench_coder.py [FOLDER of the published transcripts]
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from analysis.styles.coders.coding import code_queries
from analysis.transcripts import import_transcripts

FOLDER = Path(__file__).parents[2] / "shared" / "transcripts"


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        dataset = Path(place) / "dataset"
        imported = import_transcripts(folder, dataset)
        began = time.perf_counter()
        found = code_queries(dataset, "rules")
        seconds = time.perf_counter() - began
    figures = {
        "participants": imported.participants,
        "queries": found["queries"],
        "coder": found["coder_version"],
        "agreement": found["agreement"],
        "overall": found["overall"],
        "disagreements": len(found["disagreements"]),
        "milliseconds_per_query": 1000 * seconds / found["queries"],
        "peer": "bag-of-words logistic regression in grouped cross-validation: generation 0.71, explanation 0.65",
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
