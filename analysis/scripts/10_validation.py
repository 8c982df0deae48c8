"""Simulate what the analysis promises: `python analysis/scripts/10_validation.py PAGE [TRIALS] [PART ...]`.

Each part is written down in a folder under `var/` when it is done; called again, the script goes on with the others.
Rows of parts that have not been run stay on the page as they are.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from analysis.design.more_gates import gates
from analysis.design.validation import ValidationFinding, page, parts
from analysis.pipeline.looks.gates import looks_gates

TRIALS = 2_000
parser = argparse.ArgumentParser(description="Simulate what the analysis promises.")
parser.add_argument("page", type=Path)
parser.add_argument("rest", nargs="*", metavar="[TRIALS] [PART ...]")
given = parser.parse_args()
rest = given.rest
trials, wanted = (int(rest[0]), rest[1:]) if rest and rest[0].isdigit() else (TRIALS, rest)
computed = dict((*parts(trials), *gates(trials), *looks_gates(trials)))
if unknown := [name for name in wanted if name not in computed]:
    parser.error(f"no part is called {', '.join(unknown)}; they are {', '.join(computed)}")
folder = Path("var") / "validation" / str(trials)
folder.mkdir(parents=True, exist_ok=True)
for name, compute in computed.items():
    done = folder / f"{name}.json"
    if wanted and name not in wanted:
        continue
    if not done.exists():
        done.write_text(json.dumps([asdict(finding) for finding in compute()]), encoding="utf-8")
    findings = [ValidationFinding(**entry) for entry in json.loads(done.read_text(encoding="utf-8"))]
    before = given.page.read_text(encoding="utf-8") if given.page.exists() else ""
    given.page.write_text(page(findings, before), encoding="utf-8")
    sys.stdout.write(f"{name}: {sum(finding.kept for finding in findings)} of {len(findings)} kept\n")
