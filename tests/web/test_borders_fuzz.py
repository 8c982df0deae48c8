"""Any bytes into every parser of requests: a value of the expected type comes out, or one refusal with a sentence."""

from __future__ import annotations

import asyncio
import json
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from support.hostile.hostile_values import anything, encoded, event, odd_body

from study_app.dataset.integrity.anchors import KeptAnchor, parse_lines
from study_app.domain.errors import Malformed
from study_app.domain.events import Batch
from study_app.services.participant.enrolment import EntryRequest
from study_app.web.admission.page_messages import TAKEN, PageMessages, kind_of
from study_app.web.requests import BadRequest, field, form_body, json_body, milliseconds, page_name, whole_number
from study_app.web.routes.events import _batch

SEEDS = st.integers(0, 2**32)
FORMS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "",
    "text/plain",
)


def request(content: bytes, kind: str = "application/json", *, pieces: int = 1) -> Request:
    """A request whose body comes in so many pieces."""
    size = max(1, -(-len(content) // pieces))
    parts = [content[at : at + size] for at in range(0, len(content), size)] or [b""]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False

    async def receive():
        return messages.pop(0)

    headers = [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}, receive)


def outcome(call, *errors):
    """What a call gives, or the one error that it may raise, with a message."""
    try:
        return call()
    except errors as error:
        said = getattr(error, "message", None) or str(error)
    assert said
    return None


def finite(value) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return all(map(finite, value)) if isinstance(value, list) else True


def body_of(content: bytes, pieces: int = 1):
    return outcome(lambda: asyncio.run(json_body(request(content, pieces=pieces), 100_000)), BadRequest)


@given(st.binary(max_size=400), st.integers(1, 5))
def test_any_bytes_are_a_json_object_or_a_bad_request(content, pieces):
    value = body_of(content, pieces)
    assert value is None or isinstance(value, dict)


@given(SEEDS)
def test_a_json_object_holds_finite_numbers_only(seed):
    rng = Random(seed)
    for content in (odd_body(rng), encoded({"x": anything(rng)})):
        value = body_of(content)
        assert value is None or (isinstance(value, dict) and finite(value))
        if value:
            json.dumps(value, allow_nan=False)


@given(SEEDS, st.sampled_from([str, int, bool, list, dict]))
def test_a_field_is_of_its_type_or_refused(seed, kind):
    value = {"x": anything(Random(seed))}
    found = outcome(lambda: field(value, "x", kind), BadRequest)
    assert found is None or isinstance(found, kind)
    number = outcome(lambda: whole_number(value, "x"), BadRequest)
    assert number is None or 0 <= number < 2**31
    moment = milliseconds(value, "x")
    assert moment is None or 0 <= moment <= 1e14


@pytest.mark.parametrize("moment", [10**400, -(10**400), float("inf"), float("nan"), True, "5", -1, None])
def test_no_page_has_a_clock_that_shows_this(moment):
    assert milliseconds({"mono_ms": moment}, "mono_ms") is None


@given(SEEDS)
def test_any_batch_is_one_or_a_bad_request(seed):
    rng = Random(seed)
    events = [event(rng, rng.choice((1, 2, 10**7, 10**8))) for _ in range(rng.randint(0, 4))]
    for value in ({"page": "p", "events": events}, {"page": anything(rng, 1), "events": anything(rng, 2)}):
        batch = outcome(lambda value=value: _batch(value), BadRequest)
        assert batch is None or isinstance(batch, Batch)
        if batch is not None:
            assert all(1 <= one.seq <= 10**7 and isinstance(one.payload, dict) for one in batch.events)


@given(SEEDS)
def test_the_name_of_a_page_is_one_or_refused(seed):
    found = outcome(lambda: page_name({"page": anything(Random(seed))}), BadRequest)
    assert found is None or (found.isascii() and 0 < len(found) <= 64)


@given(st.binary(max_size=300), st.sampled_from(FORMS))
def test_any_bytes_are_a_form_or_a_bad_request(content, kind):
    found = outcome(lambda: asyncio.run(form_body(request(content, kind), 1000)), BadRequest)
    assert found is None or all(isinstance(name, str) and isinstance(text, str) for name, text in found.items())
    entry = outcome(lambda: EntryRequest.parse(found or {}), Malformed)
    assert entry is None or isinstance(entry, EntryRequest)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_of_a_page_or_none(data):
    kind = kind_of(data)
    assert kind is None or isinstance(kind, str)


def fed(*messages):
    """What passes of messages that a page sends, and what is said to it."""
    given, sent = list(messages), []

    async def receive():
        return given.pop(0)

    async def send(message):
        sent.append(message)

    async def all_of_them():
        page, passed = PageMessages(receive, send, lambda size: float(size > 50)), []
        while not passed or passed[-1]["type"] == "websocket.receive":
            passed.append(await page.receive())
        return passed

    return asyncio.run(all_of_them()), sent


def message(kind: str, text: str = "") -> dict:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    made = BackMsg()
    if kind == "rerun_script":
        made.rerun_script.query_string = text
    else:
        setattr(made, kind, True)
    return {"type": "websocket.receive", "bytes": made.SerializeToString()}


LAST = {"type": "websocket.disconnect", "code": 1000}


@pytest.mark.parametrize("kind", ["clear_cache", "debug_shutdown_runtime", "load_git_info", "set_run_on_save"])
def test_what_the_app_does_not_use_of_streamlit_does_not_reach_it(kind):
    assert kind not in TAKEN
    rerun = message("rerun_script", "a")
    assert fed(message(kind), rerun, LAST) == ([rerun, LAST], [])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"type": "websocket.receive", "text": "hello"}, 1003),
        ({"type": "websocket.receive", "bytes": b"\x08\x96\x01\xff"}, 1003),
        (message("rerun_script", "x" * 100), 1008),
    ],
)
def test_a_page_that_sends_what_is_no_message_or_too_much_is_disconnected(bad, code):
    passed, sent = fed(bad, message("rerun_script"), LAST)
    assert [one["type"] for one in passed] == ["websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": code}]


def odd_line(seed: int) -> str:
    return encoded(anything(Random(seed), 1)).decode()[:2000]


@given(st.lists(st.text(max_size=60) | SEEDS.map(odd_line), max_size=4))
def test_any_text_is_anchors_or_refused(lines):
    found = outcome(lambda: parse_lines("\n".join(lines)), ValueError)
    assert found is None or all(isinstance(one, KeptAnchor) for one in found)
