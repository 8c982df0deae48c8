"""An SMTP server on 127.0.0.1 that keeps what it is given; it can refuse recipients, put them off, or break off."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage


class LoopbackSmtp:
    """Use as a context manager; `mails` are those accepted, in order."""

    def __init__(self, *, refuse: str = "", defer: str = "", break_after_data: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.defer = defer
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say(b"220 loopback")
                while line := self.rfile.readline():
                    verb = line.strip().upper()
                    if verb.startswith(b"DATA"):
                        if not self._data():
                            return
                    elif verb.startswith(b"RCPT") and refuse and refuse.encode() in line:
                        self._say(b"550 no such person")
                    elif verb.startswith(b"RCPT") and outer.defer and outer.defer.encode() in line:
                        self._say(b"451 try again later")
                    elif verb.startswith(b"QUIT"):
                        self._say(b"221 bye")
                        return
                    else:
                        self._say(b"250 ok")

            def _data(self) -> bool:
                self._say(b"354 go on")
                content = bytearray()
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    content += line.removeprefix(b".") if line.startswith(b"..") else line
                outer.mails.append(message_from_bytes(bytes(content), policy=policy.default))  # type: ignore[arg-type]
                if break_after_data:
                    return False
                self._say(b"250 kept")
                return True

            def _say(self, line: bytes) -> None:
                self.wfile.write(line + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LoopbackSmtp:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
