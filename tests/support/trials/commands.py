"""The commands as a researcher types them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.warm_processes import run_study

LAUNCHABLE = (
    ('entry = "open"          # open: for trying out; a launched study needs "links" or "prolific"', 'entry = "links"'),
    ("allow_embedded = false", "allow_embedded = true"),
    ("target_n = 52", "target_n = 2"),
    ("abandoned_after_hours = 24", "abandoned_after_hours = 0.00001"),
)
"""Changes to the shipped study after which it can be launched, run and closed at once."""


def study(*arguments: object, cwd: Path, expect: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "STUDY_"))}
    given = kept | {"STUDY_VAR": str(cwd / "var"), **environment}
    done = run_study(arguments, cwd=cwd, environment=given)
    assert done.returncode == expect, f"{arguments}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done
