"""Connections: how long one may say or take nothing, how long its headers may be, and how many there may be."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from study_app.web.admission.networks import network_of

MOST = 1000
"""Connections of a process."""
MOST_SILENT = 400
"""Connections of one address that have not yet sent a whole request, its body included."""
HEADER_BYTES = 32_000
HEADER_SECONDS = 15.0
"""From the connection, or the end of the answer before, to the end of a request's headers; the first byte begins it."""
BODY_SECONDS = 30.0
"""Between two pieces of a body."""
BODY_IN_ALL = 60.0
"""For a whole body, and longer by what has come of it at `BODY_RATE`: a byte now and then keeps no connection."""
BODY_RATE = 2_000
"""Bytes in a second: a tenth of a poor mobile connection's."""
WRITE_SECONDS = 60.0
"""Between two looks at how much a client has taken of what is written to it."""
WRITE_RATE = 500
"""Bytes in a second that it takes at least; a whole answer may take as long as it is."""

_silent: Counter[str] = Counter()
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
    b'{"error": "the request\'s headers are too long"}'
)
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
    b'{"error": "the server has too many connections just now; try again in a moment"}'
)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with these limits."""

    _timer: asyncio.TimerHandle | None = None
    _give_up_at: float | None = None
    """By the loop's clock; None while nothing is waited for."""
    _write_timer: asyncio.TimerHandle | None = None
    _untaken = 0
    """Bytes of answers that waited for the client when this was last looked at."""
    _body_until = 0.0
    _header_bytes = 0
    _in_body = False
    _address = ""
    _is_silent = False

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = network_of(str(peer[0])) if isinstance(peer, tuple) and peer else ""
        _take_or_end(transport.get_extra_info("socket"))
        # Slow clients that never finish their headers hold a descriptor each: they are counted by address, so that one
        # of them cannot take all connections.
        if len(self.connections) > MOST or _silent[self._address] >= MOST_SILENT:
            self._refuse(_FULL)
            return
        self._be_silent(True)
        self._wait(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end_timer()
        self._end_write_timer()
        self._be_silent(False)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.transport.is_closing():
            return
        if self._in_body:
            self._body_until += len(data) / BODY_RATE
            self._wait_for_body()
        else:
            if self._give_up_at is None:
                self._wait(HEADER_SECONDS)
            self._header_bytes += len(data)
            # What came in one piece with the headers may be a body: only pieces without an end of headers add up.
            if self._header_bytes > HEADER_BYTES and b"\r\n\r\n" not in data[:HEADER_BYTES]:
                self._refuse(_TOO_LONG)
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """See httptools."""
        # Counted anew: a connection that is kept alive sends many requests' headers.
        self._header_bytes, self._in_body = 0, True
        self._body_until = self.loop.time() + BODY_IN_ALL
        self._wait_for_body()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See httptools."""
        self._be_silent(False)
        self._in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See uvicorn: a client that does not take the rest of a last answer would keep the connection for ever."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_writing()

    def timeout_keep_alive_handler(self) -> None:
        """See uvicorn."""
        super().timeout_keep_alive_handler()
        self._watch_writing()

    def pause_writing(self) -> None:
        """See asyncio.BaseProtocol: the buffer is full, and an answer waits until the client has taken most of it."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """See asyncio.BaseProtocol."""
        self._end_write_timer()
        if self.transport.is_closing():
            self._watch_writing()
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        """See uvicorn: from here on the connection is the websocket's."""
        self._end_timer()
        self._end_write_timer()
        self._be_silent(False)
        super().handle_websocket_upgrade()

    def _be_silent(self, silent: bool) -> None:
        if silent == self._is_silent:
            return
        self._is_silent = silent
        _silent[self._address] += 1 if silent else -1
        if _silent[self._address] <= 0:
            del _silent[self._address]

    def _wait_for_body(self) -> None:
        self._wait(min(BODY_SECONDS, max(0.0, self._body_until - self.loop.time())))

    def _wait(self, seconds: float) -> None:
        """Give the connection up after this time.

        A request moves the moment several times. The timer stays where it is unless it would come too late: to cancel
        and to make one each time cost more than the rest of this class.
        """
        self._give_up_at = self.loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._give_up_at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(self._give_up_at, self._look)

    def _stop_waiting(self) -> None:
        self._give_up_at = None

    def _look(self) -> None:
        """Give the connection up if its time has come, else look again when it will."""
        self._timer = None
        if self._give_up_at is None:
            return
        if self.loop.time() >= self._give_up_at:
            # Not `close`, which waits until what is written has been taken: a silent client may never take it.
            self.transport.abort()
        else:
            self._timer = self.loop.call_at(self._give_up_at, self._look)

    def _end_timer(self) -> None:
        self._stop_waiting()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch_writing(self) -> None:
        """Look after a while at what the client has taken.

        An answer that is written in one piece is in the buffer as a whole: how long it stays there says nothing.
        """
        self._end_write_timer()
        self._untaken = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self._look_at_writing)

    def _look_at_writing(self) -> None:
        """Give up a client that has taken next to nothing since the last look."""
        if self._untaken - self.transport.get_write_buffer_size() < WRITE_SECONDS * WRITE_RATE:
            self.transport.abort()
        else:
            self._watch_writing()

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _refuse(self, answer: bytes) -> None:
        self._stop_waiting()
        self.transport.write(answer)
        self.transport.close()
        self._watch_writing()


def _take_or_end(connection: Any) -> None:
    """Let the system end a connection whose client takes nothing for so long, where it can: websockets, too."""
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        # Not over TCP, or already gone.
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITE_SECONDS * 1000))
