"""One client does not take the connections of all: slow bodies, readers that take nothing, and many websockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest
import uvicorn
from support.trials.people import enter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from study_app.web.admission import connections, page_sockets
from study_app.web.admission.connections import GuardedProtocol

LONG = 30.0
"""Seconds after which a test that waits has failed."""
LARGE = 20_000_000
"""Bytes: more than the buffers of both ends take."""


async def answers(scope, receive, send):
    """Read the whole body, then answer with a lot; a websocket is sent a lot once it says something."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "bytes": b"x" * LARGE})
        await receive()
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % LARGE)]})
    await send({"type": "http.response.body", "body": b"x" * LARGE})


@pytest.fixture
def listening(monkeypatch):
    """A server with the guard of the app and short times; its port, and how many connections it holds."""
    monkeypatch.setattr(connections, "BODY_IN_ALL", 1.0)
    monkeypatch.setattr(connections, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(connections, "MOST_SILENT", 3)
    config = uvicorn.Config(answers, port=0, http=GuardedProtocol, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    assert until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1], lambda: len(server.server_state.connections)
    server.should_exit = server.force_exit = True
    thread.join(LONG)


def until(true) -> bool:
    end = time.monotonic() + LONG
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def line_to(port: int, data: bytes = b"") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=LONG)
    line.sendall(data)
    return line


HEADERS = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


def trickle(line: socket.socket) -> bool:
    """Send a byte; whether the connection is still there."""
    try:
        line.sendall(b"x")
        line.setblocking(False)
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        line.setblocking(True)


def test_a_body_that_comes_byte_by_byte_is_given_up_and_counts_as_silent_until_then(listening):
    port, held = listening
    lines = [line_to(port, HEADERS) for _ in range(3)]
    assert until(lambda: held() == 3)
    # As many as one address may have with a request that is not whole.
    with line_to(port) as another:
        assert another.recv(100).startswith(b"HTTP/1.1 503")
    gone = set()

    def all_gone() -> bool:
        gone.update(line for line in set(lines) - gone if not trickle(line))
        return len(gone) == len(lines)

    assert until(all_gone)
    assert until(lambda: held() == 0)
    for line in lines:
        line.close()


@pytest.mark.parametrize("kept", [b"keep-alive", pytest.param(b"close", marks=pytest.mark.slow)])
def test_a_client_that_takes_nothing_of_an_answer_is_given_up(listening, kept):
    port, held = listening
    with line_to(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: " + kept + b"\r\n\r\n"):
        assert until(lambda: held() == 1)
        assert until(lambda: held() == 0)


def test_a_client_that_takes_an_answer_slowly_and_all_the_time_gets_it_whole(listening):
    port, _held = listening
    took, began = 0, time.monotonic()
    with line_to(port) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while piece := line.recv(65536):
            took += len(piece)
            time.sleep(len(piece) / 6_000_000)
    assert took > LARGE
    assert time.monotonic() - began > 2 * connections.WRITE_SECONDS


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system cannot end such a connection")
def test_a_websocket_that_takes_nothing_is_given_up(listening):
    port, held = listening
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + key + b"\r\n"
    with line_to(port, upgrade) as line:
        assert line.recv(1000).startswith(b"HTTP/1.1 101")
        line.sendall(b"\x81\x80\x00\x00\x00\x00")
        assert until(lambda: held() == 0)


def test_a_participant_has_some_websockets_and_the_newest_of_them_stay(server, client):
    enter(client)
    cookie = f"study_participant={client.cookies['study_participant']}"
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    headers = {"Cookie": cookie, "Origin": server.url}
    pages = [
        connect(address, additional_headers=headers, open_timeout=LONG, proxy=None)
        for _ in range(page_sockets.MOST + 3)
    ]
    try:
        for page in pages[:3]:
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(timeout=LONG)
            assert closed.value.rcvd.code == 1013
        for page in pages[3:]:
            assert page.ping().wait(LONG), "the newer ones go on"
    finally:
        for page in pages:
            page.close()
