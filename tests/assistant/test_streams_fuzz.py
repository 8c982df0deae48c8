"""Anything from a provider: text in pieces and one end, or one typed error; the turn is always recorded and over."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile.hostile_values import NUMBERS, TEXTS, anything
from support.providers.messages_api import Answer, serving, whole
from support.trials.export_world import at_work

from study_app.assistant.claude import ClaudeAssistant, Patience
from study_app.assistant.replaying.recorded import RecordedAssistant
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
    UnavailableKind,
)
from study_app.domain.errors import AssistantUnavailable, ProblemsFound

SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=40, derandomize=True)
MANY = 1000
REQUEST = AssistantRequest("Hi", "", "")
SPEC = AssistantSpec(id="full", version="1", label="Assistant", prompt="Help.", model="claude-asked-1")
PATIENCE = Patience(first_token=20, stall=20, retries=0)
STATUSES = (200, 204, 301, 400, 401, 404, 413, 418, 429, 500, 503, 529, 599)
PAUSES = ("", "nan", "inf", "-inf", "-5", "1e999", "5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400)
RAW = (
    b"", b"\n\n", b"data: 5\n\n", b"event: message_start\n\n", b"event: message_start\ndata: null\n\n", b"\xff\xfe\x00",
    b"event: content_block_delta\ndata: " + b"[" * 100_000 + b"\n\n", b"event: error\ndata: [1]\n\n",
    b"event: error\ndata: {\n\n", b'event: error\ndata: {"type": "error", "error": 5}\n\n', b": comment\n\n", b"\r\r\n",
    b'event: message_stop\ndata: {"type": []}\n\n', b"event: ping\ndata: {\n\n", b"retry: 99999999999\nid: \x00\n\n",
    b'event: message_delta\ndata: {"type": "message_delta", "usage": {"output_tokens": ' + b"9" * 5000 + b"}}\n\n",
)  # fmt: skip


def odd_answer(seed: int) -> Answer:
    """An HTTP answer that is a stream of the Messages protocol, more or less."""
    rng = Random(seed)
    pieces = [piece if rng.random() < 0.85 else odd_event(piece, rng) for piece in whole("Use a nursery there.")]
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(len(pieces) + 1)
        change = rng.randrange(4)
        if change == 0 and at < len(pieces):
            del pieces[at]
        elif change == 1 and pieces:
            pieces.insert(at, rng.choice(pieces))
        elif change == 2:
            pieces.insert(at, rng.choice(RAW))
        else:
            pieces = pieces[:at]
    if rng.random() < 0.1:
        rng.shuffle(pieces)
    if rng.random() < 0.1:
        pieces = [odd_bytes(b"".join(pieces), rng), b""]
    # An empty piece would be the end of the body.
    pieces = [piece for piece in pieces if piece] or [b"\n"]
    status = 200 if rng.random() < 0.85 else rng.choice(STATUSES)
    headers = {} if status == 200 else {rng.choice(("retry-after", "retry-after-ms")): rng.choice(PAUSES)}
    return Answer(pieces, status, headers, cut=rng.random() < 0.1)


def odd_event(piece: bytes, rng: Random) -> bytes:
    """One event with some value replaced or left out, or of another name."""
    head, _, data = piece.partition(b"\ndata: ")
    holder = {"": json.loads(data)}
    for _ in range(rng.choice((1, 1, 2, 5))):
        replace_one(holder, rng)
    if rng.random() < 0.1:
        head = b"event: " + rng.choice((b"content_block_delta", b"message_start", b"error", b"ping", b"other", b""))
    return head + b"\ndata: " + json.dumps(holder[""]).replace("Infinity", "1e999").encode() + b"\n\n"


def replace_one(value: Any, rng: Random) -> None:
    while True:
        key = rng.choice(list(value) if isinstance(value, dict) else list(range(len(value))))
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.8:
            value = value[key]
            continue
        if "" not in value and rng.random() < 0.25:
            del value[key]
        else:
            value[key] = rng.choice((anything(rng, 2), rng.choice(NUMBERS), rng.choice(TEXTS)))
        return


def odd_bytes(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 5, 40))):
        at = rng.randrange(len(changed) + 1)
        changed[at : at + rng.choice((0, 1, 9))] = rng.choice(
            (b"", b"\x00", b"\n", b"\xff", b'"', b"}", rng.randbytes(3))
        )
    return bytes(changed)


def check_end(end: ReplyEnd) -> None:
    """What is recorded of the reply is of its types, and in every database's range."""
    for text in (end.model, end.prompt_version, end.stop_reason):
        text.encode()
    for tokens in (end.input_tokens, end.output_tokens):
        assert tokens is None or (type(tokens) is int and 0 <= tokens < 2**31)
    json.dumps(end.parameters, allow_nan=False)


def check_error(error: AssistantUnavailable) -> None:
    assert error.kind in get_args(UnavailableKind)
    assert str(error)
    assert error.retry_after is None or (math.isfinite(error.retry_after) and error.retry_after >= 0)
    if isinstance(error, ReplyBrokenOff):
        check_end(error.end)


async def check_reply(assistant: Any) -> None:
    """Pieces of text, then exactly one end; or the one error that the port names."""
    pieces: list[Any] = []
    try:
        async for piece in assistant.reply(REQUEST):
            pieces.append(piece)
        check_end(pieces.pop())
    except AssistantUnavailable as error:
        check_error(error)
    assert all(isinstance(piece, TextDelta) and isinstance(piece.text, str) for piece in pieces)


async def streamed(seeds: range | list[int]) -> None:
    async with serving(Answer()) as api:
        assistant = ClaudeAssistant(SPEC, api_key="not-a-key", base_url=api.url, patience=PATIENCE)
        for seed in seeds:
            api.answers[:] = [odd_answer(seed)]
            await check_reply(assistant)


def odd_recording(seed: int) -> str:
    """Lines of a recording, more or less."""
    rng = Random(seed)
    turn = {"message": "Hi", "reply": "Hello you.", "pieces": ["Hel", "lo"], "input_tokens": 5, "retry_after": 1.5}
    turn |= {"error": rng.choice((None, "other")), "parameters": {"a": 1}, "stop_reason": "end_turn", "model": "m"}
    holder = {"": turn}
    for _ in range(rng.randrange(4)):
        replace_one(holder, rng)
    line = json.dumps(holder[""]).replace("Infinity", "1e999")
    return rng.choice((line, line, line, "\n".join([line, rng.choice(TEXTS)]), line[: rng.randrange(len(line) + 1)]))


def replayed(seed: int) -> None:
    try:
        assistant = RecordedAssistant(SPEC, odd_recording(seed))
    except ProblemsFound:
        return
    asyncio.run(check_reply(assistant))


async def asked(seeds: list[int]) -> None:
    """Ask with each of the answers; every turn is over and stored."""
    walker = at_work()
    chat = walker.app.help
    specs = chat.context.content.specs
    for name, spec in specs.items():
        specs[name] = spec.model_copy(update={"limits": type(spec.limits)()})
    async with serving(Answer()) as api:
        odd = ClaudeAssistant(SPEC, api_key="not-a-key", base_url=api.url, patience=PATIENCE)
        chat.context.assistants = dict.fromkeys(chat.context.assistants, odd)
        for seed in seeds:
            api.answers[:] = [odd_answer(seed)]
            turn = await chat.ask(walker.id, f"Question {seed}?", walker.page, walker.text, walker.seq)
            text = "".join([piece async for piece in turn.text])
            kept = next(one for one in chat.turns(walker.id) if one.id == turn.turn_id)
            assert kept.complete
            assert kept.reply == text
            assert kept.error == turn.failure()
            assert kept.error or kept.stop_reason is not None


@FEW
@given(SEEDS)
def test_any_stream_of_a_provider_is_text_and_an_end_or_one_error(seed):
    asyncio.run(streamed([seed]))


@FEW
@given(SEEDS)
def test_any_recording_is_replies_or_one_error(seed):
    replayed(seed)


def test_whatever_a_provider_streams_the_turn_is_recorded_and_over(caplog):
    asyncio.run(asked(list(range(30))))
    assert not [
        record for record in caplog.records if record.levelno >= logging.ERROR and record.name.startswith("study_app")
    ]


@pytest.mark.slow
def test_a_thousand_streams_and_recordings_are_text_and_an_end_or_one_error():
    asyncio.run(streamed(range(MANY)))
    for seed in range(MANY):
        replayed(seed)
