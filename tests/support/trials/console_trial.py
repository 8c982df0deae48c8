"""A trial with people in it, made by the real services on a real database; only programs are not run."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from support.clock import HandClock

from study_app.bootstrap import App, start
from study_app.domain.events import Batch, BrowserEvent
from study_app.domain.events.server import RunStarted, TurnStarted
from study_app.domain.records import RunRecord, Turn
from study_app.domain.tasks.programs import Isolation
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

ROOT = Path(__file__).parents[3]
ELIGIBLE = {"python_over_a_year": "yes", "python_weekly": 3, "tried_ai": "often", "libraries_used": ["asyncio"]}


class NoSandbox:
    """Programs are not what these tests are about."""

    def isolation(self) -> Isolation:
        return Isolation("strong", "Strong isolation (a stand-in).")

    def run(self, *args, **kwargs):
        raise AssertionError("no program is run here")

    def close(self) -> None:
        return None


def counted_ids():
    numbers = itertools.count(1)
    return lambda: f"id{next(numbers):06d}"


class Trial:
    """One trial in a separate folder."""

    def __init__(
        self,
        folder: Path,
        *,
        launched: bool = False,
        entry: str = "links",
        database: str = "",
        extra: str = "",
        block_sizes: str = "[2, 4, 6]",
        **more,
    ) -> None:
        self.folder = folder
        self.study_file = folder / "study.toml"
        for name in ("tasks", "quizzes", "assistants"):
            (folder / name).symlink_to(ROOT / name)
        text = (ROOT / "study.toml").read_text()
        text = re.sub(r'entry = "open"', f'entry = "{entry}"', text).replace(
            "allow_embedded = false", "allow_embedded = true"
        )
        text = text.replace("block_sizes = [2, 4, 6]", f"block_sizes = {block_sizes}")
        self.study_file.write_text(text + extra)
        self.clock = HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        database = database or f"sqlite:///{folder}/study.db"
        self.settings = Settings(study_file=self.study_file, database=database, var=folder / "var", environment={})
        self.app: App = start(self.settings, clock=self.clock, sandbox=NoSandbox(), **more)
        if launched:
            self.app.lifecycle.launch()

    def enter(self, label: str = "") -> str:
        (link,) = self.app.links.create(1, [label] if label else None)
        return self.app.enrol.enter(EntryRequest(link=link.secret)).participant.id

    def at(self, who: str) -> str:
        return self.app.session.where(who).participant.stage

    def to_warmup(self, who: str) -> None:
        app = self.app
        app.session.where(who)
        self.clock.advance(minutes=2)
        app.session.consent(who, True)
        self.clock.advance(minutes=1)
        app.answers.submit_survey(who, "eligibility", ELIGIBLE)
        app.session.continue_(who, "device")
        self.clock.advance(minutes=3)
        app.answers.submit_survey(who, "background", answers(app, "background"))
        app.session.begin_stage(who, "warmup")

    def through_warmup(self, who: str) -> None:
        self.to_warmup(who)
        self.write(who, "warmup", "def solve():\n    return 1\n", f"w-{who}")
        self.app.submitting.submit(who, "def solve():\n    return 1\n", confirm=True)
        self.clock.advance(minutes=1)

    def to_tasks(self, who: str) -> None:
        self.through_warmup(who)
        self.app.session.continue_(who, "instructions")
        self.app.session.where(who)

    def write(self, who: str, task: str, text: str, page: str, seconds: float = 0.4) -> None:
        """Type a text character by character into an empty editor."""
        self.app.session.take_over(who, page)
        events = [self._event(1, "load", {"task": task, "text": "", "source": "starter"})]
        for number, char in enumerate(text):
            self.clock.advance(seconds=seconds)
            change = {"from": number, "to": number, "insert": char}
            payload = {"task": task, "kind": "typed", "changes": [change], "length": number + 1}
            events.append(self._event(number + 2, "edit", payload))
        self.app.session.ingest(who, Batch(page=page, events=events))

    def send(self, who: str, page: str, seq: int, kind: str, payload: dict | None = None) -> None:
        self.app.session.ingest(who, Batch(page=page, events=[self._event(seq, kind, payload or {})]))

    def _event(self, seq: int, kind: str, payload: dict) -> BrowserEvent:
        moment = self.clock.at.timestamp() * 1000
        return BrowserEvent(seq=seq, kind=kind, client_time_ms=moment, mono_ms=moment - 1.7e12, payload=payload)

    def run(self, who: str, task: str, code: str, **more) -> None:
        app, now = self.app, self.app.context.now()
        run = RunRecord(
            app.context.fresh_id(), who, task, self.at(who), "run", code, now, stdout="hello\n", ended_by="exit"
        )
        run = replace(run, wall_seconds=0.8, isolation="strong", **more)
        with app.context.registry.begin() as unit:
            unit.add_run(run)
            unit.record(who, run.stage, now, RunStarted(run_id=run.id, task=task))
        self.clock.advance(seconds=2)

    def ask(self, who: str, task: str, message: str, reply: str) -> str:
        """As in an arm with an assistant."""
        app, now, stage = self.app, self.app.context.now(), self.at(who)
        turn = Turn(
            app.context.fresh_id(), who, task, "notes", "full", "notes", "1", message, reply, "import trio\n", now,
            first_token_seconds=0.6, total_seconds=9.0, composing_seconds=14.0, complete=True,
        )  # fmt: skip
        with app.context.registry.begin() as unit:
            unit.add_turn(turn)
            unit.record(who, stage, now, TurnStarted(turn_id=turn.id, task=task))
        self.clock.advance(seconds=12)
        return turn.id

    def arm(self, who: str) -> str | None:
        with self.app.context.registry.begin(write=False) as unit:
            return unit.participant(who).arm

    def someone_in(self, arm: str) -> str:
        """A participant on the tasks who is in that arm."""
        while True:
            who = self.enter()
            self.to_tasks(who)
            if self.arm(who) == arm:
                return who

    def finish(self, who: str, text: str = "I do not know") -> None:
        """From the tasks to the end, with a text that no key knows in every open answer of the quiz."""
        app = self.app
        for _ in range(2):
            app.submitting.submit(who, "print(1)\n", confirm=True)
            self.clock.advance(minutes=6)
        app.session.begin_stage(who, "quiz")
        for _ in range(40):
            place = app.session.where(who)
            if place.participant.stage != "quiz":
                break
            _, items, _ = app.answers.page(place)
            given = {item.id: given_to(item, text) for item in items}
            self.clock.advance(minutes=1)
            app.answers.submit_page(who, "quiz", place.participant.step, given)
        app.answers.submit_survey(who, "exit", answers(app, "exit"))

    def close(self) -> None:
        self.app.close()


def given_to(item, text: str):
    if item.kind == "multiple_select":
        return [item.options[0].id]
    return item.options[0].id if item.options else text


def answers(app: App, stage_id: str) -> dict:
    given = {}
    for question in app.study.stage(stage_id).questions:
        if question.options:
            given[question.id] = question.options[0].value
        elif question.kind in ("scale", "number"):
            given[question.id] = question.low or 0
    return given


def busy(trial: Trial, people: int = 12) -> list[str]:
    """People at every station, chats included."""
    found = []
    for number in range(people):
        who = trial.enter(f"person {number + 1}")
        found.append(who)
        trial.clock.advance(minutes=7)
        depth = number % 6
        if depth == 0:
            trial.app.session.where(who)
        elif depth == 1:
            trial.to_warmup(who)
        elif depth == 2:
            trial.app.session.where(who)
            trial.app.session.consent(who, False)
        else:
            trial.to_tasks(who)
            work(trial, who)
            if depth > 3:
                trial.finish(who)
    return found


def work(trial: Trial, who: str) -> None:
    """Type, run, and ask where the arm has an assistant."""
    code = "import trio\n\nasync def main():\n    async with trio.open_nursery() as nursery:\n"
    code += "        nursery.start_soon(greet)\n"
    page = f"t-{who}"
    trial.write(who, "trio_timer", code, page)
    trial.run(
        who, "trio_timer", code, error_type="NameError", error_line=5, stderr="NameError: name 'greet' is not defined\n"
    )
    seq = len(code) + 2
    if trial.arm(who) == "ai":
        reply = "Define the coroutine first:\n\nasync def greet():\n    await trio.sleep(1)\n    print('hello')\n"
        turn = trial.ask(who, "trio_timer", "Why is greet not defined?", reply)
        pasted = "\nasync def greet():\n    await trio.sleep(1)\n    print('hello')\n"
        trial.send(who, page, seq, "copy_reply", {"turn_id": turn, "text": pasted, "how": "button"})
        attempt = {
            "text": pasted,
            "length": len(pasted),
            "how": "paste",
            "target": "editor",
            "from": "reply",
            "turn_id": turn,
        }
        trial.send(who, page, seq + 1, "paste_attempt", attempt)
        change = {"from": 12, "to": 12, "insert": pasted}
        payload = {"task": "trio_timer", "kind": "paste", "changes": [change], "length": len(code) + len(pasted)}
        trial.send(who, page, seq + 2, "edit", payload)
        seq += 3
        trial.clock.advance(seconds=20)
        trial.run(who, "trio_timer", code[:12] + pasted + code[12:])
    trial.send(who, page, seq, "hidden")
    trial.clock.advance(seconds=40)
    trial.send(who, page, seq + 1, "visible")
    trial.clock.advance(minutes=2)
