"""Payloads of a page's events: what cannot be one is refused with a reason."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from study_app.domain.editing.edits import apply_all, apply_event
from study_app.domain.events import BROWSER_KINDS, BrowserEvent, details_of
from study_app.domain.events.bounds import problem_of
from study_app.domain.events.browser import Edit
from study_app.domain.events.changes import Change, ReplayMismatch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
PAYLOADS = st.dictionaries(st.sampled_from(["changes", "text", "task", "length", "from", "x"]), JSON, max_size=5)


def event(kind, payload):
    return BrowserEvent(seq=1, kind=kind, client_time_ms=0, payload=payload)


@given(st.sampled_from(sorted(BROWSER_KINDS)), PAYLOADS)
def test_any_payload_is_taken_or_refused_with_one_sentence(kind, payload):
    problem = problem_of(kind, payload)
    assert problem is None or problem


@given(PAYLOADS)
def test_what_is_taken_as_an_edit_can_be_replayed_or_does_not_fit(payload):
    if problem_of("edit", payload) is not None:
        return
    with contextlib.suppress(ReplayMismatch):
        assert isinstance(apply_event("some text", details_of("edit", payload)), str)


@pytest.mark.parametrize(
    "payload",
    [
        {"changes": [[1]]},
        {"changes": [None]},
        {"changes": ["x"]},
        {"changes": {}},
        {},
        {"changes": [{"from": -1, "to": 0, "insert": ""}]},
        {"changes": [{"from": 5, "to": 2, "insert": ""}]},
        {"changes": [{"from": 0, "to": 0, "insert": 5}]},
        {"changes": [{"from": 0, "to": 0, "insert": ""}], "length": "7"},
        {"changes": [{"from": 0, "to": 0, "insert": ""}] * 5001},
        {"changes": [{"from": 10**30, "to": 10**30, "insert": ""}]},
    ],
)
def test_an_edit_that_cannot_be_one_is_refused(payload):
    with pytest.raises(ValidationError):
        event("edit", payload)


@pytest.mark.parametrize("kind", sorted(BROWSER_KINDS))
def test_a_payload_that_is_too_deep_or_too_large_is_refused_for_every_kind(kind):
    deep = {"changes": [], "text": ""}
    for _ in range(8):
        deep = {"changes": [], "text": "", "x": deep}
    for payload in (deep, {"text": "a" * 500_000, "changes": []}, {str(n): 1 for n in range(200)}):
        assert problem_of(kind, payload)


TEXTS = st.text(alphabet="ab\n\u00e9\U0001f600", max_size=12)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14), TEXTS), max_size=6))
def test_many_edits_at_once_give_what_they_give_one_by_one(start, raw):
    events = [Edit(changes=(Change(min(a, b), max(a, b), i),)) for a, b, i in raw]
    text, failed = start, False
    for details in events:
        try:
            text = apply_event(text, details)
        except ReplayMismatch:
            failed = True
            break
    if failed:
        with pytest.raises(ReplayMismatch):
            apply_all(start, events, 10_000)
    else:
        assert apply_all(start, events, 10_000) == text


def test_a_text_that_grows_without_end_is_refused():
    grow = [Edit(changes=(Change(0, 0, "x" * 100),))] * 20
    with pytest.raises(ReplayMismatch, match="longer than 1000"):
        apply_all("", grow, 1000)


@pytest.mark.parametrize(
    ("largest", "beyond"),
    [
        pytest.param("x" * 400_000, "x" * 400_001, id="a text"),
        pytest.param([0] * 5_000, [0] * 5_001, id="a list"),
        pytest.param({"k" * 60: 1}, {"k" * 61: 1}, id="a key"),
        pytest.param({f"k{n}": n for n in range(60)}, {f"k{n}": n for n in range(61)}, id="keys"),
        pytest.param(1e15, 1.1e15, id="a number"),
    ],
)
def test_the_largest_that_is_taken_is_the_stated_limit(largest, beyond):
    assert problem_of("unknown kind", {"x": largest}) is None
    assert problem_of("unknown kind", {"x": beyond})
