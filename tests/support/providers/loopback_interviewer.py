"""A provider on 127.0.0.1 that plays the structured answers of an interviewer, good or bad, one a request."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "claude-served-1"


def step(action: str, question: str = "", topic: str = "", reason: str = "") -> dict[str, str]:
    return {"action": action, "topic": topic, "question": question, "reason": reason}


class LoopbackInterviewer:
    """Use as a context manager; `answers` are used up, the last one for ever.

    An answer is an object (sent as JSON), a text (sent as it is) or a number (an HTTP status). Each says that another
    of `models` served it, the last one for ever.
    """

    def __init__(self, *answers: Any, models: tuple[str, ...] = (MODEL,)) -> None:
        self.bodies: list[Any] = []
        self._models = list(models)
        self._answers = list(answers)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status, body = outer.reply()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("request-id", f"req_{len(outer.bodies)}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def reply(self) -> tuple[int, bytes]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, int):
            return answer, json.dumps({"type": "error", "error": {"type": "api_error", "message": "no"}}).encode()
        text = answer if isinstance(answer, str) else json.dumps(answer)
        model = self._models.pop(0) if len(self._models) > 1 else self._models[0]
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn"}
        message |= {"content": [{"type": "text", "text": text}], "stop_sequence": None}
        return 200, json.dumps(message | {"usage": {"input_tokens": 30, "output_tokens": 9}}).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LoopbackInterviewer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
