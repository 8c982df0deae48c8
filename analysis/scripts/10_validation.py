"""Writes docs/validation.md. Run: python analysis/scripts/10_validation.py docs/validation.md [TRIALS [WORKERS]]."""

import sys
from pathlib import Path

from analysis.validation import everything, page

trials, workers = (int(value) for value in (*sys.argv[2:4], *("10000", "1")[len(sys.argv) - 2 :]))
Path(sys.argv[1]).write_text(page(everything(trials, workers), trials), encoding="utf-8")
