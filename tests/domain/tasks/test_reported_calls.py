"""A child's word of a graded call is read field by field, each within its bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from study_app.domain.tasks.reports import ReportedError, ReportError, parse_call, parse_report

WHOLE: dict[str, Any] = {
    "nonce": "n", "value": 3, "lines": [[0.5, "a"], [1, "b"]], "seconds": 1.5, "longest_step": 0.25,
    "blocked_seconds": 0.125, "threads": 2, "clock_reads": 4, "error": "oh", "used": ["sleep"], "imports": ["trio"],
    "raised": {"type": "ValueError", "message": "no", "line": 7},
}  # fmt: skip


def read(name: str, value: Any) -> Any:
    return getattr(parse_call(WHOLE | {name: value}), name)


def test_each_field_of_a_call_is_read():
    call = parse_call(WHOLE)
    assert (call.nonce, call.value, call.error, call.used, call.imports) == ("n", 3, "oh", {"sleep"}, ("trio",))
    assert call.lines == ((0.5, "a"), (1.0, "b"))
    assert (call.seconds, call.longest_step, call.blocked_seconds) == (1.5, 0.25, 0.125)
    assert (call.threads, call.clock_reads, call.valid) == (2, 4, True)
    assert call.raised == ReportedError("ValueError", "no", 7)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("seconds", None, None), ("seconds", True, None), ("seconds", "1", None), ("seconds", float("nan"), None),
        ("seconds", 10**400, 1e6), ("seconds", 1e6, 1e6), ("seconds", -(10**400), -1e6), ("longest_step", None, 0.0),
        ("threads", 0, 0), ("threads", 1_000_000, 1_000_000), ("threads", 1_000_001, 1_000_000), ("threads", -1, 0),
        ("threads", True, 0), ("threads", 2.0, 0), ("threads", None, 0), ("clock_reads", "3", 0),
        ("nonce", "n" * 101, "n" * 100), ("error", "e" * 101, "e" * 100), ("error", 3, None),
        ("imports", ["a"] * 201, ("a",) * 200), ("imports", ["i" * 101, 3], ("i" * 100,)), ("imports", "trio", ()),
        ("lines", None, None), ("lines", [], ()), ("lines", "a", None), ("lines", [[0, "x" * 2001]], ((0.0, "x" * 2000),)),
        ("valid", False, False), ("valid", None, True), ("valid", 0, True),
    ],
)  # fmt: skip
def test_what_a_child_says_is_read_within_its_bounds(name, value, found):
    assert read(name, value) == found
    assert type(read(name, value)) is type(found)


def test_of_lines_the_first_five_thousand_are_read():
    assert len(read("lines", [[0, "x"]] * 5001)) == 5000


@pytest.mark.parametrize("lines", [[[1.0]], [[1.0, "a", 2]], ["ab"], [["1", "a"]], [[True, "a"]], [[1.0, 2]]])
def test_lines_that_are_not_pairs_of_a_moment_and_a_text_are_refused(lines):
    with pytest.raises(ReportError, match="not pairs of a moment and a text"):
        read("lines", lines)


@pytest.mark.parametrize("nonce", [None, 3, ["n"]])
def test_a_part_that_names_no_call_is_refused(nonce):
    with pytest.raises(ReportError, match="names no call"):
        parse_call(WHOLE | {"nonce": nonce})


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ({"type": "ValueError", "message": "no", "line": 1}, ReportedError("ValueError", "no", 1)),
        ({"type": "E", "message": "no", "line": 1_000_000}, ReportedError("E", "no", 1_000_000)),
        ({"type": "E", "message": "no", "line": 1_000_001}, ReportedError("E", "no", None)),
        ({"type": "E", "message": "no", "line": 0}, ReportedError("E", "no", None)),
        ({"type": "E", "message": "no", "line": True}, ReportedError("E", "no", None)),
        ({"type": "E", "message": "no", "line": 1.0}, ReportedError("E", "no", None)),
        ({"type": "E" * 101, "message": "m" * 2001}, ReportedError("E" * 100, "m" * 2000, None)),
        ({"type": "E", "message": 3}, ReportedError("E", "", None)),
        ({"type": 3, "message": "no"}, None),
        ({"message": "no"}, None),
        ("ValueError", None),
        (None, None),
    ],
)
def test_the_error_that_ended_a_program_is_read_or_is_none(error, found):
    assert parse_report(json.dumps({"error": error}).encode()).error == found
    assert read("raised", error) == found
