"""Participants who walk through the shipped study by the real services, in their own database."""

from __future__ import annotations

import asyncio
import atexit
import csv
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from support.clock import HandClock

from study_app.bootstrap import App, start
from study_app.dataset.schema.file_names import in_file_name
from study_app.domain.events import Batch
from study_app.domain.quiz.scoring import correct_response
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings

ROOT = Path(__file__).parents[3]


BACKGROUND = {
    "years_coding": 3,
    "years_python": 2,
    "asyncio_use": 1,
    "async_check_1": "others",
    "async_check_2": "coroutine",
    "async_check_3": "two",
    "async_check_4": "sums",
    "async_check_5": "holds",
}
ELIGIBLE = {"python_over_a_year": "yes", "python_weekly": 3, "tried_ai": "some", "libraries_used": ["asyncio"]}
SCALES = {"task_difficulty": 4, "quiz_difficulty": 5, "learned": 6, "enjoyed": 3}
LOAD = {f"load_{name}": 11 for name in "mental physical temporal performance effort frustration".split()}
EXIT = {**SCALES, **LOAD, "other_ai_used": "no", "feedback": "=cmd|' /C calc'!A0"}


def ids() -> Any:
    """Identifiers that repeat from run to run."""
    numbers: Iterator[int] = iter(range(1, 10**9))
    lock = threading.Lock()

    def fresh() -> str:
        with lock:
            return f"id{next(numbers):010d}"

    return fresh


def open_app(folder: Path, clock: Any, study: Path = ROOT / "study.toml", **settings: Any) -> App:
    """The shipped study over a fresh SQLite file, the embedded assistant speaking without pauses."""
    given = Settings(
        study_file=study,
        database=settings.pop("database", f"sqlite:///{folder}/study.db"),
        var=folder / "var",
        environment={},
    )
    fresh = settings.pop("fresh_ids", None) or ids()
    pace = {"seconds_per_word": 0.0} | settings
    return start(given, clock=clock, ids=fresh, grading_clock="virtual", **pace)


class Walker:
    """One participant and what they do."""

    def __init__(self, app: App, clock: Any, entry: EntryRequest | None = None, kind: Any = None) -> None:
        self.app, self.clock = app, clock
        self.id = app.enrol.enter(entry or EntryRequest(), kind=kind).participant.id
        self.page = ""
        self.pages = 0
        self.seq = 0
        self.text = ""

    # -- to the tasks --------------------------------------------------------------------------------------------------

    def consent(self) -> Walker:
        self.app.session.where(self.id)
        self.clock.advance(seconds=40)
        self.app.session.consent(self.id, True)
        self.clock.advance(seconds=30)
        self.app.answers.submit_survey(self.id, "eligibility", ELIGIBLE)
        self.app.session.continue_(self.id, "device")
        return self

    def background(self, **changed: Any) -> Walker:
        self.clock.advance(seconds=90)
        self.app.answers.submit_survey(self.id, "background", BACKGROUND | changed)
        return self

    def to_tasks(self, solve: bool = True) -> Walker:
        self.consent().background()
        self.app.session.begin_stage(self.id, "warmup")
        self.open("warmup")
        self.clock.advance(minutes=4)
        self.submit(self.solution("warmup") if solve else self.text)
        self.app.session.continue_(self.id, "instructions")
        return self

    @property
    def arm(self) -> str | None:
        with self.app.context.registry.begin(write=False) as unit:
            person = unit.participant(self.id)
            return person.arm if person else None

    def solution(self, task: str) -> str:
        return self.app.library.pack(f"tasks/{task}").solution

    # -- the page ------------------------------------------------------------------------------------------------------

    def open(self, task: str) -> None:
        """Load the page with the task's saved text."""
        saved = self.app.session.document(self.id, task)
        self.text = saved.text if saved else self.app.library.pack(f"tasks/{task}").starter
        self.pages += 1
        self.page, self.seq, self.task = f"page{self.pages}-{self.id}", 0, task
        self.app.session.take_over(self.id, self.page)
        self.send(("load", {"task": task, "text": self.text, "source": "saved" if saved else "starter"}))
        self.send(("visible", {}), ("focus", {}))

    def send(self, *events: tuple[str, dict[str, Any]]) -> None:
        """One batch, as a page sends it."""
        batch = []
        for kind, payload in events:
            self.seq += 1
            now = self.clock.now().timestamp() * 1000
            batch.append({"seq": self.seq, "kind": kind, "client_time_ms": now, "mono_ms": now, "payload": payload})
        self.app.session.ingest(self.id, Batch.model_validate({"page": self.page, "events": batch}))

    def edit(self, start: int, end: int, insert: str, kind: str = "typed") -> None:
        """Replace a stretch; the shipped tasks are plain ASCII, so characters are units."""
        self.text = self.text[:start] + insert + self.text[end:]
        change = {"from": start, "to": end, "insert": insert}
        self.send(("edit", {"task": self.task, "kind": kind, "changes": [change], "length": len(self.text)}))

    def type(self, text: str, step: int = 400) -> None:
        """Type at the end, some characters an edit."""
        for at in range(0, len(text), step):
            self.clock.advance(seconds=5)
            self.edit(len(self.text), len(self.text), text[at : at + step])

    def paste(self, text: str, origin: str = "outside", **more: Any) -> None:
        attempt = {"text": text, "length": len(text), "from": origin, "target": "editor", "how": "paste", **more}
        self.send(("paste_attempt", attempt))
        self.edit(len(self.text), len(self.text), text, "paste")

    def replace_all(self, text: str) -> None:
        self.edit(0, len(self.text), "")
        self.type(text)

    # -- programs and the assistant ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run what is in the editor."""
        over = threading.Event()

        def emit(line: dict[str, Any] | None) -> None:
            if line is None:
                over.set()

        self.send(("run_pressed", {}))
        self.app.work.run(self.id, self.text, emit, self.page, self.seq)
        assert over.wait(60)

    def submit(self, code: str | None = None) -> None:
        if code is not None and not self.text.endswith(code):
            self.replace_all(code)
        self.send(("submit_pressed", {"confirm": True}))
        self.app.submitting.submit(self.id, self.text, self.page, None, confirm=True)

    def ask(self, message: str) -> str:
        """Compose and send a message; returns the reply."""

        async def ask() -> str:
            asked = await self.app.help.ask(self.id, message, self.page, self.text, self.seq)
            return "".join([piece async for piece in asked.text])

        self.send(("compose_start", {}))
        self.clock.advance(seconds=12)
        self.send(("send_pressed", {}), ("compose_end", {"sent": True}))
        return asyncio.run(ask())

    # -- after the tasks -----------------------------------------------------------------------------------------------

    def begin_tasks(self) -> Walker:
        self.app.session.where(self.id)
        self.open("trio_timer")
        return self

    def solve_tasks(self, minutes: float = 9) -> Walker:
        for task in ("trio_timer", "trio_users"):
            if self.task != task:
                self.open(task)
            self.clock.advance(minutes=minutes)
            self.submit(self.solution(task))
        return self

    def quiz(self, answered: int = 99) -> Walker:
        self.app.session.begin_stage(self.id, "quiz")
        bank = self.app.library.bank("quizzes/trio")
        left = answered
        for step, items in enumerate(bank.pages_of(None)):
            given: dict[str, Any] = {}
            for item in items[:left]:
                choices = [option.id for option in item.options]
                given[item.id] = {"single_choice": choices[:1], "multiple_select": [choices[:2]]}.get(
                    item.kind, ["=1+1"]
                )[0]
                if item.type == "attention_check":
                    given[item.id] = correct_response(item, self.app.library.keys("quizzes/trio")[item.id])
            left = max(0, left - len(items))
            self.clock.advance(seconds=60)
            self.app.answers.submit_page(self.id, "quiz", step, given)
        return self

    def exit(self, **changed: Any) -> Walker:
        self.clock.advance(seconds=100)
        self.app.answers.submit_survey(self.id, "exit", EXIT | changed)
        return self

    def whole_way(self) -> Walker:
        """Everything: in the arm with an assistant one question, and one paste from its reply that stays."""
        self.to_tasks().begin_tasks()
        self.edit(0, len(self.text), "")
        if self.arm == "ai":
            reply = self.ask("How does a nursery start two tasks at once?")
            self.paste("# " + reply.splitlines()[0] + "\n", "reply", turn_id=self.turns()[-1])
        self.type("import trio\nraise ValueError('x')\n")
        self.run()
        start = self.text.index("import trio")
        self.edit(start, len(self.text), "")
        self.type(self.solution("trio_timer"))
        return self.solve_tasks().quiz().exit()

    def turns(self) -> list[str]:
        return [turn.id for turn in self.app.help.turns(self.id)]


def settle(app: App) -> None:
    """Grade and score what waits."""
    app.grading.grade_pending()
    app.scoring.score_pending()


def real_study(folder: Path, **replaced: str) -> Path:
    """The shipped study as it could be launched, beside links to its content."""
    for name in ("tasks", "quizzes", "assistants"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    text = (ROOT / "study.toml").read_text(encoding="utf-8")
    replaced = {
        'entry = "open"': 'entry = "links"',
        "allow_embedded = false": "allow_embedded = true",
        "allow_weak_isolation = false": "allow_weak_isolation = true",
    } | replaced
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def scratch() -> Path:
    """A folder that is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="study-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass
class Trial:
    """One small trial and its export in every state, by the real services."""

    app: App
    clock: HandClock
    folder: Path
    people: list[str]

    def dataset(self, state: str) -> Path:
        return self.folder / f"dataset-{state}"


@cache
def trial() -> Trial:
    """Five real participants of a launched study, one of whom left, one turned away, and one preview from before."""
    folder, clock = scratch(), HandClock()
    app = open_app(folder, clock, real_study(folder))
    preview = Walker(app, clock).whole_way()
    settle(app)
    export(app.context, folder / "dataset-draft", include_preview=True)
    app.lifecycle.launch()
    labels = [f"person{number}@example.org" for number in range(6)]
    links = [link.secret for link in app.links.create(labels=labels)]
    people = [preview.id]
    for number in range(4):
        clock.advance(minutes=3)
        people.append(Walker(app, clock, EntryRequest(link=links[number])).whole_way().id)
    leaver = Walker(app, clock, EntryRequest(link=links[4])).to_tasks().begin_tasks()
    leaver.type("# I am leaving\n")
    app.session.withdraw(leaver.id, False)
    turned_away = Walker(app, clock, EntryRequest(link=links[5]))
    app.session.where(turned_away.id)
    app.session.consent(turned_away.id, True)
    app.answers.submit_survey(turned_away.id, "eligibility", ELIGIBLE | {"libraries_used": ["asyncio", "trio"]})
    people += [leaver.id, turned_away.id]
    settle(app)
    app.lifecycle.exclude(people[4], "took part with a colleague", "a researcher")
    clock.advance(minutes=1)
    export(app.context, folder / "dataset-launched")
    app.lifecycle.close("enough")
    export(app.context, folder / "dataset-closed")
    app.lifecycle.unseal("analysis begins")
    export(app.context, folder / "dataset-unsealed")
    export(app.context, folder / "dataset-all", include_preview=True)
    return Trial(app, clock, folder, people)


def copy_of(base: Trial, folder: Path, *statements: str, sealed: bool = False) -> App:
    """The trial's database as a copy, after these statements; with its sealing key if asked for."""
    if sealed:
        key = next(base.folder.rglob("seal.key"))
        (folder / key.relative_to(base.folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(key, folder / key.relative_to(base.folder))
    with sqlite3.connect(base.folder / "study.db") as source, sqlite3.connect(folder / "study.db") as target:
        source.backup(target)
        for statement in statements:
            assert target.execute(statement).rowcount, statement
    clock = HandClock()
    clock.at = base.clock.at
    return open_app(folder, clock, base.folder / "study.toml")


def table(dataset: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table as text."""
    with next((dataset / "data").glob(f"*_description-{in_file_name(name)}_data.csv")).open(
        encoding="utf-8", newline=""
    ) as handle:
        return list(csv.DictReader(handle))


@cache
def at_work() -> Walker:
    """A participant at a task in an arm with an assistant that has no limits."""
    clock = HandClock()
    app = open_app(scratch(), clock)
    for _ in range(20):
        walker = Walker(app, clock).to_tasks().begin_tasks()
        if walker.arm == "ai":
            return walker
    raise AssertionError("no one of twenty was allocated to the arm with an assistant")
