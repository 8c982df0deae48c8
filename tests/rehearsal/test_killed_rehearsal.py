"""A rehearsal that is killed leaves no process behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

POOL = """
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from analysis.pipeline.power.workers import end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        input()
"""


def ended(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in ("Z", "X")


def test_workers_end_with_the_rehearsal_that_started_them_also_where_it_is_killed(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert not ended(worker)
        parent.kill()
        parent.wait()
    end = time.monotonic() + 60
    while not ended(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert ended(worker)
