"""A server on 127.0.0.1 that plays Prolific's API for researchers, by its public documentation.

Paying a set of bonuses again pays it again, as there.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token-of-the-tests"


class LoopbackProlific:
    """Use as a context manager.

    `submissions`: study -> [{id, participant_id, status}]; `paid`: participant -> pounds; `silent`: parts of paths
    whose requests are carried out and never answered; `refuse`: parts of paths that are refused. A bonus or a message
    to a person without a submission for the study is refused with all others of the request.
    """

    def __init__(self) -> None:
        self.submissions: dict[str, list[dict[str, str]]] = {}
        self.paid: Counter[str] = Counter()
        self.messages: list[tuple[str, str]] = []
        self.groups: dict[str, set[str]] = {}
        self.asked: list[str] = []
        self.silent: set[str] = set()
        self.refuse: set[str] = set()
        self._prepared: dict[str, list[tuple[str, float]]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET", {})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self._answer("POST", json.loads(self.rfile.read(length) or b"{}"))

            def _answer(self, method: str, body: dict[str, Any]) -> None:
                outer.asked.append(f"{method} {self.path}")
                if self.headers.get("Authorization") != f"Token {TOKEN}":
                    return self._say(401, {"error": {"title": "not authorised"}})
                if any(part in self.path for part in outer.refuse):
                    return self._say(400, {"error": {"detail": "not enough money"}})
                status, found = outer.do(self.path, body)
                if any(part in self.path for part in outer.silent):
                    self.close_connection = True
                    return None
                return self._say(status, found)

            def _say(self, status: int, found: Any) -> None:
                content = b"" if found is None else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def do(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.split("?")[0].strip("/").split("/")[2:]
        match parts:
            case ["studies", study, "submissions"]:
                return 200, self._page(study, path)
            case ["submissions", "bulk-approve"]:
                for one in (row for rows in self.submissions.values() for row in rows):
                    if one["id"] in body["submission_ids"]:
                        one["status"] = "APPROVED"
                return 200, {"message": "in progress"}
            case ["submissions", "bonus-payments"]:
                number = f"bonus{len(self._prepared)}"
                rows = [line.split(",") for line in body["csv_bonuses"].splitlines()]
                if missing := self._strangers(body["study_id"], [who for who, _ in rows]):
                    return missing
                self._prepared[number] = [(who, float(amount)) for who, amount in rows]
                return 201, {"id": number, "study": body["study_id"]}
            case ["bulk-bonus-payments", number, "pay"]:
                for who, amount in self._prepared[number]:
                    self.paid[who] += amount  # type: ignore[assignment]
                return 202, None
            case ["messages", "bulk"]:
                if missing := self._strangers(body["study_id"], body["ids"]):
                    return missing
                self.messages += [(who, body["body"]) for who in body["ids"]]
                return 204, None
            case ["participant-groups", group, "participants"]:
                self.groups.setdefault(group, set()).update(body["participant_ids"])
                return 200, {"results": []}
        return 404, {"error": "no such address"}

    def _strangers(self, study: str, people: list[str]) -> tuple[int, Any] | None:
        known = {row["participant_id"] for row in self.submissions.get(study, [])}
        missing = sorted(set(people) - known)
        return (400, {"error": {"detail": f"not in this study: {', '.join(missing)}"}}) if missing else None

    def _page(self, study: str, path: str) -> dict[str, Any]:
        rows = self.submissions.get(study, [])
        start = int(path.partition("page=")[2] or 0)
        following = f"{self.address}/api/v1/studies/{study}/submissions/?page={start + 2}"
        more = {"href": following if len(rows) > start + 2 else None}
        return {"results": rows[start : start + 2], "_links": {"next": more}}

    def __enter__(self) -> LoopbackProlific:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
