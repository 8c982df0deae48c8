"""`study doctor --attack URL`: harmless forms of known attacks against the served app, and what to fix.

At most 200 requests, 10 MB and 60 seconds; a preview participant is made for it, and real ones must not be there.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study_app.domain.addresses import parts_of
from study_app.domain.errors import InfrastructureError, UserError
from study_app.web.routes.enter import NONCE_FILE

MOST_REQUESTS, MOST_BYTES, MOST_SECONDS = 200, 10_000_000, 60.0
PROMPT_SECONDS = 5.0
"""A machine at work answers its health within this, even while it is attacked."""
_DEEP_LINE = 'raise SyntaxError("boo", ("main.py", 10**30, 1, "x"))'
_THREADS = """
import threading, time
threading.stack_size(65536)
made = 0
try:
    for _ in range(200):
        threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()
        made += 1
except RuntimeError:
    pass
print("made", made, flush=True)
"""
_NOT_FOR_STRANGERS = (
    "/_stcore/host-config", "/_stcore/health", "/_stcore/metrics", "/_stcore/script-health-check", "/static/x",
    "/static/index.html", "/index.html", "/media/x", "/component/x/index.html", "/_stcore/bidi-components/x",
    "/_stcore/agent/openapi.json", "/auth/login", "/anything",
)  # fmt: skip
Result = tuple[bool, str]


class Budget(Exception):
    """What an attack may use is used up."""


class Attack:
    """Sends requests within the limits.

    Args:
        url: of the participants' app.
        token: cookie of the preview participant.
    """

    def __init__(self, url: str, token: str) -> None:
        import httpx2

        self.url = url.rstrip("/")
        self.client = httpx2.Client(base_url=self.url, timeout=30.0)
        self.cookie = {"Cookie": f"study_participant={token}"}
        self.requests = self.bytes = 0
        self.until = time.monotonic() + MOST_SECONDS

    def send(self, method: str, path: str, *, known: bool = True, headers: Any = None, body: bytes = b"") -> Any:
        """Return one request; its answer.

        Raises:
            Budget: the limits are reached.
        """
        self.requests += 1
        self.bytes += len(body)
        if self.requests > MOST_REQUESTS or self.bytes > MOST_BYTES or time.monotonic() > self.until:
            raise Budget
        sent = {**(self.cookie if known else {}), **(headers or {})}
        return self.client.request(method, path, content=body, headers=sent)

    def post(self, path: str, value: Any) -> Any:
        """Return a request with JSON by the participant."""
        return self.send("POST", path, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})

    def health_seconds(self) -> float:
        """Return how long the server takes to say that it is well."""
        begun = time.monotonic()
        self.send("GET", "/healthz", known=False)
        return time.monotonic() - begun


def attack(url: str, var: Path, token: str) -> list[dict[str, Any]]:
    """Return every attack; each with its name, whether it was stopped, and what was found.

    Raises:
        UserError: the server is not this one.
        InfrastructureError: it cannot be reached.
    """
    import httpx2

    if parts_of(url).scheme not in ("http", "https"):
        raise UserError(f"{url}: is not an address; give http:// or https:// and the host of the participants' app")
    attacker = Attack(url, token)
    findings = []
    try:
        _is_ours(attacker, var)
        for name, act in ATTACKS.items():
            try:
                ok, finding = act(attacker)
            except Budget:
                ok, finding = True, "not tried: the limits of an attack were reached"
            findings.append({"name": f"attack: {name}", "ok": ok, "finding": finding})
    except httpx2.HTTPError as error:
        raise InfrastructureError(f"{url}: cannot be reached ({error}); is study serve running there?") from None
    finally:
        attacker.client.close()
    return findings


def _is_ours(attacker: Attack, var: Path) -> None:
    """Only a server that shows what was just planted in its own folder is attacked."""
    nonce, file = secrets.token_hex(16), var / NONCE_FILE
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(nonce, encoding="utf-8")
    try:
        shown = attacker.send("GET", "/healthz", known=False).json().get("nonce")
    except ValueError:
        shown = None
    finally:
        file.unlink(missing_ok=True)
    if shown != nonce:
        raise UserError(
            f"{attacker.url}: is not the server of {var}; run the doctor where the server runs, with its STUDY_VAR"
        )


def _stays_prompt(attacker: Attack, what: str) -> Result:
    seconds = attacker.health_seconds()
    if seconds > PROMPT_SECONDS:
        return False, f"{what} held the server for {seconds:.1f} s; update study-app"
    return True, f"stopped; the server answered within {seconds:.2f} s"


def _runaway_line(attacker: Attack) -> Result:
    answer = attacker.post("/api/runs", {"code": _DEEP_LINE})
    ended = answer.status_code == 200 and '"end"' in answer.text
    return ended, "the run ended" if ended else f"the run did not end ({answer.status_code}); update study-app"


def _misshapen_edit(attacker: Attack) -> Result:
    page = secrets.token_hex(8)
    event = {"seq": 1, "kind": "edit", "client_time_ms": 0, "payload": {"task": "t", "changes": [[1]]}}
    status = attacker.post("/api/events", {"page": page, "events": [event]}).status_code
    return status == 400, "refused" if status == 400 else f"such an edit was answered {status}; update study-app"


def _blank_lines(attacker: Attack) -> Result:
    attacker.post("/api/chat", {"message": "x" + "\n" * 1500 + "x"})
    return _stays_prompt(attacker, "a message of blank lines")


def _strange_upload(attacker: Attack) -> Result:
    path = "/_stcore/upload_file/session/file"
    status = attacker.send("PUT", path, known=False, body=b"x" * 100_000).status_code
    return status in (401, 403, 404, 413), f"an upload was answered {status}"


def _strange_addresses(attacker: Attack) -> Result:
    """Addresses of Streamlit's, by methods that only read and by others, without a cookie."""
    answers = {
        f"{method} {path}": attacker.send(method, path, known=False).status_code
        for path in _NOT_FOR_STRANGERS
        for method in ("GET", "HEAD", "PUT", "POST", "OPTIONS")
    }
    given = [f"{asked} ({status})" for asked, status in answers.items() if status < 300]
    if given:
        return False, f"a stranger was given {', '.join(given)}; let the proxy serve nothing itself"
    return True, f"{len(answers)} requests of a stranger were refused"


def _invented_cookie(attacker: Attack) -> Result:
    """Look whether a refusal makes a cookie count as a participant's."""
    invented = {"Cookie": "study_participant=invented"}
    attacker.send("POST", "/api/events", known=False, headers=invented | {"Origin": "https://another.example"})
    status = attacker.send("GET", "/_stcore/host-config", known=False, headers=invented).status_code
    return status >= 400, f"an invented cookie was answered {status}"


def _strange_websocket(attacker: Attack) -> Result:
    return _websocket(attacker, known=False, origin=attacker.url)


def _foreign_origin(attacker: Attack) -> Result:
    return _websocket(attacker, known=True, origin="https://another.example")


def _websocket(attacker: Attack, *, known: bool, origin: str) -> Result:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Origin": origin,
    }
    status = attacker.send("GET", "/_stcore/stream", known=known, headers=headers).status_code
    if status == 101:
        return False, "a websocket was opened; let the proxy pass Host and Origin unchanged, and update study-app"
    return _stays_prompt(attacker, "a handshake")


def _many_threads(attacker: Attack) -> Result:
    answer = attacker.post("/api/runs", {"code": _THREADS})
    lines = [json.loads(line) for line in answer.text.splitlines() if line.startswith("{")]
    said = "".join(str(line.get("text", "")) for line in lines)
    made = int(said.partition("made ")[2].split("\n")[0].strip() or 0) if "made " in said else 0
    if made > 64:
        return False, f"a program started {made} threads; allow user namespaces, or see docs/explanation/sandbox.md"
    return True, f"a program started {made} threads and no more"


def _heavy_edits(attacker: Attack) -> Result:
    page, text = secrets.token_hex(8), "\u00e9" * 150_000
    edit = {"task": "t", "changes": [{"from": 0, "to": 0, "insert": "x"}]}
    events = [{"seq": 1, "kind": "load", "client_time_ms": 0, "payload": {"task": "t", "text": text}}]
    events += [{"seq": n, "kind": "edit", "client_time_ms": 0, "payload": edit} for n in range(2, 302)]
    attacker.post("/api/events", {"page": page, "events": events})
    return _stays_prompt(attacker, "a batch of edits of a long text")


def _flood(attacker: Attack) -> Result:
    answers = [attacker.post("/api/chat", {}).status_code for _ in range(60)]
    return 429 in answers, "held back with 429" if 429 in answers else "60 requests at once passed; update study-app"


ATTACKS: dict[str, Callable[[Attack], Result]] = {
    "a program whose error names an endless line": _runaway_line,
    "an edit that is not one": _misshapen_edit,
    "a message of blank lines": _blank_lines,
    "a stranger's upload": _strange_upload,
    "a stranger at addresses of Streamlit's": _strange_addresses,
    "an invented cookie": _invented_cookie,
    "a stranger's websocket": _strange_websocket,
    "a websocket from another site": _foreign_origin,
    "a program of many threads": _many_threads,
    "edits of a long text": _heavy_edits,
    "a flood of requests": _flood,
}
