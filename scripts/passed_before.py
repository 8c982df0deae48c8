"""Pytest plugin of test_all.py: note each test that passes, and leave out those that are noted from before.

The environment names the file: `TESTS_PASSED`, one id a line, appended by the controlling process only; its copy
`TESTS_PASSED.before` is what this run leaves out, so that every worker collects the same tests whenever it starts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PASSED = Path(os.environ["TESTS_PASSED"])
BEFORE = PASSED.with_name(PASSED.name + ".before")
failed: set[str] = set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed."""
    before = set(BEFORE.read_text(encoding="utf-8").split("\n"))
    kept = [item for item in items if noted(item.nodeid) not in before]
    config.hook.pytest_deselected(items=[item for item in items if noted(item.nodeid) in before])
    items[:] = kept


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test whose last phase is over and of which no phase failed."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if report.failed:
        failed.add(report.nodeid)
    elif report.when == "teardown" and report.passed and report.nodeid not in failed:
        with PASSED.open("a", encoding="utf-8") as file:
            file.write(noted(report.nodeid) + "\n")


def noted(nodeid: str) -> str:
    """Return the id in one line."""
    return nodeid.replace("\n", "\\n")
