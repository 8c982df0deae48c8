"""Run every test, the slow ones too, in parts that can resume: a part that has passed at this commit is not run again.

usage: test_all.py [PART ...]      (default: all parts, in order; results lie in build/test-all)
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "test-all"
LIMIT_SECONDS = 3600
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
    """The folders of a part that are there, as pytest takes them."""
    present = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    named = {folder for folders in PARTS.values() for folder in folders}
    wanted = [*PARTS[part], *(sorted(present - named) if part == next(iter(PARTS)) else [])]
    return [f"tests/{folder}" for folder in wanted if folder in present]


def commit() -> str:
    """What is tested: the commit, and whether anything differs from it."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    status = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(status, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return head.strip() + ("+changes" if changed else "")


def run(part: str, at: str) -> dict[str, object]:
    """Run a part, or give what it came to before."""
    file = RESULTS / f"{part}.json"
    if file.exists() and (kept := json.loads(file.read_text()))["commit"] == at and kept["status"] == 0:
        return kept
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    begun = time.monotonic()
    try:
        status = subprocess.run([*command, *folders_of(part)], cwd=ROOT, timeout=LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        status = 124
    result = {"part": part, "commit": at, "status": status, "seconds": round(time.monotonic() - begun)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result))
    return result


def main(parts: list[str]) -> int:
    """Run the parts and print what each came to."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        sys.stderr.write(f"error: {unknown[0]}: there is no such part; the parts are {', '.join(PARTS)}\n")
        return 2
    at = commit()
    results = [run(part, at) for part in parts or PARTS]
    for result in results:
        word = "passed" if result["status"] == 0 else f"FAILED ({result['status']})"
        sys.stdout.write(f"{result['part']:10} {word:14} {result['seconds']} s\n")
    return int(any(result["status"] for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
