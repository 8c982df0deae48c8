"""Write the page of validation: `python analysis/scripts/10_validation.py docs/reference/validation.md [TRIALS]`."""

import sys
from pathlib import Path

from analysis.design.validation import everything, page

trials, found = int(sys.argv[2] if len(sys.argv) > 2 else 10_000), []
for findings in everything(trials):
    found += findings
    Path(sys.argv[1]).write_text(page(found, trials), encoding="utf-8")
