"""A small HTTP server that speaks the streaming Messages protocol, well or badly, as a test asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MODEL = "claude-served-1"


def event(kind: str, **fields) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def start(model: str = MODEL, input_tokens: int = 25) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": model}
    message |= {"stop_reason": None, "stop_sequence": None}
    message |= {"usage": {"input_tokens": input_tokens, "output_tokens": 1}}
    return event("message_start", message=message)


def words(text: str) -> list[bytes]:
    pieces = [event("content_block_start", index=0, content_block={"type": "text", "text": ""})]
    for word in text.split(" "):
        pieces.append(event("content_block_delta", index=0, delta={"type": "text_delta", "text": f"{word} "}))
    return [*pieces, event("content_block_stop", index=0)]


def stop(reason: str = "end_turn", output_tokens: int = 7) -> list[bytes]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [event("message_delta", delta=delta, usage={"output_tokens": output_tokens}), event("message_stop")]


def whole(text: str, reason: str = "end_turn") -> list[bytes]:
    return [start(), *words(text), *stop(reason)]


@dataclass
class Answer:
    """One HTTP answer: an error body, or pieces of an event stream with pauses between them."""

    pieces: list[bytes] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    hang: bool = False
    """Leave the connection open and silent after the last piece."""
    cut: bool = False
    """Abort the connection after the last piece, in the middle of a chunk."""


def failure(status: int, kind: str, **headers: str) -> Answer:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": f"{kind} happened"}}).encode()
    return Answer([body], status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class MessagesApi:
    """What was asked of the server, and what it answers: each answer once, the last one for ever."""

    url: str
    answers: list[Answer]
    bodies: list[dict] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closed a connection before its answer was complete."""

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[MessagesApi]:
    api = MessagesApi("", list(answers))
    server = await asyncio.start_server(_handler(api), "127.0.0.1", 0)
    api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        server.close()


def _handler(api: MessagesApi) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        length = int(headers.get("content-length", 0))
        api.headers.append(headers)
        api.bodies.append(json.loads(await reader.readexactly(length)) if length else {"target": head[0]})
        try:
            await _answer(api.next_answer(), reader, writer)
        except ConnectionError:
            api.hung_up.set()
        writer.close()

    async def _answer(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = "text/event-stream" if answer.status == 200 and len(answer.pieces) != 1 else "application/json"
        lines = [f"HTTP/1.1 {answer.status} X", f"content-type: {kind}", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write(("\r\n".join([*lines, "connection: close", "", ""])).encode())
        for piece in answer.pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
            await asyncio.sleep(answer.pause)
        if answer.hang:
            await reader.read()
            api.hung_up.set()
            return
        if answer.cut:
            writer.write(b"40\r\nevent: content_block")
            writer.transport.abort() if not answer.pieces else await writer.drain()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return handle
