"""How long a table of 100,000 people takes, and how much memory: `study analyze` with a score and a time."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 100_000
PLAN = """
control = "a"
primary = ["y", "t"]
subgroups = []
[[covariates]]
column = "x"
[columns]
participant_id = "id"
[[outcomes]]
id = "y"
[[outcomes]]
id = "t"
kind = "time"
cap = 35
event = "done"
"""


def table() -> pd.DataFrame:
    """Made-up people: a covariate, a score that hangs on it, and a time that is cut at 35."""
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"id": np.arange(ROWS), "arm": rng.choice(["a", "b"], ROWS), "x": rng.normal(size=ROWS)})
    minutes = rng.exponential(20, ROWS)
    score = people["x"] + rng.normal(size=ROWS) + 0.05 * (people["arm"] == "b")
    return people.assign(y=score.round(4), t=minutes.clip(0, 35).round(3), done=(minutes < 35) * 1)


def main() -> None:
    """Write the table, analyse it in a separate process, print seconds and memory."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table().to_csv(home / "table.csv", index=False)
        (home / "plan.toml").write_text(PLAN, encoding="utf-8")
        command = [sys.executable, "-m", "study_app.cli", "analyze", str(home / "table.csv")]
        command += ["--plan", str(home / "plan.toml"), "--out", str(home / "out")]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{ROWS:,} rows: {wall:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor, "
          f"{used.ru_maxrss / 1024:.0f} MB at most")  # fmt: skip


if __name__ == "__main__":
    main()
