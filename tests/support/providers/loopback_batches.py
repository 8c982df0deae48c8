"""A provider on 127.0.0.1 that takes batches of messages, and single ones, as the Messages API does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from study_app.clock import SystemClock

MODEL = "claude-served-1"


def message(text: str, stop_reason: str = "end_turn") -> dict[str, Any]:
    """A message as the provider returns it."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 30, "output_tokens": 9},
    }


def succeeded(text: str, stop_reason: str = "end_turn") -> dict[str, Any]:
    """The result of one request of a batch."""
    return {"type": "succeeded", "message": message(text, stop_reason)}


class LoopbackBatches:
    """Use as a context manager.

    Args:
        result: params of one request -> its result in the batch, an object or (sent as it is) a text.
        looks: a batch has ended at this look at it.
        single: what a request outside of batches is answered: an object, a text (sent as it is) or an HTTP status.
    """

    def __init__(self, result: Callable[[dict[str, Any]], Any] | None = None, *, looks: int = 1, single: Any = 500):
        self.result = result or (lambda _: succeeded('{"codes": []}'))
        self.looks, self.single = looks, single
        self.batches: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.status: dict[tuple[str, str], int] = {}
        """(method, what) -> HTTP status that is answered in place of what was asked for, once it was done."""
        self.before_answer: Callable[[str, str], None] = lambda method, what: None
        """Called once a request has been done, before its answer is sent."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer("POST")

            def do_GET(self) -> None:
                self._answer("GET")

            def _answer(self, method: str) -> None:
                what, status, body = outer.done(method, self.path.split("?")[0])
                outer.calls.append((method, what))
                outer.before_answer(method, what)
                status = outer.status.get((method, what), status)
                content = body if isinstance(body, str) else json.dumps(body)
                if status != 200:
                    content = json.dumps({"type": "error", "error": {"type": "api_error", "message": "no"}})
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    # The client waits no time before it tries again.
                    self.send_header("retry-after-ms", "1")
                    self.send_header("Content-Length", str(len(content.encode())))
                    self.end_headers()
                    self.wfile.write(content.encode())
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def done(self, method: str, path: str) -> tuple[str, int, Any]:
        """Do what is asked; return its name, the HTTP status and the answer."""
        parts = path.strip("/").split("/")[2:]
        if method == "POST" and parts == ["batches"]:
            name = f"msgbatch_{len(self.batches) + 1}"
            self.batches[name] = {"requests": self.bodies[-1]["requests"], "looks": 0, "at": SystemClock().now()}
            return "send", 200, self._batch(name)
        if method == "POST":
            single = self.single
            return "message", single if isinstance(single, int) else 200, single
        if parts == ["batches"]:
            return "list", 200, {"data": [self._batch(each) for each in reversed(self.batches)], "has_more": False}
        name = parts[1]
        if name not in self.batches:
            return "look", 404, {}
        if parts[2:] == ["results"]:
            return "results", 200, "".join(self._lines(name))
        self.batches[name]["looks"] += 1
        return "look", 200, self._batch(name)

    def _lines(self, name: str) -> list[str]:
        lines = []
        for request in self.batches[name]["requests"]:
            found = self.result(request["params"])
            line = {"custom_id": request["custom_id"], "result": found}
            lines.append((found if isinstance(found, str) else json.dumps(line)) + "\n")
        return lines

    def _batch(self, name: str) -> dict[str, Any]:
        held = self.batches[name]
        over = held["looks"] >= self.looks
        counts = {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
        counts["succeeded" if over else "processing"] = len(held["requests"])
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if over else "in_progress",
            "request_counts": counts,
            "created_at": held["at"].isoformat(),
            "expires_at": held["at"].isoformat(),
            "ended_at": held["at"].isoformat() if over else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{self.url}/v1/messages/batches/{name}/results" if over else None,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to ask here."""
        return {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": self.url}

    def __enter__(self) -> LoopbackBatches:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
