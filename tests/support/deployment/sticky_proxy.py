"""In nginx's place: TLS on port 443 before the servers of /etc/nginx/conf.d/study.conf, each browser at one of them.

nginx itself reads the file in tests/docs/test_deployment_files.py, where it is installed.
"""

from __future__ import annotations

import http.client
import re
import ssl
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONF = Path("/etc/nginx/conf.d/study.conf").read_text()
PORTS = [int(port) for port in re.findall(r"^\s*(?:server|proxy_pass) (?:http://)?127\.0\.0\.1:(\d+)", CONF, re.M)]
DROPPED = {"connection", "transfer-encoding", "forwarded", "x-forwarded-host", "x-forwarded-for", "x-forwarded-proto"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
        headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https"}
        cookie = re.search(r"study_participant=([^;]+)", self.headers.get("Cookie", ""))
        first = zlib.crc32((cookie[1] if cookie else self.client_address[0]).encode())
        for turn in range(len(PORTS)):
            server = http.client.HTTPConnection("127.0.0.1", PORTS[(first + turn) % len(PORTS)], timeout=120)
            try:
                server.connect()
            except OSError:
                continue
            # What a server may have carried out goes to no other.
            try:
                server.request(self.command, self.path, body, headers)
                answer = server.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                break
            self._answer(answer.status, answer.getheaders(), content)
            return
        self._answer(502, [], b"")

    do_GET = do_POST = _pass_on  # noqa: N815

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in DROPPED | {"content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Addresses of participants are in no log."""


def certificate(key: str) -> str:
    found = re.search(rf"^\s*{key} (\S+);", CONF, re.M)
    if found is None:
        raise SystemExit(f"the file names no {key}")
    return found[1]


def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate("ssl_certificate"), certificate("ssl_certificate_key"))
    server = ThreadingHTTPServer(("127.0.0.1", 443), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
