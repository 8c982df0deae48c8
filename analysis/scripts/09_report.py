"""results.json, report, tables and figures. Run: python analysis/scripts/09_report.py DATASET OUT."""

import sys
from pathlib import Path

from analysis.cli import analyze

summary = analyze(Path(sys.argv[1]), Path(sys.argv[2]), include_simulated="--include-simulated" in sys.argv)
sys.stdout.write(f"{summary.out}: {summary.rows} rows, {summary.not_estimable} not estimable\n")
