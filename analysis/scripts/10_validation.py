"""Simulate what the analysis promises: `python analysis/scripts/10_validation.py PAGE [TRIALS] [PART ...]`.

Each part is written down in a folder under `var/` when it is done; called again, the script goes on with the others.
Rows of parts that have not been run stay on the page as they are.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from analysis.design.more_gates import gates
from analysis.design.validation import ValidationFinding, page, parts
from analysis.pipeline.looks.gates import looks_gates

TRIALS = 2_000
target, *rest = sys.argv[1:]
trials, wanted = (int(rest[0]), rest[1:]) if rest and rest[0].isdigit() else (TRIALS, rest)
folder = Path("var") / "validation" / str(trials)
folder.mkdir(parents=True, exist_ok=True)
for name, compute in (*parts(trials), *gates(trials), *looks_gates(trials)):
    done = folder / f"{name}.json"
    if wanted and name not in wanted:
        continue
    if not done.exists():
        done.write_text(json.dumps([asdict(finding) for finding in compute()]), encoding="utf-8")
    findings = [ValidationFinding(**entry) for entry in json.loads(done.read_text(encoding="utf-8"))]
    before = Path(target).read_text(encoding="utf-8") if Path(target).exists() else ""
    Path(target).write_text(page(findings, before), encoding="utf-8")
    sys.stdout.write(f"{name}: {sum(finding.kept for finding in findings)} of {len(findings)} kept\n")
