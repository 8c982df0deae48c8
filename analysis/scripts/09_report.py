"""results.json, report, tables and figures. Run: python analysis/scripts/09_report.py DATASET OUT."""

import sys

from analysis.cli import analyze
from analysis.scripts import arguments, refusals

given = arguments("results.json, report, tables and figures.", "out")
with refusals():
    summary = analyze(given.dataset, given.out, given.plan, include_simulated=given.include_simulated)
sys.stdout.write(f"{summary.out}: {summary.rows} rows, {summary.not_estimable} not estimable\n")
