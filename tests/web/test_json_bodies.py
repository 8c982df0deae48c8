"""The fast parser of a body gives what the standard library's gives, for any bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.events import NAMED_FIELDS, BrowserEvent
from study_app.web import requests

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
PIECES = [
    b"1e999", b"-1e+400", b"1E308", b"1e-999", b"9" * 400, b"9" * 400 + b".0", b"NaN", b"-Infinity", b'"\\ud83d"',
    b'"\\ud83d\\ude00"', b"[", b"]", b"{", b"}", b":", b",", b'"a"', b"0", b"01", b"1.", b".5", b"true", b"nul", b" ",
    b"\xef\xbb\xbf", b"\xff", b"\x00", b'"\n"', b"-", b"[1,]", b'{"a":1,"a":2}', b"1e5", b"-0.0", b"1_0", b'"\\x"',
]  # fmt: skip


def by_the_standard_library(content: bytes) -> Any:
    return json.loads(content, parse_constant=requests._no_number, parse_float=requests._finite)


def outcome(parse: Any, content: bytes) -> str:
    try:
        return repr(parse(content))
    except (ValueError, RecursionError):
        return "refused"


@settings(max_examples=200, deadline=None)
@given(ANY_VALUE, st.booleans())
def test_a_body_is_read_as_the_standard_library_reads_it(value, ascii_only):
    content = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert outcome(requests._parsed, content) == outcome(by_the_standard_library, content)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join))
def test_what_is_not_json_is_refused_alike(content):
    assert outcome(requests._parsed, content) == outcome(by_the_standard_library, content)


@pytest.mark.parametrize("depth", [150, 250, 20_000])
def test_nested_bodies_are_read_or_refused_alike(depth):
    content = b"[" * depth + b"]" * depth
    assert outcome(requests._parsed, content) == outcome(by_the_standard_library, content)


def test_the_named_fields_are_those_of_an_event():
    assert set(BrowserEvent.model_fields) == NAMED_FIELDS
