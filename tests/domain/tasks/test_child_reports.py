"""The border to child processes: any bytes in, domain types or one typed error out, in bounded time."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from study_app.domain.tasks.reports import (
    REPORT_BYTES,
    ChildReport,
    ReportedCall,
    ReportedError,
    ReportError,
    parse_call,
    parse_report,
    parse_series,
)
from study_app.domain.tasks.values import Opaque, Unhashed, decode, same_value, shown

TAGS = st.sampled_from(["$float", "$int", "$tuple", "$set", "$frozenset", "$dict", "$exception", "$other"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**400) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=12), inner, max_size=5)
        | st.builds(lambda tag, content: {tag: content}, TAGS, inner)
    ),
    max_leaves=25,
)
FIELDS = ("nonce", "value", "lines", "seconds", "longest_step", "blocked_seconds", "threads", "clock_reads", "error")
CALLS = st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "used", "imports", "valid"), JSON))
REPORTS = st.fixed_dictionaries({}, optional={"error": JSON, "observation": CALLS | JSON})


def read(data: bytes) -> None:
    """Everything that becomes of a report: domain types, or ReportError and nothing else."""
    try:
        report = parse_report(data)
    except ReportError:
        return
    assert isinstance(report, ChildReport)
    if report.error is not None:
        assert isinstance(report.error, ReportedError)
        assert report.error.line is None or 1 <= report.error.line <= 1_000_000
        assert len(report.error.type) <= 100
        assert len(report.error.message) <= 2000
    if report.call is None:
        return
    try:
        call = parse_call(report.call)
    except ReportError:
        return
    assert isinstance(call, ReportedCall)
    for number in (call.seconds or 0.0, call.longest_step, call.blocked_seconds):
        assert -1e6 <= number <= 1e6
    assert 0 <= call.threads <= 1_000_000
    assert all(isinstance(at, float) and isinstance(text, str) for at, text in call.lines or ())
    assert isinstance(shown(call.value), str)
    assert same_value(call.value, object()) is False


@given(REPORTS)
@example({"observation": {"nonce": "n", "value": {"$float": 10**400}}})
@example({"observation": {"nonce": "n", "value": {"$exception": []}}})
@example({"observation": {"nonce": "n", "seconds": 10**400, "longest_step": 10**400}})
@example({"observation": {"nonce": "n", "lines": [[10**400, "x"]]}})
@example({"observation": {"nonce": "n", "lines": [[1.0]]}})
@example({"error": {"type": "SyntaxError", "message": "boo", "line": 10**30}})
def test_any_json_is_read_or_refused(report):
    read(json.dumps(report).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    read(data)


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_a_damaged_report_is_read_or_refused(seed):
    rng = Random(seed)
    report = {"observation": {"nonce": "n", "value": {"$set": [1, 2]}, "lines": [[0.5, "a"]]}, "error": None}
    data = bytearray(json.dumps(report).encode())
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    read(bytes(data))


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU seconds of a call in this process: the least of three, at least a millisecond."""
    least = math.inf
    for _ in range(3):
        began = time.process_time()
        call()
        least = min(least, time.process_time() - began)
    return max(least, 0.001)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 60_000,
        b'{"observation": ' * 10_000,
        b'{"observation": {"value": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
        b'{"observation": {"nonce": "n", "value": ' + b"9" * 60_000 + b"}}",
        b'{"observation": {"nonce": "n", "value": NaN, "seconds": Infinity}}',
        b'{"error": {"type": "\\ud800", "message": "\\udfff"}}',
    ],
)
def test_reports_made_to_hurt_cost_no_more_than_a_plain_report_of_their_size(data):
    numbers = ", ".join(["1"] * 20_000).encode()
    plain = b'{"observation": {"nonce": "n", "value": [' + numbers + b"]}}"
    assert cpu_seconds(lambda: read(data)) < 20 * cpu_seconds(lambda: read(plain))


def test_a_report_beyond_the_cap_is_refused_with_a_reason():
    with pytest.raises(ReportError, match="64 kB"):
        parse_report(b'"' + b"x" * REPORT_BYTES + b'"')


def colliding(count: int) -> list[int]:
    """Integers that all have the same hash."""
    return [number * (2**61 - 1) for number in range(1, count + 1)]


@pytest.mark.parametrize("tag", ["$set", "$frozenset", "$dict"])
def test_numbers_of_one_hash_cost_no_more_than_others(tag):
    numbers = colliding(20_000)
    content = [[number, 0] for number in numbers] if tag == "$dict" else numbers
    value = decode({tag: content})
    assert isinstance(value, Unhashed)
    assert same_value(value, decode({tag: content[::-1]}))
    assert not same_value(value, decode({tag: content[1:]}))
    # Hashed, an eighth of the numbers would cost a sixty-fourth; sorted, it costs about an eighth.
    whole, part = (
        cpu_seconds(lambda count=count: same_value(decode({tag: content[:count]}), decode({tag: content[:count]})))
        for count in (20_000, 2_500)
    )
    assert whole < 24 * part


def test_sets_and_dictionaries_are_compared_whether_they_are_hashed_or_sorted():
    large = 2**40
    assert same_value({1, large}, decode({"$set": [large, 1]}))
    assert not same_value({1, large}, decode({"$frozenset": [large, 1]}))
    assert same_value({large: "a"}, decode({"$dict": [[large, "a"]]}))
    assert not same_value({large: "a"}, decode({"$dict": [[large, "b"]]}))
    assert same_value({1, 2.5, "x"}, decode({"$set": ["x", {"$float": "2.5"}, 1]}))
    assert same_value({large, 2.5}, decode({"$set": [{"$float": "2.5"}, large]}))


@pytest.mark.parametrize(("one", "other"), [(10**400, 1), (10**400, 1.0), (1.5, -(10**400)), (10**400, float("inf"))])
def test_numbers_beyond_every_float_are_compared(one, other):
    assert not same_value(one, other)
    assert not same_value(other, one)
    assert same_value(one, one)


def test_a_number_of_thousands_of_digits_comes_through_and_is_shown_shortened():
    value = decode({"$int": hex(10**5000)})
    assert same_value(value, 10**5000)
    assert "very large int" in shown(value)


@pytest.mark.parametrize(
    "encoded",
    [{"$float": 10**400}, {"$float": []}, {"$exception": []}, {"$exception": [1, 2]}, {"$dict": [[1]]}, {"$set": 3}],
)
def test_what_no_child_of_ours_encodes_is_equal_to_nothing(encoded):
    found = decode(encoded)
    assert isinstance(found, Opaque)
    assert (found == found, found != found) == (False, True)
    assert not same_value(decode(encoded), decode(encoded))


@pytest.mark.parametrize("series", ["ab", {"a": 1}, [{}, {}, {}], [{}, 1], [{}, "a"]])
def test_a_series_is_a_list_of_reports_and_no_longer_than_what_was_asked_for(series):
    with pytest.raises(ReportError):
        parse_series({"series": series}, 2)
