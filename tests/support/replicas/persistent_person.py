"""A participant over HTTP who goes on whatever breaks: by the next server, with the same cookie."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from support.hostile.hostile_person import STUDY, good

TASK_SECONDS = 1.0
COOKIE = "study_participant"


@dataclass
class Met:
    """What one person met."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """Page -> the highest number that a server confirmed."""
    cut_replies: int = 0
    cut_runs: int = 0
    reconnected: int = 0
    refused: list[str] = field(default_factory=list)
    """Answers that no fault of a server explains."""
    finished: bool = False


class PersistentPerson:
    """Walks through the shipped study, from the door to the end.

    Args:
        urls: of the servers.
        seed: of what they do, and which server they begin at.
        seconds: how long they type at each task.
        patience: how long they try one request.
        verify: whether the certificate has to be one that this machine trusts.
    """

    def __init__(
        self,
        urls: list[str],
        seed: int,
        seconds: float = TASK_SECONDS,
        patience: float = 300.0,
        *,
        verify: bool = True,
    ) -> None:
        self.urls, self.rng, self.seconds, self.patience = urls, random.Random(seed), seconds, patience
        self.at = seed % len(urls)
        self.cookies: dict[str, str] = {}
        self.met = Met()
        self.link = ""
        self._client = httpx.Client(timeout=60, verify=verify)

    def walk(self) -> Met:
        with self._client:
            self.enter()
            for _ in range(200):
                stage, step = self.where()
                kind = next((each for each in STUDY.stages if each.id == stage), None)
                if kind is None or kind.kind == "debrief":
                    self.met.finished = True
                    return self.met
                self.advance(kind, step)
        return self.met

    def enter(self) -> None:
        """Through the door; a link, where the study wants one, is in `self.link`."""
        form = {"link": self.link} if self.link else {}
        answer = self.ask("POST", "/enter", form=form)
        self.cookies[COOKIE] = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, *, form: Any = None, once: bool = False) -> httpx.Response:
        """Send until a server answers; the next server after each failure."""
        end = time.monotonic() + self.patience
        while True:
            try:
                answer = self._client.request(
                    method, self.urls[self.at] + path, json=body, data=form, headers=self._headers()
                )
                # Not what is refused for a reason, such as a budget: trying again would not help.
                if answer.status_code not in (429, 502, 503, 504) or '"budget"' in answer.text:
                    return answer
            except httpx.TransportError:
                self.met.reconnected += 1
                if once:
                    raise
            if time.monotonic() > end:
                raise AssertionError(f"no server answered {method} {path} in time")
            self.at = (self.at + 1) % len(self.urls)
            time.sleep(self.rng.uniform(0.1, 0.4))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookies[COOKIE]}"} if self.cookies else {}

    def where(self) -> tuple[str, int]:
        state = self.ask("GET", "/api/state").json()
        return state.get("stage", "end"), state.get("step", 0)

    # -- the stages ----------------------------------------------------------------------------------------------------

    def advance(self, stage: Any, step: int) -> None:
        if stage.kind == "consent":
            self.ask("POST", "/api/act", {"stage": stage.id, "act": "agree"})
            return
        self.ask("POST", "/api/act", {"stage": stage.id, "act": "begin"})
        if stage.kind == "tasks":
            self.task(stage, step)
        elif stage.kind in ("survey", "eligibility", "quiz"):
            self.form(stage.id, step, {question.id: good(question) for question in stage.asked})
        else:
            self.ask("POST", "/api/act", {"stage": stage.id, "act": "continue", "pledged": True})

    def form(self, stage: str, step: int, values: dict[str, Any]) -> None:
        place = {"stage": stage, "step": step}
        page = self.open()
        events = [("answers_shown", place)]
        events += [("answer_set", place | {"field": name, "value": value}) for name, value in values.items()]
        self.send(page, list(itertools.starmap(_event, ((n, *each) for n, each in enumerate(events, 1)))))
        self.ask("POST", "/api/answers", {"page": page, "seq": len(events), **place, "shown": values})

    def task(self, stage: Any, step: int) -> None:
        name = stage.packs[step].rsplit("/", 1)[-1]
        page, text = self.open(), ""
        events = [_event(1, "load", {"task": name, "text": "", "source": "starter"})]
        end, seq = time.monotonic() + self.seconds, 1
        while True:
            for _ in range(5):
                seq += 1
                change = {"from": len(text), "to": len(text), "insert": "x"}
                text += "x"
                events.append(_event(seq, "edit", {"task": name, "kind": "typed", "changes": [change],
                                                   "length": len(text)}))  # fmt: skip
            self.send(page, events)
            events = []
            if self.rng.random() < 0.3:
                self.run(page, seq)
            if self.rng.random() < 0.3:
                self.chat(page)
            if time.monotonic() > end:
                break
            time.sleep(self.rng.uniform(0.05, 0.3))
        self.ask("POST", "/api/submit", {"code": text, "confirm": True, "page": page, "seq": seq, "task": name})

    def open(self) -> str:
        page = uuid.uuid4().hex
        self.ask("POST", "/api/open", {"page": page, "mono_ms": 0})
        return page

    def send(self, page: str, events: list[dict[str, Any]]) -> None:
        answer = self.ask("POST", "/api/events", {"page": page, "events": events})
        if answer.status_code != 200:
            self.met.refused.append(f"events {answer.status_code} {answer.text[:200]}")
            return
        self.met.acknowledged[page] = max(self.met.acknowledged.get(page, 0), answer.json()["ack"])

    def run(self, page: str, seq: int) -> None:
        """Run until a run's end was seen; one more press after each that was cut off."""
        for _ in range(20):
            try:
                answer = self.ask("POST", "/api/runs", {"code": "print(1)", "page": page, "seq": seq}, once=True)
            except httpx.TransportError:
                self.met.cut_runs += 1
                self.ask("GET", "/api/state")
                continue
            lines = answer.text.splitlines()
            if answer.status_code == 200 and any('"end"' in line for line in lines):
                return
            self.met.refused.append(f"run {answer.status_code} {answer.text[:200]}")
            return
        self.met.refused.append("run: never ended")

    def chat(self, page: str) -> None:
        """Ask; where the reply is cut off, wait until the turn is ended, and ask once more."""
        for _ in range(20):
            try:
                answer = self.ask("POST", "/api/chat", {"message": "What is a nursery?", "page": page}, once=True)
            except httpx.TransportError:
                self.met.cut_replies += 1
                self._until_ended()
                continue
            if answer.status_code == 409 and answer.json().get("reason") == "in_progress":
                self._until_ended()
                continue
            # There is none in an arm without, before the allocation, and when the budget is used up.
            if answer.status_code not in (200, 403, 429) and '"stage"' not in answer.text:
                self.met.refused.append(f"chat {answer.status_code} {answer.text[:200]}")
            return
        self.met.refused.append("chat: never answered")

    def _until_ended(self) -> None:
        """What the page shows: the text so far, until the turn is over."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            answer = self.ask("GET", "/api/chat/turns")
            if all(turn["complete"] for turn in answer.json().get("turns", [])):
                return
            time.sleep(0.5)
        raise AssertionError("a reply that was cut off was never ended")


def _event(seq: int, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    now = time.monotonic() * 1000
    return {"seq": seq, "kind": kind, "client_time_ms": now, "mono_ms": now, "payload": payload}


def walk_all(people: list[PersistentPerson]) -> threading.Event:
    """Let everybody walk at once; the event is set when the last has ended."""
    over, left, lock = threading.Event(), [len(people)], threading.Lock()

    def walk(person: PersistentPerson) -> None:
        try:
            person.walk()
        except (AssertionError, httpx.HTTPError, KeyError, json.JSONDecodeError) as problem:
            person.met.refused.append(repr(problem))
        finally:
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    over.set()

    for person in people:
        threading.Thread(target=walk, args=(person,), daemon=True).start()
    return over
