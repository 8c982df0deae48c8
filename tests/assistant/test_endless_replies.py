"""A provider whose stream never ends, or trickles: the turn ends within its bounds, with the text so far."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.providers.messages_api import Answer, event, serving, start, words
from support.trials.export_world import at_work

import study_app
from study_app.assistant import claude
from study_app.assistant.claude import ClaudeAssistant, Patience
from study_app.domain.assistants.reply_bounds import ReplyBounds
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    Parameters,
    ReplyBrokenOff,
    TextDelta,
)

SPEC = AssistantSpec(
    id="full", version="1", label="A", prompt="Help.", model="claude-asked-1", parameters=Parameters(max_tokens=50)
)
BOUNDS = ReplyBounds.of(50)
REQUEST = AssistantRequest("Hi", "", "")
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "word " * 40})
EMPTY = event("content_block_delta", index=0, delta={"type": "text_delta", "text": ""})
THINKING = event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"})


async def broken(pieces: list[bytes], pause: float = 0.0) -> tuple[str, ReplyBrokenOff]:
    """What came of a stream that goes on, and the error that ended it."""
    text = ""
    async with serving(Answer(pieces, pause=pause, hang=True)) as api:
        assistant = ClaudeAssistant(SPEC, api_key="k", base_url=api.url, patience=Patience(stall=60, retries=0))
        try:
            async for piece in assistant.reply(REQUEST):
                assert isinstance(piece, TextDelta)
                text += piece.text
        except ReplyBrokenOff as error:
            await asyncio.wait_for(api.hung_up.wait(), 60)
            return text, error
    raise AssertionError("the reply came to an end")


@pytest.mark.parametrize("more", [DELTA, EMPTY, THINKING], ids=["text", "nothing", "thoughts"])
def test_a_stream_that_goes_on_is_cut_and_its_connection_closed(more):
    text, error = asyncio.run(broken([start(), *words("So far.")[:-1], *[more] * 5000]))
    assert error.kind == "too_long"
    assert error.end.model == "claude-served-1"
    assert text.startswith("So far.")
    assert len(text) <= BOUNDS.characters


def test_a_line_without_an_end_is_cut(monkeypatch):
    monkeypatch.setattr(claude, "_MOST_BYTES", 200_000)
    line = b'event: content_block_delta\ndata: {"type": "' + b"a" * 50_000
    text, error = asyncio.run(broken([start(), *words("So far.")[:-1], line, *[b"a" * 50_000] * 100]))
    assert (text.strip(), error.kind) == ("So far.", "too_long")


@pytest.mark.parametrize(
    "more", [DELTA, event("ping"), b": still here\n\n", THINKING], ids=["text", "pings", "comments", "thoughts"]
)
@pytest.mark.slow
def test_a_stream_that_trickles_ends_in_time(monkeypatch, more):
    monkeypatch.setattr(ReplyBounds, "of", lambda tokens: replace(BOUNDS, seconds=2.0, characters=10**9))
    text, error = asyncio.run(broken([start(), *words("So far.")[:-1], *[more] * 2000], pause=0.05))
    assert error.kind == "timeout"
    assert text.startswith("So far.")


class Endless:
    """An assistant of any kind that has no bounds."""

    id = "endless"

    def __init__(self, text: str, pause: float) -> None:
        self.text, self.pause = text, pause
        self.closed = False

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta]:
        try:
            while True:
                yield TextDelta(self.text)
                await asyncio.sleep(self.pause)
        finally:
            self.closed = True


async def asked(assistant: Endless):
    walker = at_work()
    chat = walker.app.help
    specs = chat.context.content.specs
    for name, spec in specs.items():
        specs[name] = spec.model_copy(update={"limits": type(spec.limits)(), "parameters": SPEC.parameters})
    chat.context.assistants = dict.fromkeys(chat.context.assistants, assistant)
    turn = await chat.ask(walker.id, "Question?", walker.page, walker.text, walker.seq)
    text = "".join([piece async for piece in turn.text])
    kept = next(one for one in chat.turns(walker.id) if one.id == turn.turn_id)
    assert kept.complete
    assert kept.reply == text
    assert turn.failure() == kept.error
    assert assistant.closed
    return text, kept.error


@pytest.mark.parametrize(
    ("piece", "pause"), [("more " * 200, 0.0), ("", 0.0), ("w", 0.0)], ids=["text", "empty", "bits"]
)
def test_the_turn_of_an_endless_reply_is_over_with_the_text_so_far(piece, pause):
    text, error = asyncio.run(asked(Endless(piece, pause)))
    assert error == "too_long"
    assert (piece[:1] or "") == text[:1]
    assert len(text) <= BOUNDS.characters


@pytest.mark.parametrize("pause", [0.05, 3600.0], ids=["trickles", "silent"])
def test_the_turn_of_a_reply_that_takes_too_long_is_over_with_the_text_so_far(monkeypatch, pause):
    monkeypatch.setattr(ReplyBounds, "of", lambda tokens: replace(BOUNDS, seconds=1.0))
    text, error = asyncio.run(asked(Endless("word ", pause)))
    assert error == "timeout"
    assert text.startswith("word ")


def test_a_reply_of_the_longest_kind_is_within_its_bounds():
    # The longest words of English prose and of code have under ten characters a token on average.
    for tokens in (1, 50, 1500, 64_000):
        bounds = ReplyBounds.of(tokens)
        assert bounds.characters > 10 * tokens
        assert bounds.pieces > 2 * tokens
        assert bounds.seconds > tokens / 20


def test_every_language_has_a_sentence_for_a_reply_that_does_not_end():
    for path in (Path(study_app.__file__).parent / "texts").glob("*.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8"))["assistant"]["failed"]["too_long"], path.name


def test_a_reply_has_ten_tokens_a_second_and_room_for_twenty_characters_and_four_pieces_a_token():
    assert ReplyBounds.of(1000) == ReplyBounds(seconds=220.0, characters=22_000, pieces=6_000)
