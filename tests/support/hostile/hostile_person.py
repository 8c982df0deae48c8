"""One hostile participant: honest steps on the way in, and anything else in between, all drawn from a seed."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import httpx
from support.hostile.hostile_values import (
    FIELDS,
    PROGRAMS,
    ROUTES,
    STAGES,
    STREAMLITS,
    TEXTS,
    anything,
    encoded,
    event,
    maybe,
    odd_body,
)
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from study_app.content.study_file import read_study

ROOT = Path(__file__).parents[3]
STUDY = read_study(ROOT / "study.toml")
COOKIE = "study_participant"
MANY_STEPS = 24


class HostilePerson:
    """Walks through the study as a seed says.

    Args:
        url: of the server.
        seed: of everything that is done.
        others: cookies and turn ids of people who came before; this one adds its own.
        link: the secret of the link that lets in, where the study wants one.
    """

    def __init__(self, url: str, seed: int, others: list[str], link: str | None = None) -> None:
        self.url, self.rng, self.others = url, Random(seed), others
        self.invited = {} if link is None else {"link": link}
        self.page = f"page{seed}"
        self.sent: list[dict[str, Any]] = []
        self.answers: list[tuple[str, int, str]] = []
        """What was asked, and the status and beginning of its answer."""
        self.client = httpx.Client(base_url=url, timeout=60)

    def walk(self) -> None:
        """From the door to wherever it leads."""
        acts = [self.batch] * 6 + [self.again, self.reordered, self.handed_in, self.handed_in, self.odd, self.odd]
        acts += [self.chat, self.chat, self.run, self.submit, self.act, self.draft, self.open, self.streamlit]
        acts += [self.websocket, self.half_open, self.slow, self.enter, self.foreign, self.advance, self.advance]
        with self.client:
            self.enter(plain=True)
            for _ in range(self.rng.randrange(12)):
                self.advance()
            for _ in range(self.rng.randint(MANY_STEPS // 2, MANY_STEPS)):
                self.rng.choice(acts)()

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, by: httpx.Client | None = None, **more: Any) -> httpx.Response | None:
        """Send; keep what came back."""
        try:
            answer = (by or self.client).request(method, path, **more)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A server may close a connection whose request it refuses before it has read all of it.
            self.answers.append((path, 0, "closed"))
            return None
        self.answers.append((f"{method} {path}", answer.status_code, answer.text[:300]))
        return answer

    def post(self, path: str, value: Any) -> httpx.Response | None:
        return self.ask("POST", path, content=encoded(value), headers={"Content-Type": "application/json"})

    def where(self) -> tuple[str, int]:
        """Stage and step, as the server says."""
        answer = self.ask("GET", "/api/state")
        state = answer.json() if answer is not None and answer.status_code == 200 else {}
        return state.get("stage", "end"), state.get("step", 0)

    # -- honest steps --------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """What the page of this moment is for."""
        name, step = self.where()
        stage = next((stage for stage in STUDY.stages if stage.id == name), None)
        if stage is None:
            return
        if stage.kind == "consent":
            self.post("/api/act", {"stage": name, "act": "agree"})
            return
        self.post("/api/act", {"stage": name, "act": "begin"})
        if stage.kind == "tasks":
            self.post("/api/submit", {"code": "print(1)\n", "confirm": True, "page": self.page})
        elif stage.kind in ("survey", "eligibility", "quiz"):
            self.fill_in(name, step, {question.id: good(question) for question in stage.asked})
        else:
            self.post("/api/act", {"stage": name, "act": "continue", "pledged": True})

    def fill_in(self, stage: str, step: int, values: dict[str, Any]) -> None:
        """Answer a form as its page does."""
        place = {"stage": stage, "step": step}
        events = [{"kind": "answers_shown", "payload": place}]
        events += [{"kind": "answer_set", "payload": place | {"field": n, "value": v}} for n, v in values.items()]
        self.new_page()
        self.sent = [{"seq": n, "client_time_ms": 1, "mono_ms": 1} | each for n, each in enumerate(events, 1)]
        self.post("/api/events", {"page": self.page, "events": self.sent})
        self.post("/api/answers", {"page": self.page, "seq": len(self.sent), **place, "shown": values})

    def new_page(self) -> None:
        self.page, self.sent = f"{self.page[:20]}-{self.rng.randrange(10**9)}", []
        self.post("/api/open", {"page": self.page, "mono_ms": 0})

    # -- anything else -------------------------------------------------------------------------------------------------

    def batch(self) -> None:
        """Events, some of them ahead of a gap."""
        first = len(self.sent) + self.rng.choice((1, 1, 1, 2, 50, -3))
        events = [event(self.rng, max(1, first + n)) for n in range(self.rng.choice((1, 2, 5, 40)))]
        page = self.rng.choice((self.page, self.page, self.page, "other", "server", *TEXTS[:8]))
        answer = self.post("/api/events", {"page": maybe(self.rng, page, 0.03), "events": events})
        if answer is not None and answer.status_code == 200 and page == self.page:
            self.sent = (self.sent + events)[-200:]

    def again(self) -> None:
        """The same numbers with other contents."""
        events = [event(self.rng, n) for n in range(1, 6)]
        for sent in (self.sent[:50], events):
            self.post("/api/events", {"page": self.page, "events": sent})

    def reordered(self) -> None:
        events = [event(self.rng, len(self.sent) + n) for n in (9, 3, 1, 2, 2, 7_000, 10_000_000)]
        self.rng.shuffle(events)
        self.post("/api/events", {"page": self.page, "events": events})

    def handed_in(self) -> None:
        """Answers to this stage, to another, or to none."""
        stage, step = self.where() if self.rng.random() < 0.5 else (self.rng.choice(STAGES), self.rng.randrange(3))
        screen = {"page": self.page, "seq": len(self.sent), "stage": stage, "step": step}
        screen["shown"] = {self.rng.choice(FIELDS): anything(self.rng, 2) for _ in range(3)}
        self.post("/api/answers", {name: maybe(self.rng, value, 0.1) for name, value in screen.items()})

    def draft(self) -> None:
        step = self.rng.choice(("0", "1", "9" * 30, "9" * 6000, "-1", "\u0663", "\u00b2", "", "x"))
        stage = self.rng.choice([*STAGES, *TEXTS[:20]]).encode("utf-8", "surrogatepass")
        self.ask("GET", "/api/answers", params={"stage": stage[:4000], "step": step})

    def odd(self) -> None:
        """A body that is none, or of another route, with headers that lie about it."""
        kinds = ("application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data", "")
        headers = {"Content-Type": self.rng.choice(kinds)}
        if self.rng.random() < 0.1:
            headers["Origin"] = self.rng.choice(("https://evil.example", "null", self.url, "http://[", "\x7f"))
        if self.rng.random() < 0.1:
            headers["X-Forwarded-Host"] = self.rng.choice(("evil.example", "", "[", "a" * 3000))
        body = odd_body(self.rng) if self.rng.random() < 0.6 else encoded(anything(self.rng))
        method = self.rng.choice(("POST", "POST", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
        self.ask(method, self.rng.choice([*ROUTES, "/enter", "/", "/healthz", "/api/x"]), content=body, headers=headers)

    def open(self) -> None:
        self.post("/api/open", {"page": maybe(self.rng, self.page, 0.5), "mono_ms": anything(self.rng, 1)})

    def act(self) -> None:
        acts = ["begin"] * 8 + ["continue"] * 8 + ["agree", "disagree", "leave", "", "withdraw", "\x00"]
        act = {"stage": self.rng.choice(STAGES), "act": self.rng.choice(acts), "pledged": anything(self.rng, 0)}
        act["erase"] = self.rng.random() < 0.5
        self.post("/api/act", {name: maybe(self.rng, value, 0.1) for name, value in act.items()})

    def run(self) -> None:
        asked = {"code": self.rng.choice(PROGRAMS), "page": self.page, "seq": len(self.sent)}
        self.post("/api/runs", {name: maybe(self.rng, value, 0.15) for name, value in asked.items()})
        if self.rng.random() < 0.3:
            self.post("/api/runs/stop", anything(self.rng))

    def submit(self) -> None:
        asked = {"code": self.rng.choice(PROGRAMS), "page": self.page, "seq": len(self.sent), "confirm": True}
        asked["task"] = self.rng.choice(("warmup", "trio_timer", "trio_users", "x"))
        self.post("/api/submit", {name: maybe(self.rng, value, 0.15) for name, value in asked.items()})

    def chat(self) -> None:
        asked = {"message": self.rng.choice(TEXTS), "page": self.page, "code": self.rng.choice((*TEXTS, *PROGRAMS))}
        answer = self.post("/api/chat", {name: maybe(self.rng, value, 0.1) for name, value in asked.items()})
        if answer is not None and "x-turn-id" in answer.headers:
            self.others.append(answer.headers["x-turn-id"])
        turn = self.rng.choice([*self.others, *TEXTS[:20]])
        self.post("/api/chat/stop", {"turn_id": maybe(self.rng, turn)})
        self.ask("GET", "/api/chat/turns")

    def enter(self, *, plain: bool = False) -> None:
        """The door, with ids of all sorts."""
        names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "label", "link", "move", "again", "study_probe")
        odd = {name: self.rng.choice((*TEXTS, "ab12" * 6)) for name in names if self.rng.random() < 0.3}
        given = self.invited if plain else odd
        fields = {name: value.encode("utf-8", "surrogatepass") for name, value in given.items()}
        if fields and self.rng.random() < 0.5:
            self.ask("GET", "/enter?" + urlencode({name: value[:4000] for name, value in fields.items()}))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.ask("POST", "/enter", content=urlencode(fields), headers=form)
        if (cookie := self.client.cookies.get(COOKIE)) is not None:
            self.others.append(cookie)

    def foreign(self) -> None:
        """With another person's cookie, an invented one, or two."""
        mine = self.client.cookies.get(COOKIE, "")
        invented = ("x", "a" * 5000, "%00", '"', "; ;=", "\u00c3\u00a9")
        value = self.rng.choice([*self.others, *invented])
        cookies = f"{COOKIE}={value}; {COOKIE}={mine}" if self.rng.random() < 0.3 else f"{COOKIE}={value}"
        header = {"Cookie": cookies.encode("latin-1", "replace")}
        body = encoded({"page": self.page, "events": [event(self.rng, 1)]})
        with httpx.Client(base_url=self.url, timeout=60) as other:
            self.ask("POST", self.rng.choice(ROUTES), by=other, content=body, headers=header)
            self.ask("GET", self.rng.choice(("/api/chat/turns", "/", "/api/state")), by=other, headers=header)

    def streamlit(self) -> None:
        method = self.rng.choice(("GET", "PUT", "POST", "DELETE"))
        self.ask(method, self.rng.choice(STREAMLITS), content=self.rng.randbytes(200))

    def websocket(self) -> None:
        """Streamlit's websocket: opened as a page does, then fed with anything."""
        cookie = self.rng.choice([self.client.cookies.get(COOKIE, ""), *self.others[-3:], ""])
        headers = {
            "Cookie": f"{COOKIE}={cookie}",
            "Origin": self.rng.choice((self.url, self.url, "https://evil.example")),
        }
        address = self.url.replace("http", "ws") + "/_stcore/stream"
        more = {"open_timeout": 20, "close_timeout": 1, "proxy": None}
        with (
            contextlib.suppress(WebSocketException, OSError, TimeoutError),
            connect(address, additional_headers=headers, **more) as line,
        ):
            for _ in range(self.rng.randint(0, 3)):
                size = self.rng.choice((0, 5, 3000))
                line.send(self.rng.choice((self.rng.randbytes(size), "x" * size, NOT_A_MESSAGE)))

    # -- below HTTP ----------------------------------------------------------------------------------------------------

    def half_open(self) -> None:
        """A connection that says something and is left."""
        self._raw(
            self.rng.choice((b"", b"G", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        )

    def slow(self) -> None:
        """A body that does not come, is shorter than announced, or is announced twice."""
        cookie = self.client.cookies.get(COOKIE, "")
        head = f"POST {self.rng.choice(ROUTES)} HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={cookie}\r\n".encode("latin-1")
        ends = (
            b"Content-Length: 500\r\n\r\n{", b"Content-Length: -1\r\n\r\n", b"Content-Length: 99999999999999\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            b"X: " + b"a" * 40_000, b"A:\x00\r\n\r\n", b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        )  # fmt: skip
        self._raw(head + self.rng.choice(ends))

    def _raw(self, data: bytes) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(data)
            if self.rng.random() < 0.3:
                line.settimeout(0.2)
                self.answers.append(("raw", _status(line.recv(200)), data[:60].decode("latin-1")))


NOT_A_MESSAGE = b"\x08\x96\x01" * 200


def _status(answer: bytes) -> int:
    return int(answer[9:12]) if answer[:5] == b"HTTP/" and answer[9:12].isdigit() else 0


def good(question: Any) -> Any:
    """An answer that the question takes, and that lets one in."""
    values = [option.value for option in question.options]
    if question.kind == "choice":
        return next((value for value in values if question.lets_in(value)), values[0])
    if question.kind == "multiple":
        return [next(value for value in values if question.lets_in([value]))]
    if question.kind == "text":
        return "a text"
    return question.low if question.low is not None else 1
