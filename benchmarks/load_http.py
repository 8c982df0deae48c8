"""An HTTP client that costs next to nothing: it shares the machine with the server it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Answer:
    """One response and when it came, in seconds after the request left."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    first: float = 0.0
    """The first byte of the body."""
    total: float = 0.0
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    """What came when, of a body that is streamed."""

    def arrived(self, words: bytes) -> float | None:
        """Seconds until a piece of the body with these bytes came; None where none did."""
        return next((seconds for seconds, piece in self.pieces if words in piece), None)


class Connection:
    """One keep-alive HTTP/1.1 connection; opened when first needed, and again after the server has closed it."""

    def __init__(self, url: str, cookie: str = "") -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._head = f"Host: {parts.netloc}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        if cookie:
            self._head += f"Cookie: {cookie}\r\n"
        self.heard: Callable[[bytes], None] | None = None
        """Called with each piece of a streamed body as it comes."""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, headers: str = "") -> Answer:
        return await self.request("GET", path, b"", headers)

    async def post(self, path: str, body: bytes = b"", kind: str = "application/json", headers: str = "") -> Answer:
        return await self.request("POST", path, body, f"Content-Type: {kind}\r\n{headers}")

    async def request(self, method: str, path: str, body: bytes, headers: str = "") -> Answer:
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{headers}Content-Length: {len(body)}\r\n\r\n"
        began = time.perf_counter()
        if self._writer is None or self._reader is None or self._reader.at_eof():
            await self.close()
            self._reader, self._writer = await asyncio.open_connection(*self._address)
        self._writer.write(head.encode() + body)
        return await self._answer(self._reader, began)

    async def _answer(self, reader: asyncio.StreamReader, began: float) -> Answer:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(": ") for line in lines[1:] if line)
        answer = Answer(int(lines[0].split(" ", 2)[1]), {name.lower(): value for name, _, value in fields})
        if answer.headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                piece = (await reader.readexactly(size + 2))[:-2]
                answer.pieces.append((time.perf_counter() - began, piece))
                if self.heard is not None:
                    self.heard(piece)
            await reader.readline()
            answer.body = b"".join(piece for _, piece in answer.pieces)
            answer.first = answer.pieces[0][0] if answer.pieces else 0.0
        else:
            answer.body = await reader.readexactly(int(answer.headers.get("content-length", "0")))
        answer.total = time.perf_counter() - began
        answer.first = answer.first or answer.total
        if answer.headers.get("connection") == "close":
            await self.close()
        return answer

    async def close(self) -> None:
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
