"""A provider on loopback that speaks the Messages and Models protocols over HTTP, as a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "claude-sonnet-5-5"


def described(model: str = MODEL, **changed: Any) -> dict[str, Any]:
    """A model as the provider describes it."""
    return {
        "id": model, "type": "model", "display_name": "Sonnet", "lifecycle": "active",
        "created_at": "2026-01-01T00:00:00Z", "max_tokens": 64000, "max_input_tokens": 200000,
    } | changed  # fmt: skip


class FakeProvider:
    """Serves until `close`; each message is answered by the model that `serves` names for its number, from 1.

    At the message `retires_at` all models are retired. Messages to a retired model are refused as by the real one, and
    so are the next `refuses` messages to any.
    """

    def __init__(
        self,
        models: dict[str, dict[str, Any]] | None = None,
        *,
        key: str = "sk-right",
        serves: Callable[[int], str] = lambda _number: MODEL,
        retires_at: int | None = None,
    ) -> None:
        self.models = {MODEL: described()} if models is None else models
        self.key = key
        self.serves = serves
        self.retires_at = retires_at
        self.refuses = 0
        self.messages = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        return {"ANTHROPIC_API_KEY": self.key, "ANTHROPIC_BASE_URL": self.url}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def _accepted(self) -> bool:
                given = self.headers.get("x-api-key") or (self.headers.get("authorization") or "").removeprefix(
                    "Bearer "
                )
                if given == provider.key:
                    return True
                self._send(401, {"type": "error", "error": {"type": "authentication_error", "message": "no"}})
                return False

            def _send(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                if not self._accepted():
                    return
                found = provider.models.get(self.path.split("?")[0].rsplit("/", 1)[-1])
                missing = {"type": "error", "error": {"type": "not_found_error", "message": "model"}}
                self._send(200 if found else 404, found or missing)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))["model"]
                if not self._accepted():
                    return
                with provider._lock:
                    provider.messages += 1
                    if provider.messages == provider.retires_at:
                        provider.models = {name: described(name, lifecycle="retired") for name in provider.models}
                    model = provider.serves(provider.messages)
                    refused = provider.refuses > 0
                    provider.refuses -= refused
                if refused or provider.models.get(asked, {}).get("lifecycle") == "retired":
                    gone = {"type": "not_found_error", "message": f"model: {asked}"}
                    self._send(404, {"type": "error", "error": gone})
                    return
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                for event in _reply(model):
                    self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

        return Handler


def _reply(model: str) -> list[dict[str, Any]]:
    message = {"id": "msg", "type": "message", "role": "assistant", "content": [], "model": model,
               "stop_reason": None, "stop_sequence": None,
               "usage": {"input_tokens": 500, "output_tokens": 1}}  # fmt: skip
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A nursery holds tasks."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 6}},
        {"type": "message_stop"},
    ]  # fmt: skip
