"""A small proxy on 127.0.0.1 in front of a server, which answers some requests itself, with pages, as nginx does."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


class LoopbackProxy:
    """Use as a context manager. `longest`: bytes of a body; `down`: what all routes are answered with."""

    def __init__(self, port: int) -> None:
        self.upstream = ("127.0.0.1", port)
        self.longest: int | None = None
        self.down: int | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> LoopbackProxy:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._take, args=[client], daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        """One request: a browser that may send no second one on a connection opens another."""
        with client, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := client.recv(65536)):
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)\r\ncontent-length: (\d+)", head) or [b"", b"0"])[1])
            while len(body) < length:
                body += client.recv(65536)
            status = self._refusal(head, length)
            if status is not None:
                client.sendall(_page(status))
                return
            if b"upgrade: websocket" not in head.lower():
                head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head) + b"\r\nConnection: close"
            with socket.create_connection(self.upstream) as server:
                server.sendall(head + b"\r\n\r\n" + body)
                threading.Thread(target=_pipe, args=[client, server], daemon=True).start()
                _pipe(server, client)

    def _refusal(self, head: bytes, length: int) -> int | None:
        if b" /api/" not in head.partition(b"\r\n")[0]:
            return None
        if self.down is not None:
            return self.down
        return 413 if self.longest is not None and length > self.longest else None


def _page(status: int) -> bytes:
    body = PAGE.format(status).encode()
    return b"HTTP/1.1 %d Refused\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
        status, len(body), body,
    )  # fmt: skip


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
