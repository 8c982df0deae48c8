"""Run every test, the slow ones too, in parts of an hour at most that can resume.

What has passed at this commit is not run again: a part that was stopped, or that ran out of its hour, goes on with its
remaining tests when it is called again.

usage: test_all.py [PART ...]      (default: all parts, in order; results lie in build/test-all)
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "test-all"
LIMIT_SECONDS = 3600
STOPPING_SECONDS = 120
OUT_OF_TIME = 124
NOTHING_COLLECTED = 5
"""Pytest's status where every test of the part has passed before."""
PARTS: dict[str, list[str]] = {
    "domain": ["domain", "storage", "content", "secrets", "rerandomisation", "docs"],
    "sandbox": ["sandbox"],
    "services": ["services"],
    "dataset": ["dataset"],
    "web": ["web", "assistant"],
    "pages": ["ui"],
    "trial": ["trial", "cli", "simulation"],
    "analysis": ["analysis", "oracles"],
}
"""Part -> folders of tests/; what no part names is run with the first."""


def folders_of(part: str) -> list[str]:
    """Return the folders of a part that are there, as pytest takes them."""
    present = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    named = {folder for folders in PARTS.values() for folder in folders}
    wanted = [*PARTS[part], *(sorted(present - named) if part == next(iter(PARTS)) else [])]
    return [f"tests/{folder}" for folder in wanted if folder in present]


def commit() -> str:
    """Return what is tested: the commit, and whether anything differs from it."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    status = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(status, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return head.strip() + ("+changes" if changed else "")


def earlier(part: str, at: str) -> dict[str, object]:
    """Return what a part came to at this commit so far; what it noted at another commit is forgotten."""
    file = RESULTS / f"{part}.json"
    kept: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("commit") == at:
        return kept
    passed_file(part).unlink(missing_ok=True)
    return {"part": part, "commit": at, "status": None, "seconds": 0}


def passed_file(part: str) -> Path:
    """Return where the tests of a part that passed are noted."""
    return RESULTS / f"{part}.passed"


def run(part: str, at: str) -> dict[str, object]:
    """Run the tests of a part that have not passed, or give what it came to before."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = earlier(part, at)
    if result["status"] == 0:
        return result
    passed = passed_file(part)
    passed.touch()
    shutil.copy(passed, passed.with_name(passed.name + ".before"))
    # Written before the run: a run that is killed has its commit noted, and goes on.
    keep(part, result)
    begun = time.monotonic()
    status = pytest_status(part, passed)
    result |= {"status": status, "seconds": int(str(result["seconds"])) + round(time.monotonic() - begun)}
    keep(part, result)
    return result


def keep(part: str, result: dict[str, object]) -> None:
    """Write what a part came to."""
    (RESULTS / f"{part}.json").write_text(json.dumps(result))


def pytest_status(part: str, passed: Path) -> int:
    """Run pytest over a part, an hour at most; its exit status."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    plugin = {"TESTS_PASSED": str(passed), "PYTHONPATH": str(Path(__file__).parent)}
    arguments = ["-p", "passed_before", *folders_of(part)]
    process = subprocess.Popen([*command, *arguments], cwd=ROOT, env=dict(os.environ) | plugin)
    try:
        status = process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        # As by Ctrl+C, so that fixtures stop their servers.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOPPING_SECONDS)
        process.kill()
        return OUT_OF_TIME
    return 0 if status == NOTHING_COLLECTED and passed.stat().st_size else status


def line(result: dict[str, object]) -> str:
    """Return what a part came to, for the terminal."""
    words = {0: "passed", OUT_OF_TIME: "out of time; call again"}
    status = int(str(result["status"]))
    return f"{result['part']:10} {words.get(status, f'FAILED ({status})'):24} {result['seconds']} s\n"


def main(parts: list[str]) -> int:
    """Run the parts and print what each came to."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        sys.stderr.write(f"error: {unknown[0]}: there is no such part; the parts are {', '.join(PARTS)}\n")
        return 2
    at = commit()
    results = []
    for part in parts or PARTS:
        results.append(run(part, at))
        sys.stdout.write(line(results[-1]))
        sys.stdout.flush()
    if len(results) > 1:
        sys.stdout.write("".join(["\n", *map(line, results)]))
    return int(any(result["status"] for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
