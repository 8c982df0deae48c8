"""Pytest plugin of mutants.py: for each test the lines of the code that it reaches, and how long it takes.

The environment names the code and the result: `REACHED_ROOT` (a folder) and `REACHED_OUT` (one JSON object a line:
test, seconds, lines as {file: [line, ...]}). It runs with one file of tests at a time: what a fixture of a whole file
reaches counts for each of its tests.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

ROOT = os.environ["REACHED_ROOT"] + "/study_app/"
OUT = Path(os.environ["REACHED_OUT"])
CALLS_TRACED = 50
"""Calls of one function in one test whose lines are noted: a property test makes thousands, which add few lines."""
Lines = defaultdict[str, set[int]]
lines: Lines = defaultdict(set)
"""Of the test that runs."""
shared: Lines = defaultdict(set)
"""Of fixtures that several tests share."""
calls: Counter[CodeType] = Counter()
Tracer = Callable[[FrameType, str, Any], Any]


def on_call(frame: FrameType, event: str, _: Any) -> Tracer | None:
    """Trace the lines of a function of the code, the first few times that a test calls it."""
    code = frame.f_code
    if not code.co_filename.startswith(ROOT) or calls[code] >= CALLS_TRACED:
        return None
    calls[code] += 1
    lines[code.co_filename].add(frame.f_lineno)
    return on_line


def on_line(frame: FrameType, event: str, _: Any) -> Tracer:
    """Note a line."""
    if event == "line":
        lines[frame.f_code.co_filename].add(frame.f_lineno)
    return on_line


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[Any]:
    """Trace what several tests share apart from the test that comes first."""
    if fixturedef.scope == "function":
        return (yield)
    own = {file: set(numbers) for file, numbers in lines.items()}
    lines.clear()
    try:
        return (yield)
    finally:
        for file, numbers in lines.items():
            shared[file] |= numbers
        lines.clear()
        lines.update(own)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace one test with its fixtures."""
    lines.clear()
    calls.clear()
    begun = time.monotonic()
    threading.settrace(on_call)
    sys.settrace(on_call)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        for file, numbers in shared.items():
            lines[file] |= numbers
        found = {file.removeprefix(ROOT): sorted(numbers) for file, numbers in lines.items()}
        row = {"test": item.nodeid, "seconds": round(time.monotonic() - begun, 3), "lines": found}
        with OUT.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
